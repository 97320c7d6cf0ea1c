use std::collections::{BTreeMap, BTreeSet};

use noops_core::Timestamp;
use noops_core::jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use self::state::RawLateLabels;
use super::matured::{LabelledExposure, Matured, Maturity};
use super::settings::LateLabelSettings;
use crate::assignment::Arm;
use crate::error::CanaryError;

mod state;

/// Releases exposures for judgement when they are old enough, both arms at the same age.
///
/// Comparing whatever labels are there makes a ramp lie: the newer arm's traffic is younger on average, so fewer of its
/// labels have come, and a model identical to the champion looks different with certainty. Here an arrival bucket is
/// released as a whole, once every exposure in it has had the full label window; each exposure then carries the label
/// that came within the window of being served, or is censored. A label that came after the window is ignored even if it is
/// there when the release is asked for, since otherwise old exposures would have had more time than young ones.
///
/// The released sequence is ordered by bucket and then by identifier. For the same exposures and labels it does not depend on
/// the order in which they were told nor on when releases were asked for, as long as they are told before their bucket is
/// released. What comes later is counted and changes nothing.
///
/// Time never runs backwards: a release asked for at an earlier time than before releases nothing.
///
/// # Numerical notes
///
/// Equal age removes the difference in maturity, not a difference in delay: if the candidate's decisions make labels come later (a
/// blocked payment is disputed sooner than an accepted one), their censoring differs, which
/// [`censored`](Self::censored) shows and [`KaplanMeier`](super::KaplanMeier) helps to judge.
///
/// Inside a bucket the order is that of the identifiers, not of time: give a [`Judge`](crate::judge::Judge) that is shown them a lateness of
/// at least the length of a bucket.
///
/// # Complexity
///
/// Logarithmic in what waits per observation. A release is linear in what it releases, up to a logarithm, and, where it opens a new bucket,
/// in the labels that wait for their exposure and the identifiers that are remembered: at most the capacity of each.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::labels::{LabelledExposure, LateLabelSettings, LateLabels};
/// use noops_core::{Share, Timestamp};
///
/// let at = |hour: i64| Timestamp::from_second(hour * 3600);
/// let mut labels = LateLabels::new(LateLabelSettings::default())?;
/// let exposure = LabelledExposure::new(at(0)?, Arm::Champion, Share::from_ratio(0.1)?);
/// labels.observe_exposure("request-1", exposure)?;
/// labels.observe_label("request-1", at(5)?, 1.0)?;
/// assert!(labels.release_before(at(24)?).is_empty());
/// // The bucket from hour 0 to 1 has had its 24 hours at hour 25.
/// let matured = labels.release_before(at(25)?);
/// assert_eq!(matured[0].label(), Some(1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawLateLabels", into = "RawLateLabels")]
pub struct LateLabels {
    settings: LateLabelSettings,
    /// By identifier, so that a label finds its exposure.
    open: BTreeMap<String, Open>,
    /// The identifiers of the open exposures of each bucket, which follow from `open`.
    arrivals: BTreeMap<i64, BTreeSet<String>>,
    /// Labels that came before their exposure was told.
    waiting: BTreeMap<String, Told>,
    /// Identifiers released a short while ago, so that their late labels can be told from unknown ones.
    settled: BTreeMap<String, i64>,
    /// The first bucket that is not released.
    released_before: Option<i64>,
    champion: ArmTally,
    challenger: ArmTally,
    late: u64,
    duplicates: u64,
    late_exposures: u64,
    unmatched: u64,
    contradictory: u64,
}

impl LateLabels {
    /// Starts with nothing open.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless window and bucket are between a second and ten thousand days and the capacity is positive.
    pub fn new(settings: LateLabelSettings) -> Result<Self, CanaryError> {
        settings.check()?;
        Ok(Self {
            settings,
            open: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            waiting: BTreeMap::new(),
            settled: BTreeMap::new(),
            released_before: None,
            champion: ArmTally::default(),
            challenger: ArmTally::default(),
            late: 0,
            duplicates: 0,
            late_exposures: 0,
            unmatched: 0,
            contradictory: 0,
        })
    }

