use noops_core::{Probability, Share};
use noops_stats::special::clopper_pearson_lower;
use serde::{Deserialize, Serialize};

use super::observation::Observation;
use super::units::Unit;
use super::verdict::Verdict;
use super::{Budgets, Judge, JudgeSpec};
use crate::assignment::Arm;
use crate::error::CanaryError;

/// Measures how often a judge would condemn a candidate that is the champion itself, on the champion's own traffic.
///
/// The champion's units are split in two by a hash, as many times as there are replicates, each time by another hash; each split is judged as
/// if one half were a candidate. Whatever is assumed about the traffic (that units are independent, that a range holds, that nothing
/// else differs) is thereby tried on the traffic itself: the share of replicates that ever rolled back should not exceed the error
/// rate of a rollback.
///
/// # Numerical notes
///
/// The replicates see the same requests, so they are not independent, and the bound on the realised rate is only about the splits, not
/// about other days. With a sound judge it says little more than that nothing is badly wrong; with an unsound one it says so.
///
/// # Complexity
///
/// Each request costs one judge per replicate.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::judge::{
///     AaCheck, JudgeSpec, MetricKind, MetricSpec, Observation, Tolerance, Unit,
/// };
/// use noops_core::{Share, Timestamp};
///
/// let errors = MetricSpec::new("errors", MetricKind::Rate).with_margin(Tolerance::relative(0.5)?);
/// let mut check = AaCheck::new(&JudgeSpec::new([errors])?, 20)?;
/// for request in 0..2_000_u64 {
///     let failed = [Some(f64::from(u8::from(request % 50 == 0)))];
///     let at = Timestamp::from_second(request as i64)?;
///     let unit = Unit::of_number(request);
///     check.observe(&Observation::new(at, unit, Arm::Champion, Share::ZERO, &failed))?;
///     check.look();
/// }
/// assert!(check.report().false_alarms() <= 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AaCheck {
    replicates: Vec<Replicate>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Replicate {
    judge: Judge,
    alarmed: bool,
    promoted: bool,
}

impl AaCheck {
    /// Starts `replicates` judges of this specification, without slices and budgets, each with its own split.
    ///
    /// Every request of a unit counts for the split, so the memory of units is that of the specification times the replicates.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless there are 1 to 1,000 replicates, and those of [`Judge::new`].
    pub fn new(spec: &JudgeSpec, replicates: u32) -> Result<Self, CanaryError> {
        if !(1..=MOST_REPLICATES).contains(&replicates) {
            return Err(CanaryError::Setting {
                name: "replicates",
                value: f64::from(replicates),
                allowed: "from 1 to 1000",
            });
        }
        // A used-up budget is no false alarm.
        let spec = spec
            .clone()
            .with_slices(Vec::<String>::new())
            .with_budgets(Budgets::default());
        let judge = Judge::new(spec)?;
        let replicate = Replicate {
            judge,
            alarmed: false,
            promoted: false,
        };
        Ok(Self {
            replicates: vec![replicate; replicates as usize],
        })
    }

    /// Takes one request. Only the champion's are looked at; the arm and the share are then those of each split.
    ///
    /// # Errors
    ///
    /// Those of [`Judge::observe`]; nothing is counted then.
    pub fn observe(&mut self, observation: &Observation<'_>) -> Result<(), CanaryError> {
        if observation.arm() != Arm::Champion {
            return Ok(());
        }
        let half = Share::from_ppm(500_000).unwrap_or(Share::ZERO);
        for (replicate, split) in self.replicates.iter_mut().zip(0_u64..) {
            let unit = observation.unit();
            // Another bit of another hash for every split.
            let side = Unit::of_number(unit.bits() ^ Unit::of_number(split).bits());
            let arm = if side.bits() >> 63 == 0 {
                Arm::Champion
            } else {
                Arm::Challenger
            };
            let seen = Observation::new(observation.at(), unit, arm, half, observation.values());
            replicate.judge.observe(&seen)?;
        }
        Ok(())
    }

    /// Asks every replicate for its verdict and remembers alarms and promotions. Call it as often as the real judge is asked.
    pub fn look(&mut self) {
        for replicate in &mut self.replicates {
            match replicate.judge.verdict() {
                Verdict::RollBack { .. } => replicate.alarmed = true,
                Verdict::Promote => replicate.promoted = true,
                _ => {}
            }
        }
    }

    /// What the looks so far have found.
    #[must_use]
    pub fn report(&self) -> AaReport {
        let count = |found: fn(&Replicate) -> bool| {
            self.replicates
                .iter()
                .filter(|replicate| found(replicate))
                .count() as u64
        };
        let stated = self.replicates.first().map_or(0.0, |replicate| {
            replicate.judge.spec().alpha_rollback().get()
        });
        AaReport {
            replicates: self.replicates.len() as u64,
            false_alarms: count(|replicate| replicate.alarmed),
            promotions: count(|replicate| replicate.promoted),
            stated,
        }
    }
}

/// How often the champion was condemned for being itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AaReport {
    replicates: u64,
    false_alarms: u64,
    promotions: u64,
    stated: f64,
}

impl AaReport {
    /// The splits.
    #[must_use]
    pub fn replicates(&self) -> u64 {
        self.replicates
    }

    /// The splits that were ever rolled back.
    #[must_use]
    pub fn false_alarms(&self) -> u64 {
        self.false_alarms
    }

    /// The splits that were ever promoted.
    #[must_use]
    pub fn promotions(&self) -> u64 {
        self.promotions
    }

    /// The realised rate of false alarms.
    #[must_use]
    pub fn false_alarm_rate(&self) -> Probability {
        let rate = self.false_alarms as f64 / self.replicates.max(1) as f64;
        Probability::new(rate).unwrap_or(Probability::ZERO)
    }

    /// The rate that was promised: the error rate of a rollback.
    #[must_use]
    pub fn stated_rate(&self) -> Probability {
        Probability::new(self.stated).unwrap_or(Probability::ZERO)
    }

    /// Whether the realised rate is above the promised one beyond the chance of the splits, at 1 %: the bound of Clopper and Pearson lies above
    /// it. Then something the judge assumes does not hold on this traffic.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        clopper_pearson_lower(self.false_alarms, self.replicates, 0.01) > self.stated
    }
}

const MOST_REPLICATES: u32 = 1_000;
