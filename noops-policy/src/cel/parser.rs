mod operators;
mod tokens;

use self::operators::{Operator, Waiting};
use self::tokens::{KEYWORDS, RESERVED, outside_subset, reserved};
use super::ast::{Binary, Kind, Node, Unary};
use super::error::CelError;
use super::lexer::{self, Placed, Token};
use super::macros;
use super::value::Value;
pub(crate) use tokens::MAX_DEPTH;

/// Parses an expression within fixed bounds on its size, its tokens, its nesting and the depth of its tree.
///
/// Every recursion goes through `nested`, so the stack this needs is bounded whatever the source is.
pub(crate) fn parse(source: &str) -> Result<Node, CelError> {
    let mut parser = Parser {
        tokens: lexer::tokens(source)?,
        next: 0,
        nesting: 0,
        end: source.len(),
    };
    if parser.tokens.is_empty() {
        return Err(CelError::new(0, "condition is empty"));
    }
    let node = parser.conditional()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.unexpected("an operator or the end of the condition")),
    }
}

/// The tokens of an expression with single blanks between them: equal for expressions that differ in layout and
/// comments only.
pub(crate) fn canonical(source: &str) -> Result<String, CelError> {
    let words: Vec<String> = lexer::tokens(source)?
        .into_iter()
        .map(|placed| placed.token.shown())
        .collect();
    Ok(words.join(" "))
}

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    nesting: usize,
    /// The length of the source.
    end: usize,
}

/// Expressions, from the loosest operator to the tightest.
impl Parser {
    fn conditional(&mut self) -> Result<Node, CelError> {
        let start = self.here();
        let condition = self.operators()?;
        let question = self.here();
        if !self.take_symbol("?") {
            return Ok(condition);
        }
        let is_optional_slip = self.at_symbol(".");
        let then = self.nested(Self::operators)?;
        if is_optional_slip && !self.at_symbol(":") {
            return Err(outside_subset(question, "`?.`"));
        }
        self.expect_symbol(":")?;
        let otherwise = self.nested(Self::conditional)?;
        self.node(
            Kind::Conditional(Box::new(condition), Box::new(then), Box::new(otherwise)),
            start,
        )
    }

    /// Operands with binary operators between them.
    ///
    /// What waits for its right operand waits in a list and not on the stack, of which a nested source therefore needs
    /// the same whatever its operators are.
    fn operators(&mut self) -> Result<Node, CelError> {
        let mut waiting: Vec<Waiting> = Vec::new();
        loop {
            let mut start = self.here();
            let mut right = self.unary()?;
            let next = self.peek().and_then(Operator::of);
            while let Some(complete) = waiting.pop_if(|left| left.is_complete_before(next)) {
                start = complete.start;
                right = self.node(complete.with(right), start)?;
            }
            let Some(operator) = next else {
                return Ok(right);
            };
            self.next += 1;
            match waiting.last_mut() {
                Some(chain) if chain.operator == operator && operator.is_chain() => {
                    chain.operands.push(right);
                }
                _ => waiting.push(Waiting {
                    operator,
                    operands: vec![right],
                    start,
                }),
            }
        }
    }

    fn unary(&mut self) -> Result<Node, CelError> {
        let start = self.here();
        let operator = match self.peek() {
            Some(Token::Symbol("!")) => Unary::Not,
            Some(Token::Symbol("-")) if !self.number_follows() => Unary::Negate,
            _ => return self.member(),
        };
        self.next += 1;
        let operand = self.nested(Self::unary)?;
        self.node(Kind::Unary(operator, Box::new(operand)), start)
    }

    /// Whether the token after the next is a number: a minus sign right before it is a part of it.
    fn number_follows(&self) -> bool {
        let after = self.tokens.get(self.next.saturating_add(1));
        matches!(
            after.map(|placed| &placed.token),
            Some(Token::Int(_) | Token::Double(_))
        )
    }

    /// A primary expression with the fields, calls and indices behind it.
    fn member(&mut self) -> Result<Node, CelError> {
        let start = self.here();
        let mut node = self.primary()?;
        loop {
            if self.take_symbol(".") {
                node = self.field_or_method(node, start)?;
            } else if self.take_symbol("[") {
                self.refuse_optional("`[?`")?;
                let index = self.nested(Self::conditional)?;
                self.expect_symbol("]")?;
                node = self.node(
                    Kind::Binary(Binary::Index, Box::new(node), Box::new(index)),
                    start,
                )?;
            } else if self.at_symbol("{") {
                return Err(self.message_construction(&node));
            } else {
                return Ok(node);
            }
        }
    }

