use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// What LORD++, SAFFRON and ADDIS share: an error budget that is spent along a sequence and paid into by discoveries.
///
/// Time is a counter that each rule advances in its own way. The initial budget was paid in at time 0 and each discovery
/// pays in at the time it was made; a budget of age a gives its share number a + 1 to the next test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawWealth")]
pub(super) struct Wealth {
    alpha: Alpha,
    tests: u64,
    time: u64,
    payouts: Vec<Payout>,
}

impl Wealth {
    pub(super) fn new(alpha: Alpha) -> Self {
        Self {
            alpha,
            tests: 0,
            time: 0,
            payouts: Vec::new(),
        }
    }

    pub(super) fn alpha(&self) -> Alpha {
        self.alpha
    }

    pub(super) fn tests(&self) -> u64 {
        self.tests
    }

    pub(super) fn time(&self) -> u64 {
        self.time
    }

    pub(super) fn discoveries(&self) -> u64 {
        self.payouts
            .iter()
            .fold(0, |sum, payout| sum.saturating_add(payout.discoveries))
    }

    /// The budget for the next test: the first `initial` (a share of alpha) ages from time 0, the rest of alpha comes with
    /// the first discovery, and a whole alpha with every further one.
    pub(super) fn budget(&self, initial: f64, share: impl Fn(u64) -> f64) -> f64 {
        let alpha = self.alpha.get();
        let age = |time: u64| self.time.saturating_sub(time).saturating_add(1);
        let mut budget = alpha * initial * share(age(0));
        for (index, payout) in self.payouts.iter().enumerate() {
            let mut paid = payout.discoveries as f64;
            if index == 0 {
                paid -= initial;
            }
            budget += alpha * paid * share(age(payout.time));
        }
        budget
    }

    pub(super) fn count_test(&mut self) {
        self.tests = self.tests.saturating_add(1);
    }

    pub(super) fn advance(&mut self) {
        self.time = self.time.saturating_add(1);
    }

    /// Discoveries of one time are kept as one entry.
    pub(super) fn pay(&mut self) {
        match self.payouts.last_mut() {
            Some(last) if last.time == self.time => {
                last.discoveries = last.discoveries.saturating_add(1);
            }
            _ => self.payouts.push(Payout {
                time: self.time,
                discoveries: 1,
            }),
        }
    }
}

impl TryFrom<RawWealth> for Wealth {
    type Error = DriftError;

    fn try_from(raw: RawWealth) -> Result<Self, DriftError> {
        let wealth = Self {
            alpha: raw.alpha,
            tests: raw.tests,
            time: raw.time,
            payouts: raw.payouts,
        };
        if wealth.payouts.windows(2).any(|pair| match pair {
            [earlier, later] => earlier.time >= later.time,
            _ => false,
        }) {
            return Err(invalid(
                "its discoveries are not in the order of time".to_owned(),
            ));
        }
        if wealth
            .payouts
            .iter()
            .any(|payout| payout.discoveries == 0 || payout.time > wealth.time)
        {
            return Err(invalid("it has an empty or a future discovery".to_owned()));
        }
        let discoveries = wealth.discoveries();
        if discoveries > wealth.tests || wealth.time > wealth.tests {
            return Err(invalid(format!(
                "`{}` tests cannot make `{discoveries}` discoveries by time `{}`",
                wealth.tests, wealth.time
            )));
        }
        Ok(wealth)
    }
}

impl Wealth {
    /// Takes up stored wealth of a rule whose clock moves with each test that is neither a discovery nor passed over.
    pub(super) fn with_accounted_tests(self) -> Result<Self, DriftError> {
        let accounted = self.time().saturating_add(self.discoveries());
        if accounted > self.tests() {
            return Err(invalid(format!(
                "`{accounted}` discoveries and non-candidates are more than its `{}` tests",
                self.tests()
            )));
        }
        Ok(self)
    }
}

pub(super) fn invalid(reason: String) -> DriftError {
    DriftError::InvalidState {
        state: "online test",
        reason,
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Payout {
    time: u64,
    discoveries: u64,
}

#[derive(Deserialize)]
struct RawWealth {
    alpha: Alpha,
    tests: u64,
    time: u64,
    payouts: Vec<Payout>,
}
