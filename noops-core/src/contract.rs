//! What a model demands of its input and promises of its output.

use std::collections::HashMap;

use arrow_array::{Array, RecordBatch};
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Column, Scores};
use crate::column::{NumberColumn, TextColumn};
use crate::digest::Digest;
use crate::encoded::{Breach, Encoded, Violation};
use crate::error::{Error, ErrorKind};
use crate::schema::{Feature, FeatureKind, Schema};

/// What to do with a row that breaks a rule of its feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// Refuse the row.
    Reject,
    /// Use this number instead; for a category, code 0.
    Impute(f64),
    /// Use the nearest allowed number; for a category and for a missing value, code 0 and the lower bound.
    Clamp,
}

/// The rules of one feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureRule {
    feature: Feature,
    missing: Remedy,
    outside: Remedy,
}

impl FeatureRule {
    /// Rules that refuse every missing value and every value outside the feature's range or categories.
    #[must_use]
    pub fn strict(feature: Feature) -> Self {
        Self {
            feature,
            missing: Remedy::Reject,
            outside: Remedy::Reject,
        }
    }

    /// What to do when the value is null or not finite.
    #[must_use]
    pub fn with_missing(mut self, remedy: Remedy) -> Self {
        self.missing = remedy;
        self
    }

    /// What to do when the number is out of range or the category unknown.
    #[must_use]
    pub fn with_outside(mut self, remedy: Remedy) -> Self {
        self.outside = remedy;
        self
    }

    /// The feature.
    #[must_use]
    pub fn feature(&self) -> &Feature {
        &self.feature
    }
}

/// The bounds that every number of the output must keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedOutputRule")]
pub struct OutputRule {
    width: usize,
    min: f32,
    max: f32,
}

#[derive(Deserialize)]
struct UncheckedOutputRule {
    width: usize,
    min: f32,
    max: f32,
}

impl TryFrom<UncheckedOutputRule> for OutputRule {
    type Error = String;

    /// JSON may hold a number too large for an `f32`, which would not be written again as it was read.
    fn try_from(
        UncheckedOutputRule { width, min, max }: UncheckedOutputRule,
    ) -> Result<Self, String> {
        if width > 0 && min.is_finite() && max.is_finite() && min <= max {
            Ok(Self { width, min, max })
        } else {
            Err("an output has at least one number, between two finite bounds".to_owned())
        }
    }
}

impl OutputRule {
    /// One probability per row.
    #[must_use]
    pub fn probability() -> Self {
        Self {
            width: 1,
            min: 0.0,
            max: 1.0,
        }
    }

    /// One finite number per row.
    #[must_use]
    pub fn number() -> Self {
        Self {
            width: 1,
            min: f32::MIN,
            max: f32::MAX,
        }
    }

    /// The first row whose scores break the rule, or a wrong number of rows.
    ///
    /// # Errors
    ///
    /// Names the row; a model that breaks its promise must not be served.
    pub fn check(&self, scores: &Scores, rows: usize) -> Result<(), Error> {
        let broken =
            |message: &str| Error::new(ErrorKind::Corrupt, "accept a model's output", message);
        if scores.rows() != rows {
            return Err(broken("the number of rows differs")
                .with("expected", rows)
                .with("got", scores.rows()));
        }
        for (row, values) in scores.iter().enumerate() {
            // Written so that NaN fails.
            let kept = values.len() == self.width
                && values
                    .iter()
                    .all(|value| (self.min..=self.max).contains(value));
            if !kept {
                return Err(broken("a score is outside the contract")
                    .with("row", row)
                    .with("score", format_args!("{values:?}")));
            }
        }
        Ok(())
    }
}

/// The input and output rules of a model version.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Float64Array, RecordBatch, StringArray};
/// use noops_core::{Column, Contract, Feature, FeatureRule, OutputRule, Remedy};
///
/// let contract = Contract::new(
///     [
///         FeatureRule::strict(Feature::number_between("amount", 0.0, 100.0)).with_missing(Remedy::Impute(5.0)),
///         FeatureRule::strict(Feature::category("country", ["de".into(), "se".into()])),
///     ],
///     OutputRule::probability(),
/// )?;
/// let rows = RecordBatch::try_from_iter([
///     ("amount", Arc::new(Float64Array::from(vec![Some(7.0), None, Some(700.0)])) as _),
///     ("country", Arc::new(StringArray::from(vec!["se", "de", "de"])) as _),
/// ])?;
/// let encoded = contract.encode(&rows)?;
/// assert_eq!(encoded.accepted(), [0, 1]);
/// assert_eq!(encoded.batch().columns()[0], Column::Number(vec![7.0, 5.0]));
/// assert_eq!(encoded.rejection(2).unwrap().to_string(), "`amount` is outside its contract");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Contract {
    rules: Vec<FeatureRule>,
    output: OutputRule,
    /// Per rule, the code of every category; derived from the rules.
    codes: Vec<HashMap<String, u32>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Contract")]
struct Parts {
    rules: Vec<FeatureRule>,
    output: OutputRule,
}

