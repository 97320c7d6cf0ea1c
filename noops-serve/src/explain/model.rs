//! A model as a function that is asked about rows that nobody sent.

use std::sync::Arc;

use noops_core::{Batch, ColumnKind, Error, ErrorKind, Executor};

use super::FeatureGroups;
use super::groups::Places;

/// The `output`th score of every row, for what explains one number.
///
/// # Examples
///
/// ```
/// use noops_core::{Batch, Column, Error, Executor, Scores};
/// use noops_serve::explain::score_of;
///
/// #[derive(Debug)]
/// struct Twice;
///
/// impl Executor for Twice {
///     fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
///         Scores::new(2, batch.numbers().iter().flat_map(|&x| [x, 2.0 * x]).collect())
///     }
/// }
///
/// let batch = Batch::new(vec![Column::Number(vec![1.0, 5.0])])?;
/// assert_eq!(score_of(&mut Twice, 1)(&batch)?, [2.0, 10.0]);
/// # Ok::<(), Error>(())
/// ```
pub fn score_of(
    executor: &mut dyn Executor,
    output: usize,
) -> impl FnMut(&Batch) -> Result<Vec<f32>, Error> + '_ {
    move |batch| {
        let scores = executor.run(batch)?;
        if scores.rows() > 0 && output >= scores.width() {
            return Err(refuse("the model has no such output")
                .with("output", output)
                .with("outputs", scores.width()));
        }
        Ok(scores
            .iter()
            .filter_map(|row| row.get(output).copied())
            .collect())
    }
}

/// Asks a model in batches of a bounded size, checks what it answers and counts the rows.
pub(super) struct Asked<'a, F> {
    model: &'a mut F,
    kinds: Arc<[ColumnKind]>,
    places: Places,
    batch_rows: usize,
    evaluations: u64,
}

impl<'a, F: FnMut(&Batch) -> Result<Vec<f32>, Error>> Asked<'a, F> {
    /// A model of rows like those of `example`.
    pub(super) fn new(
        model: &'a mut F,
        example: &Batch,
        groups: &FeatureGroups,
        batch_rows: usize,
    ) -> Result<Self, Error> {
        Ok(Self {
            model,
            kinds: example.kinds().into(),
            places: groups.places(example)?,
            batch_rows: batch_rows.max(1),
            evaluations: 0,
        })
    }

    /// The rows scored since this was asked last.
    pub(super) fn take_evaluations(&mut self) -> u64 {
        std::mem::take(&mut self.evaluations)
    }

    /// The scores of all rows of a batch.
    pub(super) fn scores(&mut self, batch: &Batch) -> Result<Vec<f64>, Error> {
        if batch.rows() <= self.batch_rows {
            return self.ask(batch);
        }
        let rows: Vec<usize> = (0..batch.rows()).collect();
        let mut scores = Vec::with_capacity(batch.rows());
        for rows in rows.chunks(self.batch_rows) {
            scores.extend(self.ask(&batch.take(rows))?);
        }
        Ok(scores)
    }

    /// Scores many mixtures of two rows, in the order they come: `from_first` says for each group whether a mixture has the
    /// first row's values, or else the second's.
    pub(super) fn mixtures<'m>(
        &mut self,
        mixtures: impl Iterator<Item = Mixture<'m>>,
        mut scored: impl FnMut(f64),
    ) -> Result<(), Error> {
        let (mut rows, mut numbers, mut codes) = (0, Vec::new(), Vec::new());
        let mut mixtures = mixtures.peekable();
        while let Some(mixture) = mixtures.next() {
            mix(
                &self.places.numbers,
                &mixture,
                |row| row.numbers,
                &mut numbers,
            );
            mix(&self.places.codes, &mixture, |row| row.codes, &mut codes);
            rows += 1;
            if rows >= self.batch_rows || mixtures.peek().is_none() {
                let (numbers, codes) = (std::mem::take(&mut numbers), std::mem::take(&mut codes));
                let batch = Batch::from_rows(rows, self.kinds.clone(), numbers, codes)?;
                self.ask(&batch)?.into_iter().for_each(&mut scored);
                rows = 0;
            }
        }
        Ok(())
    }

    fn ask(&mut self, batch: &Batch) -> Result<Vec<f64>, Error> {
        let scores = (self.model)(batch)?;
        let rows = u64::try_from(batch.rows()).unwrap_or(u64::MAX);
        self.evaluations = self.evaluations.saturating_add(rows);
        if scores.len() != batch.rows() {
            return Err(refuse("the model did not give one score a row")
                .with("rows", batch.rows())
                .with("scores", scores.len()));
        }
        if let Some(score) = scores.iter().find(|score| !score.is_finite()) {
            return Err(refuse("the model gave a score that is not finite").with("score", score));
        }
        Ok(scores.into_iter().map(f64::from).collect())
    }
}

