//! Are the inputs whole?

use jiff::Timestamp;
use noops_core::{Error, Severity, TimeSpan};
use noops_drift::{Counts, GateVerdict};
use noops_policy::Action;

use crate::control::controller::{Acted, Controller, Question};
use crate::control::journal::Subject;
use crate::control::state::Service;
use crate::control::watch::{BatchEnd, block};

impl Controller {
    /// Judges the batch of inputs: puts broken ones into quarantine, and ends the quarantine when they are whole again.
    pub(in crate::control) async fn watch_inputs(
        &mut self,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        let end = self
            .state
            .judge_batch(&self.reference, &self.gate, &self.settings, now)?;
        if self.state.gate.quarantined_since.is_none() {
            let since = self.state.gate.batch_since;
            let book = self.book(now)?;
            let question = Question {
                detail: self.violations(),
                ..Question::new(now, &book, Subject::Inputs { since })
            };
            if self
                .may(Action::Quarantine, question, acted)
                .await?
                .is_granted()
            {
                self.done(Action::Quarantine, now);
                self.state.gate.quarantined_since = Some(since);
                self.state.gate.healthy_batches = 0;
                let violations = self.violations();
                self.tell(
                    Severity::Ticket,
                    "inputs are in quarantine".to_owned(),
                    violations,
                    now,
                );
                self.discard_open_evidence(since);
            }
        }
        if end == BatchEnd::Over {
            let open = self.state.gate.clone();
            if let Err(error) = self.release_if_healed(now, acted).await {
                // The batch is still to be ended, once.
                self.state.gate = open;
                return Err(error);
            }
            self.state
                .measure_drift(&self.reference, &self.settings, now)?;
            self.begin_batch(now);
        }
        Ok(())
    }

    /// Books the batch that is over, and ends the quarantine when the policies say that it is healed.
    async fn release_if_healed(
        &mut self,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        let gate = &mut self.state.gate;
        let passed = gate
            .report
            .as_ref()
            .is_some_and(|report| report.verdict() == GateVerdict::Pass);
        if let Some(since) = gate.quarantined_since {
            // The batch that began the quarantine holds the broken rows, however few they turned out to be in the end.
            if passed && since != gate.batch_since {
                gate.healthy_batches += 1;
            } else {
                gate.healthy_batches = 0;
                gate.spans.push(TimeSpan {
                    from: gate.batch_since,
                    until: now,
                });
                gate.rows_quarantined += gate.counts.rows();
            }
            let book = self.book(now)?;
            let question = Question::new(now, &book, Subject::Inputs { since });
            if self
                .may(Action::Release, question, acted)
                .await?
                .is_granted()
            {
                self.done(Action::Release, now);
                self.state.gate.quarantined_since = None;
            }
        }
        Ok(())
    }

    fn begin_batch(&mut self, now: Timestamp) {
        self.state.gate.counts = Counts::new(&self.reference.inputs);
        self.state.gate.report = None;
        self.state.gate.batch_since = now;
        self.state.service = Service::default();
    }

    fn violations(&self) -> String {
        let violations = self
            .state
            .gate
            .report
            .iter()
            .flat_map(|report| report.violations());
        violations
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// What was predicted from broken inputs is no evidence about a model, even if the label came before the gate saw it.
    fn discard_open_evidence(&mut self, since: Timestamp) {
        self.state
            .harm
            .discard_from(block(since, self.settings.batch));
        if let Some(experiment) = &mut self.state.experiment {
            experiment
                .judge
                .discard_from(block(since, self.settings.judge_block));
        }
    }
}
