//! A fleet of replicas that take a while to start, under traffic that is a function of the time.

use super::*;

pub(super) struct Simulation {
    /// Seconds from a decision to a replica that was not warm.
    start: i64,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    /// How often the number of replicas was changed.
    pub(super) changes: u32,
    /// How often a change was followed by one the other way.
    pub(super) reversals: u32,
    /// Replicas serving, warm or starting, over time.
    pub(super) replica_hours: f64,
    /// Seconds in which fewer replicas were ready than the load needed.
    pub(super) short_seconds: u32,
    /// The last number of replicas.
    pub(super) last: u32,
}

impl Default for Simulation {
    fn default() -> Self {
        Self { start: 5 }
    }
}

impl Simulation {
    pub(super) fn with_start(mut self, seconds: i64) -> Self {
        self.start = seconds;
        self
    }

    /// Samples every second, decides every two.
    pub(super) fn run(
        &self,
        scaler: &mut Autoscaler,
        seconds: i64,
        load: impl Fn(i64) -> f64,
    ) -> Run {
        let mut run = Run::default();
        let (mut ready, mut warm, mut wanted) = (2_u32, 0_u32, 2_u32);
        let mut starting: Vec<(i64, u32)> = Vec::new();
        let mut direction = 0;
        for second in 0..seconds {
            starting.retain(|&(at, count)| {
                if at <= second {
                    ready += count;
                }
                at > second
            });
            ready = ready.min(wanted);
            let concurrency = load(second);
            scaler.observe(at(second), concurrency);
            run.short_seconds += u32::from((concurrency / 10.0).ceil() > f64::from(ready));
            if second % 2 == 0 {
                let decision = scaler.decide(at(second), ready);
                let next = decision.replicas();
                if next != wanted {
                    run.changes += 1;
                    let now = if next > wanted { 1 } else { -1 };
                    run.reversals += u32::from(direction * now < 0);
                    direction = now;
                }
                if next > wanted {
                    // Warm ones serve from now on, others after their start.
                    let quick = warm.min(next - wanted);
                    ready += quick;
                    starting.push((second + self.start, next - wanted - quick));
                }
                (wanted, warm) = (next, decision.warm());
                run.replica_hours += f64::from(wanted + warm) * 2.0 / 3600.0;
            }
        }
        run.last = wanted;
        run
    }
}

/// From `low` to `high` at `from`, and back at `to`.
pub(super) fn step(low: f64, high: f64, from: i64, to: i64) -> impl Fn(i64) -> f64 {
    move |second| {
        if (from..to).contains(&second) {
            high
        } else {
            low
        }
    }
}

/// `high` for `width` seconds of every `period`.
pub(super) fn spiky(low: f64, high: f64, period: i64, width: i64) -> impl Fn(i64) -> f64 {
    move |second| if second % period < width { high } else { low }
}

/// A day from `low` at midnight to `high` at noon.
pub(super) fn diurnal(low: f64, high: f64) -> impl Fn(i64) -> f64 {
    move |second| {
        let phase = second as f64 / 86_400.0 * std::f64::consts::TAU;
        low + (high - low) * (1.0 - phase.cos()) / 2.0
    }
}