impl Contract {
    /// A contract of feature rules and an output rule.
    ///
    /// # Errors
    ///
    /// Refuses two rules for one feature, see [`Schema::new`].
    pub fn new(
        rules: impl IntoIterator<Item = FeatureRule>,
        output: OutputRule,
    ) -> Result<Self, Error> {
        let rules: Vec<FeatureRule> = rules.into_iter().collect();
        Schema::new(rules.iter().map(|rule| rule.feature.clone()))?;
        let codes = rules.iter().map(category_codes).collect();
        Ok(Self {
            rules,
            output,
            codes,
        })
    }

    /// The rules, in the order of a batch's columns.
    #[must_use]
    pub fn rules(&self) -> &[FeatureRule] {
        &self.rules
    }

    /// The rule of the output.
    #[must_use]
    pub fn output(&self) -> &OutputRule {
        &self.output
    }

    /// The digest of the rules.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// Checks rows and encodes those that pass, repaired where the rules say so. Columns the contract does not name are left
    /// out.
    ///
    /// # Errors
    ///
    /// Only when no row can be judged: a column is missing or of the wrong type.
    ///
    /// # Complexity
    ///
    /// One pass over the named columns.
    pub fn encode(&self, rows: &RecordBatch) -> Result<Encoded, Error> {
        let mut violations = Vec::new();
        let columns = self
            .rules
            .iter()
            .zip(&self.codes)
            .enumerate()
            .map(|(index, (rule, codes))| encode_column(index, rule, codes, rows, &mut violations))
            .collect::<Result<Vec<_>, _>>()?;
        let full = Batch::new(columns)?;
        violations.sort_by_key(|violation| (violation.row, violation.feature));
        let mut rejected: Vec<usize> = violations
            .iter()
            .filter(|violation| violation.rejected)
            .map(|violation| violation.row)
            .collect();
        rejected.dedup();
        let accepted: Vec<usize> = (0..rows.num_rows())
            .filter(|row| rejected.binary_search(row).is_err())
            .collect();
        let batch = if rejected.is_empty() {
            full
        } else {
            full.take(&accepted)
        };
        let names = self
            .rules
            .iter()
            .map(|rule| rule.feature.name().to_owned())
            .collect();
        Ok(Encoded {
            batch,
            accepted,
            violations,
            names,
        })
    }
}

impl TryFrom<Parts> for Contract {
    type Error = Error;

    fn try_from(parts: Parts) -> Result<Self, Error> {
        Self::new(parts.rules, parts.output)
    }
}

impl From<Contract> for Parts {
    fn from(contract: Contract) -> Self {
        Self {
            rules: contract.rules,
            output: contract.output,
        }
    }
}

fn category_codes(rule: &FeatureRule) -> HashMap<String, u32> {
    match rule.feature.kind() {
        FeatureKind::Number { .. } => HashMap::new(),
        FeatureKind::Category { categories } => categories.iter().cloned().zip(1..).collect(),
    }
}

fn encode_column(
    index: usize,
    rule: &FeatureRule,
    codes: &HashMap<String, u32>,
    rows: &RecordBatch,
    violations: &mut Vec<Violation>,
) -> Result<Column, Error> {
    let name = rule.feature.name();
    let column = rows
        .column_by_name(name)
        .ok_or_else(|| refuse("a column is missing").with("column", name))?;
    let wrong_type = || {
        refuse("a column has the wrong type")
            .with("column", name)
            .with("type", column.data_type())
    };
    match rule.feature.kind() {
        FeatureKind::Number { min, max } => {
            let numbers = NumberColumn::try_new(column.as_ref()).ok_or_else(wrong_type)?;
            let repaired = numbers.iter().enumerate().map(|(row, value)| {
                match value.filter(|value| value.is_finite()) {
                    Some(value) if (*min..=*max).contains(&value) => value,
                    Some(value) => repair(
                        row,
                        index,
                        Breach::Outside,
                        rule.outside,
                        value.clamp(*min, *max),
                        violations,
                    ),
                    None => repair(row, index, Breach::Missing, rule.missing, *min, violations),
                }
            });
            // Narrowing may overflow to infinity, which a model must never see.
            Ok(Column::Number(
                repaired
                    .map(|value| (value as f32).clamp(f32::MIN, f32::MAX))
                    .collect(),
            ))
        }
        FeatureKind::Category { .. } => {
            let texts = TextColumn::try_new(column.as_ref()).ok_or_else(wrong_type)?;
            let encoded = (0..column.len()).map(|row| match texts.value(row) {
                Some(text) => codes.get(text).copied().unwrap_or_else(|| {
                    repair(row, index, Breach::Outside, rule.outside, 0.0, violations);
                    0
                }),
                None => {
                    repair(row, index, Breach::Missing, rule.missing, 0.0, violations);
                    0
                }
            });
            Ok(Column::Category(encoded.collect()))
        }
    }
}

fn repair(
    row: usize,
    feature: usize,
    breach: Breach,
    remedy: Remedy,
    nearest: f64,
    violations: &mut Vec<Violation>,
) -> f64 {
    violations.push(Violation {
        row,
        feature,
        breach,
        rejected: remedy == Remedy::Reject,
    });
    match remedy {
        Remedy::Impute(value) if value.is_finite() => value,
        _ => nearest,
    }
}

fn refuse(message: &str) -> Error {
    Error::new(
        ErrorKind::Invalid,
        "check rows against the contract",
        message,
    )
}

#[cfg(test)]
mod tests;
