use serde::{Deserialize, Serialize};

/// What comparing current data with the reference gave: the statistic, how surprising it is, and what it could have seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Comparison {
    method: Method,
    statistic: f64,
    p_value: f64,
    critical: Option<f64>,
    visible_from: Option<f64>,
    n_reference: u64,
    n_current: u64,
    verdict: Verdict,
}

impl Comparison {
    pub(super) fn new(method: Method, n_reference: u64, n_current: u64, outcome: Outcome) -> Self {
        let Outcome {
            statistic,
            p_value,
            critical,
            visible_from,
            verdict,
        } = outcome;
        Self {
            method,
            statistic,
            p_value,
            critical,
            visible_from,
            n_reference,
            n_current,
            verdict,
        }
    }

    /// A comparison that had nothing to compare.
    pub(super) fn blind(method: Method, n_reference: u64, n_current: u64) -> Self {
        let verdict = Verdict::Undecided { visible_from: None };
        let outcome = Outcome {
            statistic: 0.0,
            p_value: 1.0,
            critical: None,
            visible_from: None,
            verdict,
        };
        Self::new(method, n_reference, n_current, outcome)
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

    /// The answer.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }
}

/// How a [`Comparison`] was made, which is also the unit of its statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Method {
    /// Population stability index: the symmetrised Kullback–Leibler divergence, in nats.
    PopulationStability,
    /// Pearson's chi-square test of homogeneity of a table of two rows.
    ChiSquareHomogeneity,
    /// The largest distance between two empirical distribution functions.
    KolmogorovSmirnov,
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

pub(super) struct Outcome {
    pub(super) statistic: f64,
    pub(super) p_value: f64,
    pub(super) critical: Option<f64>,
    pub(super) visible_from: Option<f64>,
    pub(super) verdict: Verdict,
}

/// The power that "visible" means in [`Comparison::visible_from`].
pub(super) const VISIBLE_POWER: f64 = 0.8;
