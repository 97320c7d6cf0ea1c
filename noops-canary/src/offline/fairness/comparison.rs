use noops_core::Alpha;
use noops_stats::special::student_upper_quantile;
use serde::{Deserialize, Serialize};

use self::spread::Spread;
use super::disparity::{Disparity, OddsAggregate};
use super::groups::Groups;
use super::predictions::Predictions;
use super::settings::FairnessSettings;
use crate::batch::settings::Margin;
use crate::error::CanaryError;
use crate::interval::Interval;
use crate::offline::OfflineVerdict;
use crate::offline::bootstrap::BootstrapComparison;
use crate::offline::check::check_length;
use crate::offline::comparison::verdict;
use crate::offline::gate::Finding;

mod settings;
mod spread;

pub use self::settings::ComparisonSettings;

/// Whether a candidate's disparity is worse than the champion's by less than a margin, on the same rows, once.
///
/// `blocks` says which rows fall together (the same person), as for [`PairedBootstrap`](crate::offline::PairedBootstrap).
///
/// # Formula
///
/// A disparity is the greatest of some contrasts `c` of the groups (of `m_i - m_j` over all ordered pairs, say), so the candidate's minus
/// the champion's is at most `max over c of (min over c' of U(candidate's c - champion's c'))`, `U` being an upper bound: estimate
/// plus `t(1 - alpha / C)` bootstrap standard errors with `C` contrasts and one degree of freedom less than effective blocks. The
/// lower bound is the same with the models exchanged. Ratios and minima, which are the least of their contrasts, change sign.
///
/// # Error rates
///
/// Each end is a one-sided bound at `alpha` as far as contrasts are nearly normal. The percentile interval of the
/// disparities themselves, kept in [`bootstrap`](FairnessComparison::bootstrap), is **not**: a maximum of groups that hardly differ is biased upwards, the more so for
/// the model that treats them alike, and a candidate that is worse than a fair champion by the margin passes it several times too often.
/// This bound holds whichever groups are the worst, also where they tie; it is the wider the more groups there are.
/// Simulated, two groups and a candidate worse by exactly the margin of 0.1: at an `alpha` of 5 % the percentile interval lets 22 % pass, this bound 6 %
/// with 1200 rows, of which the models differ in 60, and 7.5 % with 300, of which they differ in 15; with fewer it is tighter still than it should be.
///
/// # Numerical notes
///
/// The verdict is undecided with fewer than five effective blocks, and where a metric is undefined in a draw: raise the minimum of rows.
/// Which groups are judged is settled on all rows, before any draw.
///
/// # Errors
///
/// [`CanaryError::Length`] for columns of different lengths, [`CanaryError::TooFew`] for fewer than two judged groups, [`CanaryError::Setting`] for a margin that
/// is not above 0 and as for [`PairedBootstrap::compare`](crate::offline::PairedBootstrap::compare), and [`CanaryError::Input`] for a disparity that cannot be measured on these rows or has more
/// than 500 contrasts.
///
/// # Complexity
///
/// For every draw, O(n) and O(C²).
///
/// # Examples
///
/// ```
/// use noops_canary::offline::fairness::{
///     ComparisonSettings, Disparity, Groups, Predictions, compare_disparity,
/// };
/// use noops_canary::offline::OfflineVerdict;
///
/// let rows: Vec<u64> = (0..400).collect();
/// let groups: Vec<&str> = rows.iter().map(|row| if row % 2 == 0 { "a" } else { "b" }).collect();
/// let champion: Vec<bool> = rows.iter().map(|row| row % 5 < 2).collect();
/// let candidate: Vec<bool> = rows.iter().map(|row| row % 2 == 0 && row % 5 < 3).collect();
/// let parity = Disparity::demographic_parity_difference();
/// let compared = compare_disparity(
///     &Predictions::decisions(&champion)?,
///     &Predictions::decisions(&candidate)?,
///     &Groups::of_values(&groups)?,
///     &rows,
///     &ComparisonSettings::new(parity, 0.05).with_resamples(199),
/// )?;
/// assert_eq!(compared.verdict(), OfflineVerdict::Inferior);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn compare_disparity(
    champion: &Predictions<'_>,
    candidate: &Predictions<'_>,
    groups: &Groups,
    blocks: &[u64],
    settings: &ComparisonSettings,
) -> Result<FairnessComparison, CanaryError> {
    let disparity = settings.disparity();
    let margin = Margin::new(disparity.direction(), settings.margin())?;
    check_length("candidate", champion.rows(), candidate.rows())?;
    check_length("groups", champion.rows(), groups.rows())?;
    check_length("blocks", champion.rows(), blocks.len())?;
    let question = Question::new(disparity, groups, settings.fairness())?;
    let all: Vec<usize> = (0..groups.rows()).collect();
    let champion_here = question.ask(champion, &all)?;
    let candidate_here = question.ask(candidate, &all)?;
    let mut spread = champion_here
        .contrasts
        .zip(candidate_here.contrasts)
        .map(|(champion, candidate)| Spread::around(champion, candidate));
    let mut calls = 0_u64;
    let bootstrap = settings.bootstrap().compare(blocks, |rows| {
        let of_champion = question.ask(champion, rows).ok()?;
        let of_candidate = question.ask(candidate, rows).ok()?;
        let drawn = of_champion.contrasts.zip(of_candidate.contrasts);
        // A draw that cannot be counted would be missing from the spread in an unknown way.
        spread = spread.take().zip(drawn).map(|(mut spread, drawn)| {
            // The first call is of all rows and no draw.
            if calls > 0 {
                spread.add(&drawn.0, &drawn.1);
            }
            spread
        });
        calls = calls.saturating_add(1);
        Some(of_candidate.value - of_champion.value)
    })?;
    let freedom = (bootstrap.effective_blocks().floor() - 1.0).max(1.0);
    let interval = spread
        .filter(|_| bootstrap.undefined() == 0)
        .and_then(|spread| {
            let parts = spread.contrasts().max(1) as f64;
            let tail = (settings.alpha().get() / parts).max(f64::MIN_POSITIVE);
            spread.interval(student_upper_quantile(tail, freedom))
        });
    let sign = margin.direction().harm_sign();
    let interval = interval.map(|harm| Interval::between(sign * harm.lower(), sign * harm.upper()));
    Ok(FairnessComparison {
        disparity,
        champion: champion_here.value,
        candidate: candidate_here.value,
        interval,
        margin,
        alpha: settings.alpha(),
        judged: question.names(),
        bootstrap,
    })
}

