use super::Stratum;
use crate::batch::outcome::Sizes;
use crate::batch::proportions::Proportion;
use crate::error::CanaryError;

/// What one pass over the strata gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums {
    /// Σ(a − E a), a being the candidate's successes.
    pub(super) excess: f64,
    /// Σ Var a.
    pub(super) variance: f64,
    /// Σ w(p₂ − p₁), Σ w and Σ w²(p₁(1 − p₁)/n₁ + p₂(1 − p₂)/n₂).
    pub(super) difference: f64,
    pub(super) weight: f64,
    pub(super) difference_variance: f64,
    pub(super) sizes: Sizes,
    /// R = Σ ad/n, S = Σ bc/n and the sums of PR, PS + QR and QS, P and Q being (a + d)/n and (b + c)/n.
    in_favour: f64,
    against: f64,
    p_r: f64,
    p_s_q_r: f64,
    q_s: f64,
}

impl Sums {
    pub(super) fn of(strata: &[Stratum]) -> Result<Self, CanaryError> {
        let mut sums = Self {
            excess: 0.0,
            variance: 0.0,
            difference: 0.0,
            weight: 0.0,
            difference_variance: 0.0,
            sizes: Sizes {
                champion: 0,
                candidate: 0,
            },
            in_favour: 0.0,
            against: 0.0,
            p_r: 0.0,
            p_s_q_r: 0.0,
            q_s: 0.0,
        };
        if strata.is_empty() {
            return Err(CanaryError::Empty);
        }
        for stratum in strata {
            sums.add(stratum);
        }
        let trials = sums.sizes.champion.saturating_add(sums.sizes.candidate);
        if trials > Proportion::MAX_TRIALS {
            return Err(CanaryError::Input {
                input: "strata",
                reason: "have more than 2^52 trials; pass a sample of them",
            });
        }
        Ok(sums)
    }

    /// Candidate over champion; infinite or NaN where nothing bounds it.
    pub(super) fn odds_ratio(&self) -> f64 {
        self.in_favour / self.against
    }

    /// The deviation of the logarithm of the odds ratio, after Robins, Breslow and Greenland.
    pub(super) fn ln_odds_deviation(&self) -> f64 {
        let (r, s) = (self.in_favour, self.against);
        (self.p_r / (2.0 * r * r) + self.p_s_q_r / (2.0 * r * s) + self.q_s / (2.0 * s * s)).sqrt()
    }

    fn add(&mut self, stratum: &Stratum) {
        let (champion, candidate) = (stratum.champion(), stratum.candidate());
        self.sizes.champion = self.sizes.champion.saturating_add(champion.trials());
        self.sizes.candidate = self.sizes.candidate.saturating_add(candidate.trials());
        let (n1, n2) = (champion.trials() as f64, candidate.trials() as f64);
        let n = n1 + n2;
        let (a, b) = (candidate.successes() as f64, candidate.failures() as f64);
        let (c, d) = (champion.successes() as f64, champion.failures() as f64);
        // a − E a = (a n − n₂(a + c)) / n = (a d − b c) / n, the gap exact as an integer.
        let product = |one: u64, other: u64| i128::from(one) * i128::from(other);
        let gap = product(candidate.successes(), champion.failures())
            - product(candidate.failures(), champion.successes());
        let excess = gap as f64 / n;
        self.excess += excess;
        if n > 1.0 {
            self.variance += (n1 / n) * (n2 / n) * (a + c) * ((b + d) / (n - 1.0));
        }
        // w(p₂ − p₁) is the same excess.
        self.difference += excess;
        let weight = n1 * (n2 / n);
        self.weight += weight;
        self.difference_variance +=
            (n2 / n) * (n2 / n) * (c * (d / n1)) + (n1 / n) * (n1 / n) * (a * (b / n2));
        let (p, q) = ((a + d) / n, (b + c) / n);
        let (r, s) = (a * (d / n), b * (c / n));
        self.in_favour += r;
        self.against += s;
        self.p_r += p * r;
        self.p_s_q_r += p * s + q * r;
        self.q_s += q * s;
    }
}
