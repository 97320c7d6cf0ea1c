//! What the rows say of both models.

use std::collections::BTreeMap;

use noops_canary::batch::{Margin, TestSettings};
use noops_canary::offline::{
    AreaUnderCurve, Binning, Confusion, Criterion, Evaluation, Finding, Gate, GateReport,
    PairedBootstrap, ReliabilityCurve, Rule, SliceReport, SliceSettings, area_under_curve,
    brier_losses, compare_losses, compare_slices, delong_test, log_losses,
};
use noops_canary::{CanaryError, Direction, Interval};
use noops_core::Alpha;

use crate::failure::{Failure, fail};
use crate::fair::{Fairness, fairness};
use crate::rows::Rows;

/// What is asked of a candidate.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) alpha: Alpha,
    pub(crate) threshold: f64,
    pub(crate) auc_margin: f64,
    pub(crate) log_loss_margin: f64,
    pub(crate) brier_margin: f64,
    pub(crate) accuracy_margin: f64,
    pub(crate) slice_margin: f64,
    pub(crate) max_disparity: Option<f64>,
    pub(crate) min_rows: u64,
    pub(crate) resamples: Option<u32>,
    pub(crate) seed: u64,
}

/// Everything that was found.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) rows: u64,
    pub(crate) positives: u64,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) slices: Vec<(String, SliceReport)>,
    pub(crate) fairness: Vec<Fairness>,
    pub(crate) gate: GateReport,
}

/// One metric of both models, and their difference.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) champion: Measured,
    pub(crate) candidate: Measured,
    pub(crate) difference: Measured,
    pub(crate) p_value: Option<f64>,
}

/// A number with its interval, as far as either is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) value: Option<f64>,
    pub(crate) interval: Option<Interval>,
}

impl Compared {
    /// Measures, compares and judges; `groups` names the group columns of the rows.
    pub(crate) fn of(rows: &Rows, groups: &[String], asked: &Asked) -> Result<Self, Failure> {
        let mut found = Found {
            metrics: Vec::new(),
            criteria: Vec::new(),
            findings: BTreeMap::new(),
        };
        let both = Both::of(rows, asked).map_err(refused)?;
        both.area(&mut found).map_err(refused)?;
        both.losses(&mut found).map_err(refused)?;
        both.decisions(&mut found).map_err(refused)?;
        both.calibration(&mut found).map_err(refused)?;
        let slices = both.slices(groups, &mut found).map_err(refused)?;
        let fairness = fairness(rows, groups, asked).map_err(refused)?;
        if let Some(most) = asked.max_disparity {
            for one in &fairness {
                for (name, disparity) in one.judged() {
                    let name = format!("{name} by {}", one.name());
                    let finding = disparity
                        .map(|found| Finding::estimate(found.value(), found.interval()))
                        .transpose()
                        .map_err(refused)?;
                    found.ask(name, Rule::AtMost(most), finding);
                }
            }
        }
        let gate = Gate::new(found.criteria).map_err(refused)?;
        Ok(Self {
            rows: rows.labels.len() as u64,
            positives: rows.labels.iter().filter(|label| **label).count() as u64,
            metrics: found.metrics,
            slices,
            fairness,
            gate: gate.judge(&found.findings),
        })
    }
}

/// What has been found so far, and what is asked of it.
struct Found {
    metrics: Vec<Metric>,
    criteria: Vec<Criterion>,
    findings: BTreeMap<String, Finding>,
}

impl Found {
    fn ask(&mut self, name: impl Into<String>, rule: Rule, finding: Option<Finding>) {
        let name = name.into();
        if let Some(finding) = finding {
            self.findings.insert(name.clone(), finding);
        }
        self.criteria.push(Criterion::new(name, rule));
    }
}

/// Both models on the same rows.
struct Both<'a> {
    rows: &'a Rows,
    asked: &'a Asked,
    /// Each end of an interval is a bound at alpha, so both together miss twice as often.
    both_ends: Alpha,
    champion: Evaluation,
    candidate: Evaluation,
}

impl<'a> Both<'a> {
    fn of(rows: &'a Rows, asked: &'a Asked) -> Result<Self, CanaryError> {
        let both_ends = Alpha::new(2.0 * asked.alpha.get()).map_err(|_| CanaryError::Setting {
            name: "alpha",
            value: asked.alpha.get(),
            allowed: "below 0.5",
        })?;
        Ok(Self {
            rows,
            asked,
            both_ends,
            champion: Evaluation::of(&rows.champion, &rows.labels)?,
            candidate: Evaluation::of(&rows.candidate, &rows.labels)?,
        })
    }

