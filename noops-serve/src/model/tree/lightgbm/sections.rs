//! The lines of the format.

use std::collections::HashMap;
use std::str::FromStr;

use noops_core::Error;

use crate::model::tree::builder::corrupt;

/// The sections of a file, which end at `end of trees`.
#[derive(Debug)]
pub(super) struct Sections<'a> {
    pub(super) header: Section<'a>,
    pub(super) trees: Vec<Section<'a>>,
}

/// Lines of `name=value`; a line without `=` is a name with an empty value.
#[derive(Debug, Default)]
pub(super) struct Section<'a> {
    lines: HashMap<&'a str, &'a str>,
}

/// Splits a file.
pub(super) fn of(text: &str) -> Result<Sections<'_>, Error> {
    let mut lines = text.lines().map(str::trim);
    if lines.next() != Some("tree") {
        return Err(corrupt("a LightGBM model begins with the line `tree`"));
    }
    let mut header = Section::default();
    let mut trees: Vec<Section<'_>> = Vec::new();
    for line in lines {
        if line == "end of trees" {
            return Ok(Sections { header, trees });
        }
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        if name == "Tree" {
            trees.push(Section::default());
        } else if !name.is_empty() {
            trees
                .last_mut()
                .unwrap_or(&mut header)
                .lines
                .insert(name, value);
        }
    }
    Err(corrupt(
        "the line `end of trees` is missing; the file was cut off",
    ))
}

impl<'a> Section<'a> {
    /// The value of a line.
    pub(super) fn text(&self, name: &'static str) -> Result<&'a str, Error> {
        self.find(name)
            .ok_or_else(|| corrupt("a line is missing").with("line", name))
    }

    /// The value of a line, where there is one.
    pub(super) fn find(&self, name: &str) -> Option<&'a str> {
        self.lines.get(name).copied()
    }

    /// A line of one number.
    pub(super) fn number<T: FromStr>(&self, name: &'static str) -> Result<T, Error> {
        let text = self.text(name)?;
        text.parse().map_err(|_| {
            corrupt("a line is not a number")
                .with("line", name)
                .with("value", text)
        })
    }

    /// A line of numbers between spaces; none where there is no line.
    pub(super) fn numbers<T: FromStr>(&self, name: &'static str) -> Result<Vec<T>, Error> {
        let words = self.find(name).unwrap_or_default().split_ascii_whitespace();
        words
            .map(|word| {
                word.parse().map_err(|_| {
                    corrupt("a line has a value that is not a number")
                        .with("line", name)
                        .with("value", word)
                })
            })
            .collect()
    }
}
