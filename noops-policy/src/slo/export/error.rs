use std::fmt;

use crate::slo::BudgetingMethod;

/// Why an objective cannot be exported.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ExportError {
    /// A budget that counts slices of time, which these rules do not.
    Budgeting {
        /// The objective.
        objective: String,
        /// How its budget is counted.
        budgeting: BudgetingMethod,
    },
    /// A query that cannot stand in a rule.
    Query {
        /// The objective.
        objective: String,
        /// Which of its queries.
        query: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A label or annotation that cannot stand in a rule.
    Label {
        /// The objective.
        objective: String,
        /// The name of the label or annotation.
        label: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Burn-rate rules that were derived for another target.
    Target {
        /// The objective.
        objective: String,
    },
    /// Two objectives of one service and name.
    Twins {
        /// What both are identified by.
        id: String,
    },
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budgeting { objective, .. } => write!(
                f,
                "objective `{objective}` counts slices of time, which these rules do not; export one that counts occurrences"
            ),
            Self::Query {
                objective,
                query,
                problem,
            } => write!(f, "query `{query}` of objective `{objective}` {problem}"),
            Self::Label {
                objective,
                label,
                problem,
            } => write!(f, "label `{label}` of objective `{objective}` {problem}"),
            Self::Target { objective } => write!(
                f,
                "the burn-rate rules were derived for another target than that of objective `{objective}`; derive them anew"
            ),
            Self::Twins { id } => write!(
                f,
                "objective `{id}` is there twice; rename one of them or its service"
            ),
        }
    }
}

impl std::error::Error for ExportError {}
