use std::collections::BTreeSet;

use noops_core::{Share, Timestamp};
use serde::{Deserialize, Serialize};

use super::exposure::WeightedExposureRecord;
use super::hash::{Salt, bucket};
use super::overrides::{Override, Overrides};
use crate::error::CanaryError;

/// A named challenger, its share of the traffic, and the largest share it may ever have.
///
/// # Examples
///
/// ```
/// use noops_canary::Challenger;
/// use noops_core::Share;
///
/// let challenger = Challenger::new("trees", Share::from_ratio(0.05)?)
///     .with_ceiling(Share::from_ratio(0.5)?);
/// assert_eq!(challenger.name(), "trees");
/// # Ok::<(), noops_core::UnitError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenger {
    name: String,
    share: Share,
    ceiling: Option<Share>,
}

impl Challenger {
    /// A challenger whose ceiling is an equal part of what the others leave.
    pub fn new(name: impl Into<String>, share: Share) -> Self {
        Self {
            name: name.into(),
            share,
            ceiling: None,
        }
    }

    /// Reserves room for the share to grow to `ceiling`.
    #[must_use]
    pub fn with_ceiling(mut self, ceiling: Share) -> Self {
        self.ceiling = Some(ceiling);
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The share in force.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// The largest share it may have; `None` until a [`WeightedAssignment`] has divided the room.
    #[must_use]
    pub fn ceiling(&self) -> Option<Share> {
        self.ceiling
    }
}

/// Decides which of several arms serves a unit: sticky, salted, exact to one part per million, and monotone in every share.
///
/// Raising one challenger's share moves units from the champion to it and nothing else; lowering gives back the last
/// ones added. No unit ever moves between two challengers.
///
/// # Formula
///
/// The buckets `0..1_000_000` are divided into one region per challenger, as wide as its ceiling, in the order given. A
/// unit whose [`bucket`] lies within the first `share` places of a region is served by that challenger, and otherwise by the
/// champion. The ceilings cannot be avoided: an assignment that depends on the present shares only and is monotone in
/// each cannot let three challengers all grow into the whole of the rest, because any two of them would have to own each
/// other's complement. Weighted rendezvous hashing, the usual choice, is exact in its shares but not monotone in this
/// sense: with a smaller champion some of its units go to arms that were not raised (and with the score `w * h` instead of
/// `-w / ln(h)` a share of 10 % becomes one of 5.6 %).
///
/// The first region begins at 0, so an [`Assignment`](super::Assignment) with the same salt keeps the units of the first challenger.
///
/// # Examples
///
/// ```
/// use noops_canary::{Challenger, Salt, WeightedAssignment};
/// use noops_core::Share;
///
/// let challengers = vec![
///     Challenger::new("trees", Share::from_ratio(0.05)?).with_ceiling(Share::from_ratio(0.5)?),
///     Challenger::new("network", Share::from_ratio(0.01)?),
/// ];
/// let assignment = WeightedAssignment::new(Salt::new("checkout-42"), challengers)?;
/// let arm = assignment.assign("user-1").arm();
/// assert!(assignment.name(arm).is_some());
/// let raised = assignment.with_share("network", Share::from_ratio(0.2)?)?;
/// assert_eq!(raised.shares()[0], Share::from_ratio(0.75)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawWeightedAssignment")]
pub struct WeightedAssignment {
    salt: Salt,
    challengers: Vec<Challenger>,
    overrides: Overrides<String>,
}

impl WeightedAssignment {
    /// Divides the units between the champion and the challengers.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Specification`] if a name is empty, given twice or `champion`, if the ceilings sum to more than everything,
    /// or if a share is above its ceiling; [`CanaryError::Empty`] without challengers.
    pub fn new(salt: Salt, challengers: Vec<Challenger>) -> Result<Self, CanaryError> {
        refuse_names(&challengers)?;
        Ok(Self {
            salt,
            challengers: divided(challengers)?,
            overrides: Overrides::default(),
        })
    }

