//! What each event does to a rollout.

use std::time::Duration;

use noops_core::{Digest, Share, Timestamp};

use super::command::{Command, Notice};
use super::event::{EvidenceSummary, RolloutEvent, RolloutVerdict};
use super::gate::{AdvanceOn, OnInconclusive, StageGate};
use super::spec::RolloutForm;
use super::stage::Stage;
use super::step::{Decision, Ignored, Step};
use super::{Counts, Rollout, elapsed, later};

impl Step {
    pub(super) fn take(&mut self, now: Timestamp, event: &RolloutEvent) {
        let outcome = match event {
            RolloutEvent::Tick => {
                self.tick(now);
                Ok(())
            }
            RolloutEvent::ShareApplied { generation, share } => {
                self.applied(now, *generation, *share)
            }
            RolloutEvent::ShareObserved { generation, share } => {
                self.observed(now, *generation, *share)
            }
            RolloutEvent::ShareUnknown => {
                self.unknown();
                Ok(())
            }
            RolloutEvent::QuarantineRecorded { candidate } => self.quarantined(*candidate),
            _ if self.state.is_final() => Err(Ignored::Ended),
            RolloutEvent::Judged { verdict, evidence } => self.judged(now, verdict, evidence),
            RolloutEvent::Pause => self.pause(now),
            RolloutEvent::Resume { generation } => self.resume(now, *generation),
            RolloutEvent::Abort { reason } => {
                self.abort(now, reason.clone());
                Ok(())
            }
            RolloutEvent::PromoteNow { generation, by } => self.promote_now(now, *generation, by),
            RolloutEvent::SpecChanged { generation, judge } => {
                self.restart(now, *generation, *judge)
            }
        };
        self.ignored = outcome.err();
    }

    fn tick(&mut self, now: Timestamp) {
        let rollout = &self.state;
        let waits = rollout.is_final() || rollout.is_paused() || rollout.held;
        match rollout.gate() {
            Some(gate) if !waits && rollout.is_overdue(now, &gate) => self.inconclusive(now, &gate),
            _ => self.repeat(),
        }
    }

    fn judged(
        &mut self,
        now: Timestamp,
        verdict: &RolloutVerdict,
        evidence: &EvidenceSummary,
    ) -> Result<(), Ignored> {
        let rollout = &mut self.state;
        if evidence.judge() != rollout.judge {
            return Err(Ignored::ForeignEvidence);
        }
        // A proof of harm stands whatever else was seen, and protection is never paused.
        if let RolloutVerdict::RollBack { because } = verdict {
            self.fail(now, because.clone());
            return Ok(());
        }
        if rollout.is_paused() {
            return Err(Ignored::Paused);
        }
        let counts = Counts {
            champion: evidence.n_champion(),
            candidate: evidence.n_candidate(),
        };
        if counts.champion < rollout.seen.champion || counts.candidate < rollout.seen.candidate {
            return Err(Ignored::StaleEvidence);
        }
        rollout.seen = counts;
        if rollout.held {
            return Err(Ignored::Held);
        }
        let Some(gate) = rollout.gate() else {
            return Ok(());
        };
        if rollout.is_open(now, &gate) && allows(verdict, &gate) {
            self.advance(now);
        } else if rollout.is_overdue(now, &gate)
            || (*verdict == RolloutVerdict::Inconclusive && !rollout.extended)
        {
            // An extended stage waits for its deadline: the judge will go on saying that it is out of looks.
            self.inconclusive(now, &gate);
        }
        Ok(())
    }

    /// Leaves the stage upwards. The specification sees to it that only `Promote` leads here from a last stage.
    fn advance(&mut self, now: Timestamp) {
        let rollout = &self.state;
        let next = rollout
            .spec
            .position_of(rollout.stage)
            .and_then(|position| rollout.spec.stage_at(position.saturating_add(1)));
        let (to, decision) = match (next, rollout.spec.form()) {
            (Some(next), _) => (next.stage(), Decision::Advance { to: next.stage() }),
            (None, RolloutForm::ShadowOnly) => (
                Stage::Proven,
                Decision::Conclude {
                    finding: Stage::Proven,
                },
            ),
            (None, _) => (Stage::Promoted, Decision::Promote),
        };
        self.enter(now, to, decision);
    }

    fn inconclusive(&mut self, now: Timestamp, gate: &StageGate) {
        let rollout = &mut self.state;
        match gate.on_inconclusive() {
            OnInconclusive::ExtendOnce if !rollout.extended => {
                rollout.extended = true;
                rollout.deadline_from = rollout.deadline_from.max(now);
                self.decide(Decision::Extend, Notice::Extended);
            }
            OnInconclusive::Hold => {
                rollout.held = true;
                rollout.bump();
                self.decide(Decision::Hold, Notice::Held);
            }
            OnInconclusive::RollBack | OnInconclusive::ExtendOnce => {
                self.fail(now, INCONCLUSIVE.to_owned());
            }
        }
    }

