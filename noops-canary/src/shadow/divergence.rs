use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// How far apart the scores of two models on the same requests are, one by one and as distributions.
///
/// # Formula
///
/// Over fixed bins with half a count added to each, so that an empty bin is no infinity, with shares `p` of the champion and `q` of
/// the candidate: the population stability index `Σ (q - p) ln(q / p)` and the Jensen–Shannon divergence
/// `(Σ p ln(p/m) + Σ q ln(q/m)) / 2` with `m = (p + q) / 2`, in nats, from 0 to `ln 2`.
///
/// # Numerical notes
///
/// These describe; they are not tests. Both are above 0 by chance alone: with `B` bins, all of them well filled, and scores of the models
/// that do not go together, by about `2 (B - 1)` over the number of pairs for the index, and an eighth of that for the divergence, whose
/// second-order expansions are multiples of Pearson's chi-square.
///
/// # Examples
///
/// ```
/// use noops_canary::shadow::ScoreDivergence;
///
/// let mut divergence = ScoreDivergence::new(0.0, 1.0, 20)?;
/// for score in [0.1, 0.4, 0.8] {
///     divergence.observe(score, score + 0.1)?;
/// }
/// assert!((divergence.mean_absolute_difference().unwrap_or(0.0) - 0.1).abs() < 1e-12);
/// assert!(divergence.jensen_shannon() > 0.0);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawScoreDivergence")]
pub struct ScoreDivergence {
    lowest: f64,
    highest: f64,
    champion: Vec<u64>,
    candidate: Vec<u64>,
    pairs: u64,
    sum: f64,
    absolute_sum: f64,
}

impl ScoreDivergence {
    /// Starts with empty bins of equal width from `lowest` to `highest`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the ends are finite and in order, and there are 2 to 10,000 bins.
    pub fn new(lowest: f64, highest: f64, bins: usize) -> Result<Self, CanaryError> {
        check_range(lowest, highest)?;
        if !(2..=MOST_BINS).contains(&bins) {
            return Err(CanaryError::Setting {
                name: "bins",
                value: bins as f64,
                allowed: "from 2 to 10000",
            });
        }
        Ok(Self {
            lowest,
            highest,
            champion: vec![0; bins],
            candidate: vec![0; bins],
            pairs: 0,
            sum: 0.0,
            absolute_sum: 0.0,
        })
    }

    /// Takes the scores of both models on one request. Scores outside the range fall into the outermost bins.
    ///
    /// # Errors
    ///
    /// [`CanaryError::NotFinite`] for NaN and infinities; nothing changes then.
    pub fn observe(&mut self, champion: f64, candidate: f64) -> Result<(), CanaryError> {
        for (column, value) in [("champion", champion), ("candidate", candidate)] {
            if !value.is_finite() {
                return Err(CanaryError::NotFinite {
                    column,
                    row: 0,
                    value,
                });
            }
        }
        let (first, second) = (self.bin(champion), self.bin(candidate));
        count(&mut self.champion, first);
        count(&mut self.candidate, second);
        self.pairs = self.pairs.saturating_add(1);
        let difference = candidate - champion;
        self.sum = (self.sum + difference).clamp(f64::MIN, f64::MAX);
        self.absolute_sum = (self.absolute_sum + difference.abs()).min(f64::MAX);
        Ok(())
    }

    /// The mean difference, candidate minus champion; `None` without pairs.
    #[must_use]
    pub fn mean_difference(&self) -> Option<f64> {
        (self.pairs > 0).then(|| self.sum / self.pairs as f64)
    }

    /// The mean size of the difference; `None` without pairs.
    #[must_use]
    pub fn mean_absolute_difference(&self) -> Option<f64> {
        (self.pairs > 0).then(|| self.absolute_sum / self.pairs as f64)
    }

    /// The population stability index of the candidate's scores against the champion's.
    #[must_use]
    pub fn population_stability_index(&self) -> f64 {
        self.shares().map(|(p, q)| (q - p) * libm::log(q / p)).sum()
    }

