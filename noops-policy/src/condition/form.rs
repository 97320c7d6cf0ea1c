use std::collections::BTreeSet;

use super::program::{Run, Step};
use super::truth::Truth;

/// The connectives of a condition, above its tests: the tree that a [`super::program::Program`] is the flat form of.
///
/// Programs are run; forms explain what a run found out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    /// The test at a place, and its source.
    Test(usize, String),
    Not(Box<Form>),
    All(Vec<Form>),
    Any(Vec<Form>),
    /// The condition, what it comes to when that holds, and what otherwise.
    Select(Box<[Form; 3]>),
}

impl Form {
    /// The steps that come to the value of this form.
    pub(super) fn steps(&self, steps: &mut Vec<Step>) {
        match self {
            Self::Test(..) => steps.push(Step::Test),
            Self::Not(inner) => {
                inner.steps(steps);
                steps.push(Step::Not);
            }
            Self::All(forms) => {
                forms.iter().for_each(|form| form.steps(steps));
                steps.push(Step::All(count(forms)));
            }
            Self::Any(forms) => {
                forms.iter().for_each(|form| form.steps(steps));
                steps.push(Step::Any(count(forms)));
            }
            Self::Select(parts) => {
                parts.iter().for_each(|form| form.steps(steps));
                steps.push(Step::Select);
            }
        }
    }

    /// What it came to in a run.
    pub(crate) fn truth(&self, run: Run) -> Truth {
        match self {
            Self::Test(index, _) => run.test(*index),
            Self::Not(inner) => negated(inner.truth(run)),
            Self::All(forms) => conjunction(forms.iter().map(|form| form.truth(run))),
            Self::Any(forms) => negated(conjunction(
                forms.iter().map(|form| negated(form.truth(run))),
            )),
            Self::Select(parts) => {
                let [condition, then, otherwise] = &**parts;
                match condition.truth(run) {
                    Truth::True => then.truth(run),
                    Truth::False => otherwise.truth(run),
                    Truth::Unknown => Truth::Unknown,
                }
            }
        }
    }

    /// The tests that an unknown value waits for.
    pub(super) fn waiting(&self, run: Run, tests: &mut BTreeSet<usize>) {
        if self.truth(run) != Truth::Unknown {
            return;
        }
        match self {
            Self::Test(index, _) => {
                tests.insert(*index);
            }
            Self::Not(inner) => inner.waiting(run, tests),
            Self::All(forms) | Self::Any(forms) => {
                forms.iter().for_each(|form| form.waiting(run, tests));
            }
            Self::Select(parts) => {
                let [condition, then, otherwise] = &**parts;
                match condition.truth(run) {
                    Truth::True => then.waiting(run, tests),
                    Truth::False => otherwise.waiting(run, tests),
                    Truth::Unknown => condition.waiting(run, tests),
                }
            }
        }
    }

    /// What is left to be known, as a condition: the source without the parts whose value is known.
    pub(super) fn residual(&self, run: Run) -> Option<String> {
        (self.truth(run) == Truth::Unknown).then(|| self.rest(run, Binding::Loosest))
    }

    /// The residual of an unknown form, in parentheses where it would not bind tightly enough.
    fn rest(&self, run: Run, within: Binding) -> String {
        let (text, binding) = match self {
            Self::Test(_, text) => return enclosed_test(text, within),
            Self::Not(inner) => return format!("!{}", inner.rest(run, Binding::Tightest)),
            Self::All(forms) => return joined(forms, run, within, Binding::And, " && "),
            Self::Any(forms) => return joined(forms, run, within, Binding::Or, " || "),
            Self::Select(parts) => {
                let [condition, then, otherwise] = &**parts;
                match condition.truth(run) {
                    Truth::True => return then.rest(run, within),
                    Truth::False => return otherwise.rest(run, within),
                    Truth::Unknown => (
                        format!(
                            "{} ? {} : {}",
                            condition.rest(run, Binding::Or),
                            then.known_or_rest(run, Binding::Or),
                            otherwise.known_or_rest(run, Binding::Or)
                        ),
                        Binding::Loosest,
                    ),
                }
            }
        };
        enclosed(text, binding, within)
    }

    /// A branch that may be known already.
    fn known_or_rest(&self, run: Run, within: Binding) -> String {
        match self.truth(run) {
            Truth::Unknown => self.rest(run, within),
            known => known.to_string(),
        }
    }
}

/// How tightly a connective holds its operands together, from the loosest to the tightest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Loosest,
    Or,
    And,
    Tightest,
}

fn joined(forms: &[Form], run: Run, within: Binding, own: Binding, word: &str) -> String {
    let open: Vec<&Form> = forms
        .iter()
        .filter(|form| form.truth(run) == Truth::Unknown)
        .collect();
    if let [one] = open.as_slice() {
        return one.rest(run, within);
    }
    let parts: Vec<String> = open.iter().map(|form| form.rest(run, own)).collect();
    enclosed(parts.join(word), own, within)
}

fn enclosed(text: String, own: Binding, within: Binding) -> String {
    if own < within {
        format!("({text})")
    } else {
        text
    }
}

/// A test binds more tightly than `&&` and may bind less tightly than `!`.
fn enclosed_test(text: &str, within: Binding) -> String {
    let is_name = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    if within == Binding::Tightest && !is_name || text.contains('?') && within != Binding::Loosest {
        format!("({text})")
    } else {
        text.to_owned()
    }
}

fn conjunction(values: impl Iterator<Item = Truth>) -> Truth {
    values.fold(Truth::True, |so_far, value| match (so_far, value) {
        (Truth::False, _) | (_, Truth::False) => Truth::False,
        (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
        (Truth::True, Truth::True) => Truth::True,
    })
}

fn negated(truth: Truth) -> Truth {
    match truth {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        Truth::Unknown => Truth::Unknown,
    }
}

/// A condition has fewer forms than a word has values.
fn count(forms: &[Form]) -> u32 {
    u32::try_from(forms.len()).unwrap_or(u32::MAX)
}
