mod books;
mod exploration;
mod forms;
mod gates;
mod hostile;
mod invariants;
mod people;
mod properties;
mod router;

use std::time::Duration;

use noops_core::{Digest, Share, Timestamp};

use super::*;
use crate::error::CanaryError;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn share(ppm: u32) -> Share {
    Share::from_ppm(ppm).unwrap()
}

/// A stage stays at least 60 s and 100 events of each arm, at most 600 s.
fn gate() -> StageGate {
    StageGate::new(Duration::from_secs(60), Duration::from_secs(600), 100)
}

fn ramp(shares: &[u32], gate: StageGate) -> Vec<RampStage> {
    let stage = |&ppm| RampStage::new(share(ppm), gate);
    shares.iter().map(stage).collect()
}

/// Shadow, 1 %, 50 %.
fn canary() -> RolloutSpec {
    RolloutSpec::canary(Some(gate()), ramp(&[10_000, 500_000], gate())).unwrap()
}

fn blue_green() -> RolloutSpec {
    RolloutSpec::blue_green(gate(), gate()).unwrap()
}

fn rings() -> RolloutSpec {
    let ring = |(name, ppm)| Ring::new(name, share(ppm), gate());
    let rings = [("lab", 1_000), ("pilot", 50_000), ("fleet", 1_000_000)];
    RolloutSpec::rings(rings.map(ring).to_vec()).unwrap()
}

fn shadow_only() -> RolloutSpec {
    RolloutSpec::shadow_only(gate()).unwrap()
}

fn candidate() -> Digest {
    Digest::of(b"candidate")
}

fn margins() -> Digest {
    Digest::of(b"margins")
}

fn other_margins() -> Digest {
    Digest::of(b"other margins")
}

fn started(spec: RolloutSpec) -> Rollout {
    Rollout::start("r-1".to_owned(), spec, candidate(), margins(), at(0))
}

fn judged(verdict: RolloutVerdict, events: u64) -> RolloutEvent {
    RolloutEvent::Judged {
        verdict,
        evidence: EvidenceSummary::new(margins(), events, events),
    }
}

fn promote(events: u64) -> RolloutEvent {
    judged(RolloutVerdict::Promote, events)
}

fn harm(events: u64) -> RolloutEvent {
    let because = "latency".to_owned();
    judged(RolloutVerdict::RollBack { because }, events)
}

/// What a router says that did what it was told.
fn applied(rollout: &Rollout) -> RolloutEvent {
    RolloutEvent::ShareApplied {
        generation: rollout.generation(),
        share: rollout.share(),
    }
}

fn take(rollout: &Rollout, second: i64, event: &RolloutEvent) -> Rollout {
    rollout.step(at(second), event).into_state()
}

/// With the share of the present stage in force.
fn in_force(rollout: &Rollout, second: i64) -> Rollout {
    take(rollout, second, &applied(rollout))
}

/// The first ramp stage, in force since second 100, with 100 events seen before.
fn ramping() -> Rollout {
    let shadow = in_force(&started(canary()), 0);
    let ramp = take(&shadow, 100, &promote(100));
    in_force(&ramp, 100)
}