    fn fail(&mut self, now: Timestamp, because: String) {
        let (to, decision) = if self.state.spec.form() == RolloutForm::ShadowOnly {
            let finding = Stage::NotProven;
            (finding, Decision::Conclude { finding })
        } else {
            let because = because.clone();
            (Stage::RolledBack, Decision::RollBack { because })
        };
        self.state.because = Some(because);
        self.enter(now, to, decision);
    }

    fn abort(&mut self, now: Timestamp, because: String) {
        self.state.because = Some(because.clone());
        self.enter(now, Stage::Aborted, Decision::RollBack { because });
    }

    fn pause(&mut self, now: Timestamp) -> Result<(), Ignored> {
        if self.state.is_paused() {
            return Err(Ignored::AlreadySo);
        }
        self.state.paused_at = Some(now);
        self.state.bump();
        self.decide(Decision::Pause, Notice::Paused);
        Ok(())
    }

    fn resume(&mut self, now: Timestamp, generation: u64) -> Result<(), Ignored> {
        let rollout = &mut self.state;
        if generation != rollout.generation {
            return Err(Ignored::StaleGeneration);
        }
        if !rollout.is_paused() && !rollout.held {
            return Err(Ignored::AlreadySo);
        }
        if let Some(paused) = rollout.paused_at.take() {
            let pause = elapsed(paused, now);
            rollout.deadline_from = later(rollout.deadline_from, pause);
            rollout.bake_from = rollout.bake_from.map(|from| later(from, pause));
        }
        if rollout.held {
            rollout.held = false;
            rollout.deadline_from = rollout.deadline_from.max(now);
        }
        rollout.bump();
        self.decide(Decision::Resume, Notice::Resumed);
        Ok(())
    }

    fn promote_now(&mut self, now: Timestamp, generation: u64, by: &str) -> Result<(), Ignored> {
        if generation != self.state.generation {
            return Err(Ignored::StaleGeneration);
        }
        if self.state.is_paused() {
            return Err(Ignored::Paused);
        }
        if self.state.spec.form() == RolloutForm::ShadowOnly {
            return Err(Ignored::NeverMovesTraffic);
        }
        self.state.promoted_by = Some(by.to_owned());
        self.enter(now, Stage::Promoted, Decision::Promote);
        Ok(())
    }

    fn restart(&mut self, now: Timestamp, generation: u64, judge: Digest) -> Result<(), Ignored> {
        if judge == self.state.judge {
            return Err(Ignored::AlreadySo);
        }
        if generation != self.state.generation {
            return Err(Ignored::StaleGeneration);
        }
        let Some(first) = self.state.spec.stage_at(0) else {
            return Ok(());
        };
        self.state.judge = judge;
        self.state.seen = Counts::default();
        // Whoever paused still wants it paused; the new stage's clocks have not begun to run.
        let paused = self.state.is_paused().then_some(now);
        self.enter(now, first.stage(), Decision::Restart);
        self.state.paused_at = paused;
        Ok(())
    }

    fn applied(&mut self, now: Timestamp, generation: u64, share: Share) -> Result<(), Ignored> {
        let rollout = &mut self.state;
        if generation > rollout.generation {
            return self.overtaken(now, generation);
        }
        if generation < rollout.generation {
            return Err(Ignored::StaleGeneration);
        }
        if share != rollout.share() {
            return Err(Ignored::NotCommanded);
        }
        if rollout.acknowledged {
            return Err(Ignored::AlreadySo);
        }
        rollout.acknowledge(now);
        Ok(())
    }

    fn observed(&mut self, now: Timestamp, generation: u64, share: Share) -> Result<(), Ignored> {
        let rollout = &mut self.state;
        if generation > rollout.generation {
            return self.overtaken(now, generation);
        }
        if share == rollout.share() && generation == rollout.generation {
            rollout.acknowledge(now);
            return Ok(());
        }
        if share != rollout.share() {
            // What was judged meanwhile was not judged at the stage's share: its bake begins again.
            rollout.bake_from = None;
            if rollout.acknowledged || generation == rollout.generation {
                rollout.fence();
            }
        }
        self.unacknowledge();
        Ok(())
    }

    fn unknown(&mut self) {
        if self.state.acknowledged {
            self.state.fence();
        }
        self.unacknowledge();
    }

    fn unacknowledge(&mut self) {
        self.state.acknowledged = !self.state.moves_traffic();
        self.repeat();
    }

