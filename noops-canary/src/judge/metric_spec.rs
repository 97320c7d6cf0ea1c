use noops_core::Probability;
use serde::{Deserialize, Serialize};

use super::tolerance::Tolerance;
use crate::direction::Direction;
use crate::error::CanaryError;
use crate::shadow::PairedSettings;

/// What is measured, and how it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum MetricKind {
    /// 0 or 1 for every request: did it fail, did the customer buy? Relative tolerances are about the ratio of the rates
    /// ([`RateComparison`](crate::sequential::RateComparison)), absolute ones about their difference.
    Rate,
    /// Only the bad events are reported, by [`Judge::observe_event`](super::Judge::observe_event), not the requests: compared by the ratio
    /// of their rates.
    Events,
    /// A number for every request, clipped to a range; its mean is compared ([`MeanDifference`](crate::sequential::MeanDifference)).
    Mean {
        /// The lower end of the range.
        lower: f64,
        /// The upper end of the range. A range much wider than the values costs time; what lies above a narrow one counts as its end, so
        /// that no more harm is seen there: see [`MetricJudgement::clipped`](super::MetricJudgement::clipped).
        upper: f64,
    },
    /// A number for every request; how often it is above a threshold is compared.
    Above {
        /// The threshold.
        threshold: f64,
    },
    /// A number for every request; how often it is above a high quantile of the champion's is compared. The quantile is learned from the
    /// first requests of the champion and then frozen, so that the comparison stays valid.
    Tail {
        /// The quantile, for example 0.99.
        quantile: Probability,
        /// From how many of the champion's requests it is learned.
        learn_from: u32,
    },
    /// The losses of both models on the same requests, by [`Judge::observe_pair`](super::Judge::observe_pair); the margin and the harm bound
    /// are those of the settings.
    Paired(PairedSettings),
}

/// What a metric is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Harm rolls back, and promotion needs proof that the candidate is not worse than the margin.
    #[default]
    Guardrail,
    /// A guardrail on which the candidate is meant to be better: promotion needs proof of that on at least one goal.
    Goal,
    /// Harm rolls back, but nothing has to be proven.
    Alarm,
    /// Reported only.
    Watched,
}

/// Whether a metric is alarmed on alone or together with its group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    /// Its harm counts together with that of its group: the e-values are averaged by weight, which is valid however the metrics depend on
    /// each other.
    #[default]
    Normal,
    /// Its harm alone is enough.
    Critical,
}

/// One metric of a judge.
///
/// # Examples
///
/// ```
/// use noops_canary::judge::{MetricKind, MetricSpec, Tolerance};
///
/// let errors = MetricSpec::new("errors", MetricKind::Rate)
///     .with_margin(Tolerance::relative(0.25)?.with_floor(0.001)?);
/// let latency = MetricSpec::new("latency_ms", MetricKind::Mean { lower: 0.0, upper: 2000.0 })
///     .with_margin(Tolerance::relative(0.05)?);
/// assert_eq!(errors.name(), "errors");
/// assert_eq!(latency.column(), "latency_ms");
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MetricSpec {
    name: String,
    kind: MetricKind,
    #[serde(default)]
    column: Option<String>,
    #[serde(default = "lower_is_better")]
    direction: Direction,
    #[serde(default)]
    margin: Tolerance,
    #[serde(default)]
    harm: Tolerance,
    #[serde(default)]
    role: Role,
    #[serde(default)]
    criticality: Criticality,
    #[serde(default = "one")]
    weight: f64,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    min_outcomes: Option<u64>,
    #[serde(default)]
    may_be_constant: bool,
}