    /// Serves what the lists name as they say. Arms are named by the challenger's name or `champion`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Specification`] if a list names an arm that does not exist.
    pub fn with_overrides(mut self, overrides: Overrides<String>) -> Result<Self, CanaryError> {
        let mut arms = overrides.forced_arms();
        if let Some(unknown) = arms.find(|arm| self.position(arm).is_none()) {
            return Err(refused(
                unknown,
                "is named by an override but does not exist; name a challenger or `champion`",
            ));
        }
        drop(arms);
        self.overrides = overrides;
        Ok(self)
    }

    /// The same assignment with another share for one challenger.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Specification`] if there is no such challenger or the share is above its ceiling.
    pub fn with_share(mut self, name: &str, share: Share) -> Result<Self, CanaryError> {
        let found = self.challengers.iter_mut().find(|one| one.name == name);
        let Some(challenger) = found else {
            return Err(refused(name, "does not exist; name a challenger"));
        };
        challenger.share = share;
        refuse_share(challenger)?;
        Ok(self)
    }

    /// The arm that serves `unit`.
    ///
    /// # Complexity
    ///
    /// Linear in the length of the salt and the unit and in the number of challengers; nothing is allocated.
    #[must_use]
    pub fn assign(&self, unit: &str) -> WeightedAssigned {
        self.assign_with(unit, &[])
    }

    /// The arm that serves a unit with these attributes, given as pairs of name and value.
    #[must_use]
    pub fn assign_with(&self, unit: &str, attributes: &[(&str, &str)]) -> WeightedAssigned {
        match self.overrides.decide(unit, attributes) {
            Override::Forced(arm) => WeightedAssigned {
                // Every forced arm was checked to exist.
                arm: self.position(arm).unwrap_or(CHAMPION),
                overridden: true,
            },
            Override::Denied => WeightedAssigned {
                arm: CHAMPION,
                overridden: true,
            },
            Override::LeftToChance => WeightedAssigned {
                arm: self.owner(bucket(&self.salt, unit)),
                overridden: false,
            },
        }
    }

    /// Assigns the unit and records that it was served at `at`, in the given attempt at the rollout.
    #[must_use]
    pub fn expose(&self, unit: &str, at: Timestamp, generation: u64) -> WeightedExposureRecord {
        let assigned = self.assign(unit);
        WeightedExposureRecord::new(
            unit,
            assigned.arm,
            self.shares(),
            at,
            assigned.overridden,
            generation,
        )
    }

    /// The shares in force, champion first; they sum to one.
    #[must_use]
    pub fn shares(&self) -> Vec<Share> {
        let challengers = self.challengers.iter().map(Challenger::share);
        let given: u32 = challengers.clone().map(Share::ppm).sum();
        let rest = Share::FULL.ppm().saturating_sub(given);
        let champion = Share::from_ppm(rest).unwrap_or(Share::ZERO);
        std::iter::once(champion).chain(challengers).collect()
    }

    /// The name of the arm at a place in [`shares`](Self::shares); `None` beyond the last.
    #[must_use]
    pub fn name(&self, arm: usize) -> Option<&str> {
        match arm.checked_sub(1) {
            None => Some(CHAMPION_NAME),
            Some(index) => self.challengers.get(index).map(Challenger::name),
        }
    }

    /// The challengers, with the ceilings that were divided among them.
    #[must_use]
    pub fn challengers(&self) -> &[Challenger] {
        &self.challengers
    }

    /// The salt.
    #[must_use]
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// The override lists.
    #[must_use]
    pub fn overrides(&self) -> &Overrides<String> {
        &self.overrides
    }

    fn owner(&self, bucket: u32) -> usize {
        let mut start = 0_u32;
        for (index, challenger) in self.challengers.iter().enumerate() {
            let ceiling = challenger.ceiling.unwrap_or(Share::ZERO).ppm();
            let Some(place) = bucket.checked_sub(start) else {
                return CHAMPION;
            };
            if place < ceiling {
                let served = place < challenger.share.ppm();
                return if served { index + 1 } else { CHAMPION };
            }
            start = start.saturating_add(ceiling);
        }
        CHAMPION
    }