    fn area(&self, found: &mut Found) -> Result<(), CanaryError> {
        let Rows {
            labels,
            champion,
            candidate,
            ..
        } = self.rows;
        let settings = TestSettings::default().with_alpha(self.both_ends);
        let outcome = known(delong_test(champion, candidate, labels, &settings))?;
        let area = |scores: &[f64]| known(area_under_curve(scores, labels));
        let difference = match &outcome {
            // The same scores have the same area whatever the rows, which a variance of zero does not say.
            Some(_) if champion == candidate => Measured {
                value: Some(0.0),
                interval: Interval::new(0.0, 0.0),
            },
            Some(outcome) => Measured {
                value: outcome.estimate(),
                interval: outcome.interval(),
            },
            None => Measured::default(),
        };
        let margin = Margin::new(Direction::HigherIsBetter, self.asked.auc_margin)?;
        let finding = difference
            .value
            .map(|value| Finding::estimate(value, difference.interval))
            .transpose()?;
        found.ask(AUC, Rule::NonInferior(margin), finding);
        found.metrics.push(Metric {
            name: AUC,
            method: "DeLong",
            champion: self.of_area(area(champion)?),
            candidate: self.of_area(area(candidate)?),
            difference,
            p_value: outcome.map(|outcome| outcome.p_value()),
        });
        Ok(())
    }

    fn of_area(&self, area: Option<AreaUnderCurve>) -> Measured {
        Measured {
            value: area.map(|area| area.value()),
            interval: area.and_then(|area| area.interval(self.both_ends)),
        }
    }

    fn losses(&self, found: &mut Found) -> Result<(), CanaryError> {
        let Rows {
            labels,
            champion,
            candidate,
            blocks,
            ..
        } = self.rows;
        let measured = |metric: &noops_canary::offline::Metric| Measured {
            value: Some(metric.value()),
            interval: metric.interval(self.both_ends),
        };
        let both = [
            (
                LOG_LOSS,
                self.asked.log_loss_margin,
                [
                    log_losses(champion, labels)?,
                    log_losses(candidate, labels)?,
                ],
                [self.champion.log_loss(), self.candidate.log_loss()],
            ),
            (
                BRIER,
                self.asked.brier_margin,
                [
                    brier_losses(champion, labels)?,
                    brier_losses(candidate, labels)?,
                ],
                [self.champion.brier(), self.candidate.brier()],
            ),
        ];
        for (name, margin, [of_champion, of_candidate], [before, now]) in both {
            let margin = Margin::new(Direction::LowerIsBetter, margin)?;
            let compared = compare_losses(
                &of_champion,
                &of_candidate,
                blocks,
                margin,
                self.asked.alpha,
            )?;
            let finding = Finding::of_comparison(&compared);
            found.ask(name, Rule::NonInferior(margin), Some(finding));
            found.metrics.push(Metric {
                name,
                method: "paired mean",
                champion: measured(before),
                candidate: measured(now),
                difference: Measured {
                    value: Some(compared.mean_difference()),
                    interval: compared.interval(),
                },
                p_value: None,
            });
        }
        Ok(())
    }

    /// Accuracy and F1 of the decisions at the threshold.
    fn decisions(&self, found: &mut Found) -> Result<(), CanaryError> {
        let Rows {
            labels,
            champion,
            candidate,
            blocks,
            ..
        } = self.rows;
        let threshold = self.asked.threshold;
        let confused = |scores: &[f64]| Confusion::at(threshold, scores, labels);
        let (before, now) = (confused(champion)?, confused(candidate)?);
        let measured = |confusion: &Confusion| Measured {
            value: confusion.accuracy().value(),
            interval: Some(confusion.accuracy().interval(self.both_ends)),
        };
        let right = |scores: &[f64]| -> Vec<f64> {
            let decided = scores.iter().zip(labels);
            decided
                .map(|(score, label)| f64::from(u8::from((*score >= threshold) == *label)))
                .collect()
        };
        let margin = Margin::new(Direction::HigherIsBetter, self.asked.accuracy_margin)?;
        let compared = compare_losses(
            &right(champion),
            &right(candidate),
            blocks,
            margin,
            self.asked.alpha,
        )?;
        let finding = Finding::of_comparison(&compared);
        found.ask(ACCURACY, Rule::NonInferior(margin), Some(finding));
        found.metrics.push(Metric {
            name: ACCURACY,
            method: "paired mean",
            champion: measured(&before),
            candidate: measured(&now),
            difference: Measured {
                value: Some(compared.mean_difference()),
                interval: compared.interval(),
            },
            p_value: None,
        });
        let f1 = |scores: &[f64], labels: &[bool]| {
            Confusion::at(threshold, scores, labels)
                .ok()
                .and_then(|confusion| confusion.f1())
        };
        found
            .metrics
            .push(self.bootstrapped("F1", before.f1(), now.f1(), f1)?);
        Ok(())
    }

