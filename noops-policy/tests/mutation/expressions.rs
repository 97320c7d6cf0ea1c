/// A piece of a condition, with its place in the document.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A dotted path, a function or a word of the language.
    Name,
    Number,
    Text,
    Operator,
    Bracket,
}

/// An expression of a document, with its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expression {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether it computes a value for the action. What it comes to is no part of what a document's tests can expect.
    pub(crate) is_parameter: bool,
}

/// The expressions of a document of `testdata/policies`, where each stands on one line.
pub(crate) fn expressions(document: &str) -> Vec<Expression> {
    let mut found: Vec<Expression> = Vec::new();
    for (start, line) in lines(document) {
        let key = line.trim_start().trim_start_matches("- ");
        let is_parameter = line.starts_with("      ") || key.starts_with("with: {");
        let is_condition = ["when: ", "expression: ", "match: "]
            .iter()
            .any(|word| key.starts_with(word));
        if !is_condition && !is_parameter || line.contains("facts: ") || line.contains("expect: ") {
            continue;
        }
        let value = match line.find('\'') {
            Some(quote) => quote + 1,
            None => line.find(": ").unwrap() + 2,
        };
        let end = line.rfind('\'').unwrap_or(line.len());
        found.push(Expression {
            start: start + value,
            end: start + end,
            is_parameter,
        });
    }
    found
}

/// The lines of a document with the places where they start.
pub(crate) fn lines(document: &str) -> Vec<(usize, &str)> {
    let mut start = 0;
    document
        .split_inclusive('\n')
        .map(|line| {
            let at = start;
            start += line.len();
            (at, line.trim_end_matches('\n'))
        })
        .collect()
}

pub(crate) fn tokens(document: &str, expression: Expression) -> Vec<Token> {
    let bytes = document.as_bytes();
    let mut at = expression.start;
    let mut found: Vec<Token> = Vec::new();
    while at < expression.end {
        let first = bytes[at];
        let run = |is_part: fn(u8) -> bool| {
            let end = (at..expression.end).find(|index| !is_part(bytes[*index]));
            end.unwrap_or(expression.end)
        };
        let (kind, end) = match first {
            b' ' => {
                at += 1;
                continue;
            }
            b'"' => {
                let close = document[at + 1..expression.end].find('"').unwrap();
                (Kind::Text, at + 1 + close + 1)
            }
            b'0'..=b'9' => (
                Kind::Number,
                run(|byte| byte.is_ascii_digit() || byte == b'.'),
            ),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => (
                Kind::Name,
                run(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.'),
            ),
            b'(' | b')' | b'[' | b']' | b',' => (Kind::Bracket, at + 1),
            _ => (Kind::Operator, run(|byte| b"&|!<>=+-*/?:".contains(&byte))),
        };
        found.push(Token {
            kind,
            start: at,
            end,
        });
        at = end;
    }
    found
}
