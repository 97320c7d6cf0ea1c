//! Which columns of two files are compared, and why the others are not.

use arrow_schema::{DataType, Schema};
use serde::Serialize;

use crate::failure::{Failure, fail};
use crate::frame::{Wanted, printable};
use crate::pair::readable_pair;
use crate::read::Table;

/// What is read of either file, column by column, and what is left out.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) reference: Vec<Wanted>,
    pub(crate) current: Vec<Wanted>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// A column that is in one of the files at least and is not compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LeftOut {
    pub(crate) name: String,
    pub(crate) reason: String,
    #[serde(skip)]
    pub(crate) because: Because,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// Nothing here compares such columns.
    Unsupported,
    /// The current file has what the reference has not.
    New,
    /// The current file does not have what the reference has: the column is gone, or it means something else.
    Broken,
}

impl Plan {
    /// Takes the asked columns, in their order, or all that both files have.
    pub(crate) fn of(
        reference: &Table,
        current: &Table,
        asked: Option<&[String]>,
    ) -> Result<Self, Failure> {
        let mut plan = Self {
            reference: Vec::new(),
            current: Vec::new(),
            left_out: Vec::new(),
        };
        let mut names: Vec<&str> = Vec::new();
        match asked {
            Some(asked) => names.extend(asked.iter().map(String::as_str)),
            None => {
                let both = [reference, current].map(|table| table.schema().fields());
                names.extend(
                    both.iter()
                        .flat_map(|fields| fields.iter())
                        .map(|field| field.name().as_str()),
                );
            }
        }
        for (at, name) in names.iter().enumerate() {
            if names.iter().take(at).any(|earlier| earlier == name) {
                continue;
            }
            match compared(reference, current, name) {
                Ok([first, second]) => {
                    plan.reference.push(first);
                    plan.current.push(second);
                }
                Err(left_out) if asked.is_some() => {
                    let LeftOut { name, reason, .. } = left_out;
                    return Err(fail(format!("column `{}` {reason}", printable(&name))));
                }
                Err(left_out) => plan.left_out.push(left_out),
            }
        }
        if plan.reference.is_empty() {
            let mut message = format!(
                "`{}` and `{}` have no columns to compare",
                reference.path().display(),
                current.path().display()
            );
            for LeftOut { name, reason, .. } in plan.left_out.iter().take(SHOWN) {
                message.push_str(&format!("; `{}` {reason}", printable(name)));
            }
            return Err(fail(message));
        }
        Ok(plan)
    }

    /// The columns that the reference has and the current file has not, or not as such.
    pub(crate) fn broken(&self) -> impl Iterator<Item = &LeftOut> {
        self.left_out
            .iter()
            .filter(|column| column.because == Because::Broken)
    }
}

fn compared(reference: &Table, current: &Table, name: &str) -> Result<[Wanted; 2], LeftOut> {
    let left_out = |because: Because, reason: String| LeftOut {
        name: name.to_owned(),
        reason,
        because,
    };
    let tables = [reference, current];
    let [first, second] = tables.map(|table| Found::of(table.schema(), name));
    let path = |table: &Table| table.path().display().to_string();
    let (at, to) = match (first, second) {
        (Found::Once(at), Found::Once(to)) => (at, to),
        (Found::Never, Found::Never) => {
            return Err(left_out(
                Because::Unsupported,
                "is in neither file".to_owned(),
            ));
        }
        (_, Found::Never) => {
            let reason = format!("is not in `{}`", path(current));
            return Err(left_out(Because::Broken, reason));
        }
        (Found::Never, _) => {
            let reason = format!("is not in `{}`", path(reference));
            return Err(left_out(Because::New, reason));
        }
        (Found::Often, _) => {
            let reason = format!("occurs more than once in `{}`", path(reference));
            return Err(left_out(Because::Unsupported, reason));
        }
        (_, Found::Often) => {
            let reason = format!("occurs more than once in `{}`", path(current));
            return Err(left_out(Because::Broken, reason));
        }
    };
    let types = [(reference, at), (current, to)].map(|(table, place)| {
        let field = table.schema().fields().get(place);
        field.map_or(DataType::Null, |field| field.data_type().clone())
    });
    let [before, after] = &types;
    let Some([before_as, after_as]) = readable_pair(before, after) else {
        return Err(if before == after {
            left_out(
                Because::Unsupported,
                format!("has type `{before}`, which has no order and no names to compare"),
            )
        } else {
            left_out(
                Because::Broken,
                format!("is `{before}` in the reference and `{after}` in the current file"),
            )
        });
    };
    let wanted = |place: usize, data_type: DataType| Wanted {
        name: name.to_owned(),
        place,
        data_type,
    };
    Ok([wanted(at, before_as), wanted(to, after_as)])
}

/// How often a name occurs in a file.
enum Found {
    Never,
    Once(usize),
    Often,
}

impl Found {
    fn of(schema: &Schema, name: &str) -> Self {
        let mut places = schema
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| field.name() == name)
            .map(|(place, _)| place);
        match (places.next(), places.next()) {
            (None, _) => Self::Never,
            (Some(place), None) => Self::Once(place),
            (Some(_), Some(_)) => Self::Often,
        }
    }
}

/// Left-out columns that a message names.
const SHOWN: usize = 3;
