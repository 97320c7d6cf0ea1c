//! What a model demands of its input and promises of its output.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, ColumnKind, Scores};
use crate::column::{NumberColumn, TextColumn};
use crate::digest::Digest;
use crate::encoded::{Breach, Encoded, Handling, Violation};
use crate::error::{Error, ErrorKind};
use crate::rows::Rows;
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
    /// Show it to the model as it is: a missing number as NaN, a number out of range as itself, an unknown category as code 0. For
    /// models that know what to do with it, as tree ensembles do.
    Allow,
    /// Do not ask the model: the row is for the fallback of its deployment, and counts as one.
    FallBack,
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

    /// `width` finite numbers per row.
    ///
    /// # Errors
    ///
    /// Refuses a width of zero.
    pub fn numbers(width: usize) -> Result<Self, Error> {
        Self::between(width, f32::MIN, f32::MAX)
    }

    /// `width` numbers per row, each between two finite bounds, both included.
    ///
    /// # Errors
    ///
    /// Refuses a width of zero, and bounds that are not finite or out of order.
    pub fn between(width: usize, min: f32, max: f32) -> Result<Self, Error> {
        let unchecked = UncheckedOutputRule { width, min, max };
        Self::try_from(unchecked).map_err(|message| {
            Error::new(ErrorKind::Invalid, "build an output rule", message)
                .with("width", width)
                .with("bounds", format_args!("{min:?} and {max:?}"))
        })
    }

    /// How many numbers each row has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether the numbers of one row keep the rule.
    #[must_use]
    pub fn keeps(&self, row: &[f32]) -> bool {
        // Written so that NaN fails.
        row.len() == self.width
            && row
                .iter()
                .all(|value| (self.min..=self.max).contains(value))
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
            if !self.keeps(values) {
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
/// use noops_core::{Contract, Feature, FeatureRule, OutputRule, Remedy};
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
/// assert_eq!(encoded.batch().numbers(), [7.0, 5.0]);
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
    /// What each column of a batch holds; derived from the rules.
    kinds: Arc<[ColumnKind]>,
    /// The names of the features; derived from the rules.
    names: Arc<[String]>,
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
    /// Refuses two rules for one feature, see [`Schema::new`], bounds that are no numbers or out of order, and a number to impute that
    /// no model could be shown.
    pub fn new(
        rules: impl IntoIterator<Item = FeatureRule>,
        output: OutputRule,
    ) -> Result<Self, Error> {
        let rules: Vec<FeatureRule> = rules.into_iter().collect();
        Schema::new(rules.iter().map(|rule| rule.feature.clone()))?;
        let codes = rules.iter().map(category_codes).collect();
        let kinds = rules
            .iter()
            .map(|rule| column_kind(&rule.feature))
            .collect();
        let names = rules
            .iter()
            .map(|rule| rule.feature.name().to_owned())
            .collect();
        Ok(Self {
            rules,
            output,
            codes,
            kinds,
            names,
        })
    }

    /// The rules, in the order of a batch's columns.
    #[must_use]
    pub fn rules(&self) -> &[FeatureRule] {
        &self.rules
    }

    /// The names of the features, in the order of a batch's columns. Cloning what comes copies nothing.
    #[must_use]
    pub fn names(&self) -> Arc<[String]> {
        self.names.clone()
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
        let mut cells = Cells::new(self, rows.num_rows());
        let (mut number, mut category) = (0, 0);
        for (index, rule) in self.rules.iter().enumerate() {
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
                FeatureKind::Number { .. } => {
                    let values = NumberColumn::try_new(column.as_ref()).ok_or_else(wrong_type)?;
                    for (row, value) in values.iter().enumerate() {
                        cells.number(row, index, number, value);
                    }
                    number += 1;
                }
                FeatureKind::Category { .. } => {
                    let texts = TextColumn::try_new(column.as_ref()).ok_or_else(wrong_type)?;
                    for row in 0..column.len() {
                        cells.category(row, index, category, texts.value(row));
                    }
                    category += 1;
                }
            }
        }
        cells.finish()
    }

    /// Checks rows that lie one behind the other, without Arrow: what the path of a single prediction wants.
    ///
    /// # Errors
    ///
    /// When the rows have other numbers of values than the contract has features.
    ///
    /// # Complexity
    ///
    /// One pass over the values.
    pub fn encode_rows(&self, rows: &Rows) -> Result<Encoded, Error> {
        let widths = self.widths();
        let fits = widths.0 == rows.number_width() && widths.1 == rows.text_width();
        if !fits && !rows.is_empty() {
            return Err(
                refuse("the rows have other values than the contract has features")
                    .with("numbers expected", widths.0)
                    .with("numbers given", rows.number_width())
                    .with("texts expected", widths.1)
                    .with("texts given", rows.text_width()),
            );
        }
        let mut cells = Cells::new(self, rows.len());
        for row in 0..rows.len() {
            let mut numbers = rows.numbers_of(row).iter().enumerate();
            let mut texts = rows.texts_of(row).iter().enumerate();
            for (index, kind) in self.kinds.iter().enumerate() {
                match kind {
                    ColumnKind::Number => {
                        if let Some((place, value)) = numbers.next() {
                            cells.number(row, index, place, Some(f64::from(*value)));
                        }
                    }
                    ColumnKind::Category => {
                        if let Some((place, text)) = texts.next() {
                            cells.category(row, index, place, text.as_deref());
                        }
                    }
                }
            }
        }
        cells.finish()
    }
}

