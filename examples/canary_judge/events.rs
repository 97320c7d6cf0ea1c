//! The requests of a file, in its order.

use std::path::Path;

use arrow_schema::{DataType, TimeUnit};
use noops_canary::judge::JudgeSpec;

use crate::columns::{Cells, as_name, as_number, wanted};
use crate::failure::{Failure, fail};
use crate::frame::{Meaning, Wanted, frames};
use crate::lines::{self, IsName};
use crate::read::Table;
use crate::row::{Layout, Row};

/// A file of requests whose columns are those that a specification asks for.
pub(crate) struct Events {
    layout: Layout,
    form: Form,
    rows: u64,
}

enum Form {
    Table { table: Table, wanted: Vec<Wanted> },
    Lines,
}

impl Events {
    /// Finds the columns and counts the rows.
    pub(crate) fn open(path: &Path, spec: &JudgeSpec) -> Result<Self, Failure> {
        let layout = Layout::of(spec, path)?;
        let (form, rows) = if !path.is_dir() && lines::is_lines(path) {
            let rows = lines::each_line(path, |_, _| Ok(()))?;
            (Form::Lines, rows)
        } else {
            let table = Table::open(path)?;
            let wanted = all_wanted(&table, &layout)?;
            let mut rows = 0_u64;
            for batch in frames(&table, wanted.iter().take(1).cloned().collect())? {
                rows = rows.saturating_add(batch?.num_rows() as u64);
            }
            (Form::Table { table, wanted }, rows)
        };
        if rows == 0 {
            return Err(fail(format!(
                "`{}` has no rows; pass one for each request",
                path.display()
            )));
        }
        Ok(Self { layout, form, rows })
    }

    /// How many requests there are.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        self.layout.path()
    }

    /// Hands on every request with its number, from 0.
    pub(crate) fn each(
        &self,
        take: &mut dyn FnMut(u64, &Row) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match &self.form {
            Form::Table { table, wanted } => self.each_of_table(table, wanted, take),
            Form::Lines => self.each_of_lines(take),
        }
    }

    fn each_of_table(
        &self,
        table: &Table,
        wanted: &[Wanted],
        take: &mut dyn FnMut(u64, &Row) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut number = 0_u64;
        for batch in frames(table, wanted.to_vec())? {
            let batch = batch?;
            let cells = Cells::of(&batch, self.path())?;
            for row in 0..batch.num_rows() {
                let row = self.layout.row(number, &|place| cells.at(place, row))?;
                take(number, &row)?;
                number = number.saturating_add(1);
            }
        }
        Ok(())
    }

    fn each_of_lines(
        &self,
        take: &mut dyn FnMut(u64, &Row) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let names = self.layout.names();
        let mut seen = vec![false; names.len()];
        lines::each_line(self.path(), |number, line| {
            let object = lines::object(self.path(), number, line)?;
            for (seen, name) in seen.iter_mut().zip(names) {
                *seen |= object.contains_key(name);
            }
            let row = self.layout.row(number, &|place| {
                let name = names.get(place).map_or("", String::as_str);
                lines::cell(&object, name, self.layout.is_name(place))
            })?;
            take(number, &row)
        })?;
        match names.iter().zip(&seen).find(|(_, seen)| !**seen) {
            Some((name, _)) => Err(fail(format!(
                "`{}` has no column `{name}`: no line has such a member",
                self.path().display()
            ))),
            None => Ok(()),
        }
    }
}

fn all_wanted(table: &Table, layout: &Layout) -> Result<Vec<Wanted>, Failure> {
    let columns = layout.names().iter().enumerate();
    let columns = columns.map(|(place, name)| {
        let reading = match layout.is_name(place) {
            _ if layout.is_time(place) => as_time,
            IsName::Yes => as_name,
            IsName::No => as_number,
        };
        wanted(table, name, reading)
    });
    columns.collect()
}

/// The type in which times are read: seconds and texts are kept as they are.
fn as_time(data_type: &DataType) -> Option<DataType> {
    match Meaning::of(data_type)? {
        Meaning::Instant => Some(DataType::Timestamp(
            TimeUnit::Microsecond,
            Some("+00:00".into()),
        )),
        Meaning::Number | Meaning::Nothing => Some(DataType::Float64),
        Meaning::Text => Some(DataType::LargeUtf8),
        _ => None,
    }
}
