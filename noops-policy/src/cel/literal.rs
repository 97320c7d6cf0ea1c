use super::error::CelError;
use super::lexer::{Cursor, Token};

/// A number: the cursor is on a digit, or on a dot before a digit.
pub(super) fn number(cursor: &mut Cursor<'_>) -> Result<Token, CelError> {
    let start = cursor.at();
    if cursor.take("0x") || cursor.take("0X") {
        return hexadecimal(cursor, start);
    }
    cursor.skip_while(|c| c.is_ascii_digit());
    let has_fraction = fraction(cursor);
    let is_double = exponent(cursor) || has_fraction;
    let digits = cursor.since(start);
    let is_unsigned = !is_double && cursor.take_one_of(&['u', 'U']).is_some();
    no_letters_behind(cursor, start)?;
    let number = if is_double {
        let value = digits.parse().ok();
        value
            .filter(|value: &f64| value.is_finite())
            .map(Token::Double)
    } else if is_unsigned {
        digits.parse().ok().map(Token::Uint)
    } else {
        digits.parse().ok().map(Token::Int)
    };
    number.ok_or_else(|| {
        let kind = if is_double { "double" } else { "whole number" };
        CelError::new(
            start,
            format!(
                "`{}` does not fit a 64-bit {kind}",
                brief(cursor.since(start))
            ),
        )
    })
}

fn hexadecimal(cursor: &mut Cursor<'_>, start: usize) -> Result<Token, CelError> {
    let digits = cursor.skip_while(|c| c.is_ascii_hexdigit());
    let is_unsigned = cursor.take_one_of(&['u', 'U']).is_some();
    no_letters_behind(cursor, start)?;
    match u64::from_str_radix(digits, 16) {
        Ok(value) if is_unsigned => Ok(Token::Uint(value)),
        Ok(value) => Ok(Token::Int(value)),
        Err(_) => Err(CelError::new(
            start,
            format!(
                "`{}` is not a hexadecimal number of 64 bits",
                brief(cursor.since(start))
            ),
        )),
    }
}

/// A dot belongs to the number only before a digit: `1.size()` is a call.
fn fraction(cursor: &mut Cursor<'_>) -> bool {
    let after_dot = cursor.rest().strip_prefix('.');
    let found = after_dot.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if found {
        cursor.bump();
        cursor.skip_while(|c| c.is_ascii_digit());
    }
    found
}

fn exponent(cursor: &mut Cursor<'_>) -> bool {
    let Some(after) = cursor.rest().strip_prefix(['e', 'E']) else {
        return false;
    };
    let digits = after.strip_prefix(['+', '-']).unwrap_or(after);
    let found = digits.starts_with(|c: char| c.is_ascii_digit());
    if found {
        cursor.bump();
        cursor.take_one_of(&['+', '-']);
        cursor.skip_while(|c| c.is_ascii_digit());
    }
    found
}

fn no_letters_behind(cursor: &Cursor<'_>, start: usize) -> Result<(), CelError> {
    match cursor.peek() {
        Some(next) if next.is_alphanumeric() || next == '_' => Err(CelError::new(
            start,
            "a number runs into letters; the only suffix is `u`, and units are not written",
        )),
        _ => Ok(()),
    }
}

/// A text or bytes literal, if one is next: `'…'`, `"…"`, either three times, with the prefixes `r`, `b` and `br`.
pub(super) fn text_or_bytes(cursor: &mut Cursor<'_>) -> Result<Option<Token>, CelError> {
    let start = cursor.at();
    let Some((prefix, content, backslash)) = PREFIXES
        .into_iter()
        .find(|(prefix, ..)| starts_quoted(cursor.rest(), prefix))
    else {
        return Ok(None);
    };
    cursor.skip_bytes(prefix.len());
    let Some(quote) = QUOTES.into_iter().find(|quote| cursor.take(quote)) else {
        return Ok(None);
    };
    let quoted = Quoted {
        start,
        quote,
        content,
        backslash,
    };
    quoted.read(cursor).map(Some)
}

/// Text as a literal that reads back as the same text.
pub(super) fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                literal.push('\\');
                literal.push(character);
            }
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            control if control.is_control() => {
                literal.push_str(&format!("\\U{:08x}", u32::from(control)));
            }
            other => literal.push(other),
        }
    }
    literal.push('"');
    literal
}

