use std::collections::{BTreeMap, BTreeSet};

use crate::error::CanaryError;
use crate::offline::check::check_length;

/// Which group each row belongs to.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::fairness::Groups;
///
/// let sex = Groups::of_values(&["m", "f", "f", "m"])?;
/// let age = Groups::new(&[0, 1, 1, 1], ["young", "old"])?;
/// assert_eq!(sex.names(), ["f", "m"]);
/// assert_eq!(Groups::crossing(&[&sex, &age])?.names(), ["f & old", "m & young", "m & old"]);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    ids: Vec<usize>,
    names: Vec<String>,
}

impl Groups {
    /// Groups by number, `ids` counting into `names`; a name without rows is a group without rows.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without rows, [`CanaryError::Input`] for a number without a name and for a name that is empty or occurs twice.
    pub fn new<S: Into<String>>(
        ids: &[usize],
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, CanaryError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let mut seen = BTreeSet::new();
        if names
            .iter()
            .any(|name| name.trim().is_empty() || !seen.insert(name.as_str()))
        {
            return Err(CanaryError::Input {
                input: "names",
                reason: "holds a name that is empty or occurs twice; give each group its own",
            });
        }
        if ids.is_empty() {
            return Err(CanaryError::Empty);
        }
        if ids.iter().any(|id| *id >= names.len()) {
            return Err(CanaryError::Input {
                input: "ids",
                reason: "holds a number that no name belongs to; count groups from zero",
            });
        }
        Ok(Self {
            ids: ids.to_vec(),
            names,
        })
    }

    /// Groups by value, in the order of the values.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new). An empty value is refused: give rows of an unknown group a name, so that they are seen.
    pub fn of_values<S: AsRef<str>>(values: &[S]) -> Result<Self, CanaryError> {
        let mut places: BTreeMap<&str, usize> =
            values.iter().map(|value| (value.as_ref(), 0)).collect();
        for (place, index) in places.values_mut().zip(0..) {
            *place = index;
        }
        let ids: Vec<usize> = values
            .iter()
            .filter_map(|value| places.get(value.as_ref()).copied())
            .collect();
        Self::new(&ids, places.into_keys())
    }

    /// Intersectional groups: one for each combination of groups that has rows, in the order of the first column, then the second, and so on.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without columns and [`CanaryError::Length`] for columns of different lengths.
    ///
    /// # Complexity
    ///
    /// O(n log c) for n rows and c combinations, whatever the product of the numbers of groups.
    pub fn crossing(columns: &[&Self]) -> Result<Self, CanaryError> {
        let Some((first, others)) = columns.split_first() else {
            return Err(CanaryError::Empty);
        };
        for other in others {
            check_length("groups", first.rows(), other.rows())?;
        }
        let mut cells: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        let of_row = |row: usize| -> Vec<usize> {
            let ids = columns.iter().filter_map(|column| column.ids.get(row));
            ids.copied().collect()
        };
        for row in 0..first.rows() {
            cells.insert(of_row(row), 0);
        }
        for (cell, index) in cells.values_mut().zip(0..) {
            *cell = index;
        }
        let ids = (0..first.rows())
            .filter_map(|row| cells.get(&of_row(row)).copied())
            .collect();
        let names = cells.keys().map(|cell| {
            let names: Vec<&str> = columns
                .iter()
                .zip(cell)
                .filter_map(|(column, id)| column.names.get(*id).map(String::as_str))
                .collect();
            names.join(" & ")
        });
        Ok(Self {
            ids,
            names: names.collect(),
        })
    }

    /// The names, by number.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The group of each row.
    #[must_use]
    pub fn ids(&self) -> &[usize] {
        &self.ids
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.ids.len()
    }

    /// The rows of each group among `rows`, which may repeat.
    pub(super) fn split(&self, rows: impl IntoIterator<Item = usize>) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.names.len()];
        for row in rows {
            let group = self.ids.get(row).and_then(|id| members.get_mut(*id));
            if let Some(group) = group {
                group.push(row);
            }
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_group_is_refused() {
        assert!(Groups::new(&[2], ["a", "b"]).is_err());
        assert!(Groups::new(&[usize::MAX], ["a"]).is_err());
        assert!(Groups::new(&[0], ["a", "a"]).is_err());
        assert!(Groups::new(&[0], [" "]).is_err());
        assert_eq!(
            Groups::new(&[], Vec::<String>::new()),
            Err(CanaryError::Empty)
        );
        assert!(Groups::of_values(&["a", ""]).is_err());
        assert_eq!(Groups::crossing(&[]), Err(CanaryError::Empty));
    }

    #[test]
    fn columns_of_different_lengths_are_not_crossed() {
        let short = Groups::of_values(&["a"]).unwrap();
        let long = Groups::of_values(&["a", "b"]).unwrap();
        assert!(Groups::crossing(&[&short, &long]).is_err());
    }

    #[test]
    fn crossed_names_that_read_alike_stay_two_groups() {
        let first = Groups::of_values(&["a", "a & b"]).unwrap();
        let second = Groups::of_values(&["b & c", "c"]).unwrap();
        let crossed = Groups::crossing(&[&first, &second]).unwrap();
        assert_eq!(crossed.ids(), [0, 1]);
        assert_eq!(crossed.split(0..2), [vec![0], vec![1]]);
    }
}
