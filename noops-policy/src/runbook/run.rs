use std::time::Duration;

use jiff::Timestamp;
use noops_core::Digest;

use super::document::{Automation, Runbook, Step};
use super::error::RunbookError;
use super::order::{Escalation, Order, Question, RunbookEvent, Task};
use super::state::{Phase, RunState};
use crate::condition::{Condition, Truth};
use crate::fact::Facts;

/// One run of a runbook: a pure state machine that is told events and gives orders.
///
/// - A step begins only while its precondition is known to hold. It does not: the run stops and escalates; steps before
///   it stay in force. The same goes for each further attempt at a step.
/// - A step that is not marked safe is asked for once; its further attempts, and taking it back, are agreed with it.
/// - A performed step is verified when its verification holds on facts that are all as recent as the report that it was
///   performed: what was measured before proves nothing.
/// - A step that failed, or is not verified in time, is tried again as often as it says; then the steps that were
///   performed are taken back, the last one first, and the run escalates.
/// - A task that nobody reports in time may have run or not: the run stops and escalates, and touches nothing more.
///
/// Store [`RunbookRun::state`] before carrying out orders; after a crash, [`RunbookRun::resume`] and
/// [`RunbookEvent::Resumed`] give the outstanding order again, with the same idempotency key. A clock that goes backwards
/// stands still.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_policy::runbook::{Order, RunStatus, Runbook, RunbookEvent, RunbookRun};
/// use noops_policy::{FactDecl, FactSchema, Facts};
///
/// let schema = FactSchema::new(vec![FactDecl::double("drift.psi"), FactDecl::bool("frozen")])?;
/// let runbook = Runbook::load(
///     "drift.yaml",
///     "
/// runbook: drift
/// owner: ml-platform
/// steps:
///   - name: freeze
///     action: freeze
///     precondition: drift.psi > 0.2
///     verify: {condition: frozen, within: 10m}
///     automatic: safe
/// ",
///     &schema,
/// )?;
/// let mut run = RunbookRun::new(runbook, "incident-7")?;
/// let now = Timestamp::UNIX_EPOCH;
/// let mut facts = Facts::new(&schema);
/// facts.set("drift.psi", 0.5, now)?;
///
/// let orders = run.step(now, &facts, RunbookEvent::Tick);
/// let [Order::Perform(task)] = orders.as_slice() else { panic!("{orders:?}") };
/// facts.set("frozen", true, now)?;
/// let done = RunbookEvent::Performed { order: task.idempotency_key() };
/// let orders = run.step(now, &facts, done);
/// assert!(matches!(orders.as_slice(), [Order::Done { .. }]));
/// assert_eq!(run.state().status(), RunStatus::Done);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RunbookRun {
    runbook: Runbook,
    state: RunState,
}

impl RunbookRun {
    /// A run at its beginning. Its id must be its own: idempotency keys are made of it.
    ///
    /// # Errors
    ///
    /// Refuses an empty id.
    pub fn new(runbook: Runbook, run: &str) -> Result<Self, RunbookError> {
        let state = RunState {
            run: run.to_owned(),
            runbook: runbook.digest(),
            latest: None,
            performed: 0,
            kept: Vec::new(),
            phase: Phase::Ready,
        };
        Self::resume(runbook, state)
    }

    /// Goes on where a stored state left off.
    ///
    /// # Errors
    ///
    /// Refuses the state of another runbook, and a state that no run of this one can be in.
    pub fn resume(runbook: Runbook, state: RunState) -> Result<Self, RunbookError> {
        state.check(&runbook)?;
        Ok(Self { runbook, state })
    }

    /// The runbook.
    pub fn runbook(&self) -> &Runbook {
        &self.runbook
    }

