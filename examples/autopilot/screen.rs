//! What a person sees while it runs.

use std::sync::OnceLock;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use noops_canary::rollout::Stage;
use noops_serve::{Champion, Experiment, TrainingJob};

use crate::latency::stopwatch;
use crate::output::Output;
use crate::report::Mark;

/// One screen, redrawn in place.
#[derive(Debug)]
pub(crate) struct Screen {
    bar: Option<ProgressBar>,
    started: Instant,
    /// What had been predicted when this process began to.
    predicted_before: OnceLock<u64>,
}

/// What there is to show.
#[derive(Debug)]
pub(crate) struct Status<'a> {
    pub(crate) now: Timestamp,
    pub(crate) started: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) predictions: u64,
    pub(crate) champion: &'a Champion,
    pub(crate) experiment: Option<&'a Experiment>,
    pub(crate) training: Option<&'a TrainingJob>,
    pub(crate) quarantined: bool,
    pub(crate) last: Option<&'a Mark>,
}

impl Screen {
    /// A screen; a quiet one shows nothing.
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = (!quiet).then(|| {
            let bar = ProgressBar::new(1);
            // The template is constant and legal; should it not be, the default bar does.
            if let Ok(style) = ProgressStyle::with_template(
                "{prefix:.bold} {wide_bar:.cyan/black} {percent:>3} %\n{msg}",
            ) {
                bar.set_style(style);
            }
            bar
        });
        Self {
            bar,
            started: stopwatch(),
            predicted_before: OnceLock::new(),
        }
    }

    /// Says what is going on before there is progress to show.
    pub(crate) fn say(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
            bar.tick();
        }
    }

    /// Shows where the replay stands.
    pub(crate) fn show(&self, status: &Status<'_>) {
        let Some(bar) = &self.bar else { return };
        let hours = |span: jiff::SignedDuration| span.as_hours().max(0).unsigned_abs();
        bar.set_length(hours(status.end.duration_since(status.started)));
        bar.set_position(hours(status.now.duration_since(status.started)));
        bar.set_prefix(status.now.strftime("%a %d %b %Y").to_string());
        let before = *self.predicted_before.get_or_init(|| status.predictions);
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        bar.set_message(status.lines((status.predictions - before) as f64 / seconds));
    }

    /// Replaces the progress with the result.
    pub(crate) fn finish(&self, table: &str, output: &Output) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            crate::say(table);
            crate::say(&format!("report: {}", output.page().display()));
            crate::say(&format!(
                "audit:  cargo run --release --example audit_verify -- {} --witness {}",
                output.audit().log().display(),
                output.audit().witness().display()
            ));
            crate::say(&format!(
                "models: cargo run --release --example registry -- {} history {}",
                output.database_file().display(),
                crate::settings::MODEL
            ));
        }
    }
}

impl Status<'_> {
    fn lines(&self, rate: f64) -> String {
        let age = self.now.duration_since(self.champion.since()).as_hours() / 24;
        let state = if self.quarantined {
            ", inputs in quarantine"
        } else {
            ""
        };
        let last = self.last.map_or("none yet".to_owned(), |mark| {
            format!(
                "{} {} {}: {}",
                mark.at.strftime("%d %b"),
                mark.action,
                mark.subject,
                reason(&mark.why)
            )
        });
        format!(
            "{} predictions, {rate:.0} a second\nchampion: version {}, {age} days old{state}\nrollout:  {}\nlast:     {last}",
            self.predictions,
            self.champion.number(),
            self.rollout()
        )
    }

    fn rollout(&self) -> String {
        match (self.experiment, self.training) {
            (Some(experiment), _) => match experiment.stage() {
                Stage::Ramp { share, .. } => {
                    format!("version {} answers {share}", experiment.number())
                }
                _ => format!("version {} in shadow", experiment.number()),
            },
            (None, Some(job)) => format!("training {}", job.request().run),
            (None, None) => "none".to_owned(),
        }
    }
}

/// Enough of an explanation for one line: the reason that the rule gives, without how it was evaluated.
fn reason(explanation: &str) -> String {
    let reason = explanation
        .split_once("because ")
        .map_or(explanation, |(_, reason)| reason);
    let line: String = reason
        .chars()
        .take_while(|c| *c != '\n')
        .take(REASON_WIDTH)
        .collect();
    if line.len() < reason.len() {
        format!("{line}…")
    } else {
        line
    }
}

const REASON_WIDTH: usize = 70;
