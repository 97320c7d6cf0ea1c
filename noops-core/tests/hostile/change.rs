//! Random damage to bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// One change. Positions wrap around, so that every change fits all bytes.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Flip { at: u32, bit: u8 },
    Cut { at: u32 },
    Remove { at: u32, length: u8 },
    Insert { at: u32, bytes: Vec<u8> },
    Overwrite { at: u32, bytes: Vec<u8> },
    Repeat { at: u32, length: u8 },
}

impl Change {
    pub(crate) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Flip { at, bit } => {
                let at = place(*at, bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Self::Cut { at } => bytes.truncate(place(*at, bytes.len())),
            Self::Remove { at, length } => {
                bytes.drain(span(*at, *length, bytes.len()));
            }
            Self::Insert { at, bytes: new } => {
                let at = place(*at, bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Overwrite { at, bytes: new } => {
                let length = u8::try_from(new.len()).unwrap_or(u8::MAX);
                bytes.splice(span(*at, length, bytes.len()), new.iter().copied());
            }
            Self::Repeat { at, length } => {
                let span = span(*at, *length, bytes.len());
                let copy = bytes[span.clone()].to_vec();
                bytes.splice(span.end..span.end, copy);
            }
        }
    }
}

/// One to three changes to some bytes.
pub(crate) fn changes() -> impl Strategy<Value = Vec<Change>> {
    vec(change(), 1..4)
}

/// The bytes after all changes.
pub(crate) fn changed(original: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    changes.iter().for_each(|change| change.apply(&mut bytes));
    bytes
}

pub(crate) fn change() -> impl Strategy<Value = Change> {
    let at = any::<u32>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, bit)| Change::Flip { at, bit }),
        at().prop_map(|at| Change::Cut { at }),
        (at(), any::<u8>()).prop_map(|(at, length)| Change::Remove { at, length }),
        (at(), some_bytes()).prop_map(|(at, bytes)| Change::Insert { at, bytes }),
        (at(), some_bytes()).prop_map(|(at, bytes)| Change::Overwrite { at, bytes }),
        (at(), any::<u8>()).prop_map(|(at, length)| Change::Repeat { at, length }),
    ]
}

/// Noise, and what parsers stumble over.
fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..8),
        select(TOKENS).prop_map(|token| token.as_bytes().to_vec()),
    ]
}

fn place(at: u32, length: usize) -> usize {
    at as usize % (length + 1)
}

fn span(at: u32, length: u8, whole: usize) -> std::ops::Range<usize> {
    let start = place(at, whole);
    start..start.saturating_add(usize::from(length)).min(whole)
}

const TOKENS: &[&str] = &[
    "\n",
    "\n\n",
    " ",
    "\0",
    "\"",
    "=",
    "0",
    "00",
    "-1",
    "1e999",
    "1e39",
    "-0",
    "18446744073709551615",
    "18446744073709551616",
    "9999999999999999999999999999",
    "null",
    "{}",
    "[]",
    "[[[[",
    "../",
    "..\\",
    "/etc/passwd",
    "x000/",
    ".p/256",
    "\u{2014} ",
    "\u{202e}",
    "e\u{301}",
];
