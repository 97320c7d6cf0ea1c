//! Columns that are explained together.

use noops_core::{Batch, ColumnKind, Error, ErrorKind};

/// A partition of a batch's columns: each group is switched, shuffled and credited as one.
///
/// Columns that say the same thing (a one-hot encoding, a latitude with its longitude) belong into one group: apart, each is blamed
/// for what the other still gives away.
///
/// # Examples
///
/// ```
/// use noops_serve::explain::FeatureGroups;
///
/// let groups = FeatureGroups::new(3, [vec![0, 2], vec![1]])?;
/// assert_eq!(groups.len(), 2);
/// assert!(FeatureGroups::new(3, [vec![0, 2]]).is_err(), "column 1 is in no group");
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureGroups {
    columns: usize,
    groups: Vec<Vec<usize>>,
}

impl FeatureGroups {
    /// Every column by itself.
    #[must_use]
    pub fn each(columns: usize) -> Self {
        Self {
            columns,
            groups: (0..columns).map(|column| vec![column]).collect(),
        }
    }

    /// Groups of columns.
    ///
    /// # Errors
    ///
    /// Refuses an empty group, a column past the last, and a column that is in no group or in two.
    pub fn new(
        columns: usize,
        groups: impl IntoIterator<Item = Vec<usize>>,
    ) -> Result<Self, Error> {
        let groups: Vec<Vec<usize>> = groups.into_iter().collect();
        if let Some(group) = groups.iter().position(Vec::is_empty) {
            return Err(refuse("a group has no columns").with("group", group));
        }
        let mut seen: Vec<usize> = groups.iter().flatten().copied().collect();
        seen.sort_unstable();
        if let Some(&column) = seen.last().filter(|&&last| last >= columns) {
            return Err(refuse("there is no such column")
                .with("column", column)
                .with("columns", columns));
        }
        let twice = seen
            .iter()
            .zip(seen.iter().skip(1))
            .find(|(one, next)| one == next);
        if let Some((column, _)) = twice {
            return Err(refuse("a column is in two groups").with("column", column));
        }
        if seen.len() != columns {
            let column = seen.iter().zip(0..).find(|(seen, at)| *seen != at);
            let column = column.map_or(seen.len(), |(_, at)| at);
            return Err(refuse("a column is in no group").with("column", column));
        }
        Ok(Self { columns, groups })
    }

    /// How many groups there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there are none, which is when there are no columns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The columns of each group.
    pub fn iter(&self) -> impl Iterator<Item = &[usize]> {
        self.groups.iter().map(Vec::as_slice)
    }

    /// Where the values of a batch's row belong: a group for each number and for each code.
    pub(super) fn places(&self, batch: &Batch) -> Result<Places, Error> {
        if batch.kinds().len() != self.columns {
            return Err(refuse("the groups are of other columns than the rows have")
                .with("columns grouped", self.columns)
                .with("columns given", batch.kinds().len()));
        }
        let mut group_of = vec![0; self.columns];
        for (group, columns) in self.groups.iter().enumerate() {
            for &column in columns {
                if let Some(place) = group_of.get_mut(column) {
                    *place = group;
                }
            }
        }
        let of = |kind: ColumnKind| {
            let groups = group_of.iter().zip(batch.kinds());
            groups
                .filter(|(_, other)| **other == kind)
                .map(|(group, _)| *group)
                .collect()
        };
        Ok(Places {
            numbers: of(ColumnKind::Number),
            codes: of(ColumnKind::Category),
        })
    }
}

/// The group of each numeric column and of each column of codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) numbers: Vec<usize>,
    pub(super) codes: Vec<usize>,
}

fn refuse(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "group features", message)
}

#[cfg(test)]
mod tests {
    use noops_core::Column;

    use super::*;

    #[test]
    fn every_column_is_in_exactly_one_group() {
        let why = |columns, groups: &[&[usize]]| {
            let groups = groups.iter().map(|group| group.to_vec());
            FeatureGroups::new(columns, groups).unwrap_err().to_string()
        };
        assert!(why(2, &[&[0, 1], &[]]).contains("no columns"));
        assert!(why(2, &[&[0], &[2]]).contains("no such column"));
        assert!(why(2, &[&[0, 1], &[1]]).contains("in two groups"));
        assert!(why(3, &[&[0, 2]]).contains("in no group (column `1`)"));
        assert!(why(2, &[&[0]]).contains("in no group (column `1`)"));
        assert!(why(2, &[&[usize::MAX]]).contains("no such column"));
        assert!(FeatureGroups::new(0, []).unwrap().is_empty());
    }

    #[test]
    fn numbers_and_codes_find_their_groups() {
        let batch = Batch::new(vec![
            Column::Number(vec![1.0]),
            Column::Category(vec![1]),
            Column::Number(vec![2.0]),
        ])
        .unwrap();
        let groups = FeatureGroups::new(3, [vec![1, 2], vec![0]]).unwrap();
        let places = groups.places(&batch).unwrap();
        assert_eq!((places.numbers, places.codes), (vec![1, 0], vec![0]));
        assert!(FeatureGroups::each(2).places(&batch).is_err());
    }
}