    /// Takes a served request, under an identifier that its label will carry.
    ///
    /// An exposure whose bucket is released is counted in [`late_exposures`](Self::late_exposures). A second one under the same
    /// identifier is counted in [`duplicates`](Self::duplicates); if they differ, the earlier counts, whichever is told first.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] if as many wait as the capacity allows; nothing changes then. Release what is mature, or start with more.
    pub fn observe_exposure(
        &mut self,
        id: &str,
        exposure: LabelledExposure,
    ) -> Result<(), CanaryError> {
        if self.settled.contains_key(id) {
            self.duplicates = self.duplicates.saturating_add(1);
            return Ok(());
        }
        let bucket = self.bucket_of(exposure.served_at());
        if self.is_released(bucket) {
            self.late_exposures = self.late_exposures.saturating_add(1);
            return Ok(());
        }
        if let Some(known) = self.open.get(id).map(|open| open.exposure) {
            self.duplicates = self.duplicates.saturating_add(1);
            if exposure < known {
                self.replace(id, known, exposure, bucket);
            }
            return Ok(());
        }
        let waited = self.waiting.contains_key(id);
        if !waited {
            self.refuse_when_full()?;
        }
        let label = self.waiting.remove(id);
        let arrivals = self.arrivals.entry(bucket).or_default();
        arrivals.insert(id.to_owned());
        self.tally_mut(exposure.arm()).open += 1;
        self.open.insert(id.to_owned(), Open { exposure, label });
        Ok(())
    }

    /// Takes a label that came into being at `at`.
    ///
    /// It may be told before its exposure. The earliest label counts, and of several at one time the least value: a
    /// later correction is a duplicate.
    ///
    /// # Errors
    ///
    /// [`CanaryError::NotFinite`] for a value that is NaN or infinite, and [`CanaryError::Input`] if the exposure is not
    /// known and as many wait as the capacity allows. Nothing changes then.
    pub fn observe_label(
        &mut self,
        id: &str,
        at: Timestamp,
        value: f64,
    ) -> Result<(), CanaryError> {
        if !value.is_finite() {
            return Err(CanaryError::NotFinite {
                column: "label",
                row: 0,
                value,
            });
        }
        let told = Told { at, value };
        if let Some(open) = self.open.get_mut(id) {
            let again = open.label.is_some();
            open.label = Some(told.earlier(open.label));
            self.duplicates = self.duplicates.saturating_add(u64::from(again));
            return Ok(());
        }
        if self.settled.contains_key(id) {
            self.late = self.late.saturating_add(1);
            return Ok(());
        }
        if self.is_released(self.bucket_of(at)) {
            // Its exposure was served before it, so it is released too or was never told.
            self.unmatched = self.unmatched.saturating_add(1);
            return Ok(());
        }
        let known = self.waiting.get(id).copied();
        if known.is_none() {
            self.refuse_when_full()?;
        }
        self.duplicates = self.duplicates.saturating_add(u64::from(known.is_some()));
        self.waiting.insert(id.to_owned(), told.earlier(known));
        Ok(())
    }

    /// Releases every arrival bucket whose youngest possible exposure has reached the label window at `now`.
    ///
    /// In the order of buckets, and of identifiers within one.
    pub fn release_before(&mut self, now: Timestamp) -> Vec<Matured> {
        let width = self.settings.bucket().as_nanos();
        let horizon = now.as_nanosecond() - self.settings.window().as_nanos();
        let end = clamped(horizon.div_euclid(width));
        if self.released_before.is_some_and(|before| end <= before) {
            return Vec::new();
        }
        self.released_before = Some(end);
        let still_open = self.arrivals.split_off(&end);
        let mature = std::mem::replace(&mut self.arrivals, still_open);
        let mut matured = Vec::new();
        for (bucket, ids) in mature {
            for id in ids {
                if let Some(open) = self.open.remove(&id) {
                    matured.push(self.settle(id, &open, bucket));
                }
            }
        }
        self.forget(end);
        matured
    }

    /// The exposures of an arm that are not released.
    #[must_use]
    pub fn open(&self, arm: Arm) -> u64 {
        self.tally(arm).open
    }

    /// The released exposures of an arm whose label came in time.
    #[must_use]
    pub fn labelled(&self, arm: Arm) -> u64 {
        self.tally(arm).labelled
    }

    /// The released exposures of an arm whose label did not come in time.
    #[must_use]
    pub fn censored(&self, arm: Arm) -> u64 {
        self.tally(arm).censored
    }

    /// The labels that came after the window, or were told after the release.
    ///
    /// Those told long after it, more than another window, count as [`unmatched`](Self::unmatched).
    #[must_use]
    pub fn late(&self) -> u64 {
        self.late
    }

    /// The exposures and labels told again.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// The exposures told after their bucket was released, which are not judged.
    #[must_use]
    pub fn late_exposures(&self) -> u64 {
        self.late_exposures
    }

    /// The labels whose exposure was never told, or was released long ago.
    #[must_use]
    pub fn unmatched(&self) -> u64 {
        self.unmatched
    }

    /// The exposures censored because their label claims to be from before they were served: a clock is wrong.
    #[must_use]
    pub fn contradictory(&self) -> u64 {
        self.contradictory
    }

