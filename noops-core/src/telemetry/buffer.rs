use std::sync::Arc;

use arrow_array::RecordBatch;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::after;
use super::counts::{TelemetryCounts, bump};
use super::held::{Held, Requests};
use super::labels::{Added, Known, Labels};
use super::outcome::LabelOutcome;
use super::record::PredictionRecord;
use super::settings::TelemetrySettings;
use super::state::State;
use super::table::{Row, to_batches};
use crate::error::Error;
use crate::label::Label;

/// Joins predictions and labels by the id of their request, within a limit of memory.
///
/// A plain value: it never waits, never reads a clock, and two of them that are fed the same do the same. Serialise it to keep it
/// over a restart; the one read back goes on as if nothing had happened.
///
/// # Crashes
///
/// Save it with the time of the next drain, drain at that time, write the rows, and save it again. A crash in between loses no row
/// of what was saved, and a buffer that is read back and drained at the saved time first gives the same rows, thus a file with the
/// same digest, which a [`TelemetryManifest`](crate::TelemetryManifest) lists once. One that is drained at another time, or after
/// more was delivered, puts rows that were written before the crash into a second file as well: then a reader takes one row for
/// each request.
///
/// # Rules
///
/// * Of two predictions of one request the first that is delivered counts. The rest is counted.
/// * Of two labels of one request the one with the earlier `known_at` counts; known at the same time, the negative one. A label
///   with the same value is a duplicate, one with the other value a conflict: counted, and recorded in its row.
/// * A label counts when it became known up to [`horizon`](TelemetrySettings::horizon) after its prediction, that moment
///   included; also before it, since clocks disagree.
/// * A row is complete [`grace`](TelemetrySettings::grace) after its label became known, and without one when horizon and grace
///   are over. It is drained once and does not change afterwards; what contradicts it later is reported and counted.
/// * Labels wait for their prediction for as long as a prediction made at the same time would be taken.
///
/// So, but for the first rule, the rows drained do not depend on the order in which predictions and labels were delivered before,
/// nor on how often.
///
/// # Memory
///
/// Every request held counts for the bytes of its texts and 1,024 for everything else, which is more than it takes. What would
/// exceed [`max_bytes`](TelemetrySettings::max_bytes) drops first the drained requests that are remembered to recognise repetitions,
/// then the oldest of the rest, in the order of delivery, and counts them. Until then, and as
/// long as the time given to [`drain`](Self::drain) is not set back, no row is lost or drained twice. The
/// batches that are drained are the caller's.
///
/// # Examples
///
/// ```
/// use noops_core::{
///     Alias, Digest, Label, LabelOutcome, Observed, PredictionRecord, PredictionStatus, Share, TelemetryBuffer,
///     TelemetrySettings, Timestamp,
/// };
///
/// let second = |second| Timestamp::from_second(second);
/// let mut telemetry = TelemetryBuffer::new(TelemetrySettings::default())?;
/// telemetry.predictions(&[PredictionRecord {
///     request: "r-1".into(),
///     unit: "user-7".into(),
///     at: second(0)?,
///     model: "arrival-delay".parse()?,
///     version: Digest::of(b"weights"),
///     arm: Alias::champion(),
///     share: Share::ZERO,
///     status: PredictionStatus::Answered,
///     score: Some(0.8),
/// }]);
/// let label = Label { request: "r-1".into(), observed: Observed::Positive, known_at: second(60)? };
/// assert!(matches!(telemetry.label(label.clone()), LabelOutcome::Joined { delay } if delay.as_secs() == 60));
/// assert_eq!(telemetry.label(label), LabelOutcome::Duplicate);
///
/// let batches = telemetry.drain(second(60)?)?;
/// assert_eq!(batches[0].num_rows(), 1);
/// assert!(telemetry.drain(second(61)?)?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "State", into = "State")]
pub struct TelemetryBuffer {
    pub(super) settings: TelemetrySettings,
    pub(super) requests: Requests,
    pub(super) counts: TelemetryCounts,
    /// When it was drained last. Not the latest of all times: after a clock was set back, its time is the one that holds.
    pub(super) drained_at: Option<Timestamp>,
}

