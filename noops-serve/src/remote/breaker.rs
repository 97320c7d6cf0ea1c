//! When a server that fails is left alone.

mod settings;
mod window;

use std::time::Duration;

use jiff::Timestamp;

pub use settings::BreakerSettings;

use super::elapsed::elapsed;
use window::Window;

/// Where a [`Breaker`] stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// No call passes.
    Open,
    /// A few calls pass, to see whether the server is back.
    HalfOpen,
}

/// What became of a call that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// It was answered after this time.
    Answered(Duration),
    /// It failed in a way that speaks of the server's health.
    Failed,
    /// It says nothing of the server: the caller went away, or the server refused this one request.
    Neither,
}

/// The leave for one call, to be handed back with its outcome.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a call that is never reported holds its place while the breaker is half open"]
pub struct Permit {
    period: u64,
}

/// The answer of an open breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerOpen {
    left: Duration,
}

impl BreakerOpen {
    /// How long no call will pass; nothing while all probes are under way.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.left
    }
}

/// A circuit breaker: stops calling a server that fails or crawls, and asks carefully whether it is back.
///
/// Closed, it keeps the outcomes of the last calls and opens when enough of them failed or were slow. Open, it lets nothing pass for a
/// while. Half open, it lets a few calls pass at a time: as many good answers in a row close it, one bad one opens it again for twice as
/// long. Outcomes of calls that passed in an earlier period are not counted.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_serve::remote::{Breaker, BreakerSettings, BreakerState, CallOutcome};
///
/// let mut breaker = Breaker::new(BreakerSettings::default());
/// let start = Timestamp::UNIX_EPOCH;
/// for _ in 0..20 {
///     let permit = breaker.admit(start).unwrap();
///     breaker.report(start, permit, CallOutcome::Failed);
/// }
/// assert_eq!(breaker.state(), BreakerState::Open);
/// assert!(breaker.admit(start).is_err());
/// let later = start + Duration::from_secs(5);
/// assert!(breaker.admit(later).is_ok());
/// assert_eq!(breaker.state(), BreakerState::HalfOpen);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    settings: BreakerSettings,
    phase: Phase,
    /// Counts the changes of phase, so that a late outcome finds no other period.
    period: u64,
    /// How often in a row it opened without having closed.
    reopened: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Closed(Window),
    Open { since: Timestamp },
    HalfOpen { under_way: u32, good: u32 },
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(settings: BreakerSettings) -> Self {
        Self {
            phase: Phase::Closed(Window::new(settings.window)),
            settings,
            period: 0,
            reopened: 0,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed(_) => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Asks for leave to call.
    ///
    /// # Errors
    ///
    /// While it is open, and while all probes are under way.
    pub fn admit(&mut self, at: Timestamp) -> Result<Permit, BreakerOpen> {
        if let Phase::Open { since } = self.phase {
            let left = self.open_for().saturating_sub(elapsed(since, at));
            if at < since {
                // The clock went back: the pause begins anew, so that it lasts no longer than it should.
                self.phase = Phase::Open { since: at };
            }
            if !left.is_zero() {
                return Err(BreakerOpen { left });
            }
            self.enter(Phase::HalfOpen {
                under_way: 0,
                good: 0,
            });
        }
        if let Phase::HalfOpen { under_way, .. } = &mut self.phase {
            if *under_way >= self.settings.probes.get() {
                return Err(BreakerOpen {
                    left: Duration::ZERO,
                });
            }
            *under_way += 1;
        }
        Ok(Permit {
            period: self.period,
        })
    }

    /// Tells what became of a call.
    pub fn report(&mut self, at: Timestamp, permit: Permit, outcome: CallOutcome) {
        if permit.period != self.period {
            return;
        }
        let slow =
            matches!(outcome, CallOutcome::Answered(took) if took >= self.settings.slow_after);
        match &mut self.phase {
            Phase::Open { .. } => {}
            Phase::Closed(window) => {
                match outcome {
                    CallOutcome::Answered(_) if slow => window.slow(),
                    CallOutcome::Answered(_) => window.good(),
                    CallOutcome::Failed => window.failed(),
                    CallOutcome::Neither => return,
                }
                if window.is_over(&self.settings) {
                    self.open(at);
                }
            }
            Phase::HalfOpen { under_way, good } => {
                *under_way = under_way.saturating_sub(1);
                match outcome {
                    CallOutcome::Neither => {}
                    CallOutcome::Answered(_) if !slow => {
                        *good += 1;
                        if *good >= self.settings.probes.get() {
                            self.reopened = 0;
                            self.enter(Phase::Closed(Window::new(self.settings.window)));
                        }
                    }
                    CallOutcome::Answered(_) | CallOutcome::Failed => {
                        self.reopened = self.reopened.saturating_add(1);
                        self.open(at);
                    }
                }
            }
        }
    }

    fn open(&mut self, at: Timestamp) {
        self.enter(Phase::Open { since: at });
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.period = self.period.wrapping_add(1);
    }

    fn open_for(&self) -> Duration {
        let factor = 1_u32.checked_shl(self.reopened).unwrap_or(u32::MAX);
        let longest = self.settings.open_at_most.max(self.settings.open_for);
        self.settings.open_for.saturating_mul(factor).min(longest)
    }
}

#[cfg(test)]
mod tests;
