//! What a child tells its parent: one line when it begins to write something, one line when that was acknowledged.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc::Sender;

/// The end of the child.
#[derive(Debug)]
pub(crate) struct Report;

impl Report {
    /// Something is about to be written, and may be there from now on.
    pub(crate) fn begin(&self, what: &str) {
        tell(BEGIN, what);
    }

    /// It was acknowledged, and is there from now on.
    pub(crate) fn done(&self, what: &str) {
        tell(DONE, what);
    }
}

/// In one call, so that a kill leaves whole lines. The test harness prints to the same place, hence the newline in front.
fn tell(event: &str, what: &str) {
    let line = format!("\n{MARK} {event} {what}\n");
    let mut out = std::io::stdout().lock();
    let told = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    told.expect("the parent reads until the end");
}

/// A line of a child.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) is_done: bool,
    pub(crate) what: String,
    pub(crate) numbers: Vec<u64>,
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix(MARK)?.split_ascii_whitespace();
        let is_done = words.next()? == DONE;
        let what = words.next()?.to_owned();
        let numbers = words
            .map(|word| word.parse().expect("only numbers follow"))
            .collect();
        Some(Self {
            is_done,
            what,
            numbers,
        })
    }
}

/// Sends every whole line of a child until it ends.
pub(crate) fn forward(out: impl Read, lines: &Sender<Line>) {
    let mut out = BufReader::new(out);
    let mut line = Vec::new();
    while out.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = line
            .strip_suffix(b"\n")
            .and_then(|whole| std::str::from_utf8(whole).ok());
        if let Some(line) = text.and_then(Line::parse)
            && lines.send(line).is_err()
        {
            return;
        }
        line.clear();
    }
}

/// Whether something of one kind was begun more often than it was acknowledged.
pub(crate) fn is_cut_off(lines: &[Line]) -> bool {
    let mut open: BTreeMap<&str, i64> = BTreeMap::new();
    for line in lines {
        let count = open.entry(line.what.as_str()).or_default();
        *count += if line.is_done { -1 } else { 1 };
    }
    open.values().any(|count| *count > 0)
}

const MARK: &str = "@crash";
const BEGIN: &str = "begin";
const DONE: &str = "done";
