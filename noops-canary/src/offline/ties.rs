use noops_stats::SortedSample;

/// The scores of each class, in ascending order.
pub(super) struct ClassScores {
    positive: SortedSample,
    negative: SortedSample,
}

impl ClassScores {
    pub(super) fn of(scores: &[f64], labels: &[bool]) -> Self {
        let class = |wanted: bool| -> SortedSample {
            let values: Vec<f64> = scores
                .iter()
                .zip(labels)
                .filter(|(_, label)| **label == wanted)
                .map(|(score, _)| *score)
                .collect();
            SortedSample::new(&values)
        };
        Self {
            positive: class(true),
            negative: class(false),
        }
    }

    pub(super) fn positives(&self) -> u64 {
        self.positive.len() as u64
    }

    pub(super) fn negatives(&self) -> u64 {
        self.negative.len() as u64
    }

    /// The rows of each distinct score, ascending.
    pub(super) fn groups(&self) -> Groups<'_> {
        Groups {
            positive: self.positive.values(),
            negative: self.negative.values(),
        }
    }
}

/// How many rows of each class share one score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) positive: u64,
    pub(super) negative: u64,
}

pub(super) struct Groups<'a> {
    positive: &'a [f64],
    negative: &'a [f64],
}

impl Iterator for Groups<'_> {
    type Item = Group;

    fn next(&mut self) -> Option<Group> {
        let score = match (self.positive.first(), self.negative.first()) {
            (Some(positive), Some(negative)) => positive.min(*negative),
            (Some(score), None) | (None, Some(score)) => *score,
            (None, None) => return None,
        };
        Some(Group {
            positive: take_equal(&mut self.positive, score),
            negative: take_equal(&mut self.negative, score),
        })
    }
}

/// Takes the leading values equal to `score` off, and counts them.
fn take_equal(values: &mut &[f64], score: f64) -> u64 {
    let equal = values.iter().take_while(|value| **value == score).count();
    *values = values.get(equal..).unwrap_or_default();
    equal as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_distinct_score_is_one_group() {
        let scores = [0.5, 0.1, 0.5, 0.5, -0.0, 0.0];
        let classes = ClassScores::of(&scores, &[true, false, false, true, true, false]);
        let groups: Vec<(u64, u64)> = classes
            .groups()
            .map(|group| (group.positive, group.negative))
            .collect();
        assert_eq!(groups, [(1, 1), (0, 1), (2, 1)]);
    }
}