    fn position(&self, name: &str) -> Option<usize> {
        if name == CHAMPION_NAME {
            return Some(CHAMPION);
        }
        let index = self.challengers.iter().position(|one| one.name == name);
        index.map(|index| index + 1)
    }
}

/// One assignment among several arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightedAssigned {
    arm: usize,
    overridden: bool,
}

impl WeightedAssigned {
    /// The place of the arm in [`WeightedAssignment::shares`]: `0` is the champion.
    #[must_use]
    pub fn arm(&self) -> usize {
        self.arm
    }

    /// Whether an override decided, not the hash.
    #[must_use]
    pub fn is_overridden(&self) -> bool {
        self.overridden
    }

    /// Whether the outcome may be analysed.
    #[must_use]
    pub fn in_analysis(&self) -> bool {
        !self.overridden
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWeightedAssignment {
    salt: Salt,
    challengers: Vec<Challenger>,
    overrides: Overrides<String>,
}

impl TryFrom<RawWeightedAssignment> for WeightedAssignment {
    type Error = CanaryError;

    fn try_from(raw: RawWeightedAssignment) -> Result<Self, CanaryError> {
        if raw.challengers.iter().any(|one| one.ceiling.is_none()) {
            return Err(CanaryError::State {
                state: "WeightedAssignment",
                reason: "a challenger has no ceiling",
            });
        }
        Self::new(raw.salt, raw.challengers)?.with_overrides(raw.overrides)
    }
}

/// Gives the challengers without a ceiling equal parts of what the others leave.
fn divided(mut challengers: Vec<Challenger>) -> Result<Vec<Challenger>, CanaryError> {
    let ceilings = challengers.iter().filter_map(|one| one.ceiling);
    let reserved: u64 = ceilings.map(|ceiling| u64::from(ceiling.ppm())).sum();
    let Some(room) = u64::from(Share::FULL.ppm()).checked_sub(reserved) else {
        return Err(CanaryError::Specification {
            part: "the ceilings of the challengers".to_owned(),
            reason: format!(
                "sum to `{reserved} ppm`; lower them to at most `1000000 ppm` together"
            ),
        });
    };
    let open = challengers.iter().filter(|one| one.ceiling.is_none());
    let part = room / (open.count().max(1) as u64);
    // At most a million by construction.
    let part = Share::from_ppm(part as u32).unwrap_or(Share::ZERO);
    for challenger in &mut challengers {
        challenger.ceiling = challenger.ceiling.or(Some(part));
        refuse_share(challenger)?;
    }
    Ok(challengers)
}

fn refuse_share(challenger: &Challenger) -> Result<(), CanaryError> {
    let ceiling = challenger.ceiling.unwrap_or(Share::ZERO);
    if challenger.share <= ceiling {
        return Ok(());
    }
    let (share, ceiling) = (challenger.share.ppm(), ceiling.ppm());
    Err(refused(
        &challenger.name,
        &format!(
            "has share `{share} ppm` above its ceiling `{ceiling} ppm`; lower the share or start with a higher ceiling"
        ),
    ))
}

fn refuse_names(challengers: &[Challenger]) -> Result<(), CanaryError> {
    if challengers.is_empty() {
        return Err(CanaryError::Empty);
    }
    let mut seen = BTreeSet::new();
    for Challenger { name, .. } in challengers {
        if name.is_empty() || name == CHAMPION_NAME {
            return Err(refused(
                name,
                "needs another name, neither empty nor `champion`",
            ));
        }
        if !seen.insert(name) {
            return Err(refused(name, "is given twice; give each a name of its own"));
        }
    }
    Ok(())
}

fn refused(name: &str, reason: &str) -> CanaryError {
    CanaryError::Specification {
        part: format!("challenger `{name}`"),
        reason: reason.to_owned(),
    }
}

const CHAMPION: usize = 0;
const CHAMPION_NAME: &str = "champion";

#[cfg(test)]
mod tests;
