use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::slo::{BudgetLadder, LowTraffic, SloError, duration_text};

/// How an objective is tracked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SloSettings {
    low_traffic: LowTraffic,
    ladder: BudgetLadder,
    #[serde(with = "duration_text")]
    heartbeat: Duration,
    #[serde(with = "duration_text")]
    lead: Duration,
}

impl SloSettings {
    /// Sets what a rule asks of few events.
    #[must_use]
    pub fn with_low_traffic(mut self, low_traffic: LowTraffic) -> Self {
        self.low_traffic = low_traffic;
        self
    }

    /// Sets the tiers of the budget.
    #[must_use]
    pub fn with_ladder(mut self, ladder: BudgetLadder) -> Self {
        self.ladder = ladder;
        self
    }

    /// Sets the longest time between two signs of life during which the objective still counts as watched.
    #[must_use]
    pub fn with_heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// Sets how far ahead of the last known time an event may be stamped. It is checked when the tracker is made: at most a
    /// day.
    #[must_use]
    pub fn with_lead(mut self, lead: Duration) -> Self {
        self.lead = lead;
        self
    }

    /// What a rule asks of few events.
    pub fn low_traffic(&self) -> LowTraffic {
        self.low_traffic
    }

    /// The tiers of the budget.
    pub fn ladder(&self) -> &BudgetLadder {
        &self.ladder
    }

    /// The longest time between two signs of life.
    pub fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    /// How far ahead an event may be stamped.
    pub fn lead(&self) -> Duration {
        self.lead
    }

    pub(crate) fn check(&self) -> Result<(), SloError> {
        if self.lead > MAX_LEAD {
            return Err(SloError::Duration {
                what: "the lead of an event",
                given: duration_text::format(self.lead),
                allowed: "at most `1d`".to_owned(),
            });
        }
        Ok(())
    }
}

impl Default for SloSettings {
    /// The confidence bound at one in a hundred, the usual ladder, a heartbeat of five minutes, and a lead of an hour.
    fn default() -> Self {
        Self {
            low_traffic: LowTraffic::default(),
            ladder: BudgetLadder::default(),
            heartbeat: Duration::from_secs(300),
            lead: Duration::from_secs(3_600),
        }
    }
}

const MAX_LEAD: Duration = Duration::from_secs(86_400);
