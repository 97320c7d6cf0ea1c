//! What each group of people gets from either model.

use noops_canary::CanaryError;
use noops_canary::offline::fairness::{
    Disparity, DisparityEstimate, FairnessSettings, FourFifthsReport, FourFifthsSettings,
    GroupedMetrics, Groups, Predictions, four_fifths,
};

use crate::compare::Asked;
use crate::rows::Rows;

/// Both models by one group column, or by all of them crossed.
#[derive(Debug)]
pub(crate) struct Fairness {
    name: String,
    pub(crate) champion: GroupedMetrics,
    pub(crate) candidate: GroupedMetrics,
    pub(crate) four_fifths: FourFifthsReport,
}

impl Fairness {
    /// The column, or the columns that are crossed.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The candidate's disparities that a limit is set for.
    pub(crate) fn judged(&self) -> [(&'static str, Option<DisparityEstimate>); 2] {
        [
            (
                "demographic parity difference",
                self.candidate
                    .disparity(Disparity::demographic_parity_difference()),
            ),
            (
                "equalized odds difference",
                self.candidate
                    .disparity(Disparity::equalized_odds_difference()),
            ),
        ]
    }
}

/// Measures every group column by itself, and the combinations of all if there are several.
pub(crate) fn fairness(
    rows: &Rows,
    names: &[String],
    asked: &Asked,
) -> Result<Vec<Fairness>, CanaryError> {
    let columns = rows.groups.iter().map(|values| Groups::of_values(values));
    let columns = columns.collect::<Result<Vec<Groups>, _>>()?;
    let mut measured = Vec::with_capacity(columns.len() + 1);
    for (name, groups) in names.iter().zip(&columns) {
        measured.push(of_groups(name.clone(), groups, rows, asked)?);
    }
    if columns.len() > 1 {
        let crossed = Groups::crossing(&columns.iter().collect::<Vec<&Groups>>())?;
        measured.push(of_groups(names.join(" and "), &crossed, rows, asked)?);
    }
    Ok(measured)
}

fn of_groups(
    name: String,
    groups: &Groups,
    rows: &Rows,
    asked: &Asked,
) -> Result<Fairness, CanaryError> {
    let settings = FairnessSettings::default()
        .with_minimum_rows(asked.min_rows)
        .with_alpha(asked.alpha);
    let measured = |scores: &[f64]| {
        let predictions = Predictions::scores(scores, &rows.labels, asked.threshold)?;
        GroupedMetrics::of(&predictions, groups, &settings)
    };
    let candidate = measured(&rows.candidate)?;
    Ok(Fairness {
        name,
        champion: measured(&rows.champion)?,
        four_fifths: four_fifths(&candidate.selections(), &FourFifthsSettings::default())?,
        candidate,
    })
}

/// The disparities that are shown.
pub(crate) const SHOWN: [Shown; 4] = [
    (
        "demographic_parity_difference",
        Disparity::demographic_parity_difference,
    ),
    (
        "demographic_parity_ratio",
        Disparity::demographic_parity_ratio,
    ),
    (
        "equalized_odds_difference",
        Disparity::equalized_odds_difference,
    ),
    (
        "equal_opportunity_difference",
        Disparity::equal_opportunity_difference,
    ),
];

/// The name of a disparity, and the disparity.
pub(crate) type Shown = (&'static str, fn() -> Disparity);
