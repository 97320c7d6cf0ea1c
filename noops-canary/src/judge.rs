//! One verdict from all the evidence about a candidate, and why.

mod a_a_check;
mod alarms;
mod budget;
mod decide;
mod evidence;
mod explain;
mod judgement;
mod measure;
mod metric_spec;
mod mismatch;
mod needs;
mod observation;
mod slices;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod tolerance;
mod units;
mod verdict;

use noops_core::{Digest, Probability, Share, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::a_a_check::{AaCheck, AaReport};
pub use self::budget::{BudgetKind, Budgets};
pub use self::judgement::{
    Estimate, Judgement, MetricJudgement, MetricVerdict, Scale, SliceJudgement,
};
pub(crate) use self::measure::Measure;
pub use self::metric_spec::{Criticality, MetricKind, MetricSpec, Role};
pub use self::mismatch::MismatchJudgement;
pub use self::needs::Needs;
pub use self::observation::{Observation, SliceValue};
use self::slices::Slices;
pub use self::spec::JudgeSpec;
use self::state::MetricState;
pub use self::tolerance::Tolerance;
use self::units::{Sight, UnitTable};
pub use self::units::{Unit, Units};
pub use self::verdict::{Cause, Shortfall, Verdict};
use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::rollout::{EvidenceSummary, RolloutEvent, RolloutVerdict};
use crate::sequential::RateComparison;
use crate::shadow::PairedLoss;

/// Weighs a candidate against the champion and says what the evidence allows.
///
/// It rolls back on evidence of harm from any metric or slice (the error rate is split between them) and promotes only on evidence of
/// non-inferiority on every guardrail, never on a mere absence of evidence for harm. It may be asked after every request: the error
/// rates hold over all looks together, while the share ramps and the level of the metrics drifts.
///
/// One judge belongs to one rollout. Its margins are part of the hypothesis: to change them, start another.
///
/// # Formula
///
/// Promotion is an intersection-union test: every guardrail rejects "worse than the margin" at `alpha_promote`, so no correction is
/// needed, and the power of each has to be sized for beta / (G + 1). Rollback is a union: `alpha_rollback` is split between metrics and
/// slices; the metrics' half by weight over the critical metrics and the groups of the others, whose e-values are averaged; the
/// slices' half by weighted e-BH over every metric of every slice (Wang and Ramdas, 2022), where the nth slice to be seen has weight
/// `8 / ((n + 7)(n + 8))`, so that slices may turn up at any time. With goals, promotion needs proof of superiority on at
/// least one, at `alpha_promote` divided by their number (Schultzberg, Ankargren and Frånberg, 2024).
///
/// # Numerical notes
///
/// A verdict is a function of the observations in their order, bit for bit, on every platform.
///
/// A sticky unit is judged by its first request at each share (see [`Units`]); harm that shows only after a unit's first request is not
/// seen in the units' second. Each pair of shares at which a unit was counted in turn is a stratum of its own, of which 256 are kept:
/// where units come back, a ramp of more than 22 shares loses events. Outcomes of different units are taken as independent given the share. The shares must have been chosen
/// before the requests were seen, and labels that come late must be shown at equal age: see [`LateLabels`](crate::labels::LateLabels).
///
/// What is guaranteed about paired losses is about the clamped block mean: see [`PairedLoss`]. A promotion also
/// needs the observed mean difference, which is not clamped, to be below the margin, so that large losses that were seen count in full.
///
/// # Complexity
///
/// A request costs a few additions per metric and slice, and no allocation while the shares and slices are known ones. A verdict costs
/// an exponential and, for rates, a logarithm per stratum of shares for each of 18 terms of the evidence of each metric and slice.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::judge::{
///     Judge, JudgeSpec, MetricKind, MetricSpec, Observation, Tolerance, Unit, Verdict,
/// };
/// use noops_core::{Share, Timestamp};
///
/// let errors = MetricSpec::new("errors", MetricKind::Rate).with_margin(Tolerance::relative(0.5)?);
/// let mut judge = Judge::new(JudgeSpec::new([errors])?)?;
/// assert!(matches!(judge.verdict(), Verdict::Insufficient { .. }));
///
/// let half = Share::from_ratio(0.5)?;
/// for request in 0..8_000_u64 {
///     let arm = if request % 2 == 0 { Arm::Champion } else { Arm::Challenger };
///     let failed = f64::from(u8::from(request % 20 < 2));
///     let at = Timestamp::from_second(request as i64)?;
///     judge.observe(&Observation::new(at, Unit::of_number(request), arm, half, &[Some(failed)]))?;
/// }
/// assert_eq!(judge.verdict(), Verdict::Promote);
/// assert!(judge.judgement().explain().starts_with("Promote"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "state::RawJudge", into = "state::RawJudge")]
pub struct Judge {
    spec: JudgeSpec,
    metrics: Vec<MetricState>,
    slices: Slices,
    units: Option<UnitTable>,
    /// The requests that count, for the mismatch of the shares.
    traffic: RateComparison,
    counts: Counts,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    /// The values of the present request after thresholds, kept so that nothing is allocated.
    scratch: Vec<Option<f64>>,
}

/// Requests by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    champion: u64,
    challenger: u64,
    repeats: u64,
    unremembered: u64,
}

