use noops_core::{Alpha, Digest, Probability};
use serde::{Deserialize, Serialize};

use super::budget::Budgets;
use super::metric_spec::{MetricKind, MetricSpec};
use super::units::Units;
use crate::error::CanaryError;
use crate::rollout::OnInconclusive;

/// What a [`Judge`](super::Judge) compares, what it accepts and refuses, and how surely: a checked value.
///
/// A judge tests the hypotheses of its specification. Other margins, other metrics or another error rate are other hypotheses: start a new
/// judge for them. [`digest`](Self::digest) tells two specifications apart.
///
/// # Examples
///
/// ```
/// use noops_canary::judge::{JudgeSpec, MetricKind, MetricSpec, Tolerance};
///
/// let errors = MetricSpec::new("errors", MetricKind::Rate).with_margin(Tolerance::relative(0.25)?);
/// let spec = JudgeSpec::new([errors])?.with_slices(["country"]);
/// assert_eq!(spec.metrics().len(), 1);
///
/// let no_margin = MetricSpec::new("errors", MetricKind::Rate);
/// assert!(JudgeSpec::new([no_margin]).is_err());
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawSpec", into = "RawSpec")]
pub struct JudgeSpec {
    raw: RawSpec,
}

impl JudgeSpec {
    /// Checks the metrics and takes them with the default settings.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Specification`] naming the metric that contradicts itself, whose name
    /// occurs twice, or that would never let anything be promoted.
    pub fn new(metrics: impl IntoIterator<Item = MetricSpec>) -> Result<Self, CanaryError> {
        Self::try_from(RawSpec {
            metrics: metrics.into_iter().collect(),
            ..RawSpec::default()
        })
    }

