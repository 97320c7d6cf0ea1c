use noops_core::{Share, Timestamp};

use super::units::Unit;
use crate::assignment::Arm;

/// One request that was served, and what came of it.
///
/// The values stand in the order of the metrics of the specification that come with every request (rates, means, and those with a
/// threshold); `None` is a value that is missing. Requests of overridden units are not shown to a judge: see
/// [`Assigned::in_analysis`](crate::Assigned::in_analysis).
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::judge::{Observation, Unit};
/// use noops_core::{Share, Timestamp};
///
/// let (share, at) = (Share::from_ppm(50_000)?, Timestamp::from_second(1_000)?);
/// let values = [Some(0.0), Some(37.5)];
/// let request = Observation::new(at, Unit::of("user-1"), Arm::Champion, share, &values);
/// assert_eq!(request.arm(), Arm::Champion);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation<'a> {
    at: Timestamp,
    unit: Unit,
    arm: Arm,
    share: Share,
    values: &'a [Option<f64>],
    slices: &'a [SliceValue],
}

impl<'a> Observation<'a> {
    /// A request served at `at` to `unit` by `arm`, while `share` of the units were the challenger's.
    #[must_use]
    pub fn new(
        at: Timestamp,
        unit: Unit,
        arm: Arm,
        share: Share,
        values: &'a [Option<f64>],
    ) -> Self {
        Self {
            at,
            unit,
            arm,
            share,
            values,
            slices: &[],
        }
    }

    /// Says which slices the request belongs to: see [`Judge::slice_value`](super::Judge::slice_value).
    #[must_use]
    pub fn with_slices(mut self, slices: &'a [SliceValue]) -> Self {
        self.slices = slices;
        self
    }

    /// When it was served.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Whose it was.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Who served it.
    #[must_use]
    pub fn arm(&self) -> Arm {
        self.arm
    }

    /// The challenger's share in force when it was served.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &'a [Option<f64>] {
        self.values
    }

    /// The slices.
    #[must_use]
    pub fn slices(&self) -> &'a [SliceValue] {
        self.slices
    }
}

/// A value of a slice column, known to one judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SliceValue(pub(super) u32);
