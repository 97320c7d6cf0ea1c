use noops_core::{Share, unit_hash};
use serde::{Deserialize, Serialize};

use crate::assignment::Arm;
use crate::error::CanaryError;

/// Whether units come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Units {
    /// Every request is assigned by itself: nothing is remembered.
    Independent,
    /// A unit keeps its arm while the share stands, and the challenger's units stay the challenger's as it rises, as with an
    /// [`Assignment`](crate::Assignment). Its requests are not independent then: one of them counts at each share, and as many units as
    /// this are remembered, in 11 to 22 bytes each, set aside at once. Units beyond that are not judged, and counted.
    ///
    /// A unit whose first requests went to the champion at share `s` goes to the challenger at share `t` with probability
    /// `(t - s) / (1 - s)`. Where arms are drawn anew as the share moves, that is wrong, and shows as a mismatch of the shares.
    Sticky(u32),
}

impl Units {
    pub(super) fn check(self) -> Result<(), CanaryError> {
        match self {
            Self::Sticky(remembered) if !(1..=MOST_REMEMBERED).contains(&remembered) => {
                Err(CanaryError::Setting {
                    name: "units.sticky",
                    value: f64::from(remembered),
                    allowed: "from 1 to 268435456",
                })
            }
            _ => Ok(()),
        }
    }
}

impl Default for Units {
    fn default() -> Self {
        Self::Sticky(1 << 19)
    }
}

/// The unit of a request, as sixty-four bits.
///
/// # Examples
///
/// ```
/// use noops_canary::judge::Unit;
///
/// assert_eq!(Unit::of("user-1"), Unit::of("user-1"));
/// assert_ne!(Unit::of("user-1"), Unit::of("user-2"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unit(u64);

impl Unit {
    /// The unit of this name. Its bits have nothing to do with the arm it is assigned to.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(unit_hash("judge", name))
    }

    /// The unit of these bits, for hosts that have numbers; they are mixed, so any will do.
    #[must_use]
    pub fn of_number(number: u64) -> Self {
        // The finaliser of SplitMix64, a bijection.
        let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(z ^ (z >> 31))
    }

    /// The bits.
    #[must_use]
    pub fn bits(self) -> u64 {
        self.0
    }
}

/// What a request of a unit may tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sight {
    /// It went to the challenger with this probability, given all that was known of the unit.
    News(f64),
    /// Where it went was certain: the unit has been counted at this share, or was the challenger's before.
    Repeat,
    /// The memory is full.
    Unremembered,
}

/// Remembers in which arm, and at which share, each unit was counted last: open addressing, a word per unit.
///
/// A word holds 43 bits of the unit and 21 of the memory: the share in parts per million at which the champion served it, or that the
/// challenger did. Two units that agree in their 43 bits are taken for one, which has nothing to do with their outcomes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "RawTable", into = "RawTable")]
pub(super) struct UnitTable {
    words: Vec<u64>,
    remembered: u32,
    limit: u32,
}

impl UnitTable {
    pub(super) fn new(limit: u32) -> Self {
        let limit = limit.clamp(1, MOST_REMEMBERED);
        // At most three quarters full.
        let places = (limit as usize)
            .saturating_mul(4)
            .div_ceil(3)
            .next_power_of_two();
        Self {
            words: vec![EMPTY; places],
            remembered: 0,
            limit,
        }
    }

    /// Sees a unit in an arm at a share, and remembers it.
    pub(super) fn see(&mut self, unit: Unit, arm: Arm, share: Share) -> Sight {
        let key = unit.0 & !MEMORY;
        // An empty word is zero, so no key may be.
        let key = if key == 0 { MEMORY + 1 } else { key };
        let full = self.remembered >= self.limit;
        let memory = match arm {
            Arm::Challenger => CHALLENGED,
            Arm::Champion => u64::from(share.ppm()),
        };
        let Some(word) = self.word_of(key) else {
            return Sight::Unremembered;
        };
        if *word == EMPTY {
            if full {
                return Sight::Unremembered;
            }
            *word = key | memory;
            self.remembered += 1;
            return Sight::News(share.ratio());
        }
        let before = *word & MEMORY;
        if before >= u64::from(share.ppm()) {
            return Sight::Repeat;
        }
        *word = key | memory;
        let (then, now) = (before as f64 / MILLION, share.ratio());
        Sight::News((now - then) / (1.0 - then))
    }

    pub(super) fn remembered(&self) -> u32 {
        self.remembered
    }

    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// The word of a unit, or the empty one where it belongs.
    #[expect(
        clippy::indexing_slicing,
        reason = "a place is masked by the number of words less one, and the number is a power of two"
    )]
    fn word_of(&mut self, key: u64) -> Option<&mut u64> {
        let mask = self.words.len().checked_sub(1)?;
        let mut place = (key >> 21) as usize & mask;
        // A quarter of the words is empty, so this ends.
        while self.words[place] != EMPTY && self.words[place] & !MEMORY != key {
            place = (place + 1) & mask;
        }
        Some(&mut self.words[place])
    }

    fn sorted_words(&self) -> Vec<u64> {
        let words = self.words.iter().copied();
        let mut words: Vec<u64> = words.filter(|word| *word != EMPTY).collect();
        words.sort_unstable();
        words
    }
}

