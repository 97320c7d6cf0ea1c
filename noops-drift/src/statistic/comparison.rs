use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::log_base::LogBase;
use crate::error::DriftError;

/// What comparing current data with the reference gave: the statistic, how surprising it is, and what it could have seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawComparison")]
#[must_use]
pub struct Comparison {
    method: Method,
    statistic: f64,
    p_value: f64,
    critical: Option<f64>,
    visible_from: Option<f64>,
    n_reference: u64,
    n_current: u64,
    degrees_of_freedom: Option<u64>,
    verdict: Verdict,
}

impl Comparison {
    /// The verdict that every method shares: drift when p is below alpha, no drift when the shift that matters would have
    /// shown, undecided otherwise.
    pub(crate) fn judge(
        method: Method,
        n_reference: u64,
        n_current: u64,
        measured: Measured,
        alpha: Alpha,
        relevant: f64,
    ) -> Self {
        let Measured {
            statistic,
            p_value,
            critical,
            visible_from,
        } = measured;
        let verdict = if p_value < alpha.get() {
            Verdict::Drift
        } else if visible_from.is_some_and(|visible| visible <= relevant) {
            Verdict::NoDrift
        } else {
            Verdict::Undecided { visible_from }
        };
        Self {
            method,
            statistic,
            p_value,
            critical,
            visible_from,
            n_reference,
            n_current,
            degrees_of_freedom: None,
            verdict,
        }
    }

    /// A comparison that had nothing to compare.
    pub(crate) fn blind(method: Method, n_reference: u64, n_current: u64) -> Self {
        Self::untested(method, n_reference, n_current, 0.0)
    }

    /// A comparison that could be measured, but had too little to test.
    pub(crate) fn untested(
        method: Method,
        n_reference: u64,
        n_current: u64,
        statistic: f64,
    ) -> Self {
        Self {
            method,
            statistic,
            p_value: 1.0,
            critical: None,
            visible_from: None,
            n_reference,
            n_current,
            degrees_of_freedom: None,
            verdict: Verdict::Undecided { visible_from: None },
        }
    }

    /// Says how many directions the data could have moved in.
    pub(crate) fn with_degrees_of_freedom(mut self, degrees_of_freedom: u64) -> Self {
        self.degrees_of_freedom = Some(degrees_of_freedom);
        self
    }

    /// How it was compared.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The statistic, in the unit of the method.
    pub fn statistic(&self) -> f64 {
        self.statistic
    }

    /// How often data without (more than the tolerated) drift gives a statistic at least this large.
    pub fn p_value(&self) -> f64 {
        self.p_value
    }

    /// The statistic beyond which the verdict is drift; nothing when the data allow no test.
    pub fn critical(&self) -> Option<f64> {
        self.critical
    }

    /// The smallest true shift that this many rows show at least four times in five; nothing when they show none.
    pub fn visible_from(&self) -> Option<f64> {
        self.visible_from
    }

    /// Rows of the reference that took part.
    pub fn n_reference(&self) -> u64 {
        self.n_reference
    }

    /// Rows of the current data that took part.
    pub fn n_current(&self) -> u64 {
        self.n_current
    }

    /// In a test of counts, the number of cells that were tested less one; nothing for other methods and without a test.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> Option<u64> {
        self.degrees_of_freedom
    }

    /// The answer.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }
}

impl TryFrom<RawComparison> for Comparison {
    type Error = DriftError;