/// A candidate's disparity against the champion's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FairnessComparison {
    disparity: Disparity,
    champion: f64,
    candidate: f64,
    interval: Option<Interval>,
    margin: Margin,
    alpha: Alpha,
    judged: Vec<String>,
    bootstrap: BootstrapComparison,
}

impl FairnessComparison {
    /// What was compared.
    #[must_use]
    pub fn disparity(&self) -> Disparity {
        self.disparity
    }

    /// The champion's disparity.
    #[must_use]
    pub fn champion(&self) -> f64 {
        self.champion
    }

    /// The candidate's disparity.
    #[must_use]
    pub fn candidate(&self) -> f64 {
        self.candidate
    }

    /// The candidate's disparity minus the champion's.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.candidate - self.champion
    }

    /// The interval of that difference, each end a one-sided bound at `alpha`, whichever groups are worst; `None` where the disparity was undefined in a draw.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        self.interval
    }

    /// The margin.
    #[must_use]
    pub fn margin(&self) -> Margin {
        self.margin
    }

    /// The error rate of each end.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The groups with the minimum of rows.
    #[must_use]
    pub fn judged(&self) -> &[String] {
        &self.judged
    }

    /// The plain paired bootstrap of the difference, whose percentile interval does not hold where groups tie.
    #[must_use]
    pub fn bootstrap(&self) -> &BootstrapComparison {
        &self.bootstrap
    }

    /// What the interval says of the margin.
    #[must_use]
    pub fn verdict(&self) -> OfflineVerdict {
        verdict(self.trusted(), self.margin.limit(), self.margin.direction())
    }

    /// What a [`Gate`](crate::offline::Gate) is shown, for a criterion with [`Rule::NonInferior`](crate::offline::Rule::NonInferior) and a margin of the
    /// disparity's own direction.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding::Estimate {
            value: self.difference(),
            interval: self.trusted().unwrap_or(Interval::UNBOUNDED),
        }
    }

    fn trusted(&self) -> Option<Interval> {
        self.bootstrap.trusted()?;
        self.interval
    }
}

