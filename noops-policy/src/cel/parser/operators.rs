use crate::cel::ast::{Binary, Kind, Node};
use crate::cel::lexer::Token;

/// An operator between two operands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Operator {
    Or,
    And,
    Binary(Binary),
}

impl Operator {
    /// The operator that `token` is between two operands.
    pub(super) fn of(token: &Token) -> Option<Self> {
        let found = match token {
            Token::Symbol(symbol) => *symbol,
            // The one operator that is a word.
            Token::Name(name) if name == "in" => "in",
            _ => return None,
        };
        let (_, operator) = OPERATORS.iter().find(|(symbol, _)| *symbol == found)?;
        Some(*operator)
    }

    /// A higher level binds tighter.
    fn level(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Binary(Binary::Add | Binary::Subtract) => 4,
            Self::Binary(Binary::Multiply | Binary::Divide | Binary::Remainder) => 5,
            // An index is no infix operator and never comes here.
            Self::Binary(_) => 3,
        }
    }

    /// Whether its operands make one node, however many they are.
    pub(super) fn is_chain(self) -> bool {
        matches!(self, Self::Or | Self::And)
    }
}

/// An operator with what is on its left: one operand, or those of a chain.
pub(super) struct Waiting {
    pub(super) operator: Operator,
    pub(super) operands: Vec<Node>,
    pub(super) start: usize,
}

impl Waiting {
    /// Whether the operand before `next` is the last one: operators of one level read from left to right.
    pub(super) fn is_complete_before(&self, next: Option<Operator>) -> bool {
        next.is_none_or(|next| {
            self.operator.level() > next.level()
                || (self.operator.level() == next.level() && !self.operator.is_chain())
        })
    }

    pub(super) fn with(mut self, right: Node) -> Kind {
        match self.operator {
            Operator::Binary(operator) => match self.operands.pop() {
                Some(left) => Kind::Binary(operator, Box::new(left), Box::new(right)),
                None => right.kind,
            },
            Operator::And => {
                self.operands.push(right);
                Kind::And(self.operands)
            }
            Operator::Or => {
                self.operands.push(right);
                Kind::Or(self.operands)
            }
        }
    }
}

const OPERATORS: [(&str, Operator); 14] = [
    ("||", Operator::Or),
    ("&&", Operator::And),
    ("==", Operator::Binary(Binary::Equal)),
    ("!=", Operator::Binary(Binary::NotEqual)),
    ("<", Operator::Binary(Binary::Less)),
    ("<=", Operator::Binary(Binary::LessOrEqual)),
    (">", Operator::Binary(Binary::Greater)),
    (">=", Operator::Binary(Binary::GreaterOrEqual)),
    ("in", Operator::Binary(Binary::In)),
    ("+", Operator::Binary(Binary::Add)),
    ("-", Operator::Binary(Binary::Subtract)),
    ("*", Operator::Binary(Binary::Multiply)),
    ("/", Operator::Binary(Binary::Divide)),
    ("%", Operator::Binary(Binary::Remainder)),
];