/// The order in which units came leaves no trace in what is remembered.
impl PartialEq for UnitTable {
    fn eq(&self, other: &Self) -> bool {
        self.limit == other.limit
            && self.remembered == other.remembered
            && self.sorted_words() == other.sorted_words()
    }
}

/// The words alone, in ascending order, so that equal memories are equal bytes.
#[derive(Serialize, Deserialize)]
struct RawTable {
    limit: u32,
    units: Vec<u64>,
}

impl TryFrom<RawTable> for UnitTable {
    type Error = CanaryError;

    fn try_from(raw: RawTable) -> Result<Self, CanaryError> {
        let refuse = |reason| CanaryError::State {
            state: "memory of units",
            reason,
        };
        if !(1..=MOST_REMEMBERED).contains(&raw.limit) || raw.units.len() > raw.limit as usize {
            return Err(refuse("it holds more units than it may"));
        }
        let mut table = Self::new(raw.limit);
        for word in raw.units {
            let (key, memory) = (word & !MEMORY, word & MEMORY);
            if key == 0 || (memory > MILLION as u64 && memory != CHALLENGED) {
                return Err(refuse("a unit has no share"));
            }
            match table.word_of(key) {
                Some(place) if *place == EMPTY => *place = word,
                _ => return Err(refuse("a unit occurs twice")),
            }
            table.remembered += 1;
        }
        Ok(table)
    }
}

impl From<UnitTable> for RawTable {
    fn from(table: UnitTable) -> Self {
        Self {
            limit: table.limit,
            units: table.sorted_words(),
        }
    }
}

const EMPTY: u64 = 0;
const MEMORY: u64 = (1 << 21) - 1;
const CHALLENGED: u64 = MEMORY;
const MILLION: f64 = 1e6;
const MOST_REMEMBERED: u32 = 1 << 28;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignment::{Assignment, Salt};

    fn share(ppm: u32) -> Share {
        Share::from_ppm(ppm).unwrap()
    }

    #[test]
    fn a_unit_counts_once_at_each_share_and_never_again_after_the_challenger_served_it() {
        let mut table = UnitTable::new(10);
        let unit = Unit::of("u");
        let quarter = share(250_000);
        assert_eq!(table.see(unit, Arm::Champion, quarter), Sight::News(0.25));
        assert_eq!(table.see(unit, Arm::Champion, quarter), Sight::Repeat);
        // (0.5 - 0.25) / 0.75: of the units that were the champion's, a third go over.
        assert_eq!(
            table.see(unit, Arm::Challenger, share(500_000)),
            Sight::News(1.0 / 3.0)
        );
        assert_eq!(
            table.see(unit, Arm::Challenger, share(900_000)),
            Sight::Repeat
        );
        assert_eq!(table.remembered(), 1);
    }

    #[test]
    fn the_stated_probability_is_the_share_of_units_that_go_over() {
        let mut table = UnitTable::new(20_000);
        let at = |ppm| Assignment::new(Salt::new("s"), share(ppm));
        let (low, high) = (at(100_000), at(400_000));
        let (mut went, mut expected, mut variance) = (0.0, 0.0, 0.0_f64);
        for n in 0..20_000 {
            let name = format!("user-{n}");
            table.see(Unit::of(&name), low.arm(&name), low.share());
        }
        for n in 0..20_000 {
            let name = format!("user-{n}");
            let arm = high.arm(&name);
            if let Sight::News(p) = table.see(Unit::of(&name), arm, high.share()) {
                expected += p;
                variance += p * (1.0 - p);
                went += f64::from(u8::from(arm == Arm::Challenger));
            }
        }
        assert!(
            (went - expected).abs() < 4.0 * variance.sqrt(),
            "{went} {expected}"
        );
    }

    #[test]
    fn a_full_memory_says_so() {
        let mut table = UnitTable::new(3);
        let half = share(500_000);
        let seen = (0..5).map(|n| table.see(Unit::of_number(n), Arm::Champion, half));
        let forgotten = seen.filter(|sight| *sight == Sight::Unremembered).count();
        assert_eq!(forgotten, 2);
    }

    #[test]
    fn memory_survives_storage_and_tampering_is_refused() {
        let mut table = UnitTable::new(100);
        for n in 0..60 {
            let arm = if n % 3 == 0 {
                Arm::Challenger
            } else {
                Arm::Champion
            };
            table.see(Unit::of_number(n), arm, share(333_333));
        }
        let text = serde_json::to_string(&table).unwrap();
        let mut back: UnitTable = serde_json::from_str(&text).unwrap();
        assert_eq!(back, table);
        for n in 0..120 {
            let step = (Unit::of_number(n), Arm::Champion, share(700_000));
            assert_eq!(
                back.see(step.0, step.1, step.2),
                table.see(step.0, step.1, step.2)
            );
        }
        for hostile in [
            r#"{"limit":0,"units":[]}"#,
            r#"{"limit":1,"units":[4194305,8388609]}"#,
            r#"{"limit":9,"units":[4194305,4194305]}"#,
            r#"{"limit":9,"units":[0]}"#,
            r#"{"limit":9,"units":[5242880]}"#,
        ] {
            assert!(
                serde_json::from_str::<UnitTable>(hostile).is_err(),
                "{hostile}"
            );
        }
    }
}
