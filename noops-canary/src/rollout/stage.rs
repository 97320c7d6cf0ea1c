use noops_core::Share;
use serde::{Deserialize, Serialize};

/// Where a rollout stands.
///
/// The last five are final: no event leaves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The candidate sees a copy of the traffic and serves none of it.
    Shadow,
    /// The candidate is up beside the champion (green beside blue), is checked, and serves nothing.
    Verify,
    /// The candidate serves a share of the traffic.
    Ramp {
        /// The position in the ramp.
        index: usize,
        /// The share it serves.
        share: Share,
    },
    /// The candidate runs in the rings up to this one.
    Ring {
        /// The position of the outermost ring it runs in.
        index: usize,
        /// The share of the fleet in the rings up to this one.
        share: Share,
    },
    /// The candidate serves everything, and the champion is kept ready to take over at once.
    Bake,
    /// The candidate is the new champion. Final.
    Promoted,
    /// The evidence, or the lack of it, took all traffic from the candidate. Final.
    RolledBack,
    /// A person took all traffic from the candidate. Final.
    Aborted,
    /// A shadow-only rollout found the candidate no worse than the margin allows. Final.
    Proven,
    /// A shadow-only rollout found harm, or nothing. Final.
    NotProven,
}

impl Stage {
    /// Whether the rollout is over.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Promoted | Self::RolledBack | Self::Aborted | Self::Proven | Self::NotProven
        )
    }

    /// The share of live traffic the candidate is meant to serve in this stage.
    #[must_use]
    pub fn share(self) -> Share {
        match self {
            Self::Shadow
            | Self::Verify
            | Self::RolledBack
            | Self::Aborted
            | Self::Proven
            | Self::NotProven => Share::ZERO,
            Self::Ramp { share, .. } | Self::Ring { share, .. } => share,
            Self::Bake | Self::Promoted => Share::FULL,
        }
    }

    /// Whether the rollout ended against the candidate.
    #[must_use]
    pub fn is_failed(self) -> bool {
        matches!(self, Self::RolledBack | Self::Aborted | Self::NotProven)
    }
}