impl Judge {
    /// Starts without evidence.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Specification`] if a setting that was changed after the specification was checked contradicts it: a budget of an
    /// unknown metric, or a memory without a place.
    pub fn new(spec: JudgeSpec) -> Result<Self, CanaryError> {
        spec.check()?;
        let metrics = spec.metrics().iter().map(MetricState::new);
        let metrics = metrics.collect::<Result<Vec<_>, _>>()?;
        let units = match spec.units() {
            Units::Independent => None,
            Units::Sticky(remembered) => Some(UnitTable::new(remembered)),
        };
        Ok(Self {
            scratch: Vec::with_capacity(metrics.len()),
            spec,
            metrics,
            slices: Slices::default(),
            units,
            traffic: RateComparison::new(),
            counts: Counts::default(),
            first_at: None,
            last_at: None,
        })
    }

    /// Takes one request and what came of it.
    ///
    /// # Errors
    ///
    /// Nothing is counted when one of these comes back. [`CanaryError::Length`] unless there is a value or `None` for each metric that
    /// comes with every request; [`CanaryError::Specification`] naming the metric whose value is NaN or infinite, or a rate that is not 0
    /// or 1; [`CanaryError::TimeBackwards`] for a request from further before the latest one than the specification allows;
    /// [`CanaryError::Input`] for a slice of another judge, or one that is named twice.
    pub fn observe(&mut self, observation: &Observation<'_>) -> Result<(), CanaryError> {
        self.check(observation)?;
        let (arm, share) = (observation.arm(), observation.share());
        self.last_at = Some(
            self.last_at
                .unwrap_or(observation.at())
                .max(observation.at()),
        );
        self.first_at = Some(
            self.first_at
                .unwrap_or(observation.at())
                .min(observation.at()),
        );
        let all = match arm {
            Arm::Champion => &mut self.counts.champion,
            Arm::Challenger => &mut self.counts.challenger,
        };
        *all = all.saturating_add(1);

        self.scratch.clear();
        let per_request = self
            .metrics
            .iter_mut()
            .filter(|metric| metric.is_per_request());
        for (metric, value) in per_request.zip(observation.values()) {
            self.scratch.push(metric.receive(arm, *value));
        }
        let sight = match &mut self.units {
            None => Sight::News(share.ratio()),
            Some(units) => units.see(observation.unit(), arm, share),
        };
        let theta = match sight {
            Sight::News(theta) => theta,
            Sight::Repeat => {
                self.counts.repeats = self.counts.repeats.saturating_add(1);
                return Ok(());
            }
            Sight::Unremembered => {
                self.counts.unremembered = self.counts.unremembered.saturating_add(1);
                return Ok(());
            }
        };
        self.traffic.count(arm, theta, 1);
        let per_request = self
            .metrics
            .iter_mut()
            .filter(|metric| metric.is_per_request());
        for (metric, value) in per_request.zip(&self.scratch) {
            metric.judge(arm, theta, *value);
        }
        for slice in observation.slices() {
            self.slices.judge(*slice, arm, theta, &self.scratch);
        }
        Ok(())
    }

    /// Takes one bad event of a metric of kind [`MetricKind::Events`], the first of its unit.
    ///
    /// Where units keep their arm, leave out a unit's further events, at later shares as well: they fall where the first one fell, which
    /// is no news, and would be taken for news.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Specification`] unless there is a metric of this name and kind.
    pub fn observe_event(
        &mut self,
        metric: &str,
        arm: Arm,
        share: Share,
    ) -> Result<(), CanaryError> {
        let state = self.metric_mut(metric)?;
        if state.is_of_events() {
            state.event(arm, share);
            return Ok(());
        }
        Err(wrong_kind(
            metric,
            "does not count events alone; give it kind `events`, or observe requests",
        ))
    }

    /// Takes the losses of both models on one request, for a metric of kind [`MetricKind::Paired`]: see
    /// [`PairedLoss::observe`](crate::shadow::PairedLoss::observe).
    ///
    /// # Errors
    ///
    /// [`CanaryError::Specification`] unless there is a metric of this name and kind.
    pub fn observe_pair(
        &mut self,
        metric: &str,
        block: u64,
        champion_loss: Probability,
        candidate_loss: Probability,
    ) -> Result<(), CanaryError> {
        match self.metric_mut(metric)?.paired_mut() {
            Some(loss) => {
                loss.observe(block, champion_loss, candidate_loss);
                Ok(())
            }
            None => Err(wrong_kind(
                metric,
                "compares no pairs; give it kind `paired`",
            )),
        }
    }

