//! The clauses of [`Executor`] and [`ModelLoader`].

use super::kind;
use crate::{Batch, ErrorKind, Executor, ModelLoader, ModelVersion};

/// Every clause of [`Executor`], on a batch of at least two rows that keep the model's contract and are not all alike.
pub fn all(executor: &mut dyn Executor, batch: &Batch) {
    every_row_has_scores_of_one_width(executor, batch);
    the_same_batch_is_scored_alike(executor, batch);
    a_row_does_not_depend_on_the_others(executor, batch);
    a_batch_without_rows_has_no_scores(executor, batch);
}

/// Every clause of [`ModelLoader`], and of the executors that it builds of an artifact.
pub async fn loader(
    loader: &dyn ModelLoader,
    version: &ModelVersion,
    artifact: &[u8],
    batch: &Batch,
) {
    malformed_bytes_are_corrupt(loader, version).await;
    part_of_an_artifact_is_no_reason_to_panic(loader, version, artifact).await;
    the_same_bytes_answer_alike(loader, version, artifact, batch).await;
}

/// As many rows of scores as there are rows, and as many scores in a row whatever the batch.
pub fn every_row_has_scores_of_one_width(executor: &mut dyn Executor, batch: &Batch) {
    assert!(batch.rows() >= 2, "give a batch of at least two rows");
    let width = bits(executor, batch).first().map(Vec::len);
    for rows in 1..batch.rows() {
        let first: Vec<usize> = (0..rows).collect();
        let scores = bits(executor, &batch.take(&first));
        assert_eq!(scores.first().map(Vec::len), width, "with {rows} rows");
    }
}

/// What an executor keeps between two calls does not show.
pub fn the_same_batch_is_scored_alike(executor: &mut dyn Executor, batch: &Batch) {
    let first = bits(executor, batch);
    // Something else in between, of another size.
    bits(executor, &batch.take(&[0]));
    assert_eq!(
        bits(executor, batch),
        first,
        "scores depend neither on chance nor on what was run before"
    );
}

/// Alone, in another order or beside itself, a row has the same scores to the last bit.
pub fn a_row_does_not_depend_on_the_others(executor: &mut dyn Executor, batch: &Batch) {
    let together = bits(executor, batch);
    for (row, expected) in together.iter().enumerate() {
        let alone = bits(executor, &batch.take(&[row]));
        assert_eq!(alone.first(), Some(expected), "row {row} alone");
    }
    let reversed: Vec<usize> = (0..batch.rows()).rev().collect();
    let mut answers = bits(executor, &batch.take(&reversed));
    answers.reverse();
    assert_eq!(
        answers, together,
        "in reverse, rows are answered in reverse"
    );
    let twice: Vec<usize> = (0..batch.rows()).chain(0..batch.rows()).collect();
    let answers = bits(executor, &batch.take(&twice));
    let (first, second) = answers.split_at(batch.rows());
    assert_eq!(first, together, "in a larger batch");
    assert_eq!(second, together, "behind others");
}

/// Nothing was asked, and nothing is wrong.
pub fn a_batch_without_rows_has_no_scores(executor: &mut dyn Executor, batch: &Batch) {
    let scores = executor.run(&batch.take(&[])).unwrap();
    assert_eq!(scores.rows(), 0);
}

/// Bytes that no model was written as.
pub async fn malformed_bytes_are_corrupt(loader: &dyn ModelLoader, version: &ModelVersion) {
    let malformed: [&[u8]; 4] = [&[0xff; 1000], &[0; 64], b"this is not a model", b"{\"a\":"];
    for bytes in malformed {
        let loaded = loader.load(version, bytes).await;
        assert_eq!(kind(loaded), ErrorKind::Corrupt, "{bytes:?}");
    }
}

/// A format may have an end that nothing depends on; but what is not loaded is corrupt, and nothing panics.
pub async fn part_of_an_artifact_is_no_reason_to_panic(
    loader: &dyn ModelLoader,
    version: &ModelVersion,
    artifact: &[u8],
) {
    // All of the beginning, where formats keep their lengths, and samples of the rest.
    let step = (artifact.len() / 64).max(1);
    let cuts = (0..artifact.len().min(64)).chain((64..artifact.len()).step_by(step));
    for cut in cuts {
        let (part, _) = artifact.split_at(cut);
        if let Err(error) = loader.load(version, part).await {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{cut} bytes: {error}");
        }
    }
}

/// Two replicas of one version are one model, and keep the clauses of an executor.
pub async fn the_same_bytes_answer_alike(
    loader: &dyn ModelLoader,
    version: &ModelVersion,
    artifact: &[u8],
    batch: &Batch,
) {
    let mut one = loader.load(version, artifact).await.unwrap();
    let mut other = loader.load(version, artifact).await.unwrap();
    assert_eq!(bits(one.as_mut(), batch), bits(other.as_mut(), batch));
    all(one.as_mut(), batch);
}

/// The scores of every row, as bits, so that NaN equals itself.
fn bits(executor: &mut dyn Executor, batch: &Batch) -> Vec<Vec<u32>> {
    let scores = executor.run(batch).unwrap();
    assert_eq!(scores.rows(), batch.rows(), "one row of scores per row");
    let row = |scores: &[f32]| scores.iter().map(|score| score.to_bits()).collect();
    scores.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Error, Scores};

    /// Answers with a function of a batch's only column and of how often it was asked.
    struct Formula(fn(&[f32], usize) -> Vec<f32>, usize);

    impl std::fmt::Debug for Formula {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Formula")
        }
    }

    impl Executor for Formula {
        fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
            self.1 += 1;
            Scores::new(1, (self.0)(batch.numbers(), self.1))
        }
    }

    fn batch() -> Batch {
        Batch::new(vec![Column::Number(vec![0.25, 0.5, 4.0])]).unwrap()
    }

    #[test]
    fn a_function_of_the_row_keeps_the_contract() {
        fn twice(values: &[f32], _: usize) -> Vec<f32> {
            values.iter().map(|value| value * 2.0).collect()
        }
        all(&mut Formula(twice, 0), &batch());
    }

    #[test]
    #[should_panic(expected = "one row of scores per row")]
    fn a_row_that_is_left_out_is_noticed() {
        fn two_at_most(values: &[f32], _: usize) -> Vec<f32> {
            values.iter().take(2).copied().collect()
        }
        all(&mut Formula(two_at_most, 0), &batch());
    }

    #[test]
    #[should_panic(expected = "row 0 alone")]
    fn a_score_that_depends_on_the_batch_is_noticed() {
        fn share(values: &[f32], _: usize) -> Vec<f32> {
            let sum: f32 = values.iter().sum();
            values.iter().map(|value| value / sum).collect()
        }
        all(&mut Formula(share, 0), &batch());
    }

    #[test]
    #[should_panic(expected = "what was run before")]
    fn a_score_that_depends_on_the_call_is_noticed() {
        fn aging(values: &[f32], calls: usize) -> Vec<f32> {
            values.iter().map(|_| calls as f32).collect()
        }
        all(&mut Formula(aging, 0), &batch());
    }
}
