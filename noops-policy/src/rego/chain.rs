use regorus::Source;
use regorus::unstable::{Lexer, TokenKind};

use super::RegoError;

/// Refuses a source whose syntax tree could be too deep to walk: the parser bounds brackets, but reads `1 + 1 + …` of any
/// length into a tree as deep as it is long.
pub(super) fn check(name: &str, text: &str) -> Result<(), RegoError> {
    let refused = |problem: String| RegoError::Source {
        source: name.to_owned(),
        at: None,
        problem,
    };
    if text.len() > MAX_SOURCE_BYTES {
        return Err(refused(format!(
            "source has `{}` bytes and `{MAX_SOURCE_BYTES}` are allowed; split it",
            text.len()
        )));
    }
    let source = Source::from_contents(name.to_owned(), text.to_owned())
        .map_err(|error| RegoError::foreign(name, &error.to_string()))?;
    let mut lexer = Lexer::new(&source);
    let mut operators: usize = 0;
    loop {
        let token = lexer
            .next_token()
            .map_err(|error| RegoError::foreign(name, &error.to_string()))?;
        if token.0 == TokenKind::Eof {
            break;
        }
        if token.0 == TokenKind::Symbol && OPERATORS.contains(&token.1.text()) {
            operators = operators.saturating_add(1);
        }
    }
    if operators > MAX_OPERATORS {
        return Err(refused(format!(
            "source has `{operators}` operators and `{MAX_OPERATORS}` are allowed; split it"
        )));
    }
    Ok(())
}

const MAX_SOURCE_BYTES: usize = 16 * 1024;
const MAX_OPERATORS: usize = 512;
const OPERATORS: [&str; 14] = [
    "+", "-", "*", "/", "%", "&", "|", "<", "<=", "==", ">=", ">", "!=", "or",
];
