use super::Parser;
use crate::cel::ast::{Kind, Node, Span};
use crate::cel::error::CelError;
use crate::cel::lexer::{Placed, Token};
use crate::cel::literal::brief;

/// What the grammar is written with: tokens, nodes within their bounds, and refusals.
impl Parser {
    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|placed| &placed.token)
    }

    /// Where the next token starts.
    pub(super) fn here(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.end, |placed| placed.start)
    }

    /// Where the last token taken ends.
    pub(super) fn behind(&self) -> usize {
        self.last_taken().map_or(0, |placed| placed.end)
    }

    fn last_taken(&self) -> Option<&Placed> {
        self.tokens.get(self.next.checked_sub(1)?)
    }

    pub(super) fn at_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol)
    }

    pub(super) fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.at_symbol(symbol);
        if found {
            self.next += 1;
        }
        found
    }

    pub(super) fn expect_symbol(&mut self, symbol: &str) -> Result<(), CelError> {
        if self.take_symbol(symbol) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{symbol}`")))
        }
    }

    pub(super) fn nested(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<Node, CelError>,
    ) -> Result<Node, CelError> {
        if self.nesting == MAX_NESTING {
            return Err(too_deep(self.here(), MAX_NESTING));
        }
        self.nesting += 1;
        let node = parse(self);
        self.nesting -= 1;
        node
    }

    pub(super) fn node(&self, kind: Kind, start: usize) -> Result<Node, CelError> {
        let below = depth_below(&kind);
        if below >= MAX_DEPTH {
            return Err(too_deep(start, MAX_DEPTH));
        }
        Ok(Node {
            kind,
            span: Span {
                start,
                end: self.behind(),
            },
            depth: below + 1,
        })
    }

    /// The refusal of a token that cannot stand here, with the operator that was meant where it is plain.
    pub(super) fn unexpected(&self, wanted: &str) -> CelError {
        if let Some(slip) = self.slip() {
            return slip;
        }
        let at = self.here();
        let found = match self.peek() {
            None => "the condition ends".to_owned(),
            Some(Token::Name(name)) if RESERVED.contains(&name.as_str()) => {
                return reserved(name, at);
            }
            Some(Token::QuotedName(name)) => format!("found the quoted name {}", brief(name)),
            Some(token) => format!("found `{}`", brief(&token.shown())),
        };
        CelError::new(at, format!("expected {wanted} but {found}"))
    }

    /// A word of another language in the place of an operator: `not x`, `x and y`.
    fn slip(&self) -> Option<CelError> {
        let (word, at, meant) = match (self.last_taken(), self.peek()?) {
            (Some(last), _) if is_word(&last.token, "not") => {
                (last.token.shown(), last.start, "`!`")
            }
            (_, next) => {
                let (_, meant) = WORDS.iter().find(|(word, _)| is_word(next, word))?;
                (next.shown(), self.here(), *meant)
            }
        };
        Some(CelError::new(
            at,
            format!("`{word}` is not an operator; use {meant}"),
        ))
    }

    pub(super) fn refuse_optional(&self, syntax: &str) -> Result<(), CelError> {
        if self.at_symbol("?") {
            Err(outside_subset(self.here(), syntax))
        } else {
            Ok(())
        }
    }

    pub(super) fn message_construction(&self, node: &Node) -> CelError {
        match node.kind {
            Kind::Name(_) | Kind::Select(..) => outside_subset(node.span.start, "a message `T{…}`"),
            _ => self.unexpected("an operator or the end of the condition"),
        }
    }
}

fn depth_below(kind: &Kind) -> usize {
    fn deepest<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> usize {
        nodes.into_iter().map(|node| node.depth).max().unwrap_or(0)
    }
    match kind {
        Kind::Literal(_) | Kind::Name(_) => 0,
        Kind::Has(operand, _) => deepest(operand.as_deref()),
        Kind::Select(operand, _) | Kind::Unary(_, operand) => operand.depth,
        Kind::Binary(_, left, right) => left.depth.max(right.depth),
        Kind::And(operands) | Kind::Or(operands) | Kind::List(operands) => deepest(operands),
        Kind::Conditional(condition, then, otherwise) => {
            condition.depth.max(then.depth).max(otherwise.depth)
        }
        Kind::Map(entries) => entries
            .iter()
            .map(|(key, value)| key.depth.max(value.depth))
            .max()
            .unwrap_or(0),
        Kind::Call {
            target, arguments, ..
        } => deepest(target.as_deref().into_iter().chain(arguments)),
        Kind::Comprehension { range, body, .. } => range.depth.max(deepest(body)),
        Kind::Bind { value, body, .. } => value.depth.max(body.depth),
    }
}

pub(super) fn reserved(word: &str, at: usize) -> CelError {
    let hint = match word {
        "if" | "else" => "choose with `condition ? this : that`",
        "let" | "var" | "const" => "bind with `cel.bind(name, value, expression)`",
        "for" | "while" | "loop" => "look at every element with `range.all(x, …)`",
        _ => "choose another name",
    };
    CelError::new(at, format!("`{word}` is a reserved word; {hint}"))
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Name(name) if name.eq_ignore_ascii_case(word))
}

pub(super) fn outside_subset(at: usize, syntax: &str) -> CelError {
    CelError::new(at, format!("{syntax} is not part of this subset of CEL"))
}

fn too_deep(at: usize, limit: usize) -> CelError {
    CelError::new(
        at,
        format!("condition nests more than {limit} levels deep; split it into rules"),
    )
}

/// Words of other languages, and what they are here.
const WORDS: [(&str, &str); 7] = [
    ("and", "`&&`"),
    ("or", "`||`"),
    ("not", "`!`"),
    ("is", "`==`"),
    ("contains", "`text.contains(part)`"),
    ("matches", "`text.matches(pattern)`"),
    ("mod", "`%`"),
];

/// Never a name, not even of a field.
pub(super) const KEYWORDS: [&str; 4] = ["false", "in", "null", "true"];

/// Kept back by the language: names of fields, but not of variables or functions.
pub(super) const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

const MAX_NESTING: usize = 64;

/// Levels of the tree: a chain such as `a + b + c` adds a level for each operator.
pub(crate) const MAX_DEPTH: usize = 250;