/// The beginning of a text, for messages: a source may be one word of 16 KiB.
pub(super) fn brief(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A literal whose opening quote is behind the cursor.
struct Quoted {
    start: usize,
    quote: &'static str,
    content: Content,
    backslash: Backslash,
}

#[derive(Clone, Copy, PartialEq)]
enum Content {
    Text,
    Bytes,
}

#[derive(Clone, Copy, PartialEq)]
enum Backslash {
    Escapes,
    /// Stands for itself, as in `r'\d+'`.
    Plain,
}

impl Quoted {
    fn read(&self, cursor: &mut Cursor<'_>) -> Result<Token, CelError> {
        let mut bytes = Vec::new();
        loop {
            let at = cursor.at();
            if cursor.take(self.quote) {
                return self.token(bytes);
            }
            match cursor.bump() {
                None => return Err(self.unclosed()),
                Some('\n' | '\r') if self.quote.len() == 1 => return Err(self.unclosed()),
                // A line ends with one character, whatever the editor wrote.
                Some('\r') => {
                    cursor.take("\n");
                    bytes.push(b'\n');
                }
                Some('\\') if self.backslash == Backslash::Escapes => {
                    self.escape(cursor, at, &mut bytes)?;
                }
                Some(character) => push(&mut bytes, character),
            }
        }
    }

    fn token(&self, bytes: Vec<u8>) -> Result<Token, CelError> {
        match self.content {
            Content::Bytes => Ok(Token::Bytes(bytes)),
            Content::Text => String::from_utf8(bytes)
                .map(Token::Text)
                .map_err(|_| CelError::new(self.start, "text is not valid UTF-8")),
        }
    }

    fn unclosed(&self) -> CelError {
        let problem = match self.quote.len() {
            1 => "text has no closing quote on its line",
            _ => "text has no closing three quotes",
        };
        CelError::new(self.start, problem)
    }

    /// The backslash at `at` is behind the cursor.
    fn escape(
        &self,
        cursor: &mut Cursor<'_>,
        at: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<(), CelError> {
        let plain = match cursor.bump() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('a') => '\u{7}',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('v') => '\u{b}',
            Some(same @ ('\\' | '\'' | '"' | '`' | '?')) => same,
            Some('x' | 'X') => return self.code(digits(cursor, 2, 16), at, bytes),
            Some(first @ '0'..='3') => {
                let high = first.to_digit(8).unwrap_or_default();
                let code = digits(cursor, 2, 8).map(|low| high * 64 + low);
                return self.code(code, at, bytes);
            }
            Some('u' | 'U') if self.content == Content::Bytes => {
                return Err(CelError::new(
                    at,
                    "bytes are not characters; write the octets with `\\x`",
                ));
            }
            Some('u') => return self.code(digits(cursor, 4, 16), at, bytes),
            Some('U') => return self.code(digits(cursor, 8, 16), at, bytes),
            Some(other) => {
                return Err(CelError::new(
                    at,
                    format!(
                        "unknown escape `\\{}` in text; write `\\\\` for a backslash, or `r'…'` for a pattern",
                        other.escape_debug()
                    ),
                ));
            }
            None => return Err(self.unclosed()),
        };
        push(bytes, plain);
        Ok(())
    }

    /// An escape by number: a character in text, an octet in bytes.
    fn code(&self, code: Option<u32>, at: usize, bytes: &mut Vec<u8>) -> Result<(), CelError> {
        let Some(code) = code else {
            return Err(CelError::new(
                at,
                "escape in text lacks digits; write `\\xhh`, `\\uhhhh`, `\\Uhhhhhhhh` or `\\ooo`",
            ));
        };
        match self.content {
            Content::Bytes => u8::try_from(code).map(|octet| bytes.push(octet)).ok(),
            Content::Text => char::from_u32(code).map(|character| push(bytes, character)),
        }
        .ok_or_else(|| CelError::new(at, "escape in text is not a character"))
    }
}

fn starts_quoted(rest: &str, prefix: &str) -> bool {
    match rest.get(..prefix.len()) {
        Some(start) => {
            start.eq_ignore_ascii_case(prefix)
                && rest
                    .get(prefix.len()..)
                    .is_some_and(|text| text.starts_with(['"', '\'']))
        }
        None => false,
    }
}

/// The value of the next `count` bytes, if all of them are digits.
fn digits(cursor: &mut Cursor<'_>, count: usize, radix: u32) -> Option<u32> {
    let digits = cursor.rest().get(..count)?;
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    cursor.skip_bytes(count);
    u32::from_str_radix(digits, radix).ok()
}

fn push(bytes: &mut Vec<u8>, character: char) {
    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

const PREFIXES: [(&str, Content, Backslash); 4] = [
    ("", Content::Text, Backslash::Escapes),
    ("r", Content::Text, Backslash::Plain),
    ("b", Content::Bytes, Backslash::Escapes),
    ("br", Content::Bytes, Backslash::Plain),
];

/// The long ones first: `'''` does not start an empty text.
const QUOTES: [&str; 4] = ["\"\"\"", "'''", "\"", "'"];

/// Characters of the source that a message repeats.
const MAX_QUOTED: usize = 48;