    fn try_from(raw: RawComparison) -> Result<Self, DriftError> {
        let invalid = |reason: String| DriftError::InvalidState {
            state: "comparison",
            reason,
        };
        if !(0.0..=1.0).contains(&raw.p_value) {
            return Err(invalid(format!(
                "p-value `{}` is no probability",
                raw.p_value
            )));
        }
        let numbers = [Some(raw.statistic), raw.critical, raw.visible_from];
        if let Some(odd) = numbers.into_iter().flatten().find(|x| !x.is_finite()) {
            return Err(invalid(format!("`{odd}` is no finite number")));
        }
        if let Verdict::Undecided { visible_from } = raw.verdict
            && visible_from != raw.visible_from
        {
            return Err(invalid(
                "the verdict and the comparison differ in the shift they could have seen"
                    .to_owned(),
            ));
        }
        Ok(Self {
            method: raw.method,
            statistic: raw.statistic,
            p_value: raw.p_value,
            critical: raw.critical,
            visible_from: raw.visible_from,
            n_reference: raw.n_reference,
            n_current: raw.n_current,
            degrees_of_freedom: raw.degrees_of_freedom,
            verdict: raw.verdict,
        })
    }
}

/// What is stored, before it is checked.
#[derive(Deserialize)]
struct RawComparison {
    method: Method,
    statistic: f64,
    p_value: f64,
    critical: Option<f64>,
    visible_from: Option<f64>,
    n_reference: u64,
    n_current: u64,
    degrees_of_freedom: Option<u64>,
    verdict: Verdict,
}

/// How a [`Comparison`] was made, which is also the unit of its statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Method {
    /// Population stability index: the symmetrised Kullback–Leibler divergence, in nats.
    PopulationStability,
    /// Jensen–Shannon distance, the square root of the divergence: from 0 to 1 in base 2.
    JensenShannonDistance {
        /// The base of the logarithms.
        base: LogBase,
    },
    /// Jensen–Shannon divergence: from 0 to 1 in base 2.
    JensenShannonDivergence {
        /// The base of the logarithms.
        base: LogBase,
    },
    /// Kullback–Leibler divergence of the current data from the reference, in nats.
    KullbackLeibler,
    /// Hellinger distance, from 0 to 1.
    Hellinger,
    /// Total variation distance, from 0 to 1.
    TotalVariation,
    /// Pearson's chi-square test of homogeneity of a table of two rows.
    ChiSquareHomogeneity,
    /// The likelihood-ratio test of homogeneity of a table of two rows.
    GTest,
    /// Cramér's V of a table of two rows, from 0 to 1.
    CramersV,
    /// The largest distance between two empirical distribution functions.
    KolmogorovSmirnov,
    /// The largest distance above plus the largest below, between two empirical distribution functions.
    Kuiper,
    /// The squared distance between two empirical distribution functions, over the pooled sample.
    CramerVonMises,
    /// The squared distance between empirical distribution functions, weighted towards the tails.
    AndersonDarling,
    /// The area between two empirical distribution functions.
    Wasserstein,
    /// The energy distance of two samples.
    EnergyDistance,
    /// The probability that a current value exceeds a reference value.
    MannWhitney,
    /// The distance of two mean embeddings.
    MaximumMeanDiscrepancy,
    /// The Wasserstein distance, averaged over projections.
    SlicedWasserstein,
    /// The error of rebuilding rows from the principal components of the reference.
    ReconstructionError,
    /// The area under the curve of a classifier that tells current rows from reference rows.
    DomainClassifier,
}

/// Has the data drifted?
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Verdict {
    /// Yes, beyond the tolerance.
    Drift,
    /// No evidence of it, and a shift worth knowing of would most likely have shown.
    NoDrift,
    /// There are too few rows to tell.
    Undecided {
        /// The smallest shift that this many rows show at least four times in five, in the unit of the statistic;
        /// nothing when no shift, however large, would show.
        visible_from: Option<f64>,
    },
}

impl Verdict {
    /// Whether the answer is drift.
    pub fn is_drift(self) -> bool {
        matches!(self, Self::Drift)
    }
}

/// What a method measured, before it is judged. All numbers are finite; `p_value` is a probability.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) statistic: f64,
    pub(crate) p_value: f64,
    pub(crate) critical: Option<f64>,
    pub(crate) visible_from: Option<f64>,
}

/// The power that "visible" means in [`Comparison::visible_from`].
pub(crate) const VISIBLE_POWER: f64 = 0.8;
