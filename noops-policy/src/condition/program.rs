use jiff::Timestamp;

use super::test::Test;
use super::truth::Truth;
use crate::fact::Facts;

/// A checked condition as a flat list of steps: tests of facts, and the connectives between them in postfix order.
///
/// Truth values live on a stack of two bits each, in two machine words. The bound on the tests of a condition makes it
/// deep enough for every program.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    steps: Vec<Step>,
    tests: Vec<Test>,
}

/// One step: it takes its operands from the stack and leaves one truth value there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Test,
    Not,
    /// Conjunction of so many values.
    All(u32),
    /// Disjunction of so many values.
    Any(u32),
    /// The condition, what it comes to when that holds, and what otherwise.
    Select,
}

/// What one run of a program found out: two bits for the whole and for each test.
///
/// Together with the facts it ran on, that is everything an explanation needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    truth: Truth,
    holds: u64,
    unknown: u64,
}

impl Run {
    pub(crate) fn truth(self) -> Truth {
        self.truth
    }

    /// What the test at `index` came to.
    pub(crate) fn test(self, index: usize) -> Truth {
        let bit = |word: u64| word.checked_shr(index as u32).unwrap_or(0) & 1 == 1;
        if bit(self.unknown) {
            Truth::Unknown
        } else {
            Truth::from(bit(self.holds))
        }
    }
}

impl Program {
    pub(super) fn new(steps: Vec<Step>, tests: Vec<Test>) -> Self {
        Self { steps, tests }
    }

    pub(super) fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// Runs every step exactly once, whatever the facts are, so that every test has its value for the explanation.
    #[inline]
    pub(crate) fn run(&self, facts: &Facts, now: Timestamp) -> Run {
        let mut stack = Stack::default();
        let mut run = Run::default();
        let mut tests = self.tests.iter();
        let mut bit = 1_u64;
        for step in &self.steps {
            match *step {
                Step::Test => {
                    let truth = tests
                        .next()
                        .map_or(Truth::Unknown, |test| test.run(facts, now));
                    run.holds |= if truth == Truth::True { bit } else { 0 };
                    run.unknown |= if truth == Truth::Unknown { bit } else { 0 };
                    bit <<= 1;
                    stack.push(truth);
                }
                Step::Not => stack.negate(),
                Step::All(count) => stack.conjoin(count),
                Step::Any(count) => stack.disjoin(count),
                Step::Select => stack.select(),
            }
        }
        run.truth = stack.top();
        run
    }
}

/// Truth values with the newest in the lowest bit. A bit of `holds` is never set beside the same bit of `unknown`.
#[derive(Default)]
struct Stack {
    holds: u64,
    unknown: u64,
}

impl Stack {
    fn push(&mut self, truth: Truth) {
        self.holds = self.holds << 1 | u64::from(truth == Truth::True);
        self.unknown = self.unknown << 1 | u64::from(truth == Truth::Unknown);
    }

    fn top(&self) -> Truth {
        if self.unknown & 1 == 1 {
            Truth::Unknown
        } else {
            Truth::from(self.holds & 1 == 1)
        }
    }

    fn pop(&mut self, count: u32) {
        self.holds = self.holds.checked_shr(count).unwrap_or(0);
        self.unknown = self.unknown.checked_shr(count).unwrap_or(0);
    }

    fn negate(&mut self) {
        self.holds ^= !self.unknown & 1;
    }

    fn conjoin(&mut self, count: u32) {
        let taken = lowest(count);
        let fails = !(self.holds | self.unknown) & taken != 0;
        let waits = self.unknown & taken != 0;
        self.pop(count);
        self.push(match (fails, waits) {
            (true, _) => Truth::False,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::True,
        });
    }

    fn disjoin(&mut self, count: u32) {
        let taken = lowest(count);
        let holds = self.holds & taken != 0;
        let waits = self.unknown & taken != 0;
        self.pop(count);
        self.push(match (holds, waits) {
            (true, _) => Truth::True,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::False,
        });
    }

    fn select(&mut self) {
        let otherwise = self.top();
        self.pop(1);
        let then = self.top();
        self.pop(1);
        let chosen = match self.top() {
            Truth::True => then,
            Truth::False => otherwise,
            Truth::Unknown => Truth::Unknown,
        };
        self.pop(1);
        self.push(chosen);
    }
}

/// A word whose lowest `count` bits are set.
fn lowest(count: u32) -> u64 {
    u64::MAX
        .checked_shr(u64::BITS.saturating_sub(count))
        .unwrap_or(0)
}

/// More tests in one condition are refused: their values would not fit the words of a [`Run`].
pub(super) const MAX_TESTS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Truth; 3] = [Truth::True, Truth::False, Truth::Unknown];

    fn kleene_and(values: &[Truth]) -> Truth {
        if values.contains(&Truth::False) {
            Truth::False
        } else if values.contains(&Truth::Unknown) {
            Truth::Unknown
        } else {
            Truth::True
        }
    }

    fn negated(truth: Truth) -> Truth {
        match truth {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }

    #[test]
    fn connectives_follow_kleene_on_every_triple_and_leave_what_is_below() {
        for below in ALL {
            for a in ALL {
                for b in ALL {
                    for c in ALL {
                        let values = [a, b, c];
                        let stacked = || {
                            let mut stack = Stack::default();
                            stack.push(below);
                            values.into_iter().for_each(|value| stack.push(value));
                            stack
                        };
                        let check = |mut stack: Stack, expected: Truth| {
                            assert_eq!(stack.top(), expected, "{values:?}");
                            stack.pop(1);
                            assert_eq!(stack.top(), below, "{values:?}");
                        };
                        let mut all = stacked();
                        all.conjoin(3);
                        check(all, kleene_and(&values));
                        let mut any = stacked();
                        any.disjoin(3);
                        check(any, negated(kleene_and(&values.map(negated))));
                        let mut select = stacked();
                        select.select();
                        check(
                            select,
                            match a {
                                Truth::True => b,
                                Truth::False => c,
                                Truth::Unknown => Truth::Unknown,
                            },
                        );
                        let mut not = stacked();
                        not.negate();
                        assert_eq!(not.top(), negated(c));
                    }
                }
            }
        }
    }

    #[test]
    fn the_stack_holds_as_many_values_as_a_condition_may_have_tests() {
        let mut stack = Stack::default();
        for _ in 0..MAX_TESTS {
            stack.push(Truth::True);
        }
        stack.conjoin(MAX_TESTS as u32);
        assert_eq!(stack.top(), Truth::True);
        let mut stack = Stack::default();
        stack.push(Truth::Unknown);
        for _ in 1..MAX_TESTS {
            stack.push(Truth::True);
        }
        stack.conjoin(MAX_TESTS as u32);
        assert_eq!(stack.top(), Truth::Unknown);
    }
}
