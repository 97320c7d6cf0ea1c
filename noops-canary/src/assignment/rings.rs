use std::collections::{BTreeMap, BTreeSet};

use noops_core::Share;
use serde::{Deserialize, Serialize};

use super::hash::{Salt, bucket};
use crate::error::CanaryError;

pub use self::gate::{RingBound, RingDecision, RingFault, RingGate};
pub use self::outcome::RingOutcome;

mod gate;
mod outcome;

/// A group of devices that is updated together: a share of the fleet drawn by hash, or a list of members.
///
/// Its share is its own. A [`rollout::Ring`](crate::rollout::Ring), the stage that updates it, counts the rings before it too.
///
/// # Examples
///
/// ```
/// use noops_canary::Ring;
/// use noops_core::Share;
///
/// let lab = Ring::of_members("lab", ["bench-1", "bench-2"]);
/// let early = Ring::of_share("early", Share::from_ratio(0.05)?);
/// assert_eq!((lab.name(), early.name()), ("lab", "early"));
/// # Ok::<(), noops_core::UnitError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    name: String,
    membership: Membership,
}

impl Ring {
    /// A ring of `share` of all devices that no list names.
    pub fn of_share(name: impl Into<String>, share: Share) -> Self {
        Self {
            name: name.into(),
            membership: Membership::Share(share),
        }
    }