    /// What to store.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// When a [`RunbookEvent::Tick`] is due even though nothing happens.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        match &self.state.phase {
            Phase::Performing { deadline, .. }
            | Phase::Verifying { deadline, .. }
            | Phase::Undoing { deadline, .. } => Some(*deadline),
            Phase::Ready | Phase::Asking { .. } | Phase::Stopped { .. } | Phase::Done => None,
        }
    }

    /// The order that the run waits for, or has ended with; none while it waits for facts or has not begun.
    pub fn outstanding(&self) -> Option<Order> {
        let steps = self.runbook.steps();
        match &self.state.phase {
            Phase::Ready | Phase::Verifying { .. } => None,
            Phase::Asking { step: index } => {
                let step = steps.get(*index)?;
                Some(Order::AskPerson(Question {
                    step: step.name().to_owned(),
                    action: step.action(),
                    parameters: step.parameters().clone(),
                    why: format!("step `{}` is not marked `automatic: safe`", step.name()),
                    idempotency_key: self.key("ask", *index, 1),
                }))
            }
            Phase::Performing {
                step: index,
                attempt,
                ..
            } => {
                let step = steps.get(*index)?;
                Some(Order::Perform(Task {
                    step: step.name().to_owned(),
                    attempt: *attempt,
                    action: step.action(),
                    parameters: step.parameters().clone(),
                    idempotency_key: self.key("perform", *index, *attempt),
                }))
            }
            Phase::Undoing { .. } => {
                let index = self.state.performed.checked_sub(1)?;
                let step = steps.get(index)?;
                let undo = step.undo()?;
                Some(Order::Undo(Task {
                    step: step.name().to_owned(),
                    attempt: 1,
                    action: undo.action(),
                    parameters: undo.parameters().clone(),
                    idempotency_key: self.key("undo", index, 1),
                }))
            }
            Phase::Stopped { why } => Some(Order::Escalate(Escalation {
                why: why.clone(),
                in_force: self.in_force(),
                idempotency_key: self.key("escalate", 0, 1),
            })),
            Phase::Done => Some(Order::Done {
                idempotency_key: self.key("done", 0, 1),
            }),
        }
    }

    /// Tells the run what happened, and gives the orders that follow: at most one.
    ///
    /// # Complexity
    ///
    /// Evaluates each condition of the runbook at most once.
    pub fn step(&mut self, now: Timestamp, facts: &Facts, event: RunbookEvent) -> Vec<Order> {
        let now = self.state.latest.map_or(now, |latest| latest.max(now));
        self.state.latest = Some(now);
        let waited_for = self.outstanding().map(|order| order.idempotency_key());
        let changed = match event {
            RunbookEvent::Tick => self.tick(now, facts),
            RunbookEvent::Resumed => {
                self.tick(now, facts);
                true
            }
            RunbookEvent::Performed { order } if waited_for == Some(order) => {
                self.performed(now, facts)
            }
            RunbookEvent::Failed { order, why } if waited_for == Some(order) => {
                self.failed(now, facts, &why)
            }
            RunbookEvent::Approved { order } if waited_for == Some(order) => {
                self.approved(now, facts)
            }
            RunbookEvent::Rejected { order, why } if waited_for == Some(order) => {
                self.rejected(&why)
            }
            RunbookEvent::Performed { .. }
            | RunbookEvent::Failed { .. }
            | RunbookEvent::Approved { .. }
            | RunbookEvent::Rejected { .. } => false,
        };
        if changed {
            self.outstanding().into_iter().collect()
        } else {
            Vec::new()
        }
    }

    fn tick(&mut self, now: Timestamp, facts: &Facts) -> bool {
        match self.state.phase.clone() {
            Phase::Ready => self.begin(now, facts, 0),
            Phase::Performing { step, deadline, .. } if now >= deadline => {
                let name = self.name(step);
                self.stop(format!(
                    "nobody reported in time whether step `{name}` was performed; find out whether it was"
                ))
            }
            Phase::Verifying {
                step,
                attempt,
                since,
                deadline,
            } => self.verify(now, facts, step, attempt, since, deadline),
            Phase::Undoing { why, deadline } if now >= deadline => {
                let name = self.name(self.state.performed.saturating_sub(1));
                self.stop(format!(
                    "{why}; nobody reported in time whether step `{name}` was taken back; find out whether it was"
                ))
            }
            Phase::Asking { .. }
            | Phase::Performing { .. }
            | Phase::Undoing { .. }
            | Phase::Stopped { .. }
            | Phase::Done => false,
        }
    }

    fn performed(&mut self, now: Timestamp, facts: &Facts) -> bool {
        match self.state.phase.clone() {
            Phase::Performing { step, attempt, .. } => {
                self.state.performed = step.saturating_add(1);
                let deadline = self.deadline(now, step);
                self.state.phase = Phase::Verifying {
                    step,
                    attempt,
                    since: now,
                    deadline,
                };
                self.verify(now, facts, step, attempt, now, deadline)
            }
            Phase::Undoing { why, .. } => {
                self.state.performed = self.state.performed.saturating_sub(1);
                self.undo(now, why)
            }
            _ => false,
        }
    }

    fn failed(&mut self, now: Timestamp, facts: &Facts, why: &str) -> bool {
        let why: String = why.chars().take(MAX_WHY).collect();
        match self.state.phase.clone() {
            Phase::Performing { step, attempt, .. } => {
                let problem = format!("step `{}` failed: {why}", self.name(step));
                self.retry(now, facts, step, attempt, problem)
            }
            Phase::Undoing { why: first, .. } => {
                let name = self.name(self.state.performed.saturating_sub(1));
                self.stop(format!(
                    "{first}; step `{name}` could not be taken back: {why}"
                ))
            }
            _ => false,
        }
    }

    fn approved(&mut self, now: Timestamp, facts: &Facts) -> bool {
        match self.state.phase {
            Phase::Asking { step } => self.attempt(now, facts, step, 1),
            _ => false,
        }
    }

    fn rejected(&mut self, why: &str) -> bool {
        match self.state.phase {
            Phase::Asking { step } => {
                let why: String = why.chars().take(MAX_WHY).collect();
                let name = self.name(step);
                self.stop(format!("a person refused step `{name}`: {why}"))
            }
            _ => false,
        }
    }

    /// Begins a step, or ends the run where there is none.
    fn begin(&mut self, now: Timestamp, facts: &Facts, index: usize) -> bool {
        let Some(step) = self.runbook.steps().get(index) else {
            self.state.phase = Phase::Done;
            return true;
        };
        match step.automation() {
            Automation::Safe => self.attempt(now, facts, index, 1),
            Automation::AskFirst => match refusal(step, facts, now) {
                Some(problem) => self.stop(problem),
                None => {
                    self.state.phase = Phase::Asking { step: index };
                    true
                }
            },
        }
    }

    /// Orders a step, if its precondition holds now.
    fn attempt(&mut self, now: Timestamp, facts: &Facts, index: usize, attempt: u32) -> bool {
        let problem = match self.runbook.steps().get(index) {
            Some(step) => refusal(step, facts, now),
            None => Some("the step does not exist".to_owned()),
        };
        match problem {
            Some(problem) => self.stop(problem),
            None => {
                self.state.phase = Phase::Performing {
                    step: index,
                    attempt,
                    deadline: self.deadline(now, index),
                };
                true
            }
        }
    }

    fn verify(
        &mut self,
        now: Timestamp,
        facts: &Facts,
        index: usize,
        attempt: u32,
        since: Timestamp,
        deadline: Timestamp,
    ) -> bool {
        let Some(step) = self.runbook.steps().get(index) else {
            return self.stop("the step does not exist".to_owned());
        };
        let truth = truth_since(step.verification(), facts, since, now);
        if truth == Truth::True {
            return self.begin(now, facts, index.saturating_add(1));
        }
        if now < deadline {
            return false;
        }
        let problem = format!(
            "the verification of step `{}` is {truth} after the time that it was given",
            step.name()
        );
        self.retry(now, facts, index, attempt, problem)
    }

    /// Tries a step again; where it may not be, takes back what was performed.
    fn retry(
        &mut self,
        now: Timestamp,
        facts: &Facts,
        index: usize,
        attempt: u32,
        problem: String,
    ) -> bool {
        let Some(step) = self.runbook.steps().get(index) else {
            return self.stop(problem);
        };
        if attempt > step.retries() {
            return self.undo(now, problem);
        }
        match refusal(step, facts, now) {
            Some(refusal) => self.undo(now, format!("{problem}; it is not tried again: {refusal}")),
            None => self.attempt(now, facts, index, attempt.saturating_add(1)),
        }
    }

    /// Takes back the last performed step that can be; where there is none left, escalates.
    fn undo(&mut self, now: Timestamp, why: String) -> bool {
        while let Some(last) = self.state.performed.checked_sub(1) {
            let undoable = self
                .runbook
                .steps()
                .get(last)
                .is_some_and(|step| step.undo().is_some());
            if undoable {
                self.state.phase = Phase::Undoing {
                    why,
                    deadline: self.deadline(now, last),
                };
                return true;
            }
            self.state.performed = last;
            self.state.kept.insert(0, last);
        }
        self.stop(why)
    }

    fn stop(&mut self, why: String) -> bool {
        self.state.phase = Phase::Stopped { why };
        true
    }

    fn in_force(&self) -> Vec<String> {
        (0..self.state.performed)
            .chain(self.state.kept.iter().copied())
            .map(|index| self.name(index))
            .collect()
    }

    fn name(&self, index: usize) -> String {
        self.runbook
            .steps()
            .get(index)
            .map(|step| step.name().to_owned())
            .unwrap_or_default()
    }

    /// A time past the end of time is the end of time.
    fn deadline(&self, now: Timestamp, index: usize) -> Timestamp {
        let within = self
            .runbook
            .steps()
            .get(index)
            .map_or(Duration::ZERO, Step::within);
        now.checked_add(within).unwrap_or(Timestamp::MAX)
    }

    fn key(&self, kind: &str, step: usize, attempt: u32) -> Digest {
        let step = u64::try_from(step).unwrap_or(u64::MAX).to_le_bytes();
        let attempt = attempt.to_le_bytes();
        Digest::of_parts([
            self.state.run.as_bytes(),
            self.state.runbook.as_bytes().as_slice(),
            kind.as_bytes(),
            step.as_slice(),
            attempt.as_slice(),
        ])
    }
}

/// Why a step may not be performed now.
fn refusal(step: &Step, facts: &Facts, now: Timestamp) -> Option<String> {
    let evaluation = step.precondition().evaluate(facts, now);
    let name = step.name();
    match evaluation.truth() {
        Truth::True => None,
        Truth::False => Some(format!("the precondition of step `{name}` does not hold")),
        Truth::Unknown => Some(format!(
            "the precondition of step `{name}` is unknown; it waits for `{}`",
            evaluation.waiting_for().join("`, `")
        )),
    }
}

/// The value of a condition on facts that were all true at `since` or later; unknown where one is older.
fn truth_since(condition: &Condition, facts: &Facts, since: Timestamp, now: Timestamp) -> Truth {
    let recent = condition
        .facts()
        .iter()
        .all(|name| facts.entry(name).is_some_and(|entry| entry.at() >= since));
    if recent {
        condition.evaluate(facts, now).truth()
    } else {
        Truth::Unknown
    }
}

/// The words of a report are kept up to this length in characters.
const MAX_WHY: usize = 1024;
