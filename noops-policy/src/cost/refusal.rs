use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cost::{BudgetPath, OverCap, SpendRequest};

/// A request for money that was refused. Nothing was booked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostRefusal {
    // Boxed, so that the answer to a request that is granted stays small.
    request: Box<SpendRequest>,
    reason: CostRefusalReason,
}

impl CostRefusal {
    pub(crate) fn new(request: &SpendRequest, reason: CostRefusalReason) -> Self {
        Self {
            request: Box::new(request.clone()),
            reason,
        }
    }

    /// What was asked for.
    pub fn request(&self) -> &SpendRequest {
        &self.request
    }

    /// Why it was refused.
    pub fn reason(&self) -> &CostRefusalReason {
        &self.reason
    }
}

impl fmt::Display for CostRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request `{}`: ", self.request.key())?;
        match &self.reason {
            CostRefusalReason::HardCap { over_caps } => {
                for (index, over_cap) in over_caps.iter().enumerate() {
                    let joint = if index == 0 { "" } else { ", and " };
                    write!(f, "{joint}{over_cap}")?;
                }
                match over_caps.iter().map(OverCap::period_end).max() {
                    Some(end) => write!(f, "; wait until `{end}`, ask for less, or raise the cap"),
                    None => write!(f, "; raise the cap"),
                }
            }
            CostRefusalReason::NoBudget { suggestion } => {
                write!(f, "no budget covers `{}`", self.request.path())?;
                match suggestion {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => write!(f, "; set one for it or for a path above it"),
                }
            }
            CostRefusalReason::KeyReused => write!(
                f,
                "the key was used for another request; give every request a key of its own"
            ),
            CostRefusalReason::Settled => write!(
                f,
                "the reservation of this key is settled; ask with a new key"
            ),
        }
    }
}

impl std::error::Error for CostRefusal {}

/// Why a request for money was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CostRefusalReason {
    /// It would exceed hard caps.
    HardCap {
        /// Every cap that it would exceed, the organisation's first.
        over_caps: Vec<OverCap>,
    },
    /// No budget covers the path: without one, nothing may be spent.
    NoBudget {
        /// The path with a budget that is nearest to it, if one is near.
        suggestion: Option<BudgetPath>,
    },
    /// The key was used for another request.
    KeyReused,
    /// The key was used for this request, and it is settled.
    Settled,
}
