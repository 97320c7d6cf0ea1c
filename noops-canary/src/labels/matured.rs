use noops_core::jiff::SignedDuration;
use noops_core::{Share, Timestamp};
use serde::{Deserialize, Serialize};

use crate::assignment::Arm;

/// A request that was served and whose label is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LabelledExposure {
    served_at: Timestamp,
    arm: Arm,
    share: Share,
}

impl LabelledExposure {
    /// A request served at `served_at` by `arm` while the challenger's share was `share`.
    #[must_use]
    pub fn new(served_at: Timestamp, arm: Arm, share: Share) -> Self {
        Self {
            served_at,
            arm,
            share,
        }
    }

    /// When it was served.
    #[must_use]
    pub fn served_at(&self) -> Timestamp {
        self.served_at
    }

    /// The arm that served it.
    #[must_use]
    pub fn arm(&self) -> Arm {
        self.arm
    }

    /// The share of the challenger in force when it was served.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }
}

/// An exposure that has reached the age at which it may be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matured {
    id: String,
    exposure: LabelledExposure,
    bucket: i64,
    maturity: Maturity,
}

impl Matured {
    pub(super) fn new(
        id: String,
        exposure: LabelledExposure,
        bucket: i64,
        maturity: Maturity,
    ) -> Self {
        Self {
            id,
            exposure,
            bucket,
            maturity,
        }
    }

    /// The identifier of the request.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The exposure.
    #[must_use]
    pub fn exposure(&self) -> &LabelledExposure {
        &self.exposure
    }

    /// The arrival bucket: the number of whole buckets from 1970 until it was served.
    #[must_use]
    pub fn bucket(&self) -> i64 {
        self.bucket
    }

    /// What came of it within the window.
    #[must_use]
    pub fn maturity(&self) -> Maturity {
        self.maturity
    }

    /// The label's value; `None` if it was censored.
    #[must_use]
    pub fn label(&self) -> Option<f64> {
        match self.maturity {
            Maturity::Labelled { value, .. } => Some(value),
            Maturity::Censored => None,
        }
    }
}

/// What came of an exposure within the label window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Maturity {
    /// Its label came in time.
    Labelled {
        /// The label.
        value: f64,
        /// How long after serving it came.
        delay: SignedDuration,
    },
    /// No label came within the window, whatever came later.
    Censored,
}
