//! Service levels per arm.

use super::requests::RequestTelemetry;

/// In which part a version answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ArmRole {
    /// The version that serves most.
    Champion,
    /// A version on trial, with a share of the traffic.
    Challenger,
    /// A version whose answers nobody gets.
    Shadow,
    /// The version that answers when another failed.
    Fallback,
}

impl ArmRole {
    /// All parts.
    pub const ALL: [Self; 4] = [
        Self::Champion,
        Self::Challenger,
        Self::Shadow,
        Self::Fallback,
    ];

    /// The word that stands for it in labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Challenger => "challenger",
            Self::Shadow => "shadow",
            Self::Fallback => "fallback",
        }
    }
}

/// The requests of one deployment by the part that was asked, however often the versions change.
///
/// What a fallback answers counts twice: as a fallback, which is no success, of the arm in whose place it stood, and as an answer of
/// the fallback.
#[derive(Debug, Default)]
pub struct ArmTelemetry {
    champion: RequestTelemetry,
    challenger: RequestTelemetry,
    shadow: RequestTelemetry,
    fallback: RequestTelemetry,
}

impl ArmTelemetry {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The requests of one part. Several challengers count as one here; the metrics of their versions tell them apart.
    #[must_use]
    pub fn of(&self, role: ArmRole) -> &RequestTelemetry {
        match role {
            ArmRole::Champion => &self.champion,
            ArmRole::Challenger => &self.challenger,
            ArmRole::Shadow => &self.shadow,
            ArmRole::Fallback => &self.fallback,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::RequestOutcome;

    #[test]
    fn a_shadow_does_not_count_for_the_champion() {
        let arms = ArmTelemetry::new();
        arms.of(ArmRole::Shadow)
            .record(RequestOutcome::Failed, Duration::ZERO, 1);
        let requests = ArmRole::ALL.map(|role| arms.of(role).snapshot().total().requests());
        assert_eq!(requests, [0, 0, 1, 0]);
    }
}
