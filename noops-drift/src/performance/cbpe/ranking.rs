use noops_core::Alpha;

use crate::performance::estimate::Estimate;
use noops_stats::special::normal_upper_quantile;

/// Rows in groups of one score, from the largest score down.
pub(super) struct Ranking {
    groups: Vec<Group>,
    positives: f64,
    negatives: f64,
    rows: u64,
}

/// An expected metric and, for each group, its derivative by the label of one of the rows.
pub(super) struct Slope {
    pub(super) value: f64,
    pub(super) slopes: Vec<f64>,
}

struct Group {
    members: Vec<usize>,
    positives: f64,
    negatives: f64,
    variance: f64,
}

impl Ranking {
    /// Takes pairs of raw score and probability.
    pub(super) fn new(pairs: impl Iterator<Item = (f64, f64)>) -> Self {
        // Adding zero folds the two zeros into one score.
        let mut ranked: Vec<(f64, f64, usize)> = pairs
            .enumerate()
            .map(|(row, (score, probability))| (score + 0.0, probability, row))
            .collect();
        ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)));
        let rows = ranked.len() as u64;
        let groups: Vec<Group> = ranked
            .chunk_by(|a, b| a.0 == b.0)
            .map(|tied| Group {
                members: tied.iter().map(|(_, _, row)| *row).collect(),
                positives: tied.iter().map(|(_, c, _)| c).sum(),
                negatives: tied.iter().map(|(_, c, _)| 1.0 - c).sum(),
                variance: tied.iter().map(|(_, c, _)| c * (1.0 - c)).sum(),
            })
            .collect();
        Self {
            positives: groups.iter().map(|group| group.positives).sum(),
            negatives: groups.iter().map(|group| group.negatives).sum(),
            groups,
            rows,
        }
    }

    /// The expected area under the ROC curve; nothing unless both classes are expected.
    pub(super) fn roc_auc(&self) -> Option<Slope> {
        let pairs = self.positives * self.negatives;
        if pairs.is_nan() || pairs <= 0.0 {
            return None;
        }
        let mut below = self.negatives;
        let mut won = 0.0;
        for group in &self.groups {
            below -= group.negatives;
            won += group.positives * (below.max(0.0) + group.negatives / 2.0);
        }
        let value = (won / pairs).clamp(0.0, 1.0);
        let mut negatives_below = self.negatives;
        let mut positives_above = 0.0;
        let slopes = self.groups.iter().map(|group| {
            negatives_below -= group.negatives;
            let beaten = negatives_below + group.negatives / 2.0;
            let better = positives_above + group.positives / 2.0;
            positives_above += group.positives;
            (beaten - better - value * (self.negatives - self.positives)) / pairs
        });
        Some(Slope {
            value,
            slopes: slopes.collect(),
        })
    }

    /// The expected average precision; nothing unless positives are expected.
    pub(super) fn average_precision(&self) -> Option<Slope> {
        if self.positives.is_nan() || self.positives <= 0.0 {
            return None;
        }
        let mut found = 0.0;
        let mut looked_at = 0.0;
        let mut sum = 0.0;
        let mut precisions = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            found += group.positives;
            looked_at += group.members.len() as f64;
            precisions.push((found / looked_at, group.positives / looked_at));
            sum += group.positives * found / looked_at;
        }
        let value = (sum / self.positives).clamp(0.0, 1.0);
        let mut later = 0.0;
        let mut slopes: Vec<f64> = precisions
            .iter()
            .rev()
            .map(|(precision, share)| {
                later += share;
                (precision + later - value) / self.positives
            })
            .collect();
        slopes.reverse();
        Some(Slope { value, slopes })
    }

    /// The interval of the delta method, on the logit scale.
    pub(super) fn interval(&self, slope: &Slope, alpha: Alpha) -> Option<Estimate> {
        let variance = self
            .groups
            .iter()
            .zip(&slope.slopes)
            .map(|(group, slope)| group.variance * slope * slope)
            .sum();
        logit_interval(slope.value, variance, alpha, self.rows)
    }

    /// The derivative of each row, in the order in which the rows were given.
    pub(super) fn by_row(&self, slope: &Slope) -> Vec<f64> {
        let mut rows = vec![0.0; usize::try_from(self.rows).unwrap_or(0)];
        for (group, slope) in self.groups.iter().zip(&slope.slopes) {
            for &member in &group.members {
                if let Some(row) = rows.get_mut(member) {
                    *row = *slope;
                }
            }
        }
        rows
    }
}

/// An interval for a share that stays within \[0, 1\].
pub(super) fn logit_interval(
    value: f64,
    variance: f64,
    alpha: Alpha,
    rows: u64,
) -> Option<Estimate> {
    let room = value * (1.0 - value);
    if room <= 0.0 || variance <= 0.0 {
        return Estimate::new(value, value, value, alpha, rows);
    }
    let centre = (value / (1.0 - value)).ln();
    let reach = normal_upper_quantile(alpha.get() / 2.0) * variance.sqrt() / room;
    let share = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    Estimate::new(
        value,
        share(centre - reach),
        share(centre + reach),
        alpha,
        rows,
    )
}