impl Contract {
    /// How many features are numbers, and how many are categories.
    fn widths(&self) -> (usize, usize) {
        let kinds = self.kinds.iter();
        let numbers = kinds.filter(|kind| **kind == ColumnKind::Number).count();
        (numbers, self.kinds.len() - numbers)
    }
}

/// The values of rows while they are checked, one by one and in any order.
struct Cells<'a> {
    contract: &'a Contract,
    rows: usize,
    number_width: usize,
    category_width: usize,
    numbers: Vec<f32>,
    codes: Vec<u32>,
    violations: Vec<Violation>,
}

impl<'a> Cells<'a> {
    fn new(contract: &'a Contract, rows: usize) -> Self {
        let (number_width, category_width) = contract.widths();
        Self {
            contract,
            rows,
            number_width,
            category_width,
            numbers: vec![0.0; rows * number_width],
            codes: vec![0; rows * category_width],
            violations: Vec::new(),
        }
    }

    /// A number for the feature at `index`, which is the `place`th numeric one.
    #[inline]
    fn number(&mut self, row: usize, index: usize, place: usize, value: Option<f64>) {
        let Some(rule) = self.contract.rules.get(index) else {
            return;
        };
        let FeatureKind::Number { min, max } = rule.feature.kind() else {
            return;
        };
        let value = match value {
            // The common case first; NaN is in no range.
            Some(value) if (*min..=*max).contains(&value) && value.is_finite() => value,
            Some(value) if value.is_finite() => match rule.outside {
                Remedy::Allow => self.broken(row, index, Breach::Outside, rule.outside, value),
                remedy => self.broken(row, index, Breach::Outside, remedy, value.clamp(*min, *max)),
            },
            _ if rule.missing == Remedy::Allow => f64::NAN,
            _ => self.broken(row, index, Breach::Missing, rule.missing, *min),
        };
        if let Some(cell) = self.numbers.get_mut(row * self.number_width + place) {
            // Narrowing may overflow to infinity, which a model must never see.
            *cell = (value as f32).clamp(f32::MIN, f32::MAX);
        }
    }

    /// A text for the feature at `index`, which is the `place`th of those with categories.
    fn category(&mut self, row: usize, index: usize, place: usize, text: Option<&str>) {
        let (Some(rule), Some(codes)) = (
            self.contract.rules.get(index),
            self.contract.codes.get(index),
        ) else {
            return;
        };
        let code = match text {
            Some(text) => codes.get(text).copied().unwrap_or_else(|| {
                self.broken(row, index, Breach::Outside, rule.outside, 0.0);
                0
            }),
            None if rule.missing == Remedy::Allow => 0,
            None => {
                self.broken(row, index, Breach::Missing, rule.missing, 0.0);
                0
            }
        };
        if let Some(cell) = self.codes.get_mut(row * self.category_width + place) {
            *cell = code;
        }
    }

    /// Takes down a broken rule and gives what the model is shown instead.
    #[cold]
    fn broken(
        &mut self,
        row: usize,
        feature: usize,
        breach: Breach,
        remedy: Remedy,
        nearest: f64,
    ) -> f64 {
        self.violations.push(Violation {
            row,
            feature,
            breach,
            handling: match remedy {
                Remedy::Reject => Handling::Rejected,
                Remedy::FallBack => Handling::FellBack,
                Remedy::Impute(_) | Remedy::Clamp => Handling::Repaired,
                Remedy::Allow => Handling::Allowed,
            },
        });
        match remedy {
            Remedy::Impute(value) if value.is_finite() => value,
            _ => nearest,
        }
    }

    fn finish(mut self) -> Result<Encoded, Error> {
        let kinds = self.contract.kinds.clone();
        let names = self.contract.names.clone();
        let full = Batch::from_rows(self.rows, kinds, self.numbers, self.codes)?;
        if self.violations.is_empty() {
            return Ok(Encoded {
                batch: full,
                accepted: (0..self.rows).collect(),
                violations: self.violations,
                names,
            });
        }
        self.violations
            .sort_by_key(|violation| (violation.row, violation.feature));
        let mut refused: Vec<usize> = self
            .violations
            .iter()
            .filter(|violation| violation.is_rejection() || violation.falls_back())
            .map(|violation| violation.row)
            .collect();
        refused.dedup();
        let accepted: Vec<usize> = (0..self.rows)
            .filter(|row| refused.binary_search(row).is_err())
            .collect();
        let batch = if refused.is_empty() {
            full
        } else {
            full.take(&accepted)
        };
        Ok(Encoded {
            batch,
            accepted,
            violations: self.violations,
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

fn column_kind(feature: &Feature) -> ColumnKind {
    match feature.kind() {
        FeatureKind::Number { .. } => ColumnKind::Number,
        FeatureKind::Category { .. } => ColumnKind::Category,
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