    fn calibration(&self, found: &mut Found) -> Result<(), CanaryError> {
        let error = |scores: &[f64], labels: &[bool]| {
            let curve = ReliabilityCurve::of(scores, labels, Binning::EqualCount, BINS).ok()?;
            Some(curve.expected_calibration_error())
        };
        let (before, now) = (
            error(&self.rows.champion, &self.rows.labels),
            error(&self.rows.candidate, &self.rows.labels),
        );
        found
            .metrics
            .push(self.bootstrapped("calibration error", before, now, error)?);
        Ok(())
    }

    /// A metric that is no mean over rows; without a difference where it is undefined.
    fn bootstrapped(
        &self,
        name: &'static str,
        champion: Option<f64>,
        candidate: Option<f64>,
        metric: impl Fn(&[f64], &[bool]) -> Option<f64>,
    ) -> Result<Metric, CanaryError> {
        let rows = self.rows;
        let value = |value| Measured {
            value,
            interval: None,
        };
        let difference = if champion.is_some() && candidate.is_some() {
            let compared = PairedBootstrap::default()
                .with_seed(self.asked.seed)
                .with_resamples(self.resamples())
                .with_alpha(self.asked.alpha)
                .compare_scores(
                    &rows.champion,
                    &rows.candidate,
                    &rows.labels,
                    &rows.blocks,
                    metric,
                )?;
            Measured {
                value: Some(compared.estimate()),
                interval: compared
                    .interval()
                    .filter(|_| compared.effective_blocks() >= FEWEST_BLOCKS),
            }
        } else {
            Measured::default()
        };
        Ok(Metric {
            name,
            method: "paired bootstrap",
            champion: value(champion),
            candidate: value(candidate),
            difference,
            p_value: None,
        })
    }

    fn resamples(&self) -> u32 {
        let rows = self.rows.labels.len().max(1);
        let affordable = u32::try_from(DRAWN_ROWS / rows).unwrap_or(u32::MAX);
        let resamples = affordable.clamp(FEWEST_RESAMPLES, MOST_RESAMPLES);
        self.asked.resamples.unwrap_or(resamples)
    }

    fn slices(
        &self,
        groups: &[String],
        found: &mut Found,
    ) -> Result<Vec<(String, SliceReport)>, CanaryError> {
        let rows = self.rows;
        let champion = log_losses(&rows.champion, &rows.labels)?;
        let candidate = log_losses(&rows.candidate, &rows.labels)?;
        let margin = Margin::new(Direction::LowerIsBetter, self.asked.slice_margin)?;
        let settings = SliceSettings::default()
            .with_minimum_rows(self.asked.min_rows)
            .with_alpha(self.asked.alpha);
        let mut reports = Vec::with_capacity(groups.len());
        for (name, values) in groups.iter().zip(&rows.groups) {
            let report = compare_slices(
                &champion,
                &candidate,
                &rows.blocks,
                values,
                margin,
                &settings,
            )?;
            let finding = Finding::from(report.clone());
            found.ask(
                format!("log loss by {name}"),
                Rule::EverySlice,
                Some(finding),
            );
            reports.push((name.clone(), report));
        }
        Ok(reports)
    }
}

/// Nothing where a class has too few rows for a value to exist.
fn known<T>(found: Result<T, CanaryError>) -> Result<Option<T>, CanaryError> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(CanaryError::TooFew { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn refused(error: CanaryError) -> Failure {
    fail(format!("cannot compare the models: {error}"))
}

pub(crate) const AUC: &str = "AUC";
pub(crate) const LOG_LOSS: &str = "log loss";
const BRIER: &str = "Brier score";
const ACCURACY: &str = "accuracy";
const BINS: usize = 10;
/// Draws of fewer blocks hardly vary, and their interval would say more than the rows do.
const FEWEST_BLOCKS: f64 = 5.0;
/// A second or so of resampling.
const DRAWN_ROWS: usize = 20_000_000;
const FEWEST_RESAMPLES: u32 = 200;
const MOST_RESAMPLES: u32 = 1000;