impl TelemetryBuffer {
    /// An empty buffer.
    ///
    /// # Errors
    ///
    /// `Invalid` when horizon and grace together are longer than the retention: rows would wait for labels for longer than they
    /// may exist.
    pub fn new(settings: TelemetrySettings) -> Result<Self, Error> {
        settings.check()?;
        let requests = Requests::new(settings.max_bytes());
        Ok(Self {
            settings,
            requests,
            counts: TelemetryCounts::default(),
            drained_at: None,
        })
    }

    /// Takes in predictions.
    ///
    /// # Complexity
    ///
    /// Logarithmic in the number of requests held, for each prediction and each request that is dropped for it.
    pub fn predictions(&mut self, records: &[PredictionRecord]) {
        for record in records {
            self.prediction(record);
        }
    }

    /// Takes in a label, and says what became of it.
    ///
    /// # Complexity
    ///
    /// Logarithmic in the number of requests held.
    pub fn label(&mut self, label: Label) -> LabelOutcome {
        let outcome = self.place(&label);
        self.counts.label(&outcome);
        outcome
    }

    /// Takes out the rows that are complete, ordered by time and id, as batches of [`telemetry_schema`](crate::telemetry_schema);
    /// no batch when there is no row.
    ///
    /// # Errors
    ///
    /// `Invalid` when Arrow refuses the columns; then nothing was taken out.
    ///
    /// # Complexity
    ///
    /// Linear in the number of requests held, and n log n in the number of rows.
    pub fn drain(&mut self, now: Timestamp) -> Result<Vec<RecordBatch>, Error> {
        let mut rows: Vec<Row<'_>> = self
            .requests
            .iter()
            .filter_map(|(_, held)| self.complete(held, now))
            .collect();
        rows.sort_by_key(|row| (row.prediction.at, row.prediction.request.as_str()));
        let batches = to_batches(&rows)?;
        let settled: Vec<(String, Timestamp, Option<Known>)> = rows
            .iter()
            .map(|row| (row.prediction.request.clone(), row.prediction.at, row.label))
            .collect();
        for (request, at, label) in settled {
            bump(match label {
                Some(_) => &mut self.counts.labelled_rows,
                None => &mut self.counts.unlabelled_rows,
            });
            self.requests.settle(&request, at, label);
        }
        self.expire(now);
        self.drained_at = Some(now);
        Ok(batches)
    }

    /// What became of everything delivered so far.
    #[must_use]
    pub fn counts(&self) -> TelemetryCounts {
        self.counts
    }

