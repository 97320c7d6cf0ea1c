use super::error::CelError;
use super::literal;

/// A word of the language.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// An identifier, a keyword or a reserved word.
    Name(String),
    /// The name of a field between backticks.
    QuotedName(String),
    /// The magnitude of a whole number: a minus sign before it is a token of its own.
    Int(u64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// An operator or a bracket.
    Symbol(&'static str),
}

impl Token {
    /// The token as source that reads back as the same token.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::QuotedName(name) => format!("`{name}`"),
            Self::Int(value) => value.to_string(),
            Self::Uint(value) => format!("{value}u"),
            Self::Double(value) => format!("{value:?}"),
            Self::Text(text) => literal::quoted(text),
            Self::Bytes(bytes) => format!("b\"{}\"", bytes.escape_ascii()),
            Self::Symbol(symbol) => (*symbol).to_owned(),
        }
    }
}

/// A token with its place in the source, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Cuts a source into tokens, in one pass and within the bounds on its size.
pub(super) fn tokens(source: &str) -> Result<Vec<Placed>, CelError> {
    if source.len() > MAX_SOURCE_BYTES {
        return Err(CelError::new(
            0,
            format!("condition is longer than {MAX_SOURCE_BYTES} bytes; split it into rules"),
        ));
    }
    let mut cursor = Cursor { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        cursor.skip_blanks();
        let start = cursor.at;
        let Some(token) = next_token(&mut cursor)? else {
            return Ok(tokens);
        };
        if tokens.len() == MAX_TOKENS {
            return Err(CelError::new(
                start,
                format!("condition has more than {MAX_TOKENS} tokens; split it into rules"),
            ));
        }
        tokens.push(Placed {
            token,
            start,
            end: cursor.at,
        });
    }
}

/// A place in the source that only moves forward.
pub(super) struct Cursor<'a> {
    source: &'a str,
    /// Always on the border of a character.
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// The source from `start` to here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.source.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    /// Moves past `expected`, if it is next.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Moves `count` bytes on, which must end on the border of a character.
    pub(super) fn skip_bytes(&mut self, count: usize) {
        if self.rest().is_char_boundary(count) {
            self.at += count;
        }
    }

    pub(super) fn take_one_of(&mut self, expected: &[char]) -> Option<char> {
        let found = self.peek().filter(|next| expected.contains(next))?;
        self.at += found.len_utf8();
        Some(found)
    }

    pub(super) fn skip_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c: char| !keep(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        loop {
            self.skip_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if !self.rest().starts_with("//") {
                return;
            }
            self.skip_while(|c| c != '\n');
        }
    }
}

fn next_token(cursor: &mut Cursor<'_>) -> Result<Option<Token>, CelError> {
    let Some(first) = cursor.peek() else {
        return Ok(None);
    };
    if let Some(token) = literal::text_or_bytes(cursor)? {
        return Ok(Some(token));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let name = cursor.skip_while(|c| c.is_ascii_alphanumeric() || c == '_');
        return Ok(Some(Token::Name(name.to_owned())));
    }
    let second = cursor.rest().chars().nth(1);
    if first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit())) {
        return literal::number(cursor).map(Some);
    }
    if first == '`' {
        return quoted_name(cursor).map(Some);
    }
    symbol(cursor).map(Some)
}

fn quoted_name(cursor: &mut Cursor<'_>) -> Result<Token, CelError> {
    let start = cursor.at();
    cursor.bump();
    let name = cursor
        .skip_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ' '));
    if name.is_empty() || !cursor.take("`") {
        return Err(CelError::new(
            start,
            "a name between backticks has letters, digits, `_`, `.`, `-`, `/` or blanks, and ends with a backtick",
        ));
    }
    Ok(Token::QuotedName(name.to_owned()))
}

fn symbol(cursor: &mut Cursor<'_>) -> Result<Token, CelError> {
    let start = cursor.at();
    for (slip, meant) in SLIPS {
        if cursor.take(slip) {
            return Err(CelError::new(
                start,
                format!("`{slip}` is not an operator; use `{meant}`"),
            ));
        }
    }
    for symbol in SYMBOLS {
        if cursor.take(symbol) {
            return Ok(Token::Symbol(symbol));
        }
    }
    let problem = match cursor.peek() {
        Some('=') => "`=` is not an operator; use `==` to compare".to_owned(),
        Some('&') => "`&` is not an operator; use `&&`".to_owned(),
        Some('|') => "`|` is not an operator; use `||`".to_owned(),
        Some('#') => "`#` does not start a comment; use `//`".to_owned(),
        Some(';') => "`;` has no meaning here; a condition is one expression".to_owned(),
        Some(quote @ ('“' | '”' | '„' | '‘' | '’' | '«' | '»')) => {
            format!("`{quote}` is a typographic quote; use `'` or `\"`")
        }
        Some(other) => format!("unexpected character `{}`", other.escape_debug()),
        None => "expected a token but the condition ends".to_owned(),
    };
    Err(CelError::new(start, problem))
}

/// Longest first, so that `<=` is never read as `<` and `=`.
const SYMBOLS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "-", "+", "*", "/", "%", "?", ":", ".", ",",
    "(", ")", "[", "]", "{", "}",
];

/// Operators of other languages, none of which can be part of a well-formed expression.
const SLIPS: [(&str, &str); 5] = [
    ("===", "=="),
    ("!==", "!="),
    ("<>", "!="),
    ("=>", ">="),
    ("=<", "<="),
];

const MAX_SOURCE_BYTES: usize = 16 * 1024;
const MAX_TOKENS: usize = 4096;