    /// A ring of the listed devices.
    pub fn of_members<M: Into<String>>(
        name: impl Into<String>,
        members: impl IntoIterator<Item = M>,
    ) -> Self {
        Self {
            name: name.into(),
            membership: Membership::Members(members.into_iter().map(Into::into).collect()),
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The share of the devices that no list names; `None` for a ring with members.
    #[must_use]
    pub fn share(&self) -> Option<Share> {
        match self.membership {
            Membership::Share(share) => Some(share),
            Membership::Members(_) => None,
        }
    }

    /// The listed devices; none for a ring with a share.
    #[must_use]
    pub fn members(&self) -> &[String] {
        match &self.membership {
            Membership::Share(_) => &[],
            Membership::Members(members) => members,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Membership {
    Share(Share),
    Members(Vec<String>),
}

/// The rings of a fleet, in the order in which they are updated: the canary ring first.
///
/// Membership is sticky: it depends on the salt, the device and the rings only. Rings drawn by hash take their devices one after
/// another from the bottom of the bucket range, so giving the last such ring more room, or appending one, moves no
/// device that is in a ring already; giving an earlier one more room moves devices of later rings forward.
///
/// A ring is also a stratum: compare outcomes within rings, because the devices of a listed ring were not drawn by chance.
///
/// # Examples
///
/// ```
/// use noops_canary::{Ring, Rings, Salt};
/// use noops_core::Share;
///
/// let rings = Rings::new(
///     Salt::new("firmware-7"),
///     vec![
///         Ring::of_members("lab", ["bench-1"]),
///         Ring::of_share("early", Share::from_ratio(0.1)?),
///         Ring::of_share("broad", Share::from_ratio(0.9)?),
///     ],
/// )?;
/// assert_eq!(rings.ring_of("bench-1"), Some(0));
/// assert!(rings.ring_of("device-99").is_some_and(|ring| ring > 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawRings", into = "RawRings")]
pub struct Rings {
    salt: Salt,
    rings: Vec<Ring>,
    /// The ring of every listed device.
    listed: BTreeMap<String, usize>,
}

impl Rings {
    /// Rings in the order in which they are updated.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without rings; [`CanaryError::Specification`] if a name is empty or given twice, if a device is
    /// listed twice, or if the shares sum to more than everything.
    pub fn new(salt: Salt, rings: Vec<Ring>) -> Result<Self, CanaryError> {
        if rings.is_empty() {
            return Err(CanaryError::Empty);
        }
        let mut names = BTreeSet::new();
        for ring in &rings {
            if ring.name.is_empty() {
                return Err(refused(ring, "needs a name"));
            }
            if !names.insert(&ring.name) {
                return Err(refused(ring, "is given twice; give each a name of its own"));
            }
        }
        let shares = rings.iter().filter_map(Ring::share);
        let total: u64 = shares.map(|share| u64::from(share.ppm())).sum();
        if total > u64::from(Share::FULL.ppm()) {
            return Err(CanaryError::Specification {
                part: "the shares of the rings".to_owned(),
                reason: format!(
                    "sum to `{total} ppm`; lower them to at most `1000000 ppm` together"
                ),
            });
        }
        let mut listed = BTreeMap::new();
        for (index, ring) in rings.iter().enumerate() {
            for member in ring.members() {
                if listed.insert(member.clone(), index).is_some() {
                    return Err(refused(
                        ring,
                        &format!(
                            "lists the device `{member}`, which is listed before; list it once"
                        ),
                    ));
                }
            }
        }
        Ok(Self {
            salt,
            rings,
            listed,
        })
    }

    /// The place of the device's ring in the order; `None` if no list names it and the shares leave it out.
    ///
    /// # Complexity
    ///
    /// A look-up in an ordered map, then linear in the length of the salt and the device's name and in the number of rings.
    #[must_use]
    pub fn ring_of(&self, device: &str) -> Option<usize> {
        if let Some(ring) = self.listed.get(device) {
            return Some(*ring);
        }
        let bucket = bucket(&self.salt, device);
        let mut end = 0_u32;
        self.rings.iter().position(|ring| {
            end = end.saturating_add(ring.share().unwrap_or(Share::ZERO).ppm());
            ring.share().is_some() && bucket < end
        })
    }

    /// The rings, in the order in which they are updated.
    #[must_use]
    pub fn rings(&self) -> &[Ring] {
        &self.rings
    }

    /// The salt.
    #[must_use]
    pub fn salt(&self) -> &Salt {
        &self.salt
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRings {
    salt: Salt,
    rings: Vec<Ring>,
}

impl TryFrom<RawRings> for Rings {
    type Error = CanaryError;

    fn try_from(raw: RawRings) -> Result<Self, CanaryError> {
        Self::new(raw.salt, raw.rings)
    }
}

impl From<Rings> for RawRings {
    fn from(rings: Rings) -> Self {
        Self {
            salt: rings.salt,
            rings: rings.rings,
        }
    }
}

fn refused(ring: &Ring, reason: &str) -> CanaryError {
    CanaryError::Specification {
        part: format!("ring `{}`", ring.name),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ppm(ppm: u32) -> Share {
        Share::from_ppm(ppm).unwrap()
    }

    fn fleet(early: u32, broad: u32) -> Rings {
        let rings = vec![
            Ring::of_members("lab", ["bench-1", "bench-2"]),
            Ring::of_share("early", ppm(early)),
            Ring::of_share("broad", ppm(broad)),
        ];
        Rings::new(Salt::new("firmware-7"), rings).unwrap()
    }

    #[test]
    fn a_ring_holds_its_share_of_the_fleet_and_the_rest_is_left_alone() {
        let rings = fleet(100_000, 500_000);
        let mut counts = [0_u32; 4];
        for device in 0..20_000 {
            let ring = rings.ring_of(&format!("device-{device}"));
            counts[ring.unwrap_or(3)] += 1;
        }
        assert_eq!(counts[0], 0);
        for (count, p) in counts[1..].iter().zip([0.1, 0.5, 0.4_f64]) {
            // Four standard deviations.
            let bound = 4.0 * (20_000.0 * p * (1.0 - p)).sqrt();
            assert!(
                (f64::from(*count) - 20_000.0 * p).abs() < bound,
                "{counts:?}"
            );
        }
    }

    #[test]
    fn contradictory_rings_are_refused_by_name() {
        let build = |rings| Rings::new(Salt::new("s"), rings);
        assert_eq!(build(vec![]), Err(CanaryError::Empty));
        let twice = vec![
            Ring::of_members("a", ["x", "y"]),
            Ring::of_members("b", ["y"]),
        ];
        let message = build(twice).unwrap_err().to_string();
        assert!(
            message.contains("`b`") && message.contains("`y`"),
            "{message}"
        );
        let too_much = vec![
            Ring::of_share("a", ppm(900_000)),
            Ring::of_share("b", ppm(200_000)),
        ];
        assert!(build(too_much).is_err());
        let same = vec![
            Ring::of_share("a", Share::ZERO),
            Ring::of_share("a", Share::ZERO),
        ];
        assert!(build(same).is_err());
        assert!(build(vec![Ring::of_share("", Share::ZERO)]).is_err());
    }

    #[test]
    fn a_stored_fleet_is_checked_again() {
        let text = serde_json::to_string(&fleet(1, 2)).unwrap();
        assert_eq!(serde_json::from_str::<Rings>(&text).unwrap(), fleet(1, 2));
        let tampered = text.replace("bench-2", "bench-1");
        assert!(serde_json::from_str::<Rings>(&tampered).is_err());
    }

    proptest! {
        #[test]
        fn widening_the_last_ring_moves_no_device_that_is_in_one(
            early in 0_u32..=300_000, broad in 0_u32..=300_000, by in 0_u32..=400_000, device in any::<String>(),
        ) {
            let before = fleet(early, broad).ring_of(&device);
            let after = fleet(early, broad + by).ring_of(&device);
            prop_assert!(before == after || (before.is_none() && after == Some(2)));
        }
    }
}