    /// The Jensen–Shannon divergence, in nats.
    #[must_use]
    pub fn jensen_shannon(&self) -> f64 {
        let part = |(p, q): (f64, f64)| {
            let middle = (p + q) / 2.0;
            (p * libm::log(p / middle) + q * libm::log(q / middle)) / 2.0
        };
        // Rounding may leave a hair less than nothing.
        self.shares().map(part).sum::<f64>().max(0.0)
    }

    /// The pairs counted.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// The champion's counts per bin.
    #[must_use]
    pub fn champion_counts(&self) -> &[u64] {
        &self.champion
    }

    /// The candidate's counts per bin.
    #[must_use]
    pub fn candidate_counts(&self) -> &[u64] {
        &self.candidate
    }

    /// Whether the bins are those of [`ScoreDivergence::new`] with these arguments.
    pub(super) fn has_bins(&self, lowest: f64, highest: f64, bins: usize) -> bool {
        self.lowest == lowest && self.highest == highest && self.champion.len() == bins
    }

    /// The shares of the bins, champion's and candidate's.
    fn shares(&self) -> impl Iterator<Item = (f64, f64)> {
        let total = |counts: &[u64]| counts.iter().map(|count| *count as f64 + HALF).sum::<f64>();
        let (first, second) = (total(&self.champion), total(&self.candidate));
        self.champion
            .iter()
            .zip(&self.candidate)
            .map(move |(p, q)| ((*p as f64 + HALF) / first, (*q as f64 + HALF) / second))
    }

