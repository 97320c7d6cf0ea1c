use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::eval::{self, ClauseValue, Outcome, Truth};
use super::program::Program;
use super::{CelError, ClauseShape, checker, parser};
use crate::error::{PolicyError, Position};
use crate::fact::{FactSchema, Facts};

/// A condition over facts, in a typed subset of the Common Expression Language.
///
/// The subset: literals, facts by dotted path, `! - + * / %`, `== != < <= > >=`, `in` a list of literals, `&& ||`, `?:`,
/// parentheses and `has(fact)`. Left out: functions, macros, lists and maps as values, and `null`.
///
/// Every fact must be declared and every operand must have the right type. Whole numbers and doubles mix in arithmetic
/// and in `< <= > >=`, and compare exactly; `==` takes two values of one type, and never doubles. A clause that can only
/// have one value is refused: it is a slip, and it would open or close the gate for ever.
///
/// A fact that is missing, stale or invalid is unknown, and so is arithmetic without a finite result, such as a division
/// by zero. Unknowns combine as in Kleene's logic: `false && unknown` is false and `true || unknown` is true.
/// `has(fact)` is never unknown.
///
/// # Complexity
///
/// Bounded before anything is parsed: at most 16 KiB of source, 4096 tokens and 64 levels of nesting. Evaluation visits
/// each operation once, whatever the facts are.
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
    program: Program,
}

impl Condition {
    /// Parses, checks and compiles a condition.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Condition`] with the place of the first problem.
    pub fn compile(source: &str, schema: &FactSchema) -> Result<Self, PolicyError> {
        Self::build(source, schema).map_err(|error: CelError| PolicyError::Condition {
            at: Position::of(source, error.at),
            problem: error.problem,
        })
    }

    fn build(source: &str, schema: &FactSchema) -> Result<Self, CelError> {
        let root = parser::parse(source)?;
        let program = checker::check(source, &root, schema)?;
        Ok(Self {
            source: source.to_owned(),
            canonical: parser::canonical(source)?,
            schema: schema.clone(),
            program,
        })
    }

    /// The source.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names of the facts it reads, sorted.
    pub fn facts(&self) -> Vec<&str> {
        let mut slots: Vec<usize> = self.program.slots(0, self.program.ops.len()).collect();
        slots.sort_unstable();
        slots.dedup();
        slots
            .into_iter()
            .map(|slot| self.schema.name(slot))
            .collect()
    }

    /// Evaluates the condition on what is known at `now`.
    ///
    /// Facts of another schema are matched by name and type.
    pub fn evaluate(&self, facts: &Facts, now: Timestamp) -> Evaluation {
        let outcome = self.run(&facts.aligned(&self.schema), now);
        self.explain(&outcome)
    }

    /// As `evaluate`, for facts of this condition's own schema and without the words.
    pub(crate) fn run(&self, facts: &Facts, now: Timestamp) -> Outcome {
        eval::run(&self.program, facts, now)
    }

    pub(crate) fn explain(&self, outcome: &Outcome) -> Evaluation {
        Evaluation {
            truth: outcome.truth,
            waiting_for: outcome
                .waiting
                .iter()
                .map(|slot| self.schema.name(*slot).to_owned())
                .collect(),
            clauses: self
                .program
                .clauses
                .iter()
                .zip(&outcome.clauses)
                .map(|(info, value)| Clause {
                    text: info.text.clone(),
                    outcome: value.truth,
                    left: value.left,
                    right: value.right,
                    margin: margin(value),
                    needed: info.needed,
                })
                .collect(),
        }
    }

    /// The numeric comparisons with what a run found in them.
    pub(crate) fn comparisons<'a>(
        &'a self,
        outcome: &'a Outcome,
    ) -> impl Iterator<Item = (ClauseShape, ClauseValue)> + 'a {
        self.program
            .clauses
            .iter()
            .zip(&outcome.clauses)
            .filter_map(|(info, value)| info.shape.map(|shape| (shape, *value)))
    }

    /// The source without its layout.
    pub(crate) fn canonical(&self) -> &str {
        &self.canonical
    }
}

/// What a condition came to, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    truth: Truth,
    waiting_for: Vec<String>,
    clauses: Vec<Clause>,
}

impl Evaluation {
    /// The value of the condition.
    pub fn truth(&self) -> Truth {
        self.truth
    }

    /// The facts that made it unknown, by name; empty when it is known.
    ///
    /// Facts that are known are listed where arithmetic on them has no finite result.
    pub fn waiting_for(&self) -> &[String] {
        &self.waiting_for
    }

    /// The clauses, in source order.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    pub(crate) fn into_clauses(self) -> Vec<Clause> {
        self.clauses
    }
}

/// One comparison, membership or bare fact of a condition, with its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clause {
    text: String,
    outcome: Truth,
    left: Option<f64>,
    right: Option<f64>,
    margin: Option<f64>,
    needed: Option<bool>,
}

impl Clause {
    /// Its source, with single blanks.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value.
    pub fn outcome(&self) -> Truth {
        self.outcome
    }

    /// The left operand, where it is a known number.
    pub fn left(&self) -> Option<f64> {
        self.left
    }

    /// The right operand, where it is a known number.
    pub fn right(&self) -> Option<f64> {
        self.right
    }

    /// The left operand minus the right one, where both are known numbers and the difference is finite.
    pub fn margin(&self) -> Option<f64> {
        self.margin
    }

    /// Whether this clause alone keeps the condition from holding: it is a term of the top-level conjunction, and it is
    /// known to have the wrong value.
    pub fn is_blocking(&self) -> bool {
        match (self.needed, self.outcome) {
            (Some(needed), Truth::True) => !needed,
            (Some(needed), Truth::False) => needed,
            _ => false,
        }
    }
}

fn margin(value: &ClauseValue) -> Option<f64> {
    let difference = value.left? - value.right?;
    difference.is_finite().then_some(difference)
}
