//! Policies of Open Policy Agent, in Rego, over the same facts.
//!
//! For teams that have Rego already. A fact is `input` and its dotted name: `input.drift.psi`. Spans of time and moments
//! are whole nanoseconds, as in Rego's own time functions.
//!
//! In Rego what is not there is undefined, and undefined is neither an error nor false: `deny if input.drift.pssi > 0.2`
//! never denies. Two things keep that from opening a gate:
//!
//! - every reference is checked when the policy is loaded: an `input` path that is not a declared fact, a path that is
//!   only known at run time, and a `data` path that no loaded rule defines are refused, with their place;
//! - while a fact that the entry point can reach is missing, stale or invalid, the outcome is [`Truth::Unknown`],
//!   whatever the rules would make of it. That is coarser than a [`crate::Condition`]: `false` beside an unknown is
//!   unknown here, because Rego's `not` would turn what is undefined into true.
//!
//! What is not checked: types. Rego compares values of different types by the order of the types, so that
//! `input.env > 0.2` holds for every text.
//!
//! # Limits
//!
//! A source has at most 16 KiB and is nested at most 64 levels deep, and an evaluation ends after 100,000 instructions.
//! No clock is read, so the same facts give the same outcome. One instruction can still be long and a short policy can
//! double a text again and again: load policies of people that you trust.

mod builtin;
mod chain;
mod error;
mod evaluation;
mod import;
mod input;
mod reads;
mod reference;
mod rules;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use noops_core::Digest;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::program::Program;
use regorus::rvm::vm::{RegoVM, VmError};
use regorus::{CompiledPolicy, Engine, Value};

use crate::condition::Truth;
use crate::fact::{FactSchema, Facts};
use rules::Rules;

pub use error::RegoError;
pub use evaluation::RegoEvaluation;

/// A rule of a Rego policy, checked against a fact schema and compiled.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_policy::rego::RegoPolicy;
/// use noops_policy::{FactDecl, FactSchema, Facts, Truth};
///
/// let schema = FactSchema::new(vec![FactDecl::double("drift.psi"), FactDecl::int("n")])?;
/// let source = "
/// package promotion
/// default allow := false
/// allow if {
///     input.drift.psi < 0.2
///     input.n >= 1000
/// }
/// ";
/// let policy = RegoPolicy::load(&[("gate.rego", source)], "data.promotion.allow", &schema)?;
/// assert_eq!(policy.facts(), ["drift.psi", "n"]);
///
/// let now = Timestamp::UNIX_EPOCH;
/// let mut facts = Facts::new(&schema);
/// facts.set("drift.psi", 0.5, now)?;
/// let evaluation = policy.evaluate(&facts, now)?;
/// assert_eq!(evaluation.truth(), Truth::Unknown);
/// assert_eq!(evaluation.waiting_for(), ["n"]);
///
/// facts.set("n", 25_000, now)?;
/// assert_eq!(policy.evaluate(&facts, now)?.truth(), Truth::False);
///
/// let slip = source.replace("psi", "pssi");
/// let error = RegoPolicy::load(&[("gate.rego", &slip)], "data.promotion.allow", &schema).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`gate.rego`:5:5: unknown fact `drift.pssi`; did you mean `drift.psi`?"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RegoPolicy {
    schema: FactSchema,
    entrypoint: String,
    /// The slots of the facts that the entry point can reach, sorted.
    reads: Vec<usize>,
    compiled: CompiledPolicy,
    program: Arc<Program>,
    digest: Digest,
}

impl RegoPolicy {
    /// Loads the sources, given as pairs of a name and a text, in any order, and compiles the rule at `entrypoint`, such
    /// as `data.promotion.allow`.
    ///
    /// # Errors
    ///
    /// [`RegoError::Source`] for what does not parse, a name that is there twice, a reference that the module's page says
    /// is refused, `with`, and a built-in function that reads a clock, the network, randomness or the host, or whose
    /// result can be far larger than its arguments; [`RegoError::Entrypoint`] where no rule is at `entrypoint` or it does
    /// not compile.
    ///
    /// # Complexity
    ///
    /// Linear in the references of the sources times the rules.
    pub fn load(
        sources: &[(&str, &str)],
        entrypoint: &str,
        schema: &FactSchema,
    ) -> Result<Self, RegoError> {
        let by_name = by_name(sources)?;
        let mut engine = Engine::new();
        for (name, text) in &by_name {
            chain::check(name, text)?;
            engine
                .add_policy((*name).to_owned(), (*text).to_owned())
                .map_err(|error| RegoError::foreign(name, &error.to_string()))?;
        }
        let rules = Rules::new(engine.get_modules())?;
        let reads = reads::reads(&rules, entrypoint, schema)?;
        let (compiled, program) = compile(&mut engine, entrypoint)?;
        Ok(Self {
            compiled,
            program,
            digest: Digest::of_json(&(entrypoint, &by_name, schema)),
            schema: schema.clone(),
            entrypoint: entrypoint.to_owned(),
            reads,
        })
    }

