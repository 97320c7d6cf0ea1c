use std::fmt;

/// Columns of text, each as wide as its widest cell; those of numbers are aligned on the right.
pub(super) struct Table<const N: usize> {
    titles: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(titles: [&'static str; N]) -> Self {
        Self {
            titles,
            rows: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, row: [String; N]) {
        self.rows.push(row);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn columns(&self) -> Vec<Column> {
        self.titles
            .iter()
            .enumerate()
            .map(|(index, title)| {
                let cells = || self.rows.iter().filter_map(move |row| row.get(index));
                Column {
                    width: cells()
                        .map(|cell| width(cell))
                        .fold(width(title), usize::max),
                    is_numeric: cells().any(|cell| is_number(cell))
                        && cells().all(|cell| is_number(cell) || WORDS.contains(&cell.as_str())),
                }
            })
            .collect()
    }
}

struct Column {
    width: usize,
    is_numeric: bool,
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns();
        let titles: Vec<&str> = self.titles.to_vec();
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(String::as_str).collect::<Vec<&str>>());
        for row in std::iter::once(titles).chain(rows) {
            let mut line = String::new();
            for (cell, column) in row.iter().zip(&columns) {
                let gap = " ".repeat(column.width.saturating_sub(width(cell)));
                if column.is_numeric {
                    line.push_str(&gap);
                    line.push_str(cell);
                } else {
                    line.push_str(cell);
                    line.push_str(&gap);
                }
                line.push_str("  ");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What stands in a column of numbers without being one.
const WORDS: [&str; 2] = ["never", "advisory"];