/// Which disparity of which groups.
struct Question<'a> {
    disparity: Disparity,
    groups: &'a Groups,
    judged: Vec<bool>,
}

impl<'a> Question<'a> {
    fn new(
        disparity: Disparity,
        groups: &'a Groups,
        settings: FairnessSettings,
    ) -> Result<Self, CanaryError> {
        let members = groups.split(0..groups.rows());
        let judged: Vec<bool> = members
            .iter()
            .map(|rows| settings.judges(rows.len() as u64))
            .collect();
        let found = judged.iter().filter(|judged| **judged).count();
        if found < 2 {
            return Err(CanaryError::TooFew {
                column: "groups with the minimum of rows",
                needed: 2,
                found,
            });
        }
        // Before any is computed: there are about as many as the square of the groups.
        let each = disparity.shape().number_of_contrasts(found);
        let metrics = disparity.metrics().len();
        let joined = match disparity.aggregate() {
            OddsAggregate::WorstCase => each.saturating_mul(metrics),
            OddsAggregate::Mean => each.saturating_mul(each),
        };
        if joined > MOST_CONTRASTS {
            return Err(CanaryError::Input {
                input: "groups",
                reason: "has too many groups to compare; merge some, or raise `minimum_rows`",
            });
        }
        Ok(Self {
            disparity,
            groups,
            judged,
        })
    }

    fn names(&self) -> Vec<String> {
        let named = self.groups.names().iter().zip(&self.judged);
        named
            .filter(|(_, judged)| **judged)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The disparity of a model on some rows, which may repeat.
    fn ask(&self, model: &Predictions<'_>, rows: &[usize]) -> Result<Answer, CanaryError> {
        self.answer(model, rows).ok_or(CanaryError::Input {
            input: "disparity",
            reason: "is undefined on these rows; pass rows of every class in every group, or raise `minimum_rows`",
        })
    }

    fn answer(&self, model: &Predictions<'_>, rows: &[usize]) -> Option<Answer> {
        let shape = self.disparity.shape();
        let sign = self.disparity.direction().harm_sign();
        let members = self.groups.split(rows.iter().copied());
        let (mut values, mut contrasts) = (Vec::new(), Vec::new());
        for metric in self.disparity.metrics() {
            let of_groups: Vec<f64> = members
                .iter()
                .zip(&self.judged)
                .filter(|(_, judged)| **judged)
                .map(|(rows, _)| model.measure(metric, rows).value())
                .collect::<Option<_>>()?;
            let overall = shape
                .needs_overall()
                .then(|| model.measure(metric, rows).value())
                .flatten();
            values.push(shape.of(&of_groups, overall)?);
            contrasts.extend(shape.contrasts(&of_groups, overall));
        }
        let contrasts = (contrasts.len() == values.len())
            .then(|| join(self.disparity.aggregate(), contrasts))
            .map(|joined| joined.into_iter().map(|contrast| sign * contrast).collect());
        Some(Answer {
            value: self.disparity.combine(&values)?,
            contrasts,
        })
    }
}

/// What one model answers on some rows.
struct Answer {
    value: f64,
    /// Signed so that the greatest is the worst; `None` where one of them is undefined.
    contrasts: Option<Vec<f64>>,
}

/// The contrasts of several metrics as those of one disparity.
fn join(aggregate: OddsAggregate, parts: Vec<Vec<f64>>) -> Vec<f64> {
    match (aggregate, parts.as_slice()) {
        (OddsAggregate::Mean, [first, second]) => {
            let means = first
                .iter()
                .flat_map(|a| second.iter().map(move |b| 0.5 * (a + b)));
            means.collect()
        }
        _ => parts.into_iter().flatten().collect(),
    }
}

/// With their squares as many sums per draw.
const MOST_CONTRASTS: usize = 500;

#[cfg(test)]
mod tests;