    /// Sets the columns whose values are slices, each judged for harm by itself. Default: none.
    #[must_use]
    pub fn with_slices<T: Into<String>>(mut self, columns: impl IntoIterator<Item = T>) -> Self {
        self.raw.slices = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the chance of ever promoting a candidate that is worse than a margin allows. Default 5 %.
    #[must_use]
    pub fn with_alpha_promote(mut self, alpha: Alpha) -> Self {
        self.raw.alpha_promote = alpha;
        self
    }

    /// Sets the chance of ever rolling back a candidate that does no harm, over all metrics and slices together. Default 5 %.
    #[must_use]
    pub fn with_alpha_rollback(mut self, alpha: Alpha) -> Self {
        self.raw.alpha_rollback = alpha;
        self
    }

    /// Sets the chance of ever calling a sound assignment mismatched. Default 0.1 %.
    #[must_use]
    pub fn with_alpha_mismatch(mut self, alpha: Alpha) -> Self {
        self.raw.alpha_mismatch = alpha;
        self
    }

    /// Sets the outcomes of each arm below which nothing is proven. Default 100; zero counts as one. Harm is acted on before that.
    #[must_use]
    pub fn with_min_outcomes(mut self, outcomes: u64) -> Self {
        self.raw.min_outcomes = outcomes;
        self
    }

    /// Sets the share of missing values of a metric above which nothing is proven with it. Default 10 %.
    #[must_use]
    pub fn with_max_missing(mut self, share: Probability) -> Self {
        self.raw.max_missing = share;
        self
    }

    /// Sets the requests (pairs, for a judge of pairs alone) after which what is not promoted is called inconclusive, also where data is lacking. Default: never.
    #[must_use]
    pub fn with_max_requests(mut self, requests: u64) -> Self {
        self.raw.max_requests = Some(requests);
        self
    }

    /// Sets what becomes of an inconclusive comparison. Default: it is rolled back.
    #[must_use]
    pub fn with_on_inconclusive(mut self, then: OnInconclusive) -> Self {
        self.raw.on_inconclusive = then;
        self
    }

    /// Sets how much the candidate may cost before it is rolled back. Default: no limit.
    #[must_use]
    pub fn with_budgets(mut self, budgets: Budgets) -> Self {
        self.raw.budgets = budgets;
        self
    }

    /// Sets whether units come back. Default: they do, and half a million of them are remembered.
    #[must_use]
    pub fn with_units(mut self, units: Units) -> Self {
        self.raw.units = units;
        self
    }

    /// Sets how far events may come out of order, in seconds; older ones are refused. Default 300.
    #[must_use]
    pub fn with_max_lateness_seconds(mut self, seconds: u32) -> Self {
        self.raw.max_lateness_seconds = seconds;
        self
    }

    /// The metrics.
    #[must_use]
    pub fn metrics(&self) -> &[MetricSpec] {
        &self.raw.metrics
    }

    /// The columns whose values are slices.
    #[must_use]
    pub fn slices(&self) -> &[String] {
        &self.raw.slices
    }

    /// The chance of ever promoting a candidate that is worse than a margin allows.
    #[must_use]
    pub fn alpha_promote(&self) -> Alpha {
        self.raw.alpha_promote
    }

    /// The chance of ever rolling back a candidate that does no harm.
    #[must_use]
    pub fn alpha_rollback(&self) -> Alpha {
        self.raw.alpha_rollback
    }

    /// The chance of ever calling a sound assignment mismatched.
    #[must_use]
    pub fn alpha_mismatch(&self) -> Alpha {
        self.raw.alpha_mismatch
    }

    /// The outcomes of each arm below which nothing is proven.
    #[must_use]
    pub fn min_outcomes(&self) -> u64 {
        self.raw.min_outcomes.max(1)
    }

    /// The share of missing values above which nothing is proven.
    #[must_use]
    pub fn max_missing(&self) -> Probability {
        self.raw.max_missing
    }

    /// The requests after which an undecided comparison is called inconclusive.
    #[must_use]
    pub fn max_requests(&self) -> Option<u64> {
        self.raw.max_requests
    }

    /// What becomes of an inconclusive comparison.
    #[must_use]
    pub fn on_inconclusive(&self) -> OnInconclusive {
        self.raw.on_inconclusive
    }

    /// How much the candidate may cost.
    #[must_use]
    pub fn budgets(&self) -> &Budgets {
        &self.raw.budgets
    }

    /// Whether units come back.
    #[must_use]
    pub fn units(&self) -> Units {
        self.raw.units
    }

    /// How far events may come out of order, in seconds.
    #[must_use]
    pub fn max_lateness_seconds(&self) -> u32 {
        self.raw.max_lateness_seconds
    }

    /// The digest: two specifications with one digest test the same hypotheses.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// Checks what may have been set after the rest was checked.
    pub(super) fn check(&self) -> Result<(), CanaryError> {
        Self::try_from(self.raw.clone()).map(|_| ())
    }

    /// The outcomes of each arm below which nothing is proven with a metric.
    pub(super) fn min_outcomes_of(&self, metric: &MetricSpec) -> u64 {
        metric
            .min_outcomes()
            .unwrap_or(self.raw.min_outcomes)
            .max(1)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawSpec {
    metrics: Vec<MetricSpec>,
    slices: Vec<String>,
    alpha_promote: Alpha,
    alpha_rollback: Alpha,
    alpha_mismatch: Alpha,
    min_outcomes: u64,
    max_missing: Probability,
    max_requests: Option<u64>,
    on_inconclusive: OnInconclusive,
    budgets: Budgets,
    units: Units,
    max_lateness_seconds: u32,
}

impl Default for RawSpec {
    fn default() -> Self {
        Self {
            metrics: Vec::new(),
            slices: Vec::new(),
            alpha_promote: Alpha::FIVE_PERCENT,
            alpha_rollback: Alpha::FIVE_PERCENT,
            alpha_mismatch: Alpha::new(0.001).unwrap_or(Alpha::ONE_PERCENT),
            min_outcomes: 100,
            max_missing: Probability::new(0.1).unwrap_or(Probability::ZERO),
            max_requests: None,
            on_inconclusive: OnInconclusive::default(),
            budgets: Budgets::default(),
            units: Units::default(),
            max_lateness_seconds: 300,
        }
    }
}

impl TryFrom<RawSpec> for JudgeSpec {
    type Error = CanaryError;

    fn try_from(raw: RawSpec) -> Result<Self, CanaryError> {
        let refuse = |metric: &MetricSpec, reason: String| CanaryError::Specification {
            part: format!("metric `{}`", metric.name()),
            reason,
        };
        if raw.metrics.len() > MOST_METRICS {
            return Err(CanaryError::Specification {
                part: "`metrics`".to_owned(),
                reason: "holds more than 1000; keep those that matter".to_owned(),
            });
        }
        for (place, metric) in raw.metrics.iter().enumerate() {
            if let Some(reason) = metric.contradiction() {
                return Err(refuse(metric, reason));
            }
            let mut before = raw.metrics.iter().take(place);
            if before.any(|other| other.name() == metric.name()) {
                return Err(refuse(
                    metric,
                    "is named twice; give each a name of its own".to_owned(),
                ));
            }
            if let MetricKind::Paired(settings) = metric.kind() {
                settings.check().map_err(|error| {
                    refuse(metric, format!("has wrong paired settings: {error}"))
                })?;
            }
        }
        raw.budgets.check(&raw.metrics)?;
        raw.units.check()?;
        let specification = |part: &str, reason: &str| CanaryError::Specification {
            part: part.to_owned(),
            reason: reason.to_owned(),
        };
        if raw.slices.len() > MOST_SLICE_COLUMNS {
            return Err(specification(
                "`slices`",
                "names more than 16 columns; keep those that matter",
            ));
        }
        for (place, column) in raw.slices.iter().enumerate() {
            if raw.slices.iter().take(place).any(|other| other == column) {
                return Err(specification(
                    "`slices`",
                    "names a column twice; name each once",
                ));
            }
        }
        if !raw.metrics.iter().any(MetricSpec::must_be_proven) {
            return Err(specification(
                "the specification",
                "has no guardrail and no goal, so nothing could be proven; give it a metric with a margin",
            ));
        }
        Ok(Self { raw })
    }
}

impl From<JudgeSpec> for RawSpec {
    fn from(spec: JudgeSpec) -> Self {
        spec.raw
    }
}

const MOST_METRICS: usize = 1_000;
const MOST_SLICE_COLUMNS: usize = 16;
