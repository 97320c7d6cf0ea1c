use jiff::Timestamp;

use super::joining::Surroundings;
use super::test::FUEL;
use super::units;
use super::variables::FactVariables;
use crate::cel::error::CelError;
use crate::cel::eval::{self, Arithmetic, Fuel};
use crate::cel::typed::Typed;
use crate::cel::value::Value;
use crate::error::PolicyError;
use crate::fact::{FactSchema, Facts};

/// An expression over facts of any type, checked as conditions are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Computed {
    canonical: String,
    typed: Typed,
}

impl Computed {
    pub(crate) fn compile_in(
        source: &str,
        schema: &FactSchema,
        surroundings: &Surroundings,
    ) -> Result<Self, PolicyError> {
        Self::build(source, schema, surroundings)
            .map_err(|error| PolicyError::in_expression(source, error))
    }

    fn build(
        source: &str,
        schema: &FactSchema,
        surroundings: &Surroundings,
    ) -> Result<Self, CelError> {
        let joined = surroundings.join(source)?;
        let typed = super::typed(&joined, schema)?;
        units::check_units(&typed, &joined.source, schema)?;
        super::affordable(&typed, schema)?;
        Ok(Self {
            canonical: joined.canonical()?,
            typed,
        })
    }

    pub(crate) fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The value, if everything it depends on is known and it has one.
    pub(crate) fn value(&self, facts: &Facts, now: Timestamp) -> Option<Value> {
        let variables = FactVariables::new(facts, now);
        let mut fuel = Fuel::new(FUEL);
        let value = eval::evaluate(&self.typed, &variables, &mut fuel, Arithmetic::Finite).ok()?;
        eval::unfold(&value, &mut fuel).ok()?;
        Some(value)
    }
}
