use noops_core::Probability;
use serde::{Deserialize, Serialize};

use super::column_type::ColumnType;
use super::invalid;
use super::rules::{Domain, Freshness, Length, Order, Range, Uniqueness};
use crate::error::DriftError;

/// What is expected of one column; a rule that is not set is not checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnExpectation {
    name: String,
    #[serde(default)]
    presence: Presence,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    types: Vec<ColumnType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_null_rate: Option<Probability>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_nan_rate: Option<Probability>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allowed: Option<Domain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disallowed: Option<Domain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unique: Option<Uniqueness>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    length: Option<Length>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    freshness: Option<Freshness>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<Order>,
}

/// Whether a column must be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Its absence fails.
    #[default]
    Required,
    /// Its absence passes, and its other rules are not judged.
    Optional,
}

impl ColumnExpectation {
    /// Expects the column to be there.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            presence: Presence::Required,
            types: Vec::new(),
            max_null_rate: None,
            max_nan_rate: None,
            range: None,
            allowed: None,
            disallowed: None,
            unique: None,
            length: None,
            freshness: None,
            order: None,
        }
    }

    /// Sets whether the column must be there.
    #[must_use]
    pub fn with_presence(mut self, presence: Presence) -> Self {
        self.presence = presence;
        self
    }

    /// Sets the types it may have; any if there are none.
    #[must_use]
    pub fn with_types(mut self, types: Vec<ColumnType>) -> Self {
        self.types = types;
        self
    }

    /// Sets the share of rows that may be null.
    #[must_use]
    pub fn with_max_null_rate(mut self, rate: Probability) -> Self {
        self.max_null_rate = Some(rate);
        self
    }

    /// Sets the share of rows that may be NaN; ranges and domains then leave NaN to this rule.
    #[must_use]
    pub fn with_max_nan_rate(mut self, rate: Probability) -> Self {
        self.max_nan_rate = Some(rate);
        self
    }

    /// Sets the range of its numbers.
    #[must_use]
    pub fn with_range(mut self, range: Range) -> Self {
        self.range = Some(range);
        self
    }

    /// Sets the only values it may have.
    #[must_use]
    pub fn with_allowed(mut self, domain: Domain) -> Self {
        self.allowed = Some(domain);
        self
    }

    /// Sets values it may not have.
    #[must_use]
    pub fn with_disallowed(mut self, domain: Domain) -> Self {
        self.disallowed = Some(domain);
        self
    }

    /// Expects its values to be different.
    #[must_use]
    pub fn with_unique(mut self, uniqueness: Uniqueness) -> Self {
        self.unique = Some(uniqueness);
        self
    }

    /// Sets how long its texts may be.
    #[must_use]
    pub fn with_length(mut self, length: Length) -> Self {
        self.length = Some(length);
        self
    }

    /// Sets how old its newest time may be.
    #[must_use]
    pub fn with_freshness(mut self, freshness: Freshness) -> Self {
        self.freshness = Some(freshness);
        self
    }

    /// Sets the order of its values.
    #[must_use]
    pub fn with_order(mut self, order: Order) -> Self {
        self.order = Some(order);
        self
    }

    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it must be there.
    #[must_use]
    pub fn presence(&self) -> Presence {
        self.presence
    }

    /// The types it may have; any if there are none.
    #[must_use]
    pub fn types(&self) -> &[ColumnType] {
        &self.types
    }

    /// The share of rows that may be null.
    #[must_use]
    pub fn max_null_rate(&self) -> Option<Probability> {
        self.max_null_rate
    }

    /// The share of rows that may be NaN.
    #[must_use]
    pub fn max_nan_rate(&self) -> Option<Probability> {
        self.max_nan_rate
    }

    /// The range of its numbers.
    #[must_use]
    pub fn range(&self) -> Option<Range> {
        self.range
    }

    /// The only values it may have.
    #[must_use]
    pub fn allowed(&self) -> Option<&Domain> {
        self.allowed.as_ref()
    }

    /// Values it may not have.
    #[must_use]
    pub fn disallowed(&self) -> Option<&Domain> {
        self.disallowed.as_ref()
    }

    /// Whether, and how far, its values are compared with each other.
    #[must_use]
    pub fn unique(&self) -> Option<Uniqueness> {
        self.unique
    }

    /// How long its texts may be.
    #[must_use]
    pub fn length(&self) -> Option<Length> {
        self.length
    }

    /// How old its newest time may be.
    #[must_use]
    pub fn freshness(&self) -> Option<Freshness> {
        self.freshness
    }

    /// The order of its values.
    #[must_use]
    pub fn order(&self) -> Option<Order> {
        self.order
    }

    pub(super) fn validate(&self) -> Result<(), DriftError> {
        let problem = if self.name.is_empty() {
            "has an empty `name`; name the column"
        } else if self.allowed.as_ref().is_some_and(Domain::is_empty) {
            "has an empty `allowed`; list a value or leave it out"
        } else if [&self.allowed, &self.disallowed]
            .into_iter()
            .flatten()
            .any(Domain::has_nan)
        {
            "lists a NaN; use `max_nan_rate`"
        } else if self
            .length
            .is_some_and(|length| length.max.is_some_and(|max| max < length.min))
        {
            "has a `length` whose `min` is above its `max`; exchange them"
        } else if self.freshness.is_some_and(|freshness| {
            freshness.max_age.is_negative() || freshness.max_ahead.is_negative()
        }) {
            "has a `freshness` with a negative duration; make it positive"
        } else if self.unique.is_some_and(|unique| unique.max_values < 2) {
            "has a `unique` whose `max_values` is below 2; compare at least two values"
        } else {
            return Ok(());
        };
        Err(invalid(format!("column `{}` {problem}", self.name)))
    }
}
