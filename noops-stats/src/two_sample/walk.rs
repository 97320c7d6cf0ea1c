use super::sorted::SortedSample;

/// Visits the distinct values of two samples pooled, in ascending order, with what both samples have passed by then.
///
/// # Complexity
///
/// O(n + m), one step per distinct value. Which sample is stepped is an addition rather than a branch, so random data
/// cost no mispredictions unless they are full of ties.
pub fn walk(reference: &SortedSample, current: &SortedSample, mut visit: impl FnMut(Step)) {
    let left = reference.values();
    let right = current.values();
    let mut i = 0_usize;
    let mut j = 0_usize;
    while let (Some(&a), Some(&b)) = (left.get(i), right.get(j)) {
        let value = if b < a { b } else { a };
        let (before_i, before_j) = (i, j);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
        i = past_equal(left, i, value);
        j = past_equal(right, j, value);
        visit(Step::new(value, (before_i, i), (before_j, j)));
    }
    while let Some(&value) = left.get(i) {
        let before = i;
        i = past_equal(left, i + 1, value);
        visit(Step::new(value, (before, i), (j, j)));
    }
    while let Some(&value) = right.get(j) {
        let before = j;
        j = past_equal(right, j + 1, value);
        visit(Step::new(value, (i, i), (before, j)));
    }
}

/// One distinct value of two samples pooled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The value.
    pub value: f64,
    /// How many reference values equal it.
    pub reference: u64,
    /// How many current values equal it.
    pub current: u64,
    /// How many reference values are at most it.
    pub passed_reference: u64,
    /// How many current values are at most it.
    pub passed_current: u64,
}

impl Step {
    #[inline]
    fn new(value: f64, reference: (usize, usize), current: (usize, usize)) -> Self {
        Self {
            value,
            reference: (reference.1 - reference.0) as u64,
            current: (current.1 - current.0) as u64,
            passed_reference: reference.1 as u64,
            passed_current: current.1 as u64,
        }
    }
}

#[inline]
fn past_equal(values: &[f64], mut at: usize, value: f64) -> usize {
    while values.get(at) == Some(&value) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, prop, prop_assert_eq, proptest};

    use super::{Step, walk};
    use crate::two_sample::sorted::SortedSample;

    fn steps(reference: &[f64], current: &[f64]) -> Vec<Step> {
        let mut steps = Vec::new();
        walk(
            &SortedSample::new(reference),
            &SortedSample::new(current),
            |step| steps.push(step),
        );
        steps
    }

    /// Counts by looking at every value for every value.
    fn naive(reference: &[f64], current: &[f64]) -> Vec<Step> {
        let mut distinct: Vec<f64> = reference.iter().chain(current).copied().collect();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let count = |values: &[f64], keep: &dyn Fn(f64) -> bool| {
            values.iter().filter(|&&value| keep(value)).count() as u64
        };
        distinct
            .into_iter()
            .map(|value| Step {
                value,
                reference: count(reference, &|x| x == value),
                current: count(current, &|x| x == value),
                passed_reference: count(reference, &|x| x <= value),
                passed_current: count(current, &|x| x <= value),
            })
            .collect()
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec((-6_i8..6).prop_map(f64::from), 0..24)
    }

    proptest! {
        #[test]
        fn every_distinct_value_is_visited_once(reference in values(), current in values()) {
            prop_assert_eq!(steps(&reference, &current), naive(&reference, &current));
        }
    }

    #[test]
    fn infinities_and_both_zeros_are_values() {
        let inf = f64::INFINITY;
        let found = steps(&[0.0, inf, -inf], &[-0.0, inf, inf]);
        assert_eq!(found, naive(&[0.0, inf, -inf], &[0.0, inf, inf]));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn nothing_is_visited_where_nothing_is() {
        assert!(steps(&[], &[f64::NAN]).is_empty());
    }
}
