use std::time::Duration;

use proptest::prelude::*;

use super::{at, governor, path};
use crate::cost::*;

/// What a person with a list and a pencil would keep: every balance is summed up from scratch.
#[derive(Default)]
struct Naive {
    latest: i64,
    /// Key, place, amount, until, and whether it still holds.
    holds: Vec<(String, &'static str, i128, i64, Hold)>,
    charges: Vec<(&'static str, i64, i128)>,
    adjusted: Vec<(String, &'static str, i128, i64)>,
    committed: Vec<(String, i128)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Hold {
    Open,
    Expired,
    Committed,
    Refunded,
}

const BUDGETS: [(&str, i128, bool); 3] =
    [("o", 100, false), ("o/t", 60, false), ("o/t/m", 30, true)];
const PLACES: [&str; 5] = ["o", "o/t", "o/t/m", "o/t/m/j", "o/u"];

impl Naive {
    fn now(&self, clock: i64) -> i64 {
        self.latest.max(clock)
    }

    fn below(place: &str, budget: &str) -> bool {
        place == budget || place.starts_with(&format!("{budget}/"))
    }

    fn used(&self, (budget, _, rolling): (&str, i128, bool), now: i64) -> i128 {
        let counts = |at: i64| {
            if rolling {
                at > now - 3600
            } else {
                at.div_euclid(86_400) == now.div_euclid(86_400)
            }
        };
        let spent: i128 = self
            .charges
            .iter()
            .filter(|(place, at, _)| Self::below(place, budget) && counts(*at))
            .map(|(_, _, amount)| amount)
            .sum();
        let held: i128 = self
            .holds
            .iter()
            .filter(|(_, place, _, until, hold)| {
                Self::below(place, budget) && *hold == Hold::Open && now < *until
            })
            .map(|(_, _, amount, _, _)| amount)
            .sum();
        spent + held
    }

    fn expire(&mut self, now: i64) -> usize {
        let mut count = 0;
        for (_, _, _, until, hold) in &mut self.holds {
            if *hold == Hold::Open && *until <= now {
                *hold = Hold::Expired;
                count += 1;
            }
        }
        if count > 0 {
            self.latest = now;
        }
        count
    }

    fn reserve(
        &mut self,
        key: &str,
        place: &'static str,
        amount: i128,
        safe: bool,
        clock: i64,
    ) -> bool {
        let now = self.now(clock);
        if let Some((_, known, size, until, hold)) = self.holds.iter().find(|hold| hold.0 == key) {
            return *known == place && *size == amount && *hold == Hold::Open && now < *until;
        }
        let fits = BUDGETS
            .iter()
            .filter(|(budget, ..)| Self::below(place, budget))
            .all(|budget| self.used(*budget, now) + amount <= budget.1);
        if !fits && !safe {
            return false;
        }
        self.expire(now);
        self.holds
            .push((key.to_owned(), place, amount, now + 600, Hold::Open));
        self.latest = now;
        true
    }

    fn commit(&mut self, key: &str, actual: i128, clock: i64) -> bool {
        let now = self.now(clock);
        let Some(hold) = self.holds.iter_mut().find(|hold| hold.0 == key) else {
            return false;
        };
        match hold.4 {
            Hold::Refunded => false,
            Hold::Committed => self.committed.contains(&(key.to_owned(), actual)),
            Hold::Open | Hold::Expired => {
                hold.4 = Hold::Committed;
                self.charges.push((hold.1, now, actual));
                self.committed.push((key.to_owned(), actual));
                self.latest = now;
                true
            }
        }
    }

    fn refund(&mut self, key: &str, clock: i64) -> bool {
        let now = self.now(clock);
        let Some(hold) = self.holds.iter_mut().find(|hold| hold.0 == key) else {
            return false;
        };
        match hold.4 {
            Hold::Committed => false,
            Hold::Open => {
                hold.4 = Hold::Refunded;
                self.latest = now;
                true
            }
            Hold::Refunded | Hold::Expired => true,
        }
    }

    fn adjust(
        &mut self,
        key: &str,
        place: &'static str,
        amount: i128,
        at: i64,
        clock: i64,
    ) -> bool {
        let now = self.now(clock);
        let this = (key.to_owned(), place, amount, at);
        if let Some(known) = self.adjusted.iter().find(|known| known.0 == key) {
            return *known == this;
        }
        if at > now {
            return false;
        }
        self.adjusted.push(this);
        self.charges.push((place, at, amount));
        self.latest = now;
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// 48 × 150 operations in hostile order: duplicates, reused keys, clocks that jump back and forth, stored and read back.
    #[test]
    fn the_governor_agrees_with_sums_from_scratch(
        operations in prop::collection::vec(
            (0_u8..6, 0_usize..40, 0_usize..5, 1_i64..45, -2_000_i64..4_000, any::<u8>()),
            150,
        )
    ) {
        let mut governor = governor();
        let mut naive = Naive::default();
        let mut clock = 80_000_i64;
        for (operation, key, place, units, step, dice) in operations {
            clock = (clock + step).max(0);
            let key = format!("k{key}");
            let place = PLACES[place];
            let micros = i128::from(units);
            let amount = Money::from_units(units).unwrap();
            match operation {
                0 | 1 => {
                    let safe = dice < 20;
                    let lease = Duration::from_secs(600);
                    let mut request = SpendRequest::new(&key, path(place), amount, lease).unwrap();
                    // The naive list tells requests apart by place and amount only.
                    let known = naive.holds.iter().any(|hold| hold.0 == key);
                    if safe && !known {
                        request = request.with_purpose(Purpose::Safety);
                    } else if known
                        && let Some(booked) = governor.reservation(&key)
                    {
                        request = request.with_purpose(booked.request().purpose());
                    }
                    let allowed = governor.reserve(&request, at(clock)).is_ok();
                    prop_assert_eq!(allowed, naive.reserve(&key, place, micros, safe, clock));
                }
                2 => {
                    let done = governor.commit(&key, amount, at(clock)).is_ok();
                    prop_assert_eq!(done, naive.commit(&key, micros, clock));
                }
                3 => {
                    let done = governor.refund(&key, at(clock)).is_ok();
                    prop_assert_eq!(done, naive.refund(&key, clock));
                }
                4 => {
                    let now = naive.now(clock);
                    prop_assert_eq!(governor.expire(at(clock)).len(), naive.expire(now));
                }
                _ => {
                    let (sign, sum) = if dice < 128 { (1, micros) } else { (-1, -micros) };
                    let amount = Money::from_units(sign * units).unwrap();
                    let charged = clock - i64::from(dice) * 500;
                    let adjustment =
                        Adjustment::new(&key, path(place), amount, at(charged)).unwrap();
                    let done = governor.adjust(&adjustment, at(clock)).is_ok();
                    prop_assert_eq!(done, naive.adjust(&key, place, sum, charged, clock));
                }
            }
            for budget in BUDGETS {
                let now = naive.now(clock);
                let status = governor.status(&path(budget.0), at(clock)).unwrap();
                let expected = naive.used(budget, now) * 1_000_000;
                prop_assert_eq!(status.used().micros(), expected, "{} at {}", budget.0, now);
            }
        }
        let json = serde_json::to_string(&governor).unwrap();
        let read: CostGovernor = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&read, &governor);
        for (place, ..) in BUDGETS {
            let now = at(clock);
            prop_assert_eq!(read.status(&path(place), now), governor.status(&path(place), now));
        }
    }

    #[test]
    fn reservations_alone_never_exceed_a_hard_cap(
        operations in prop::collection::vec((0_usize..5, 1_i64..40, 0_i64..400, any::<bool>()), 60)
    ) {
        let mut governor = governor();
        let mut clock = 0;
        for (index, (place, units, step, commits)) in operations.into_iter().enumerate() {
            clock += step;
            let key = format!("k{index}");
            let amount = Money::from_units(units).unwrap();
            let lease = Duration::from_secs(600);
            let request = SpendRequest::new(&key, path(PLACES[place]), amount, lease).unwrap();
            if governor.reserve(&request, at(clock)).is_ok() && commits {
                prop_assert!(governor.commit(&key, amount, at(clock)).is_ok());
            }
            for (place, ..) in BUDGETS {
                prop_assert_eq!(governor.status(&path(place), at(clock)).unwrap().over_cap(), None);
            }
        }
    }
}
