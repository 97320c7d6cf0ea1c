use serde::{Deserialize, Serialize};

use super::traffic::Traffic;

/// What a proof of non-inferiority takes where the candidate is identical; `None` where it does not come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProofPlan {
    pub(super) half: Option<Requirement>,
    pub(super) eighty: Option<Requirement>,
    pub(super) ninety: Option<Requirement>,
    pub(super) promotion: Option<Requirement>,
}

impl ProofPlan {
    /// With a probability of one half.
    #[must_use]
    pub fn half(&self) -> Option<Requirement> {
        self.half
    }

    /// With a probability of 80 %.
    #[must_use]
    pub fn eighty(&self) -> Option<Requirement> {
        self.eighty
    }

    /// With a probability of 90 %.
    #[must_use]
    pub fn ninety(&self) -> Option<Requirement> {
        self.ninety
    }

    /// With the probability that all guardrails together need for the power of the settings.
    #[must_use]
    pub fn promotion(&self) -> Option<Requirement> {
        self.promotion
    }
}

/// What it takes to find out a candidate that is worse by an effect; `None` where it is not found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HarmPlan {
    pub(super) effect: f64,
    pub(super) half: Option<Requirement>,
    pub(super) eighty: Option<Requirement>,
}

impl HarmPlan {
    /// How many times worse the candidate is (for pairs: by how many margins).
    #[must_use]
    pub fn effect(&self) -> f64 {
        self.effect
    }

    /// With a probability of one half.
    #[must_use]
    pub fn half(&self) -> Option<Requirement> {
        self.half
    }

    /// With a probability of 80 %.
    #[must_use]
    pub fn eighty(&self) -> Option<Requirement> {
        self.eighty
    }
}

/// Requests of both arms together (pairs, for paired losses), and the time in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    requests: u64,
    minutes: f64,
}

impl Requirement {
    /// The requests.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// The minutes.
    #[must_use]
    pub fn minutes(&self) -> f64 {
        self.minutes
    }
}

/// Turns requests, or pairs, into minutes.
pub(super) struct Clock {
    pub(super) traffic: Traffic,
    pub(super) per_request: f64,
}

impl Clock {
    pub(super) fn requirement(&self, requests: Option<f64>) -> Option<Requirement> {
        let requests = requests?.ceil();
        let minutes = self.traffic.minutes_for(requests / self.per_request);
        minutes.is_finite().then_some(Requirement {
            requests: requests as u64,
            minutes,
        })
    }
}
