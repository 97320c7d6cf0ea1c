mod clause;
mod comparison;
mod computed;
mod cost;
mod dead;
mod evaluation;
mod form;
mod implication;
mod interval;
mod joining;
mod lower;
mod outcome;
mod plan;
mod program;
mod same;
mod scope;
mod strict;
mod test;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod truth;
mod units;
mod variables;

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cel::checker::{self, Mode};
use crate::cel::environment::Environment;
use crate::cel::error::CelError;
use crate::cel::typed::Typed;
use crate::error::PolicyError;
use crate::fact::{FactSchema, Facts};
use clause::NumericComparison;
use form::Form;
use joining::Joined;
use lower::Lowered;
use test::Test;

pub use clause::Clause;
pub use evaluation::Evaluation;
pub use truth::Truth;

pub(crate) use computed::Computed;
pub(crate) use joining::Surroundings;
pub(crate) use plan::Plan;
pub(crate) use program::Run;

/// A condition over facts, in the Common Expression Language.
///
/// The language is that of [`crate::cel`]; the facts are its variables. On top of CEL's own type check these are refused,
/// with their place and a suggestion:
///
/// - a fact that is not declared, and a condition that is not `bool`;
/// - facts of different units compared or added;
/// - `==` and `!=` on doubles, which depend on rounding;
/// - a clause or a branch that can only have one value, given the declared ranges and the clauses beside it;
/// - more than 64 clauses, and a worst-case cost above 1,000,000 units of Kubernetes.
///
/// A fact that is missing, stale or invalid is unknown, and so is an expression without a value or without a finite one,
/// such as a division by zero. Unknowns combine as in Kleene's logic: `false && unknown` is false and `true || unknown` is
/// true. `has(fact)` is never unknown. But for `has`, a value that is known stays what it is whatever becomes known later.
///
/// # Complexity
///
/// Bounded before anything is parsed: at most 16 KiB of source, 4096 tokens and 64 levels of nesting. Evaluation tests each
/// clause once, whatever the facts are; it allocates nothing while clauses compare facts with facts and literals.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_policy::{Condition, FactDecl, FactSchema, Facts, Truth};
///
/// let schema = FactSchema::new(vec![FactDecl::double("drift.psi"), FactDecl::int("n")])?;
/// let condition = Condition::compile("drift.psi > 0.2 && n >= 1000", &schema)?;
///
/// let now = Timestamp::UNIX_EPOCH;
/// let mut facts = Facts::new(&schema);
/// facts.set("drift.psi", 0.5, now)?;
/// let evaluation = condition.evaluate(&facts, now);
/// assert_eq!(evaluation.truth(), Truth::Unknown);
/// assert_eq!(evaluation.waiting_for(), ["n"]);
/// assert_eq!(evaluation.residual().as_deref(), Some("n >= 1000"));
///
/// facts.set("n", 400, now)?;
/// let evaluation = condition.evaluate(&facts, now);
/// assert_eq!(evaluation.truth(), Truth::False);
/// assert_eq!(evaluation.clauses()[1].margin(), Some(-600.0));
///
/// let slip = Condition::compile("drift.pssi > 0.2", &schema).unwrap_err();
/// assert_eq!(
///     slip.to_string(),
///     "at 1:1 of the condition: unknown fact `drift.pssi`; did you mean `drift.psi`?"
/// );
/// # Ok::<(), noops_policy::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    source: String,
    canonical: String,
    schema: FactSchema,
    typed: Typed,
    lowered: Lowered,
    cost: u64,
}

impl Condition {
    /// Parses, checks and compiles a condition.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Condition`] with the place of the first problem.
    pub fn compile(source: &str, schema: &FactSchema) -> Result<Self, PolicyError> {
        Self::compile_in(source, schema, &Surroundings::default())
    }

