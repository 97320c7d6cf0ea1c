//! The rows that both models scored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::columns::{Cell, Cells, as_name, as_number, wanted};
use crate::failure::{Failure, fail};
use crate::frame::{frames, printable};
use crate::read::Table;

/// Which columns are read.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) label: String,
    pub(crate) score: String,
    pub(crate) groups: Vec<String>,
    pub(crate) block: Option<String>,
}

/// Labels, the scores of both models, and what else is known of each row.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) labels: Vec<bool>,
    pub(crate) champion: Vec<f64>,
    pub(crate) candidate: Vec<f64>,
    /// The values of each group column.
    pub(crate) groups: Vec<Vec<String>>,
    /// Rows of one block fall together.
    pub(crate) blocks: Vec<u64>,
}

impl Rows {
    /// Reads both files, which must hold the same rows in the same order.
    pub(crate) fn read(
        champion: &Path,
        candidate: &Path,
        columns: &Columns,
    ) -> Result<Self, Failure> {
        let (first, second) = (Table::open(champion)?, Table::open(candidate)?);
        let mut names = columns.groups.clone();
        names.extend(columns.block.clone());
        let known = |name: &&String| {
            let mut fields = second.schema().fields().iter();
            fields.any(|field| field.name() == *name)
        };
        let shared: Vec<String> = names.iter().filter(known).cloned().collect();
        let of_champion = Side::read(&first, columns, &names)?;
        let of_candidate = Side::read(&second, columns, &shared)?;
        same_rows(&first, &second, &of_champion, &of_candidate)?;
        let shared_places = names.iter().zip(&of_champion.names);
        let shared_places = shared_places.filter(|(name, _)| shared.contains(name));
        for ((name, before), now) in shared_places.zip(&of_candidate.names) {
            if let Some(row) = before.iter().zip(now).position(|(a, b)| a != b) {
                return Err(differ(&first, &second, row, name));
            }
        }
        let mut groups = of_champion.names;
        let rows = of_champion.labels.len() as u64;
        let blocks = match (&columns.block, groups.len() > columns.groups.len()) {
            (Some(_), true) => numbered(&groups.pop().unwrap_or_default()),
            _ => (0..rows).collect(),
        };
        for (name, values) in columns.groups.iter().zip(&groups) {
            let different: BTreeSet<&String> = values.iter().collect();
            if different.len() > MOST_GROUPS {
                return Err(fail(format!(
                    "column `{}` of `{}` has `{}` different values; group by one with at most `{MOST_GROUPS}`",
                    printable(name),
                    first.path().display(),
                    different.len()
                )));
            }
        }
        Ok(Self {
            labels: of_champion.labels,
            champion: of_champion.scores,
            candidate: of_candidate.scores,
            groups,
            blocks,
        })
    }
}

/// One file.
struct Side {
    labels: Vec<bool>,
    scores: Vec<f64>,
    names: Vec<Vec<String>>,
}

impl Side {
    fn read(table: &Table, columns: &Columns, names: &[String]) -> Result<Self, Failure> {
        let mut all = vec![
            wanted(table, &columns.label, as_number)?,
            wanted(table, &columns.score, as_number)?,
        ];
        for name in names {
            all.push(wanted(table, name, as_name)?);
        }
        let mut side = Self {
            labels: Vec::new(),
            scores: Vec::new(),
            names: vec![Vec::new(); names.len()],
        };
        for batch in frames(table, all)? {
            let batch = batch?;
            let cells = Cells::of(&batch, table.path())?;
            for row in 0..batch.num_rows() {
                let place = Place {
                    table,
                    row: side.labels.len(),
                };
                let found = cells.at(0, row).and_then(|cell| label(&cell));
                side.labels.push(place.named(&columns.label, found)?);
                let found = cells.at(1, row).and_then(|cell| score(&cell));
                side.scores.push(place.named(&columns.score, found)?);
                for ((values, name), column) in side.names.iter_mut().zip(names).zip(2..) {
                    let cell = place.named(name, cells.at(column, row))?;
                    let value = cell.name().filter(|value| !value.trim().is_empty());
                    values.push(value.unwrap_or_else(|| MISSING.to_owned()));
                }
            }
        }
        if side.labels.is_empty() {
            return Err(fail(format!("`{}` has no rows", table.path().display())));
        }
        Ok(side)
    }
}

struct Place<'a> {
    table: &'a Table,
    row: usize,
}

impl Place<'_> {
    /// Names file, row and column of what is wrong.
    fn named<T>(&self, column: &str, found: Result<T, String>) -> Result<T, Failure> {
        found.map_err(|wrong| {
            fail(format!(
                "`{}`, row `{}`, column `{}`: {wrong}",
                self.table.path().display(),
                self.row,
                printable(column)
            ))
        })
    }
}

fn label(cell: &Cell<'_>) -> Result<bool, String> {
    if let Cell::Text(text) = cell {
        match text.trim() {
            "true" => return Ok(true),
            "false" => return Ok(false),
            _ => {}
        }
    }
    match cell.number()? {
        Some(1.0) => Ok(true),
        Some(0.0) => Ok(false),
        Some(number) => Err(format!("`{number}` is not a label; write 0 or 1")),
        None => Err("there is no label; leave out rows without one, in both files".to_owned()),
    }
}

fn score(cell: &Cell<'_>) -> Result<f64, String> {
    match cell.number()? {
        Some(score) if (0.0..=1.0).contains(&score) => Ok(score),
        Some(score) => Err(format!(
            "`{score}` is not a probability; write scores from 0 to 1"
        )),
        None => Err("there is no score; every row needs one".to_owned()),
    }
}

fn same_rows(
    first: &Table,
    second: &Table,
    champion: &Side,
    candidate: &Side,
) -> Result<(), Failure> {
    let (before, now) = (champion.labels.len(), candidate.labels.len());
    if before != now {
        return Err(fail(format!(
            "`{}` has `{before}` rows and `{}` has `{now}`; pass the same rows in the same order",
            first.path().display(),
            second.path().display()
        )));
    }
    let mut labels = champion.labels.iter().zip(&candidate.labels);
    match labels.position(|(a, b)| a != b) {
        Some(row) => Err(differ(first, second, row, "the label")),
        None => Ok(()),
    }
}

fn differ(first: &Table, second: &Table, row: usize, what: &str) -> Failure {
    fail(format!(
        "`{}` and `{}` differ in row `{row}` in `{}`; pass the same rows in the same order",
        first.path().display(),
        second.path().display(),
        printable(what)
    ))
}

/// A number for each different value.
fn numbered(values: &[String]) -> Vec<u64> {
    let different: BTreeSet<&String> = values.iter().collect();
    let numbers: BTreeMap<&String, u64> = different.into_iter().zip(0..).collect();
    let number = |value| numbers.get(value).copied().unwrap_or_default();
    values.iter().map(number).collect()
}

/// The group of a row that says nothing of it.
const MISSING: &str = "(missing)";
const MOST_GROUPS: usize = 200;
