use super::CelError;
use super::ast::{Arithmetic, Comparison, Kind, Literal, Node};
use super::lexer::{self, Placed, Token};

/// Parses a condition within fixed bounds on its size, its tokens and its nesting.
///
/// Every recursion goes through `nested`, so the stack this needs is bounded whatever the source is.
pub(super) fn parse(source: &str) -> Result<Node, CelError> {
    let mut parser = Parser {
        tokens: lexer::tokens(source)?,
        next: 0,
        nesting: 0,
        end: source.len(),
    };
    if parser.tokens.is_empty() {
        return Err(CelError::new(0, "condition is empty"));
    }
    let node = parser.select()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.unexpected("the end of the condition")),
    }
}

/// The tokens of a condition with single blanks between them: equal for conditions that differ in layout only.
pub(super) fn canonical(source: &str) -> Result<String, CelError> {
    let words: Vec<String> = lexer::tokens(source)?
        .into_iter()
        .map(|placed| shown(&placed.token))
        .collect();
    Ok(words.join(" "))
}

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    nesting: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|placed| &placed.token)
    }

    /// Where the next token starts.
    fn here(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.end, |placed| placed.start)
    }

    /// Where the last token taken ends.
    fn behind(&self) -> usize {
        self.next
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(0, |placed| placed.end)
    }

    fn at_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol)
    }

    fn at_name(&self, name: &str) -> bool {
        matches!(self.peek(), Some(Token::Name(found)) if found == name)
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.at_symbol(symbol);
        if found {
            self.next += 1;
        }
        found
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<(), CelError> {
        if self.take_symbol(symbol) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{symbol}`")))
        }
    }

    fn unexpected(&self, wanted: &str) -> CelError {
        let found = match self.peek() {
            None => "the condition ends".to_owned(),
            Some(token) => format!("found `{}`", shown(token)),
        };
        CelError::new(self.here(), format!("expected {wanted} but {found}"))
    }

    fn nested(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<Node, CelError>,
    ) -> Result<Node, CelError> {
        if self.nesting == MAX_NESTING {
            return Err(too_deep(self.here()));
        }
        self.nesting += 1;
        let node = parse(self);
        self.nesting -= 1;
        node
    }

    fn node(&self, kind: Kind, start: usize) -> Result<Node, CelError> {
        let below = match &kind {
            Kind::Literal(_) | Kind::Fact(_) | Kind::Has(_) => 0,
            Kind::Not(operand) | Kind::Negate(operand) | Kind::In(operand, _) => operand.depth,
            Kind::Arithmetic(_, left, right) | Kind::Compare(_, left, right) => {
                left.depth.max(right.depth)
            }
            Kind::And(operands) | Kind::Or(operands) => operands
                .iter()
                .map(|operand| operand.depth)
                .max()
                .unwrap_or(0),
            Kind::Select(condition, then, otherwise) => {
                condition.depth.max(then.depth).max(otherwise.depth)
            }
        };
        if below == MAX_DEPTH {
            return Err(too_deep(start));
        }
        Ok(Node {
            kind,
            start,
            end: self.behind(),
            depth: below + 1,
        })
    }

    fn select(&mut self) -> Result<Node, CelError> {
        let start = self.here();
        let condition = self.or()?;
        if !self.take_symbol("?") {
            return Ok(condition);
        }
        let then = self.nested(Self::or)?;
        self.expect_symbol(":")?;
        let otherwise = self.nested(Self::select)?;
        self.node(
            Kind::Select(Box::new(condition), Box::new(then), Box::new(otherwise)),
            start,
        )
    }

    fn or(&mut self) -> Result<Node, CelError> {
        self.chain("||", Self::and, Kind::Or)
    }

    fn and(&mut self) -> Result<Node, CelError> {
        self.chain("&&", Self::relation, Kind::And)
    }

    fn chain(
        &mut self,
        symbol: &str,
        operand: fn(&mut Self) -> Result<Node, CelError>,
        kind: fn(Vec<Node>) -> Kind,
    ) -> Result<Node, CelError> {
        let start = self.here();
        let first = operand(self)?;
        if !self.at_symbol(symbol) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take_symbol(symbol) {
            operands.push(operand(self)?);
        }
        self.node(kind(operands), start)
    }

    fn relation(&mut self) -> Result<Node, CelError> {
        let start = self.here();
        let mut left = self.sum()?;
        loop {
            if self.at_name("in") {
                self.next += 1;
                let list = self.list()?;
                left = self.node(Kind::In(Box::new(left), list), start)?;
                continue;
            }
            let Some(comparison) = self.take_one_of(&COMPARISONS, Comparison::symbol) else {
                return Ok(left);
            };
            let right = self.sum()?;
            left = self.node(
                Kind::Compare(comparison, Box::new(left), Box::new(right)),
                start,
            )?;
        }
    }

    fn take_one_of<T: Copy>(
        &mut self,
        choices: &[T],
        symbol: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let found = choices
            .iter()
            .copied()
            .find(|choice| self.at_symbol(symbol(*choice)))?;
        self.next += 1;
        Some(found)
    }

    fn sum(&mut self) -> Result<Node, CelError> {
        self.arithmetic(&[Arithmetic::Add, Arithmetic::Subtract], Self::product)
    }

    fn product(&mut self) -> Result<Node, CelError> {
        self.arithmetic(
            &[
                Arithmetic::Multiply,
                Arithmetic::Divide,
                Arithmetic::Remainder,
            ],
            Self::unary,
        )
    }

    fn arithmetic(
        &mut self,
        choices: &[Arithmetic],
        operand: fn(&mut Self) -> Result<Node, CelError>,
    ) -> Result<Node, CelError> {
        let start = self.here();
        let mut left = operand(self)?;
        while let Some(operator) = self.take_one_of(choices, Arithmetic::symbol) {
            let right = operand(self)?;
            left = self.node(
                Kind::Arithmetic(operator, Box::new(left), Box::new(right)),
                start,
            )?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, CelError> {
        let start = self.here();
        if self.take_symbol("!") {
            let operand = self.nested(Self::unary)?;
            return self.node(Kind::Not(Box::new(operand)), start);
        }
        if self.at_symbol("-") {
            self.next += 1;
            if matches!(self.peek(), Some(Token::Int(_) | Token::Double(_))) {
                let literal = self.literal(Sign::Minus)?;
                return self.node(Kind::Literal(literal), start);
            }
            let operand = self.nested(Self::unary)?;
            return self.node(Kind::Negate(Box::new(operand)), start);
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Node, CelError> {
        let start = self.here();
        if self.take_symbol("(") {
            let inner = self.nested(Self::select)?;
            self.expect_symbol(")")?;
            // The parentheses belong to the text of the clause inside them.
            return Ok(inner);
        }
        match self.peek() {
            Some(Token::Name(name)) if name != "true" && name != "false" => self.path(start),
            Some(Token::Name(_) | Token::Int(_) | Token::Double(_) | Token::Text(_)) => {
                let literal = self.literal(Sign::Plus)?;
                self.node(Kind::Literal(literal), start)
            }
            _ => Err(self.unexpected("a fact, a value or `(`")),
        }
    }

    fn path(&mut self, start: usize) -> Result<Node, CelError> {
        let mut path = self.segment()?;
        if path == "has" && self.take_symbol("(") {
            let mut fact = self.segment()?;
            self.more_segments(&mut fact)?;
            self.expect_symbol(")")?;
            return self.node(Kind::Has(fact), start);
        }
        self.more_segments(&mut path)?;
        if self.at_symbol("(") {
            return Err(CelError::new(
                start,
                format!("unknown function `{path}`; only `has(fact)` is offered"),
            ));
        }
        if self.at_symbol("[") {
            return Err(CelError::new(
                self.here(),
                "facts have no elements; name the fact by its dotted path",
            ));
        }
        self.node(Kind::Fact(path), start)
    }

    fn more_segments(&mut self, path: &mut String) -> Result<(), CelError> {
        while self.take_symbol(".") {
            let segment = self.segment()?;
            path.push('.');
            path.push_str(&segment);
        }
        Ok(())
    }

    fn segment(&mut self) -> Result<String, CelError> {
        match self.peek() {
            Some(Token::Name(name)) if name == "null" => Err(CelError::new(
                self.here(),
                "there is no `null`; use `!has(fact)` for a fact that is not known",
            )),
            Some(Token::Name(name)) if name != "in" && name != "true" && name != "false" => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("the name of a fact")),
        }
    }

    fn list(&mut self) -> Result<Vec<(Literal, usize)>, CelError> {
        self.expect_symbol("[")?;
        let mut list = Vec::new();
        loop {
            let at = self.here();
            if self.take_symbol("]") {
                return Ok(list);
            }
            let sign = if self.take_symbol("-") {
                Sign::Minus
            } else {
                Sign::Plus
            };
            list.push((self.literal(sign)?, at));
            if !self.at_symbol("]") {
                self.expect_symbol(",")?;
            }
        }
    }

    fn literal(&mut self, sign: Sign) -> Result<Literal, CelError> {
        let at = self.here();
        let literal = match (self.peek(), sign) {
            (Some(Token::Int(magnitude)), sign) => {
                let value = match sign {
                    Sign::Plus => i64::try_from(*magnitude).ok(),
                    Sign::Minus => 0_i64.checked_sub_unsigned(*magnitude),
                };
                let Some(value) = value else {
                    return Err(CelError::new(
                        at,
                        format!("`{magnitude}` does not fit a 64-bit whole number"),
                    ));
                };
                Literal::Int(value)
            }
            (Some(Token::Double(value)), Sign::Plus) => Literal::Double(*value),
            (Some(Token::Double(value)), Sign::Minus) => Literal::Double(-*value),
            (Some(Token::Text(text)), Sign::Plus) => Literal::Text(text.clone()),
            (Some(Token::Name(name)), Sign::Plus) if name == "true" => Literal::Bool(true),
            (Some(Token::Name(name)), Sign::Plus) if name == "false" => Literal::Bool(false),
            _ => return Err(self.unexpected("a literal value")),
        };
        self.next += 1;
        Ok(literal)
    }
}

#[derive(Clone, Copy)]
enum Sign {
    Plus,
    Minus,
}

fn too_deep(at: usize) -> CelError {
    CelError::new(
        at,
        format!("condition nests more than {MAX_NESTING} levels deep; split it into rules"),
    )
}

fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) => name.clone(),
        Token::Int(value) => value.to_string(),
        Token::Double(value) => format!("{value:?}"),
        Token::Text(text) => format!("{text:?}"),
        Token::Symbol(symbol) => (*symbol).to_owned(),
    }
}

const COMPARISONS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::LessOrEqual,
    Comparison::GreaterOrEqual,
    Comparison::Less,
    Comparison::Greater,
];

const MAX_NESTING: usize = 64;
/// Levels of the tree: a chain such as `a + b + c` adds a level for each operator.
const MAX_DEPTH: usize = MAX_NESTING;