    /// Folds complete blocks of pairs into the evidence: see [`PairedLoss::close_before`](crate::shadow::PairedLoss::close_before).
    pub fn close_before(&mut self, block: u64) {
        for loss in self.metrics.iter_mut().filter_map(MetricState::paired_mut) {
            loss.close_before(block);
        }
    }

    /// Drops pairs that are not yet evidence, from `block` on, because their inputs turned out to be broken: see
    /// [`PairedLoss::discard_from`](crate::shadow::PairedLoss::discard_from).
    pub fn discard_from(&mut self, block: u64) {
        for loss in self.metrics.iter_mut().filter_map(MetricState::paired_mut) {
            loss.discard_from(block);
        }
    }

    /// The slice that a value of a slice column belongs to.
    ///
    /// A column has up to 64 slices; further values are no slice of their own, and judged only with all others.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Specification`] if the column is not one of the specification's slices.
    pub fn slice_value(&mut self, column: &str, value: &str) -> Result<SliceValue, CanaryError> {
        self.slices.value(&self.spec, column, value)
    }

    /// What the evidence so far allows. Asking changes nothing.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        decide::verdict(self)
    }

    /// What the evidence so far allows, with the evidence itself, estimates and intervals. Asking changes nothing.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        Judgement::of(self)
    }

    /// The verdict as an event for a [`Rollout`](crate::rollout::Rollout), with the evidence it rests on: requests of each arm, or
    /// pairs where there are more.
    #[must_use]
    pub fn rollout_event(&self) -> RolloutEvent {
        let pairs = self.pairs();
        RolloutEvent::Judged {
            verdict: RolloutVerdict::from(&self.verdict()),
            evidence: EvidenceSummary::new(
                self.spec.digest(),
                self.counts.champion.max(pairs),
                self.counts.challenger.max(pairs),
            ),
        }
    }

    /// The specification.
    #[must_use]
    pub fn spec(&self) -> &JudgeSpec {
        &self.spec
    }

    /// The requests of one arm, those that are not judged included.
    #[must_use]
    pub fn requests(&self, arm: Arm) -> u64 {
        match arm {
            Arm::Champion => self.counts.champion,
            Arm::Challenger => self.counts.challenger,
        }
    }

    /// Requests of units that had been counted at the same share, or that were certain to go where they went.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        self.counts.repeats
    }

    /// Requests of units for which there was no memory left: see [`Units::Sticky`].
    #[must_use]
    pub fn unremembered(&self) -> u64 {
        self.counts.unremembered
    }

    /// How many units are remembered.
    #[must_use]
    pub fn remembered_units(&self) -> u32 {
        self.units.as_ref().map_or(0, UnitTable::remembered)
    }

    /// The digest of specification and evidence: two judges with one digest give one verdict.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// What has been seen of each metric, in the order of the specification.
    pub(crate) fn measures(&self) -> impl Iterator<Item = &Measure> {
        self.metrics.iter().map(|state| &state.measure)
    }

    /// The pairs of the paired metric that has most of them.
    fn pairs(&self) -> u64 {
        let paired = self
            .metrics
            .iter()
            .filter_map(|state| state.measure.paired());
        paired.map(PairedLoss::pairs).max().unwrap_or(0)
    }

    fn metric_mut(&mut self, name: &str) -> Result<&mut MetricState, CanaryError> {
        let place = self
            .spec
            .metrics()
            .iter()
            .position(|metric| metric.name() == name);
        place
            .and_then(|place| self.metrics.get_mut(place))
            .ok_or_else(|| wrong_kind(name, "is not in the specification; add it there"))
    }

    fn check(&self, observation: &Observation<'_>) -> Result<(), CanaryError> {
        let per_request = self
            .spec
            .metrics()
            .iter()
            .filter(|metric| metric.is_per_request());
        let values = observation.values();
        let expected = per_request.clone().count();
        if values.len() != expected {
            return Err(CanaryError::Length {
                column: "values",
                expected,
                found: values.len(),
            });
        }
        for (metric, value) in per_request.zip(values) {
            if let Some(value) = value {
                metric.check_value(*value)?;
            }
        }
        if let Some(last) = self.last_at
            && last
                .as_second()
                .saturating_sub(observation.at().as_second())
                > i64::from(self.spec.max_lateness_seconds())
        {
            return Err(CanaryError::TimeBackwards {
                latest: last,
                found: observation.at(),
            });
        }
        self.slices.check(observation.slices())
    }
}

/// The values of the present request are no part of the evidence.
impl PartialEq for Judge {
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec
            && self.metrics == other.metrics
            && self.slices == other.slices
            && self.units == other.units
            && self.traffic == other.traffic
            && self.counts == other.counts
            && self.first_at == other.first_at
            && self.last_at == other.last_at
    }
}

fn wrong_kind(metric: &str, reason: &str) -> CanaryError {
    CanaryError::Specification {
        part: format!("metric `{metric}`"),
        reason: reason.to_owned(),
    }
}