    /// As [`Condition::compile`], with the variables and the guard of a document.
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
        let joined = surroundings.join_guarded(source)?;
        let typed = typed(&joined, schema)?;
        strict::check_condition(&typed, &joined.source)?;
        units::check_units(&typed, &joined.source, schema)?;
        if let Some(dead) = dead::dead(&typed, &joined.source, schema) {
            return Err(CelError::new(dead.span.start, dead.problem));
        }
        let cost = affordable(&typed, schema)?;
        let lowered = lower::lower(&typed, &joined.source)?;
        Ok(Self {
            source: source.to_owned(),
            canonical: joined.canonical()?,
            schema: schema.clone(),
            typed,
            lowered,
            cost,
        })
    }

    /// The source.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names of the facts it reads, sorted.
    pub fn facts(&self) -> Vec<&str> {
        self.names(&self.typed.variables().into_iter().collect())
    }

    /// What an evaluation costs at most, in the cost units of Kubernetes.
    pub fn worst_case_cost(&self) -> u64 {
        self.cost
    }

    /// Evaluates the condition on what is known at `now`.
    ///
    /// Facts of another schema are matched by name and type.
    #[inline]
    pub fn evaluate<'a>(&'a self, facts: &'a Facts, now: Timestamp) -> Evaluation<'a> {
        let facts = facts.aligned(&self.schema);
        let run = self.run(&facts, now);
        self.explained(facts, now, run)
    }

    /// A run with the facts that explain it.
    #[inline]
    pub(crate) fn explained<'a>(
        &'a self,
        facts: Cow<'a, Facts>,
        now: Timestamp,
        run: Run,
    ) -> Evaluation<'a> {
        Evaluation::new(self, facts, now, run)
    }

    /// The bare values of one run, on facts of this condition's own schema.
    #[inline]
    pub(crate) fn run(&self, facts: &Facts, now: Timestamp) -> Run {
        self.lowered.program.run(facts, now)
    }

    /// The clauses with their values in a run on these facts.
    pub(crate) fn clauses(&self, facts: &Facts, now: Timestamp, run: Run) -> Vec<Clause> {
        self.lowered
            .clauses
            .iter()
            .enumerate()
            .map(|(index, info)| info.explain(run.test(index), facts, now))
            .collect()
    }

    /// The slots that made a run unknown.
    pub(crate) fn waiting(&self, facts: &Facts, now: Timestamp, run: Run) -> BTreeSet<usize> {
        let mut tests = BTreeSet::new();
        self.lowered.form.waiting(run, &mut tests);
        tests
            .into_iter()
            .filter_map(|index| self.lowered.clauses.get(index))
            .flat_map(|clause| {
                let unusable: Vec<usize> = clause
                    .slots()
                    .iter()
                    .copied()
                    .filter(|slot| facts.usable(*slot, now).is_none())
                    .collect();
                // Where all are known, it is their values that lead nowhere.
                if unusable.is_empty() {
                    clause.slots().to_vec()
                } else {
                    unusable
                }
            })
            .collect()
    }

    /// What an unknown run leaves to be known.
    pub(crate) fn residual(&self, run: Run) -> Option<String> {
        self.lowered.form.residual(run)
    }

    /// Whether this condition can only hold where `other`, over the same schema, holds as well.
    pub(crate) fn implies(&self, other: &Self) -> bool {
        implication::implies(&self.typed, &other.typed, &self.schema)
    }

    /// The source with everything it reads, without layout.
    pub(crate) fn canonical(&self) -> &str {
        &self.canonical
    }

    pub(crate) fn schema(&self) -> &FactSchema {
        &self.schema
    }

    fn form(&self) -> &Form {
        &self.lowered.form
    }

    fn test(&self, index: usize) -> Option<&Test> {
        self.lowered.program.tests().get(index)
    }

    fn comparison(&self, index: usize) -> Option<&NumericComparison> {
        self.lowered.clauses.get(index)?.comparison()
    }

    fn names(&self, slots: &BTreeSet<usize>) -> Vec<&str> {
        slots.iter().map(|slot| self.schema.name(*slot)).collect()
    }
}

/// An expression over the facts of a schema with its types, its literals included.
fn typed(joined: &Joined, schema: &FactSchema) -> Result<Typed, CelError> {
    let environment = Environment::from_schema(schema);
    let typed = checker::check(&joined.node, &joined.source, &environment, Mode::Strict)?;
    checker::check_literals(&typed)?;
    Ok(typed)
}

/// The worst-case cost of an expression, if it may be loaded.
fn affordable(typed: &Typed, schema: &FactSchema) -> Result<u64, CelError> {
    let cost = cost::worst_case(typed, schema);
    if cost > cost::COST_LIMIT {
        return Err(CelError::new(
            0,
            format!(
                "expression may cost `{cost}` units and `{}` are allowed; declare `max_items` of its lists or split it",
                cost::COST_LIMIT
            ),
        ));
    }
    Ok(cost)
}
