use super::sorted::SortedSample;
use super::walk::walk;

/// What one pass over two samples says about their ranks: Mann and Whitney's U, the ties, and the spread of the placements.
///
/// # Complexity
///
/// O(n + m).
///
/// # Examples
///
/// ```
/// use noops_stats::SortedSample;
/// use noops_stats::two_sample::RankSums;
///
/// let (reference, current) = (SortedSample::new(&[1.0, 2.0]), SortedSample::new(&[2.0, 3.0]));
/// // Three of the four pairs are in order and one is a tie.
/// assert_eq!(RankSums::of(&reference, &current).twice_u(), 7);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RankSums {
    n: f64,
    m: f64,
    twice_u: u128,
    ties: f64,
    /// Placements of the current values in the reference, and the other way round.
    current: Placements,
    reference: Placements,
}

impl RankSums {
    /// Ranks the values of two samples together.
    #[must_use]
    pub fn of(reference: &SortedSample, current: &SortedSample) -> Self {
        let (n, m) = (reference.len() as f64, current.len() as f64);
        let mut sums = Self {
            n,
            m,
            twice_u: 0,
            ties: 0.0,
            current: Placements::default(),
            reference: Placements::default(),
        };
        walk(reference, current, |step| {
            let twice_below = 2 * step.passed_reference - step.reference;
            sums.twice_u += u128::from(step.current) * u128::from(twice_below);
            let equal = (step.reference + step.current) as f64;
            sums.ties += equal * (equal - 1.0) * (equal + 1.0);
            let in_reference = twice_below as f64 / 2.0 / n;
            let in_current = (2 * step.passed_current - step.current) as f64 / 2.0 / m;
            sums.current.add(in_reference, step.current as f64);
            sums.reference.add(in_current, step.reference as f64);
        });
        sums
    }

    /// Twice the U of the current sample, a whole number: pairs whose current value is larger, ties counting half.
    #[must_use]
    pub fn twice_u(&self) -> u128 {
        self.twice_u
    }

    /// Σ t³ − t over the groups of t equal values.
    #[must_use]
    pub fn ties(&self) -> f64 {
        self.ties
    }

    /// θ = P(current > reference) + ½ P(current = reference); ½ without pairs.
    #[must_use]
    pub fn theta(&self) -> f64 {
        let pairs = self.n * self.m;
        if pairs > 0.0 {
            (self.twice_u as f64 / 2.0 / pairs).clamp(0.0, 1.0)
        } else {
            0.5
        }
    }

    /// The standard deviation of θ when both distributions are equal, corrected for ties; 0 when all values are one.
    #[must_use]
    pub fn deviation_without_difference(&self) -> f64 {
        let pooled = self.n + self.m;
        let pairs = self.n * self.m;
        if pairs <= 0.0 {
            return 0.0;
        }
        let ties = self.ties / (pooled * (pooled - 1.0).max(1.0));
        ((pooled + 1.0 - ties).max(0.0) / (12.0 * pairs)).sqrt()
    }

    /// The law of θ whatever the difference (Brunner and Munzel, 2000).
    #[must_use]
    pub fn studentised(&self) -> StudentisedRanks {
        let (n, m) = (self.n, self.m);
        let of_reference = self.reference.variance(n) / n.max(1.0);
        let of_current = self.current.variance(m) / m.max(1.0);
        let variance = of_reference + of_current;
        let spent = of_reference * of_reference / (n - 1.0).max(1.0)
            + of_current * of_current / (m - 1.0).max(1.0);
        StudentisedRanks {
            deviation: variance.max(0.0).sqrt(),
            degrees_of_freedom: if spent > 0.0 {
                variance * variance / spent
            } else {
                n + m
            },
        }
    }
}

/// The standard deviation of θ and the degrees of freedom of its Student law, by Brunner and Munzel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StudentisedRanks {
    deviation: f64,
    degrees_of_freedom: f64,
}

impl StudentisedRanks {
    /// The standard deviation of θ; 0 when one sample lies wholly above the other.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        self.deviation
    }

    /// The degrees of freedom.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> f64 {
        self.degrees_of_freedom
    }
}

/// P(U = 0), P(U = 1), … when all orders of n and m different values are equally likely, by the recursion on which sample has the
/// largest value.
///
/// # Complexity
///
/// O(n² m²) time in all and O(n m²) memory, so it is for small samples.
#[must_use]
pub fn rank_sum_law(n: usize, m: usize) -> Vec<f64> {
    // laws[j] is the law of U for i reference and j current values.
    let mut laws: Vec<Vec<f64>> = vec![vec![1.0]; m + 1];
    for i in 1..=n {
        let mut next: Vec<Vec<f64>> = Vec::with_capacity(m + 1);
        for (j, without_reference) in laws.iter().enumerate() {
            let mut law = vec![0.0; i * j + 1];
            // The largest is a reference value: it exceeds no pair. Or a current one: it exceeds all i.
            let share = i as f64 / (i + j) as f64;
            for (to, from) in law.iter_mut().zip(without_reference) {
                *to += share * from;
            }
            if let Some(without_current) = next.last() {
                for (to, from) in law.iter_mut().skip(i).zip(without_current) {
                    *to += (1.0 - share) * from;
                }
            }
            next.push(law);
        }
        laws = next;
    }
    laws.pop().unwrap_or_default()
}

/// Where the values of one sample stand in the other: sums of weights, places and squares about the middle.
#[derive(Clone, Debug, Default, PartialEq)]
struct Placements {
    sum: f64,
    squares: f64,
}

impl Placements {
    fn add(&mut self, place: f64, rows: f64) {
        let place = place - 0.5;
        if rows > 0.0 {
            self.sum += rows * place;
            self.squares += rows * place * place;
        }
    }

    fn variance(&self, rows: f64) -> f64 {
        ((self.squares - self.sum * self.sum / rows.max(1.0)) / (rows - 1.0).max(1.0)).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn u_counts_the_pairs(
            reference in prop::collection::vec(0_i8..9, 0..20),
            current in prop::collection::vec(0_i8..9, 0..20),
        ) {
            let of = |values: &[i8]| {
                SortedSample::new(&values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>())
            };
            let mut twice = 0_u128;
            for a in &reference {
                for b in &current {
                    twice += 2 * u128::from(b > a) + u128::from(a == b);
                }
            }
            let sums = RankSums::of(&of(&reference), &of(&current));
            prop_assert_eq!(sums.twice_u(), twice);
            prop_assert!(!sums.theta().is_nan());
            prop_assert!(!sums.studentised().deviation().is_nan());
        }
    }

    #[test]
    fn the_law_of_three_against_four_is_that_of_counting() {
        // 35 orders: 1, 1, 2, 3, 4, 4, 5, 4, 4, 3, 2, 1, 1
        let law = rank_sum_law(3, 4);
        let counts = [1, 1, 2, 3, 4, 4, 5, 4, 4, 3, 2, 1, 1];
        for (share, count) in law.iter().zip(counts) {
            assert!((share * 35.0 - f64::from(count)).abs() < 1e-12);
        }
        assert_eq!(law.len(), counts.len());
    }
}