    fn bin(&self, score: f64) -> usize {
        let bins = self.champion.len();
        let place = (score - self.lowest) / (self.highest - self.lowest) * bins as f64;
        // The cast takes what lies below to 0.
        (place.floor() as usize).min(bins.saturating_sub(1))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScoreDivergence {
    lowest: f64,
    highest: f64,
    champion: Vec<u64>,
    candidate: Vec<u64>,
    pairs: u64,
    sum: f64,
    absolute_sum: f64,
}

impl TryFrom<RawScoreDivergence> for ScoreDivergence {
    type Error = CanaryError;

    fn try_from(raw: RawScoreDivergence) -> Result<Self, CanaryError> {
        let empty = Self::new(raw.lowest, raw.highest, raw.champion.len())?;
        let total = |counts: &[u64]| {
            counts
                .iter()
                .fold(0, |sum: u64, count| sum.saturating_add(*count))
        };
        let refused = |reason| {
            Err(CanaryError::State {
                state: "ScoreDivergence",
                reason,
            })
        };
        if raw.candidate.len() != raw.champion.len() {
            return refused("the models have different numbers of bins");
        }
        if total(&raw.champion) != raw.pairs || total(&raw.candidate) != raw.pairs {
            return refused("the bins do not hold as many scores as there are pairs");
        }
        if !(raw.sum.is_finite() && raw.absolute_sum.is_finite())
            || raw.sum.abs() > raw.absolute_sum * (1.0 + 1e-9)
        {
            return refused("the sums of differences are impossible");
        }
        Ok(Self {
            champion: raw.champion,
            candidate: raw.candidate,
            pairs: raw.pairs,
            sum: raw.sum,
            absolute_sum: raw.absolute_sum,
            ..empty
        })
    }
}

fn check_range(lowest: f64, highest: f64) -> Result<(), CanaryError> {
    let width = highest - lowest;
    if width > 0.0 && width.is_finite() {
        return Ok(());
    }
    Err(CanaryError::Setting {
        name: "highest_score",
        value: highest,
        allowed: "finite and above the lowest score",
    })
}

fn count(counts: &mut [u64], bin: usize) {
    if let Some(count) = counts.get_mut(bin) {
        *count = count.saturating_add(1);
    }
}

const HALF: f64 = 0.5;
const MOST_BINS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Random;

    #[derive(serde::Deserialize)]
    struct Data {
        divergence: Vec<Case>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        champion: Vec<u64>,
        candidate: Vec<u64>,
        psi: f64,
        jensen_shannon: f64,
    }

    #[test]
    fn divergences_agree_with_scipy() {
        let data: Data = serde_json::from_str(include_str!("../../testdata/shadow.json")).unwrap();
        assert!(data.divergence.len() >= 3);
        for case in data.divergence {
            let mut divergence = ScoreDivergence::new(0.0, 1.0, case.champion.len()).unwrap();
            divergence.champion = case.champion;
            divergence.candidate = case.candidate;
            let close = |found: f64, wanted: f64| (found - wanted).abs() < 1e-12;
            assert!(close(divergence.population_stability_index(), case.psi));
            assert!(close(divergence.jensen_shannon(), case.jensen_shannon));
        }
    }

    #[test]
    fn equal_models_differ_by_chance_as_much_as_the_notes_say() {
        let (runs, pairs) = (200, 1_000);
        let (mut index, mut jensen_shannon) = (0.0, 0.0);
        let mut random = Random::new(6);
        for _ in 0..runs {
            let mut divergence = ScoreDivergence::new(0.0, 1.0, 11).unwrap();
            for _ in 0..pairs {
                let (champion, candidate) = (random.uniform(), random.uniform());
                divergence.observe(champion, candidate).unwrap();
            }
            index += divergence.population_stability_index() / f64::from(runs);
            jensen_shannon += divergence.jensen_shannon() / f64::from(runs);
        }
        // A chi-square with ten degrees of freedom times 0.002: the mean of 200 has a standard deviation of 0.0006.
        assert!((index - 0.020).abs() < 0.003, "{index}");
        assert!((jensen_shannon - 0.0025).abs() < 0.0004, "{jensen_shannon}");
    }

    #[test]
    fn scores_outside_the_range_fall_into_the_outermost_bins() {
        let mut divergence = ScoreDivergence::new(0.0, 1.0, 4).unwrap();
        divergence.observe(-5.0, 1.0).unwrap();
        divergence.observe(f64::MAX, f64::MIN).unwrap();
        divergence.observe(0.25, 0.249).unwrap();
        assert_eq!(divergence.champion_counts(), [1, 1, 0, 1]);
        assert_eq!(divergence.candidate_counts(), [2, 0, 0, 1]);
    }

    #[test]
    fn hostile_scores_and_ranges_are_refused_and_change_nothing() {
        let mut divergence = ScoreDivergence::new(0.0, 1.0, 4).unwrap();
        let before = divergence.clone();
        assert!(divergence.observe(0.5, f64::NAN).is_err());
        assert_eq!(divergence, before);
        assert_eq!(divergence.mean_difference(), None);
        assert_eq!(divergence.jensen_shannon(), 0.0);
        for (lowest, highest, bins) in [
            (1.0, 0.0, 4),
            (f64::NAN, 1.0, 4),
            (0.0, 1.0, 1),
            (f64::MIN, f64::MAX, 4),
        ] {
            assert!(ScoreDivergence::new(lowest, highest, bins).is_err());
        }
        assert!(ScoreDivergence::new(0.0, 1.0, usize::MAX).is_err());
    }

    #[test]
    fn tampered_state_is_refused() {
        let mut divergence = ScoreDivergence::new(0.0, 1.0, 2).unwrap();
        divergence.observe(0.1, 0.9).unwrap();
        let text = serde_json::to_string(&divergence).unwrap();
        assert_eq!(
            serde_json::from_str::<ScoreDivergence>(&text).unwrap(),
            divergence
        );
        for (from, to) in [
            ("\"pairs\":1", "\"pairs\":2"),
            ("\"highest\":1.0", "\"highest\":-1.0"),
            ("[1,0]", "[1]"),
        ] {
            let tampered = text.replacen(from, to, 1);
            assert_ne!(tampered, text);
            assert!(serde_json::from_str::<ScoreDivergence>(&tampered).is_err());
        }
    }
}