    /// How many bytes are held, as accounted for; never more than [`max_bytes`](TelemetrySettings::max_bytes).
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        self.requests.bytes()
    }

    /// How many requests are held, those included that are only remembered.
    #[must_use]
    pub fn held_requests(&self) -> usize {
        self.requests.len()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &TelemetrySettings {
        &self.settings
    }

    fn prediction(&mut self, record: &PredictionRecord) {
        if !is_legal_id(&record.request) || record.unit.len() > LONGEST_ID {
            return bump(&mut self.counts.refused_predictions);
        }
        if !self.settings.is_sampled(&record.request) {
            return bump(&mut self.counts.unsampled_predictions);
        }
        let mut labels = match self.requests.find(&record.request) {
            Some(Held::Open { .. } | Held::Settled { .. }) => {
                return bump(&mut self.counts.duplicate_predictions);
            }
            Some(Held::Waiting { labels }) => *labels,
            None => Labels::default(),
        };
        let closed = after(record.at, self.settings.close());
        if self.drained_at.is_some_and(|drained| closed <= drained) {
            // Its row may have been drained and forgotten: taking it in could drain it twice.
            return bump(&mut self.counts.late_predictions);
        }
        let late = labels.forget_after(after(record.at, self.settings.horizon()));
        let finite = record.score.filter(|score| score.is_finite());
        let prediction = Box::new(PredictionRecord {
            score: finite,
            ..record.clone()
        });
        let held = Held::Open { prediction, labels };
        if !self.requests.fits(&record.request, &held) {
            return bump(&mut self.counts.refused_predictions);
        }
        self.counts.late_labels = self.counts.late_labels.saturating_add(late);
        if labels.counting().is_some() {
            bump(&mut self.counts.joined_labels);
        }
        if finite.is_none() && record.score.is_some() {
            bump(&mut self.counts.not_finite_scores);
        }
        bump(&mut self.counts.predictions);
        self.requests.push(&record.request, held, &mut self.counts);
    }

    fn place(&mut self, label: &Label) -> LabelOutcome {
        if !is_legal_id(&label.request) {
            return LabelOutcome::Refused;
        }
        if !self.settings.is_sampled(&label.request) {
            return LabelOutcome::NotSampled;
        }
        let known = Known::of(label);
        let horizon = self.settings.horizon();
        match self.requests.find_mut(&label.request) {
            None => self.wait(label),
            Some(Held::Waiting { labels }) => match labels.add(known) {
                Added::First => LabelOutcome::Waiting,
                added => repeated(&label.request, added),
            },
            Some(Held::Open { prediction, labels }) => {
                if known.known_at > after(prediction.at, horizon) {
                    return LabelOutcome::TooLate;
                }
                match labels.add(known) {
                    Added::First => LabelOutcome::Joined {
                        delay: known.known_at.duration_since(prediction.at),
                    },
                    added => repeated(&label.request, added),
                }
            }
            Some(Held::Settled { at, label: kept }) => match *kept {
                Some(kept) if known.known_at <= after(*at, horizon) => {
                    let added = if kept.observed == known.observed {
                        Added::Repeated
                    } else {
                        let refused = known;
                        Added::Conflicting { kept, refused }
                    };
                    repeated(&label.request, added)
                }
                _ => LabelOutcome::TooLate,
            },
        }
    }

    fn wait(&mut self, label: &Label) -> LabelOutcome {
        let labels = Labels::one(Known::of(label));
        let held = Held::Waiting { labels };
        if !self.requests.fits(&label.request, &held) {
            return LabelOutcome::Refused;
        }
        self.requests.push(&label.request, held, &mut self.counts);
        LabelOutcome::Waiting
    }

    fn complete<'a>(&self, held: &'a Held, now: Timestamp) -> Option<Row<'a>> {
        let Held::Open { prediction, labels } = held else {
            return None;
        };
        let label = labels.counting();
        let complete_at = match label {
            Some(label) => after(label.known_at, self.settings.grace()),
            None => after(prediction.at, self.settings.close()),
        };
        (complete_at <= now).then_some(Row {
            prediction,
            label,
            conflicting: labels.conflicting(),
        })
    }

    /// Forgets what is no longer needed to recognise what may still come.
    fn expire(&mut self, now: Timestamp) {
        let over: Vec<Arc<str>> = self
            .requests
            .iter()
            .filter(|(_, held)| self.is_over(held, now))
            .map(|(request, _)| Arc::clone(request))
            .collect();
        for request in over {
            if let Some(Held::Waiting { .. }) = self.requests.remove(&request) {
                bump(&mut self.counts.orphaned_labels);
            }
        }
    }

    fn is_over(&self, held: &Held, now: Timestamp) -> bool {
        match held {
            Held::Open { .. } => false,
            Held::Waiting { labels } => labels
                .counting()
                .is_none_or(|label| after(label.known_at, self.settings.close()) <= now),
            Held::Settled { at, .. } => after(*at, self.settings.remember()) <= now,
        }
    }
}

pub(super) fn is_legal_id(request: &str) -> bool {
    !request.is_empty() && request.len() <= LONGEST_ID
}

fn repeated(request: &str, added: Added) -> LabelOutcome {
    match added {
        Added::First | Added::Repeated => LabelOutcome::Duplicate,
        Added::Conflicting { kept, refused } => LabelOutcome::Conflict {
            kept: kept.to_label(request),
            refused: refused.to_label(request),
        },
    }
}

/// An id has as many bytes as a URL has in practice, and then some.
pub(super) const LONGEST_ID: usize = 1024;