    /// The facts that the entry point can reach, sorted.
    pub fn facts(&self) -> Vec<&str> {
        self.reads
            .iter()
            .map(|slot| self.schema.name(*slot))
            .collect()
    }

    /// The path of the rule.
    pub fn entrypoint(&self) -> &str {
        &self.entrypoint
    }

    /// The digest of the sources with their names, the entry point and the schema.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Evaluates the rule on what is known at `now`.
    ///
    /// It is unknown while a fact of [`RegoPolicy::facts`] is missing, stale or invalid, and where the rule is undefined;
    /// `default allow := false` makes a rule false instead. Facts of another schema are matched by name and type.
    ///
    /// # Errors
    ///
    /// [`RegoError::NotBoolean`] for another value than true and false, and [`RegoError::Evaluation`] where rules
    /// conflict, a function or a calculation fails (under `not` as well), or the limit of instructions is reached.
    pub fn evaluate(&self, facts: &Facts, now: Timestamp) -> Result<RegoEvaluation, RegoError> {
        let facts = facts.aligned(&self.schema);
        let waiting_for: Vec<String> = self
            .reads
            .iter()
            .filter(|slot| facts.read(**slot, now).is_err())
            .map(|slot| self.schema.name(*slot).to_owned())
            .collect();
        if !waiting_for.is_empty() {
            return Ok(RegoEvaluation::new(Truth::Unknown, waiting_for));
        }
        let truth = match self.run(input::value(&self.schema, &self.reads, &facts, now))? {
            Value::Bool(value) => Truth::from(value),
            Value::Undefined => Truth::Unknown,
            other => {
                return Err(RegoError::NotBoolean {
                    entrypoint: self.entrypoint.clone(),
                    found: type_name(&other).to_owned(),
                });
            }
        };
        Ok(RegoEvaluation::new(truth, Vec::new()))
    }

    /// The value of the rule in both evaluators of regorus.
    ///
    /// The virtual machine has a limit of instructions, but leaves a rule undefined in which a function fails, which `not`
    /// makes true; the interpreter reports the failure, but has no such limit. It runs once the other came to an end.
    fn run(&self, input: Value) -> Result<Value, RegoError> {
        let value = self
            .bounded(input.clone())
            .map_err(|error| self.failed(&error.to_string()))?;
        let strict = self
            .compiled
            .eval_with_input(input)
            .map_err(|error| self.failed(&error.to_string()))?;
        if value != strict {
            return Err(
                self.failed("the evaluators of Rego disagree about it; write it in a simpler way")
            );
        }
        Ok(value)
    }

    fn bounded(&self, input: Value) -> Result<Value, VmError> {
        let mut vm = RegoVM::new();
        vm.load_program(Arc::clone(&self.program));
        vm.set_max_instructions(MAX_INSTRUCTIONS);
        vm.set_strict_builtin_errors(true);
        vm.set_data(Value::new_object())?;
        vm.set_input(input);
        vm.execute()
    }

    fn failed(&self, problem: &str) -> RegoError {
        RegoError::Evaluation {
            entrypoint: self.entrypoint.clone(),
            problem: error::last_line(problem),
        }
    }
}

impl std::fmt::Debug for RegoPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegoPolicy")
            .field("entrypoint", &self.entrypoint)
            .field("facts", &self.facts())
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl PartialEq for RegoPolicy {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

fn by_name<'a>(sources: &[(&'a str, &'a str)]) -> Result<BTreeMap<&'a str, &'a str>, RegoError> {
    let mut by_name = BTreeMap::new();
    for (name, text) in sources {
        if by_name.insert(*name, *text).is_some() {
            return Err(RegoError::Source {
                source: (*name).to_owned(),
                at: None,
                problem: "source is there twice; rename one of them".to_owned(),
            });
        }
    }
    Ok(by_name)
}

fn compile(
    engine: &mut Engine,
    entrypoint: &str,
) -> Result<(CompiledPolicy, Arc<Program>), RegoError> {
    let refused = |problem: &str| RegoError::Entrypoint {
        entrypoint: entrypoint.to_owned(),
        problem: error::last_line(problem),
    };
    engine.set_strict_builtin_errors(true);
    let policy = engine
        .compile_with_entrypoint(&entrypoint.into())
        .map_err(|error| refused(&error.to_string()))?;
    let program = Compiler::compile_from_policy(&policy, &[entrypoint])
        .map_err(|error| refused(&error.to_string()))?;
    Ok((policy, program))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Set(_) => "set",
        Value::Object(_) => "object",
        Value::Undefined => "undefined",
    }
}

const MAX_INSTRUCTIONS: usize = 100_000;