impl MetricSpec {
    /// A guardrail of this name and kind: lower is better, any harm counts, and a margin is still to be given.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: MetricKind) -> Self {
        Self {
            name: name.into(),
            kind,
            column: None,
            direction: Direction::LowerIsBetter,
            margin: Tolerance::NONE,
            harm: Tolerance::NONE,
            role: Role::Guardrail,
            criticality: Criticality::Normal,
            weight: 1.0,
            group: None,
            min_outcomes: None,
            may_be_constant: false,
        }
    }

    /// Sets the column the values come from, where it is not the name.
    #[must_use]
    pub fn with_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// Sets which way is better. Default: lower.
    #[must_use]
    pub fn with_direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// Sets the non-inferiority margin: what a candidate is proven not to exceed before it is promoted.
    #[must_use]
    pub fn with_margin(mut self, margin: Tolerance) -> Self {
        self.margin = margin;
        self
    }

    /// Sets how much worse counts as harm. Default: anything worse.
    ///
    /// A candidate that is worse by less than the margin is then promoted or rolled back, depending on what is proven first. Set
    /// the harm bound to the margin to tolerate everything inside it.
    #[must_use]
    pub fn with_harm(mut self, harm: Tolerance) -> Self {
        self.harm = harm;
        self
    }

    /// Sets what the metric is for. Default: a guardrail.
    #[must_use]
    pub fn with_role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Sets whether its harm alone is enough. Default: with its group.
    #[must_use]
    pub fn with_criticality(mut self, criticality: Criticality) -> Self {
        self.criticality = criticality;
        self
    }

    /// Sets its weight, from a millionth to a million: its part of the error rate of a rollback, and of the average of its group.
    /// Default 1.
    #[must_use]
    pub fn with_weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// Puts it into a group whose harm is averaged. Default: a group of its own.
    #[must_use]
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Sets the outcomes of each arm (pairs, for paired losses) below which nothing is proven, in place of the judge's.
    #[must_use]
    pub fn with_min_outcomes(mut self, outcomes: u64) -> Self {
        self.min_outcomes = Some(outcomes);
        self
    }

    /// Accepts that all values are one and the same. Otherwise such a metric is insufficient: it is more often a broken sensor than a
    /// service without a failure.
    #[must_use]
    pub fn that_may_be_constant(mut self) -> Self {
        self.may_be_constant = true;
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is measured.
    #[must_use]
    pub fn kind(&self) -> &MetricKind {
        &self.kind
    }

    /// The column the values come from.
    #[must_use]
    pub fn column(&self) -> &str {
        self.column.as_deref().unwrap_or(&self.name)
    }

    /// Which way is better.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The non-inferiority margin.
    #[must_use]
    pub fn margin(&self) -> &Tolerance {
        &self.margin
    }

    /// How much worse counts as harm.
    #[must_use]
    pub fn harm(&self) -> &Tolerance {
        &self.harm
    }

    /// What the metric is for.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether its harm alone is enough.
    #[must_use]
    pub fn criticality(&self) -> Criticality {
        self.criticality
    }

    /// Its weight.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// The group whose harm is averaged.
    #[must_use]
    pub fn group(&self) -> &str {
        self.group.as_deref().unwrap_or(&self.name)
    }

    /// The outcomes of each arm below which nothing is proven, where it is not the judge's.
    #[must_use]
    pub fn min_outcomes(&self) -> Option<u64> {
        self.min_outcomes
    }

    /// Whether all values may be one and the same.
    #[must_use]
    pub fn may_be_constant(&self) -> bool {
        self.may_be_constant
    }

    /// Whether its values come with every request.
    pub(super) fn is_per_request(&self) -> bool {
        !matches!(self.kind, MetricKind::Events | MetricKind::Paired(_))
    }

    /// Whether promotion needs proof on it.
    pub(super) fn must_be_proven(&self) -> bool {
        matches!(self.role, Role::Guardrail | Role::Goal)
    }

    /// Refuses a value that the metric cannot have.
    #[inline]
    pub(super) fn check_value(&self, value: f64) -> Result<(), CanaryError> {
        let rate = matches!(self.kind, MetricKind::Rate);
        if value.is_finite() && (!rate || value == 0.0 || value == 1.0) {
            return Ok(());
        }
        let wanted = if rate { "0 or 1" } else { "finite numbers" };
        Err(CanaryError::Specification {
            part: format!("metric `{}`", self.name),
            reason: format!(
                "has the value `{value}`; pass {wanted}, or nothing where it is missing"
            ),
        })
    }

    /// What contradicts itself.
    pub(super) fn contradiction(&self) -> Option<String> {
        if self.name.is_empty() {
            return Some("has no name; give it one".to_owned());
        }
        // So far apart that no part of an error rate vanishes.
        if !(1e-6..=1e6).contains(&self.weight) {
            return Some(format!(
                "has weight `{}`; set it from 0.000001 to 1000000",
                self.weight
            ));
        }
        if let MetricKind::Paired(settings) = self.kind
            && self.must_be_proven()
            && settings.harm() > settings.margin().max(0.0)
        {
            return Some(TOO_MUCH_HARM.to_owned());
        }
        let paired = matches!(self.kind, MetricKind::Paired(_));
        if paired && !(self.margin.is_none() && self.harm.is_none()) {
            return Some("compares pairs; set margin and harm in its paired settings".to_owned());
        }
        if paired && self.direction == Direction::HigherIsBetter {
            return Some(
                "compares losses, of which lower is better; remove the direction".to_owned(),
            );
        }
        if !paired && self.must_be_proven() && self.margin.is_none() {
            return Some(
                "has no margin; set one, or make it an alarm, since being equal cannot be proven"
                    .to_owned(),
            );
        }
        if self.must_be_proven() && !self.harm.is_within(&self.margin) && !paired {
            return Some(TOO_MUCH_HARM.to_owned());
        }
        if self.direction == Direction::HigherIsBetter {
            let all = |tolerance: &Tolerance| tolerance.relative_part().is_some_and(|r| r >= 1.0);
            if all(&self.margin) || all(&self.harm) {
                return Some(
                    "tolerates the loss of everything; set a relative part below 1".to_owned(),
                );
            }
        }
        match self.kind {
            MetricKind::Events if self.has_absolute_part() => Some(
                "counts events without requests, so an absolute tolerance has no meaning; use a relative one"
                    .to_owned(),
            ),
            MetricKind::Mean { lower, upper } if !(lower < upper && (upper - lower).is_finite()) => {
                Some(format!("has the range from `{lower}` to `{upper}`; set finite ends, the lower below the upper"))
            }
            MetricKind::Mean { lower, .. } if self.has_relative_part() && lower < 0.0 => Some(
                "may be negative, so a relative tolerance has no meaning; use an absolute one".to_owned(),
            ),
            MetricKind::Above { threshold } if !threshold.is_finite() => {
                Some(format!("has the threshold `{threshold}`; set a finite one"))
            }
            MetricKind::Tail { quantile, learn_from }
                if !(quantile.get() > 0.0 && quantile.get() < 1.0 && (2..=MOST_LEARNED).contains(&learn_from)) =>
            {
                Some(format!(
                    "learns quantile `{quantile}` from `{learn_from}` requests; set one between 0 and 1, from 2 to {MOST_LEARNED} requests"
                ))
            }
            _ => None,
        }
    }

    fn has_absolute_part(&self) -> bool {
        self.margin.absolute_part().is_some() || self.harm.absolute_part().is_some()
    }

    fn has_relative_part(&self) -> bool {
        self.margin.relative_part().is_some() || self.harm.relative_part().is_some()
    }
}

fn lower_is_better() -> Direction {
    Direction::LowerIsBetter
}

fn one() -> f64 {
    1.0
}

const MOST_LEARNED: u32 = 100_000;
const TOO_MUCH_HARM: &str =
    "tolerates more harm than its margin allows; lower `harm` or raise `margin`";
