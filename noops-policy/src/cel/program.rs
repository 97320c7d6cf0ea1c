use super::ast::{Arithmetic, Comparison};

/// One step of a program: it takes its operands from a stack and leaves one value there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    Bool(bool),
    Int(i64),
    Double(f64),
    /// A text of the pool.
    Text(usize),
    /// The value of a fact.
    Load(usize),
    /// Whether a fact is known.
    Has(usize),
    Not,
    /// `from` is the first op of the operands: the facts to name when the result is not a number.
    Negate {
        from: usize,
    },
    Arithmetic {
        operator: Arithmetic,
        from: usize,
    },
    Compare {
        comparison: Comparison,
        clause: usize,
    },
    InInts(usize),
    InTexts(usize),
    All(usize),
    Any(usize),
    Select,
    /// Records the value on top of the stack as that of a clause.
    Record(usize),
}

/// A numeric comparison of which a side is a bare fact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClauseShape {
    pub(crate) comparison: Comparison,
    pub(crate) left: Option<usize>,
    pub(crate) right: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ClauseInfo {
    pub(super) text: String,
    /// The value without which the whole condition cannot hold.
    pub(super) needed: Option<bool>,
    pub(super) shape: Option<ClauseShape>,
}

/// A checked condition in postfix order, over fact slots and pools of constants.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Program {
    pub(super) ops: Vec<Op>,
    pub(super) texts: Vec<String>,
    /// Each sorted.
    pub(super) int_lists: Vec<Vec<i64>>,
    /// Each sorted.
    pub(super) text_lists: Vec<Vec<String>>,
    pub(super) clauses: Vec<ClauseInfo>,
}

impl Program {
    /// The slots that the ops in `from..to` read, in order and with repeats.
    pub(super) fn slots(&self, from: usize, to: usize) -> impl Iterator<Item = usize> + '_ {
        self.ops
            .iter()
            .take(to)
            .skip(from)
            .filter_map(|op| match op {
                Op::Load(slot) | Op::Has(slot) => Some(*slot),
                _ => None,
            })
    }
}
