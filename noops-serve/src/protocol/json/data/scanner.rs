//! Where the elements of a valid JSON array end.

/// A piece of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `[`.
    Open,
    /// `]`.
    Close,
    /// A number, `true`, `false` or `null`; or the beginning of an object, which is none of what a tensor holds.
    Word(&'a str),
    /// A string, in its quotes.
    Text(&'a str),
}

/// Cuts the text of one valid JSON value into tokens. On any other text it yields nonsense, but never fails.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (token, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.rest = rest;
        token
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    #[inline]
    fn next(&mut self) -> Option<Token<'a>> {
        let blank = |byte: u8| matches!(byte, b' ' | b',' | b'\n' | b'\r' | b'\t');
        let skipped = self.rest.bytes().position(|byte| !blank(byte))?;
        self.take(skipped);
        Some(match self.rest.bytes().next()? {
            b'[' => {
                self.take(1);
                Token::Open
            }
            b']' => {
                self.take(1);
                Token::Close
            }
            b'"' => {
                let length = quoted(self.rest);
                Token::Text(self.take(length))
            }
            _ => {
                let ends = |byte: u8| blank(byte) || byte == b']';
                let length = self.rest.bytes().position(ends);
                Token::Word(self.take(length.unwrap_or(self.rest.len())))
            }
        })
    }
}

/// How long the string at the front is, its quotes counted.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    let inside = text.bytes().skip(1).take_while(|&byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        !ends
    });
    inside.count().saturating_add(2)
}