    fn field_or_method(&mut self, target: Node, start: usize) -> Result<Node, CelError> {
        self.refuse_optional("`.?`")?;
        let at = self.here();
        let (name, is_quoted) = match self.peek() {
            Some(Token::Name(name)) if !KEYWORDS.contains(&name.as_str()) => (name.clone(), false),
            Some(Token::QuotedName(name)) => (name.clone(), true),
            _ => return Err(self.unexpected("the name of a field")),
        };
        self.next += 1;
        if is_quoted || !self.take_symbol("(") {
            return self.node(Kind::Select(Box::new(target), name), start);
        }
        let arguments = self.arguments()?;
        let kind = macros::expand(Some(target), name, arguments, at)?;
        self.node(kind, start)
    }

    fn primary(&mut self) -> Result<Node, CelError> {
        let start = self.here();
        let kind = match self.peek() {
            Some(Token::Symbol("(")) => {
                self.next += 1;
                let inner = self.nested(Self::conditional)?;
                self.expect_symbol(")")?;
                // No node of its own: the place of the inner expression is what messages quote.
                return Ok(inner);
            }
            Some(Token::Symbol("[")) => self.list()?,
            Some(Token::Symbol("{")) => self.map()?,
            Some(Token::Symbol(".")) => {
                self.next += 1;
                self.name_or_call(".")?
            }
            Some(Token::Name(name)) if !KEYWORDS.contains(&name.as_str()) => {
                self.name_or_call("")?
            }
            _ => Kind::Literal(self.literal()?),
        };
        self.node(kind, start)
    }

    /// An identifier, or a call of it; `root` is the leading dot, if there is one.
    fn name_or_call(&mut self, root: &str) -> Result<Kind, CelError> {
        let at = self.here();
        let name = match self.peek() {
            Some(Token::Name(name)) if RESERVED.contains(&name.as_str()) => {
                return Err(reserved(name, at));
            }
            Some(Token::Name(name)) if !KEYWORDS.contains(&name.as_str()) => {
                format!("{root}{name}")
            }
            _ => return Err(self.unexpected("a name")),
        };
        self.next += 1;
        if !self.take_symbol("(") {
            return Ok(Kind::Name(name));
        }
        let arguments = self.arguments()?;
        macros::expand(None, name, arguments, at)
    }

    /// The opening parenthesis is taken.
    fn arguments(&mut self) -> Result<Vec<Node>, CelError> {
        let mut arguments = Vec::new();
        if self.take_symbol(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.nested(Self::conditional)?);
            if self.take_symbol(")") {
                return Ok(arguments);
            }
            if !self.take_symbol(",") {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
    }

    fn list(&mut self) -> Result<Kind, CelError> {
        self.expect_symbol("[")?;
        let mut items = Vec::new();
        while !self.take_symbol("]") {
            self.refuse_optional("`[?`")?;
            items.push(self.nested(Self::conditional)?);
            self.separator("]")?;
        }
        Ok(Kind::List(items))
    }

    fn map(&mut self) -> Result<Kind, CelError> {
        self.expect_symbol("{")?;
        let mut entries = Vec::new();
        while !self.take_symbol("}") {
            self.refuse_optional("`{?`")?;
            let key = self.nested(Self::conditional)?;
            self.expect_symbol(":")?;
            let value = self.nested(Self::conditional)?;
            entries.push((key, value));
            self.separator("}")?;
        }
        Ok(Kind::Map(entries))
    }

    /// A comma, which may be left out before the closing bracket.
    fn separator(&mut self, closing: &str) -> Result<(), CelError> {
        if self.take_symbol(",") || self.at_symbol(closing) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`,` or `{closing}`")))
        }
    }

    fn literal(&mut self) -> Result<Value, CelError> {
        let is_negative = self.at_symbol("-");
        let at = self.here();
        let ahead = self.next.saturating_add(usize::from(is_negative));
        let value = match self.tokens.get(ahead).map(|placed| &placed.token) {
            Some(Token::Int(magnitude)) => Value::Int(whole(*magnitude, is_negative, at)?),
            Some(Token::Double(value)) if is_negative => Value::Double(-*value),
            Some(Token::Double(value)) => Value::Double(*value),
            _ if is_negative => return Err(self.unexpected("a value, a name or `(`")),
            Some(Token::Uint(value)) => Value::Uint(*value),
            Some(Token::Text(text)) => Value::String(text.as_str().into()),
            Some(Token::Bytes(bytes)) => Value::Bytes(bytes.as_slice().into()),
            Some(Token::Name(name)) if name == "true" => Value::Bool(true),
            Some(Token::Name(name)) if name == "false" => Value::Bool(false),
            Some(Token::Name(name)) if name == "null" => Value::Null,
            _ => return Err(self.unexpected("a value, a name or `(`")),
        };
        self.next = ahead.saturating_add(1);
        Ok(value)
    }
}

fn whole(magnitude: u64, is_negative: bool, at: usize) -> Result<i64, CelError> {
    let value = if is_negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    };
    value.ok_or_else(|| {
        let sign = if is_negative { "-" } else { "" };
        CelError::new(
            at,
            format!("`{sign}{magnitude}` does not fit a 64-bit whole number"),
        )
    })
}

#[cfg(test)]
mod tests;
