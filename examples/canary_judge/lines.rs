//! Rows as JSON objects, one a line.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::{Map, Value};

use crate::columns::Cell;
use crate::failure::{Failure, fail};

/// Whether a file is JSON lines: by its name, or because it begins as an object does.
pub(crate) fn is_lines(path: &Path) -> bool {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy());
    let named = extension.is_some_and(|extension| {
        ["jsonl", "ndjson"].contains(&extension.to_ascii_lowercase().as_str())
    });
    if named {
        return true;
    }
    let mut first = [0];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && first == *b"{"
}

/// Hands on every line that is not blank, and says how many there were.
pub(crate) fn each_line(
    path: &Path,
    mut take: impl FnMut(u64, &[u8]) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let shown = path.display();
    let cannot = |error: std::io::Error| fail(format!("cannot read `{shown}`: {error}"));
    if path.is_dir() {
        return Err(fail(format!("`{shown}` is a folder; name a file in it")));
    }
    let mut reader = BufReader::new(File::open(path).map_err(cannot)?);
    let (mut line, mut rows) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        let mut bounded = reader.by_ref().take(LONGEST + 1);
        if bounded.read_until(b'\n', &mut line).map_err(cannot)? == 0 {
            return Ok(rows);
        }
        if line.len() as u64 > LONGEST {
            return Err(fail(format!(
                "`{shown}`, row `{rows}`: the line is longer than `{LONGEST}` bytes; write one object a line"
            )));
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            take(rows, text)?;
            rows = rows.saturating_add(1);
        }
    }
}

/// The object of a line.
pub(crate) fn object(path: &Path, row: u64, line: &[u8]) -> Result<Map<String, Value>, Failure> {
    serde_json::from_slice(line).map_err(|error| {
        fail(format!(
            "`{}`, row `{row}`: the line is not a JSON object: {error}",
            path.display()
        ))
    })
}

/// A member of an object; a number that is a name keeps its digits.
pub(crate) fn cell<'a>(
    object: &'a Map<String, Value>,
    name: &str,
    is_name: IsName,
) -> Result<Cell<'a>, String> {
    Ok(match object.get(name) {
        None | Some(Value::Null) => Cell::Missing,
        Some(Value::Bool(flag)) => match is_name {
            IsName::Yes => Cell::Text(Cow::Owned(flag.to_string())),
            IsName::No => Cell::Number(f64::from(u8::from(*flag))),
        },
        Some(Value::Number(number)) => match (is_name, number.as_f64()) {
            (IsName::No, Some(number)) => Cell::Number(number),
            _ => Cell::Text(Cow::Owned(number.to_string())),
        },
        Some(Value::String(text)) => Cell::Text(Cow::Borrowed(text)),
        Some(Value::Array(_)) => return Err("a list is no value of a row".to_owned()),
        Some(Value::Object(_)) => return Err("an object is no value of a row".to_owned()),
    })
}

/// Whether a value is read as a name or as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IsName {
    Yes,
    No,
}

/// More than a request has to say.
const LONGEST: u64 = 1 << 20;
