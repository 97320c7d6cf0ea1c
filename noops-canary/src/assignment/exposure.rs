use noops_core::{Share, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Arm, Assigned};

/// That a unit was served by an arm, with everything the analysis needs to know about how it got there.
///
/// Write one with each outcome. The share is the one in force at the assignment, which the ramp-aware tests need; the
/// generation tells the draws of a restarted rollout apart, because pooling two of them would count units twice: it numbers the attempts,
/// as in [`Salt::of_rollout`](super::Salt::of_rollout), and is not [`Rollout::generation`](crate::rollout::Rollout::generation), which
/// changes with every stage.
///
/// # Examples
///
/// ```
/// use noops_canary::{Arm, Assignment, ExposureRecord, Salt};
/// use noops_core::{Share, Timestamp};
///
/// let assignment = Assignment::new(Salt::of_rollout("checkout-42", 1), Share::FULL);
/// let served_at = Timestamp::from_second(1_700_000_000)?;
/// let record = ExposureRecord::new("user-1", assignment.assign("user-1"), served_at, 1);
/// assert_eq!(record.arm(), Arm::Challenger);
/// assert!(record.in_analysis());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposureRecord {
    unit: String,
    arm: Arm,
    share: Share,
    at: Timestamp,
    overridden: bool,
    generation: u64,
}

impl ExposureRecord {
    /// Records that `unit` was served at `at` as `assigned`, in the given attempt at the rollout.
    pub fn new(
        unit: impl Into<String>,
        assigned: Assigned,
        at: Timestamp,
        generation: u64,
    ) -> Self {
        Self {
            unit: unit.into(),
            arm: assigned.arm(),
            share: assigned.share(),
            at,
            overridden: assigned.is_overridden(),
            generation,
        }
    }

    /// The unit.
    #[must_use]
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// The arm that served it.
    #[must_use]
    pub fn arm(&self) -> Arm {
        self.arm
    }

    /// The share of the challenger in force at the assignment.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// When it was served.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether an override decided, not the hash.
    #[must_use]
    pub fn is_overridden(&self) -> bool {
        self.overridden
    }

    /// The attempt at the rollout it belongs to.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the outcome may be analysed: overridden units were not drawn by chance and would bias it.
    #[must_use]
    pub fn in_analysis(&self) -> bool {
        !self.overridden
    }
}

/// That a unit was served by one of several arms, with the shares of all of them in force at that moment.
///
/// [`WeightedAssignment::expose`](super::WeightedAssignment::expose) makes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightedExposureRecord {
    unit: String,
    arm: usize,
    shares: Vec<Share>,
    at: Timestamp,
    overridden: bool,
    generation: u64,
}

impl WeightedExposureRecord {
    pub(super) fn new(
        unit: &str,
        arm: usize,
        shares: Vec<Share>,
        at: Timestamp,
        overridden: bool,
        generation: u64,
    ) -> Self {
        Self {
            unit: unit.to_owned(),
            arm,
            shares,
            at,
            overridden,
            generation,
        }
    }

    /// The unit.
    #[must_use]
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// The place of the arm in [`shares`](Self::shares): `0` is the champion.
    #[must_use]
    pub fn arm(&self) -> usize {
        self.arm
    }

    /// The shares in force, champion first; they sum to one.
    #[must_use]
    pub fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// When it was served.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether an override decided, not the hash.
    #[must_use]
    pub fn is_overridden(&self) -> bool {
        self.overridden
    }

    /// The attempt at the rollout it belongs to.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the outcome may be analysed: overridden units were not drawn by chance and would bias it.
    #[must_use]
    pub fn in_analysis(&self) -> bool {
        !self.overridden
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignment::{Assignment, Salt};

    #[test]
    fn a_record_keeps_the_share_in_force_and_survives_json() {
        let low = Share::from_ppm(50_000).unwrap();
        let assignment = Assignment::new(Salt::new("r"), low).with_override("vip", Arm::Challenger);
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let record = ExposureRecord::new("vip", assignment.assign("vip"), at, 3);
        assert_eq!((record.share(), record.generation()), (low, 3));
        assert!(record.is_overridden() && !record.in_analysis());
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(
            serde_json::from_str::<ExposureRecord>(&text).unwrap(),
            record
        );
    }
}
