use noops_stats::SortedSample;
use noops_stats::two_sample::walk;

/// Mann and Whitney's U of the candidate and the ties, without the placements that only Brunner and Munzel's test needs.
#[derive(Debug)]
pub(crate) struct RankSum {
    twice_u: u128,
    ties: f64,
    n: f64,
    m: f64,
}

impl RankSum {
    /// Ranks the values of both samples together.
    pub(crate) fn of(champion: &SortedSample, candidate: &SortedSample) -> Self {
        let (n, m) = (champion.len() as f64, candidate.len() as f64);
        if let Some(u) = without_ties(champion.values(), candidate.values()) {
            return Self {
                twice_u: 2 * u,
                ties: 0.0,
                n,
                m,
            };
        }
        let mut twice_u = 0_u128;
        let mut ties = 0.0;
        walk(champion, candidate, |step| {
            let twice_below = 2 * step.passed_reference - step.reference;
            twice_u += u128::from(step.current) * u128::from(twice_below);
            let equal = step.reference + step.current;
            if equal > 1 {
                let equal = equal as f64;
                ties += equal * (equal - 1.0) * (equal + 1.0);
            }
        });
        Self {
            twice_u,
            ties,
            n,
            m,
        }
    }

    /// Twice the U of the candidate, a whole number: pairs whose candidate's value is the larger one, ties counting half.
    pub(crate) fn twice_u(&self) -> u128 {
        self.twice_u
    }

    pub(crate) fn is_tied(&self) -> bool {
        self.ties > 0.0
    }

    /// P(candidate > champion) + ½ P(equal).
    pub(crate) fn theta(&self) -> f64 {
        (self.twice_u as f64 / 2.0 / (self.n * self.m)).clamp(0.0, 1.0)
    }

    /// The standard deviation of U when both distributions are equal, corrected for ties.
    pub(crate) fn deviation(&self) -> f64 {
        let pooled = self.n + self.m;
        let ties = self.ties / (pooled * (pooled - 1.0).max(1.0));
        (self.n * self.m / 12.0 * (pooled + 1.0 - ties).max(0.0)).sqrt()
    }
}

/// U of the candidate where no two values are equal; nothing otherwise.
///
/// A merge of random values spends its time on branches that are mispredicted and on waiting for the last comparison. No branch here
/// depends on the data, and there are two merges at once, from both ends.
fn without_ties(champion: &[f64], candidate: &[f64]) -> Option<u128> {
    if has_equal_neighbours(champion) || has_equal_neighbours(candidate) {
        return None;
    }
    let (mut i, mut j) = (0, 0);
    let (mut p, mut q) = (champion.len(), candidate.len());
    let (mut from_below, mut from_above, mut tied) = (0_u128, 0_u128, false);
    while i + 1 < p && j + 1 < q {
        let (Some(&a), Some(&b)) = (champion.get(i), candidate.get(j)) else {
            break;
        };
        let (Some(&y), Some(&z)) = (champion.get(p - 1), candidate.get(q - 1)) else {
            break;
        };
        let below = a < b;
        tied |= a == b;
        // A candidate's value that comes next is larger than the i champion's values passed,
        from_below += if below { 0 } else { i as u128 };
        i += usize::from(below);
        j += usize::from(!below);
        // and one that comes next from above than the p that are left.
        let above = y < z;
        tied |= y == z;
        from_above += if above { p as u128 } else { 0 };
        q -= usize::from(above);
        p -= usize::from(!above);
    }
    while i < p && j < q {
        let (Some(&a), Some(&b)) = (champion.get(i), candidate.get(j)) else {
            break;
        };
        let below = a < b;
        tied |= a == b;
        from_below += if below { 0 } else { i as u128 };
        i += usize::from(below);
        j += usize::from(!below);
    }
    let rest = (q - j) as u128 * p as u128;
    (!tied).then_some(from_below + from_above + rest)
}

fn has_equal_neighbours(ascending: &[f64]) -> bool {
    let pairs = ascending.iter().zip(ascending.iter().skip(1));
    pairs.fold(false, |equal, (a, b)| equal | (a == b))
}
