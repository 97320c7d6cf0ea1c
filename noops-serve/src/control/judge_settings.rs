use noops_canary::judge::{JudgeSpec, MetricKind, MetricSpec, Role, Tolerance, Units};
use noops_canary::shadow::PairedSettings;
use noops_core::{Alpha, Error, ErrorKind};
use serde::{Deserialize, Serialize};

/// When a candidate is good enough, and when it is bad: by its loss on the same requests, and by how often it fails.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_serve::JudgeSettings;
///
/// let settings = JudgeSettings::default()
///     .with_alpha_rollback(Alpha::ONE_PERCENT)
///     .with_min_pairs(2_000);
/// assert_eq!(settings.spec()?.metrics().len(), 2);
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct JudgeSettings {
    alpha_promote: Alpha,
    alpha_rollback: Alpha,
    min_pairs: u64,
    paired: PairedSettings,
    max_failure_ratio: f64,
    max_pairs: Option<u64>,
}

impl JudgeSettings {
    /// Sets the chance of ever promoting a candidate that is worse than the margin allows. Default 5 %.
    ///
    /// Worse by its clamped block mean: see [`PairedSettings::with_block_range`].
    #[must_use]
    pub fn with_alpha_promote(mut self, alpha: Alpha) -> Self {
        self.alpha_promote = alpha;
        self
    }

    /// Sets the chance of ever rolling back a candidate that does no harm, by its loss or its failures. Default 5 %.
    #[must_use]
    pub fn with_alpha_rollback(mut self, alpha: Alpha) -> Self {
        self.alpha_rollback = alpha;
        self
    }

    /// Sets the pairs below which nothing is promoted. Default `1000`; zero counts as one. Harm is acted on before that.
    #[must_use]
    pub fn with_min_pairs(mut self, min_pairs: u64) -> Self {
        self.min_pairs = min_pairs;
        self
    }

    /// Sets how the losses are compared.
    #[must_use]
    pub fn with_paired(mut self, paired: PairedSettings) -> Self {
        self.paired = paired;
        self
    }

    /// Sets how many times the champion's failure rate the candidate may have. Default `1.1`.
    ///
    /// Assumes at most one failure per unit and stage: see [`RateComparison`](noops_canary::sequential::RateComparison).
    #[must_use]
    pub fn with_max_failure_ratio(mut self, ratio: f64) -> Self {
        self.max_failure_ratio = ratio;
        self
    }

    /// Sets the number of pairs after which an undecided comparison is called inconclusive. Default: never.
    #[must_use]
    pub fn with_max_pairs(mut self, pairs: u64) -> Self {
        self.max_pairs = Some(pairs);
        self
    }

    /// The specification of the judge.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the settings of the losses contradict each other, or the failure ratio is not above 1.
    pub fn spec(&self) -> Result<JudgeSpec, Error> {
        let refuse = |error: noops_canary::CanaryError| {
            Error::new(ErrorKind::Invalid, "set up the judge", error.to_string())
        };
        let loss = MetricSpec::new(LOSS, MetricKind::Paired(self.paired))
            .with_min_outcomes(self.min_pairs);
        let tolerance = Tolerance::relative(self.max_failure_ratio - 1.0).map_err(refuse)?;
        let failures = MetricSpec::new(FAILURES, MetricKind::Events)
            .with_role(Role::Alarm)
            .with_harm(tolerance);
        let spec = JudgeSpec::new([loss, failures])
            .map_err(refuse)?
            .with_alpha_promote(self.alpha_promote)
            .with_alpha_rollback(self.alpha_rollback)
            .with_units(Units::Independent);
        Ok(match self.max_pairs {
            Some(pairs) => spec.with_max_requests(pairs),
            None => spec,
        })
    }
}

impl Default for JudgeSettings {
    fn default() -> Self {
        Self {
            alpha_promote: Alpha::FIVE_PERCENT,
            alpha_rollback: Alpha::FIVE_PERCENT,
            min_pairs: 1_000,
            paired: PairedSettings::default(),
            max_failure_ratio: 1.1,
            max_pairs: None,
        }
    }
}

/// The metric of the losses on the same requests.
pub(super) const LOSS: &str = "loss";
/// The metric of the failures.
pub(super) const FAILURES: &str = "failures";