/// Two rows, and from which of them each group comes.
pub(super) struct Mixture<'a> {
    pub(super) first: RowValues<'a>,
    pub(super) second: RowValues<'a>,
    pub(super) from_first: FromFirst<'a>,
}

/// Which groups come from the first of two rows.
#[derive(Clone, Copy)]
pub(super) enum FromFirst<'a> {
    /// Those whose bit is set.
    Bits(u32),
    /// Those whose place in an order is before the given one.
    Before(&'a [usize], usize),
    /// Those whose place in an order is at the given one or behind it.
    NotBefore(&'a [usize], usize),
}

impl FromFirst<'_> {
    fn has(self, group: usize) -> bool {
        match self {
            Self::Bits(bits) => u32::try_from(group)
                .ok()
                .and_then(|group| bits.checked_shr(group))
                .is_some_and(|bit| bit & 1 == 1),
            Self::Before(places, end) => places.get(group).is_some_and(|&place| place < end),
            Self::NotBefore(places, start) => {
                places.get(group).is_some_and(|&place| place >= start)
            }
        }
    }
}

/// The values of one row.
#[derive(Clone, Copy)]
pub(super) struct RowValues<'a> {
    numbers: &'a [f32],
    codes: &'a [u32],
}

impl<'a> RowValues<'a> {
    /// The values of a row of a batch; none past the last.
    pub(super) fn of(batch: &'a Batch, row: usize) -> Self {
        Self {
            numbers: part(batch.numbers(), row, batch.number_columns()),
            codes: part(batch.codes(), row, batch.category_columns()),
        }
    }
}

fn part<T>(values: &[T], row: usize, width: usize) -> &[T] {
    let start = row.saturating_mul(width);
    values
        .get(start..start.saturating_add(width))
        .unwrap_or_default()
}

fn mix<'a, T: Copy + 'a>(
    groups: &[usize],
    mixture: &Mixture<'a>,
    values: impl Fn(RowValues<'a>) -> &'a [T],
    out: &mut Vec<T>,
) {
    let both = values(mixture.first).iter().zip(values(mixture.second));
    out.extend(both.zip(groups).map(|((first, second), &group)| {
        if mixture.from_first.has(group) {
            *first
        } else {
            *second
        }
    }));
}

/// Refuses rows and background that cannot be mixed.
pub(super) fn check_background(rows: &Batch, background: &Batch) -> Result<(), Error> {
    if background.rows() == 0 {
        return Err(refuse("the background has no rows"));
    }
    if rows.kinds() != background.kinds() {
        return Err(refuse("the background has other columns than the rows"));
    }
    Ok(())
}

pub(super) fn refuse(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "explain a prediction", message)
}

#[cfg(test)]
mod tests {
    use noops_core::{Column, Scores};

    use super::*;

    #[derive(Debug)]
    struct Wide;

    impl Executor for Wide {
        fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
            Scores::new(2, batch.numbers().iter().flat_map(|&x| [x, -x]).collect())
        }
    }

    fn column(values: &[f32]) -> Batch {
        Batch::new(vec![Column::Number(values.to_vec())]).unwrap()
    }

    #[test]
    fn one_output_of_an_executor_is_picked() {
        let batch = column(&[1.0, 2.0]);
        assert_eq!(score_of(&mut Wide, 1)(&batch).unwrap(), [-1.0, -2.0]);
        assert!(score_of(&mut Wide, 2)(&batch).is_err());
        assert!(score_of(&mut Wide, 2)(&column(&[])).unwrap().is_empty());
    }

    #[test]
    fn a_model_is_asked_in_batches_and_checked() {
        let mut sizes = Vec::new();
        let mut model = |batch: &Batch| {
            sizes.push(batch.rows());
            Ok(batch.numbers().to_vec())
        };
        let rows = column(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        let mut asked = Asked::new(&mut model, &rows, &FeatureGroups::each(1), 2).unwrap();
        assert_eq!(asked.scores(&rows).unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(asked.take_evaluations(), 5);
        assert_eq!(sizes, [2, 2, 1]);
        for wrong in [
            vec![],
            vec![1.0; 6],
            vec![f32::NAN; 5],
            vec![f32::INFINITY; 5],
        ] {
            let mut model = |_: &Batch| Ok(wrong.clone());
            let mut asked = Asked::new(&mut model, &rows, &FeatureGroups::each(1), 9).unwrap();
            assert!(asked.scores(&rows).is_err(), "{wrong:?}");
        }
    }
}