    /// The router follows a generation that this state has never reached: this state is an old copy.
    fn overtaken(&mut self, now: Timestamp, generation: u64) -> Result<(), Ignored> {
        match self.state.stage {
            Stage::RolledBack | Stage::Aborted => {
                self.state.generation = generation;
                self.state.bump();
                self.unacknowledge();
            }
            Stage::Promoted | Stage::Proven | Stage::NotProven => return Err(Ignored::Ended),
            _ => {
                self.state.generation = generation;
                self.fail(now, OVERTAKEN.to_owned());
            }
        }
        Ok(())
    }

    fn quarantined(&mut self, candidate: Digest) -> Result<(), Ignored> {
        if candidate != self.state.candidate {
            return Err(Ignored::NotCommanded);
        }
        if !self.state.quarantine_pending {
            return Err(Ignored::AlreadySo);
        }
        self.state.quarantine_pending = false;
        Ok(())
    }

    fn enter(&mut self, now: Timestamp, stage: Stage, decision: Decision) {
        let rollout = &mut self.state;
        rollout.stage = stage;
        rollout.since = rollout.since.max(now);
        rollout.deadline_from = rollout.since;
        rollout.bake_from = None;
        rollout.baseline = rollout.seen;
        rollout.extended = false;
        rollout.held = false;
        rollout.paused_at = None;
        rollout.acknowledged = !rollout.moves_traffic();
        rollout.quarantine_pending = stage.is_failed();
        rollout.bump();
        let notice = if decision == Decision::Restart {
            Notice::Restarted
        } else {
            Notice::Entered { stage }
        };
        self.decide(decision, notice);
    }

    fn decide(&mut self, decision: Decision, notice: Notice) {
        self.decision = Some(decision);
        self.repeat();
        self.commands.push(Command::Notify {
            generation: self.state.generation,
            notice,
        });
    }

    /// Gives every command that is not acknowledged.
    fn repeat(&mut self) {
        let rollout = &self.state;
        let generation = rollout.generation;
        if !rollout.acknowledged {
            self.commands.push(match rollout.stage {
                Stage::Promoted => Command::Promote { generation },
                Stage::RolledBack | Stage::Aborted => Command::RollBack {
                    generation,
                    because: rollout.because.clone().unwrap_or_default(),
                },
                stage => Command::SetShare {
                    share: stage.share(),
                    generation,
                },
            });
        }
        if rollout.quarantine_pending {
            self.commands.push(Command::Quarantine {
                candidate: rollout.candidate,
                until: rollout.spec.quarantine().until(rollout.since),
                cool_down_until: later(rollout.since, rollout.spec.cool_down()),
            });
        }
    }
}

impl Rollout {
    fn is_open(&self, now: Timestamp, gate: &StageGate) -> bool {
        let needed = gate.min_events();
        // At the full share the champion serves nothing that could be counted.
        let champion = self.share() == Share::FULL || self.n_champion_in_stage() >= needed;
        let enough = champion && self.n_candidate_in_stage() >= needed;
        let baked: Duration = self.baked(now);
        self.acknowledged && enough && baked >= gate.min_duration()
    }

    fn is_overdue(&self, now: Timestamp, gate: &StageGate) -> bool {
        elapsed(self.deadline_from, self.clock(now)) >= gate.max_duration()
    }

    fn acknowledge(&mut self, now: Timestamp) {
        self.acknowledged = true;
        if !self.is_final() && self.bake_from.is_none() {
            // Put in force during a pause, the bake begins at the resumption: a resumption moves this on by the length of the pause.
            self.bake_from = Some(self.clock(now).max(self.since));
            self.baseline = self.seen;
        }
    }

    /// Whether the stage has a share to put in force. A finding has not: its rollout never moved traffic.
    fn moves_traffic(&self) -> bool {
        !matches!(self.stage, Stage::Proven | Stage::NotProven)
    }

    /// Whatever befell the router came after an acknowledgement that may still be on its way: that one must not count.
    fn fence(&mut self) {
        if self.moves_traffic() {
            self.bump();
        }
    }

    fn bump(&mut self) {
        self.generation = self.generation.saturating_add(1);
    }
}

fn allows(verdict: &RolloutVerdict, gate: &StageGate) -> bool {
    match verdict {
        RolloutVerdict::Promote => true,
        RolloutVerdict::Continue => gate.advance_on() == AdvanceOn::NoHarm,
        RolloutVerdict::RollBack { .. }
        | RolloutVerdict::Insufficient
        | RolloutVerdict::Inconclusive => false,
    }
}

const INCONCLUSIVE: &str = "no conclusion was reached in time";
const OVERTAKEN: &str =
    "the router follows a later generation than this state, which is an old copy";