    /// The labels that wait for their exposure to be told.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &LateLabelSettings {
        &self.settings
    }

    fn settle(&mut self, id: String, open: &Open, bucket: i64) -> Matured {
        let served_at = open.exposure.served_at();
        let delay = open.label.map(|told| told.at.duration_since(served_at));
        let maturity = match (open.label, delay) {
            (Some(_), Some(delay)) if delay < SignedDuration::ZERO => {
                self.contradictory = self.contradictory.saturating_add(1);
                Maturity::Censored
            }
            (Some(_), Some(delay)) if delay > self.settings.window() => {
                self.late = self.late.saturating_add(1);
                Maturity::Censored
            }
            (Some(told), Some(delay)) => Maturity::Labelled {
                value: told.value,
                delay,
            },
            _ => Maturity::Censored,
        };
        let tally = self.tally_mut(open.exposure.arm());
        tally.open = tally.open.saturating_sub(1);
        let counter = match maturity {
            Maturity::Labelled { .. } => &mut tally.labelled,
            Maturity::Censored => &mut tally.censored,
        };
        *counter = counter.saturating_add(1);
        self.settled.insert(id.clone(), bucket);
        Matured::new(id, open.exposure, bucket, maturity)
    }

    /// Drops the labels that no exposure can claim any more, and what was released more than a window ago.
    fn forget(&mut self, released_before: i64) {
        let (settings, width) = (self.settings, self.settings.bucket().as_nanos());
        let before = self.waiting.len();
        self.waiting
            .retain(|_, told| bucket_of(told.at, settings.bucket()) >= released_before);
        let dropped = before.saturating_sub(self.waiting.len()) as u64;
        self.unmatched = self.unmatched.saturating_add(dropped);
        let window_in_buckets = clamped(settings.window().as_nanos().div_euclid(width));
        let oldest = released_before.saturating_sub(window_in_buckets.saturating_add(1));
        self.settled.retain(|_, bucket| *bucket >= oldest);
        // Two windows of traffic at most, and never more than may wait: whole buckets, the oldest first.
        if let Some(surplus) = self
            .settled
            .len()
            .checked_sub(settings.capacity().saturating_add(1))
        {
            let mut buckets: Vec<i64> = self.settled.values().copied().collect();
            let (_, &mut last, _) = buckets.select_nth_unstable(surplus);
            self.settled.retain(|_, bucket| *bucket > last);
        }
    }

    fn replace(&mut self, id: &str, known: LabelledExposure, by: LabelledExposure, bucket: i64) {
        let old_bucket = self.bucket_of(known.served_at());
        if let Some(ids) = self.arrivals.get_mut(&old_bucket) {
            ids.remove(id);
        }
        let arrivals = self.arrivals.entry(bucket).or_default();
        arrivals.insert(id.to_owned());
        let old = self.tally_mut(known.arm());
        old.open = old.open.saturating_sub(1);
        self.tally_mut(by.arm()).open += 1;
        if let Some(open) = self.open.get_mut(id) {
            open.exposure = by;
        }
    }

    fn refuse_when_full(&self) -> Result<(), CanaryError> {
        if self.open.len().saturating_add(self.waiting.len()) < self.settings.capacity() {
            return Ok(());
        }
        Err(CanaryError::Input {
            input: "id",
            reason: "finds as many waiting as the capacity allows; release what is mature, shorten the window or raise the capacity",
        })
    }

    fn is_released(&self, bucket: i64) -> bool {
        self.released_before.is_some_and(|before| bucket < before)
    }

    fn bucket_of(&self, at: Timestamp) -> i64 {
        bucket_of(at, self.settings.bucket())
    }

    fn tally(&self, arm: Arm) -> &ArmTally {
        match arm {
            Arm::Champion => &self.champion,
            Arm::Challenger => &self.challenger,
        }
    }

    fn tally_mut(&mut self, arm: Arm) -> &mut ArmTally {
        match arm {
            Arm::Champion => &mut self.champion,
            Arm::Challenger => &mut self.challenger,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    exposure: LabelledExposure,
    label: Option<Told>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Told {
    at: Timestamp,
    value: f64,
}

impl Told {
    fn earlier(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if (other.at, other.value) <= (self.at, self.value) => other,
            _ => self,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct ArmTally {
    open: u64,
    labelled: u64,
    censored: u64,
}

/// The number of whole buckets from 1970 until `at`; negative before.
fn bucket_of(at: Timestamp, width: SignedDuration) -> i64 {
    clamped(at.as_nanosecond().div_euclid(width.as_nanos()))
}

fn clamped(buckets: i128) -> i64 {
    // A timestamp is within ten thousand years and a bucket at least a second wide, so this never clamps.
    i64::try_from(buckets).unwrap_or(if buckets < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests;
