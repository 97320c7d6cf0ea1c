use std::borrow::Cow;

use jiff::Timestamp;

use super::Condition;
use super::clause::Clause;
use super::program::Run;
use super::truth::Truth;
use crate::fact::Facts;

/// What a condition came to on some facts, and why.
///
/// It holds two bits for each clause and borrows the rest: asking for the truth costs nothing more, and the words of the
/// explanation are made when they are asked for.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Evaluation<'a> {
    condition: &'a Condition,
    facts: Cow<'a, Facts>,
    now: Timestamp,
    run: Run,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(
        condition: &'a Condition,
        facts: Cow<'a, Facts>,
        now: Timestamp,
        run: Run,
    ) -> Self {
        Self {
            condition,
            facts,
            now,
            run,
        }
    }

    /// The value of the condition.
    pub fn truth(&self) -> Truth {
        self.run.truth()
    }

    /// The facts that made it unknown, by name and sorted; empty when it is known.
    ///
    /// Facts that are known are listed where an expression on them has no value, such as a division by zero.
    pub fn waiting_for(&self) -> Vec<&'a str> {
        self.condition
            .names(&self.condition.waiting(&self.facts, self.now, self.run))
    }

    /// What is left to be known, as a condition; none when the value is known.
    ///
    /// It is the source without the parts whose value is known: once the facts it waits for are there, the condition comes
    /// to what the residual comes to.
    pub fn residual(&self) -> Option<String> {
        self.condition.residual(self.run)
    }

    /// The clauses, in source order.
    pub fn clauses(&self) -> Vec<Clause> {
        self.condition.clauses(&self.facts, self.now, self.run)
    }

    /// The first clause that alone keeps the condition from holding; none when there is no such clause.
    pub fn deciding(&self) -> Option<Clause> {
        self.clauses().into_iter().find(Clause::is_blocking)
    }
}
