use super::CelError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// An identifier or a keyword.
    Name(String),
    /// The magnitude of a whole number: a minus sign before it is a token of its own.
    Int(u64),
    Double(f64),
    Text(String),
    /// An operator or a bracket.
    Symbol(&'static str),
}

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
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks();
        let start = lexer.at;
        let Some(token) = lexer.token()? else {
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
            end: lexer.at,
        });
    }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn skip_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
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

    fn token(&mut self) -> Result<Option<Token>, CelError> {
        let start = self.at;
        let Some(first) = self.peek() else {
            return Ok(None);
        };
        if first.is_ascii_alphabetic() || first == '_' {
            let name = self.skip_while(|c| c.is_ascii_alphanumeric() || c == '_');
            return Ok(Some(Token::Name(name.to_owned())));
        }
        let second = self.rest().chars().nth(1);
        if first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit())) {
            return self.number().map(Some);
        }
        if first == '"' || first == '\'' {
            return self.text(first).map(Some);
        }
        for symbol in SYMBOLS {
            if self.rest().starts_with(symbol) {
                self.at += symbol.len();
                return Ok(Some(Token::Symbol(symbol)));
            }
        }
        let problem = match first {
            '=' => "`=` is not an operator; use `==` to compare".to_owned(),
            '&' => "`&` is not an operator; use `&&`".to_owned(),
            '|' => "`|` is not an operator; use `||`".to_owned(),
            other => format!("unexpected character `{}`", other.escape_debug()),
        };
        Err(CelError::new(start, problem))
    }

    fn number(&mut self) -> Result<Token, CelError> {
        let start = self.at;
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            let digits = self.skip_while(|c| c.is_ascii_alphanumeric());
            return u64::from_str_radix(digits, 16)
                .map(Token::Int)
                .map_err(|_| CelError::new(start, "not a hexadecimal number of 64 bits"));
        }
        self.skip_while(|c| c.is_ascii_digit());
        let mut is_double = false;
        let after_dot = self.rest().strip_prefix('.');
        if after_dot.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            is_double = true;
            self.at += 1;
            self.skip_while(|c| c.is_ascii_digit());
        }
        if let Some(after) = self.rest().strip_prefix(['e', 'E']) {
            let digits = after.strip_prefix(['+', '-']).unwrap_or(after);
            if digits.starts_with(|c: char| c.is_ascii_digit()) {
                is_double = true;
                self.at = self.source.len() - digits.len();
                self.skip_while(|c| c.is_ascii_digit());
            }
        }
        if self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            return Err(CelError::new(
                start,
                "a number runs into letters; there are no number suffixes",
            ));
        }
        let text = self.source.get(start..self.at).unwrap_or_default();
        if !is_double {
            return text.parse().map(Token::Int).map_err(|_| {
                CelError::new(
                    start,
                    format!("`{text}` does not fit a 64-bit whole number"),
                )
            });
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Token::Double(value)),
            _ => Err(CelError::new(
                start,
                format!("`{text}` does not fit a 64-bit double"),
            )),
        }
    }

    fn text(&mut self, quote: char) -> Result<Token, CelError> {
        let start = self.at;
        self.bump();
        let mut text = String::new();
        loop {
            let at = self.at;
            match self.bump() {
                Some(c) if c == quote => return Ok(Token::Text(text)),
                Some('\\') => text.push(self.escape(at)?),
                None | Some('\n' | '\r') => {
                    return Err(CelError::new(
                        start,
                        "text has no closing quote on its line",
                    ));
                }
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self, at: usize) -> Result<char, CelError> {
        let (digits, radix) = match self.bump() {
            Some('n') => return Ok('\n'),
            Some('t') => return Ok('\t'),
            Some('r') => return Ok('\r'),
            Some('a') => return Ok('\u{7}'),
            Some('b') => return Ok('\u{8}'),
            Some('f') => return Ok('\u{c}'),
            Some('v') => return Ok('\u{b}'),
            Some(c @ ('\\' | '\'' | '"' | '`' | '?')) => return Ok(c),
            Some('x' | 'X') => (self.digits(2), 16),
            Some('u') => (self.digits(4), 16),
            Some('U') => (self.digits(8), 16),
            Some('0'..='3') => {
                // The digit already taken is the first of three.
                self.at = at + 1;
                (self.digits(3), 8)
            }
            _ => return Err(CelError::new(at, "unknown escape in text")),
        };
        digits
            .and_then(|digits| u32::from_str_radix(digits, radix).ok())
            .and_then(char::from_u32)
            .ok_or_else(|| CelError::new(at, "escape in text is not a character"))
    }

    /// The next `count` bytes, if all of them are hexadecimal digits.
    fn digits(&mut self, count: usize) -> Option<&'a str> {
        let digits = self.rest().get(..count)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += count;
        Some(digits)
    }
}

/// Longest first, so that `<=` is never read as `<` and `=`.
const SYMBOLS: [&str; 22] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "-", "+", "*", "/", "%", "?", ":", ".", ",",
    "(", ")", "[", "]",
];

const MAX_SOURCE_BYTES: usize = 16 * 1024;
const MAX_TOKENS: usize = 4096;
