//! What a model demands of its input and promises of its output.

use std::collections::HashMap;
use std::fmt;

use arrow_array::{Array, RecordBatch};
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Column, Scores};
use crate::column::{NumberColumn, TextColumn};
use crate::digest::Digest;
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

/// Which rule a value broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Breach {
    /// Null, NaN or infinite.
    Missing,
    /// Out of range, or an unknown category.
    Outside,
}

/// A value that broke a rule, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    row: usize,
    feature: usize,
    breach: Breach,
    rejected: bool,
}

impl Violation {
    /// The row of the request.
    #[must_use]
    pub fn row(&self) -> usize {
        self.row
    }

    /// The index of the feature in the contract.
    #[must_use]
    pub fn feature(&self) -> usize {
        self.feature
    }

    /// The rule.
    #[must_use]
    pub fn breach(&self) -> Breach {
        self.breach
    }

    /// Whether the row was refused; otherwise the value was repaired.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        self.rejected
    }
}

/// The bounds that every number of the output must keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputRule {
    width: usize,
    min: f32,
    max: f32,
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

/// Checked rows: those that may be predicted, and what was wrong with the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    batch: Batch,
    accepted: Vec<usize>,
    violations: Vec<Violation>,
    names: Vec<String>,
}

impl Encoded {
    /// The accepted rows.
    #[must_use]
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Takes the accepted rows out.
    #[must_use]
    pub fn into_batch(self) -> Batch {
        self.batch
    }

    /// For each row of the batch, the row of the request it came from.
    #[must_use]
    pub fn accepted(&self) -> &[usize] {
        &self.accepted
    }

    /// Every broken rule, repaired or not, by row and feature.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The broken rules of one row of the request, by feature.
    ///
    /// # Complexity
    ///
    /// O(log v) for v violations.
    #[must_use]
    pub fn violations_of(&self, row: usize) -> &[Violation] {
        let first = self
            .violations
            .partition_point(|violation| violation.row < row);
        let end = self
            .violations
            .partition_point(|violation| violation.row <= row);
        self.violations.get(first..end).unwrap_or_default()
    }

    /// Why a row of the request was refused, if it was.
    #[must_use]
    pub fn rejection(&self, row: usize) -> Option<Rejection> {
        let violation = self
            .violations_of(row)
            .iter()
            .find(|violation| violation.rejected)?;
        let feature = self.names.get(violation.feature)?.clone();
        Some(Rejection {
            feature,
            breach: violation.breach,
        })
    }
}

/// Why a row was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    feature: String,
    breach: Breach,
}

impl Rejection {
    /// The feature whose rule was broken first.
    #[must_use]
    pub fn feature(&self) -> &str {
        &self.feature
    }

    /// The rule.
    #[must_use]
    pub fn breach(&self) -> Breach {
        self.breach
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.breach {
            Breach::Missing => "is missing",
            Breach::Outside => "is outside its contract",
        };
        write!(f, "`{}` {what}", self.feature)
    }
}

impl std::error::Error for Rejection {}

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
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, StringArray};
    use proptest::prelude::*;

    use super::*;

    fn contract(missing: Remedy, outside: Remedy) -> Contract {
        let rules = [
            FeatureRule::strict(Feature::number_between("x", 0.0, 10.0))
                .with_missing(missing)
                .with_outside(outside),
            FeatureRule::strict(Feature::category("c", ["a".into(), "b".into()]))
                .with_missing(missing)
                .with_outside(outside),
        ];
        Contract::new(rules, OutputRule::probability()).unwrap()
    }

    fn rows(x: Vec<Option<f64>>, c: Vec<Option<&str>>) -> RecordBatch {
        RecordBatch::try_from_iter([
            ("x", Arc::new(Float64Array::from(x)) as _),
            ("c", Arc::new(StringArray::from(c)) as _),
        ])
        .unwrap()
    }

    #[test]
    fn a_missing_column_names_itself() {
        let lacking =
            RecordBatch::try_from_iter([("x", Arc::new(Float64Array::from(vec![1.0])) as _)])
                .unwrap();
        let error = contract(Remedy::Reject, Remedy::Reject)
            .encode(&lacking)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot check rows against the contract: a column is missing (column `c`)"
        );
    }

    #[test]
    fn every_remedy_does_what_it_says() {
        let input = rows(
            vec![Some(f64::NAN), Some(99.0), Some(5.0)],
            vec![Some("a"), None, Some("zebra")],
        );
        let clamped = contract(Remedy::Impute(3.0), Remedy::Clamp)
            .encode(&input)
            .unwrap();
        assert_eq!(
            clamped.batch().columns(),
            [
                Column::Number(vec![3.0, 10.0, 5.0]),
                Column::Category(vec![1, 0, 0])
            ]
        );
        assert_eq!(clamped.violations().len(), 4);
        let strict = contract(Remedy::Reject, Remedy::Reject)
            .encode(&input)
            .unwrap();
        assert_eq!(strict.accepted(), [0usize; 0]);
        assert_eq!(strict.rejection(2).unwrap().feature(), "c");
    }

    #[test]
    fn output_outside_the_promise_is_corrupt() {
        let rule = OutputRule::probability();
        for bad in [f32::NAN, 1.5, -0.1, f32::INFINITY] {
            let error = rule
                .check(&Scores::new(1, vec![0.5, bad]).unwrap(), 2)
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
        assert!(rule.check(&Scores::new(1, vec![0.5]).unwrap(), 2).is_err());
        assert!(
            rule.check(&Scores::new(2, vec![0.5, 0.5]).unwrap(), 1)
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_finite(xs in prop::collection::vec(prop::option::of(any::<f64>()), 1..40), impute in any::<f64>()) {
            let texts = vec![Some("a"); xs.len()];
            let encoded = contract(Remedy::Impute(impute), Remedy::Clamp).encode(&rows(xs.clone(), texts)).unwrap();
            prop_assert_eq!(encoded.batch().rows(), xs.len());
            let Column::Number(values) = &encoded.batch().columns()[0] else { panic!("a number") };
            prop_assert!(values.iter().all(|value| value.is_finite()));
        }

        #[test]
        fn strict_rows_are_either_in_range_or_rejected(xs in prop::collection::vec(prop::option::of(-5.0..15.0_f64), 1..40)) {
            let texts = vec![Some("b"); xs.len()];
            let encoded = contract(Remedy::Reject, Remedy::Reject).encode(&rows(xs.clone(), texts)).unwrap();
            let legal: Vec<usize> = (0..xs.len()).filter(|&row| xs[row].is_some_and(|x| (0.0..=10.0).contains(&x))).collect();
            prop_assert_eq!(encoded.accepted(), legal);
        }
    }
}
