use std::collections::BTreeSet;
use std::sync::Arc;

use super::interval::{Interval, IsWhole, Orders};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::fact::{FactDecl, FactType};

/// The values that a part of a condition can come to.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// None: it always fails.
    Never,
    Truth(Truths),
    Number(Interval),
    Text(Texts),
    /// A list of up to so many items, each of them one of these.
    List(Box<Outcome>, usize),
    /// Nothing is known.
    Anything,
}

/// Which of the truth values can be come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Truths {
    pub(super) can_be_true: bool,
    pub(super) can_be_false: bool,
}

/// A set of texts: either a few, or all but a few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    Among(BTreeSet<Arc<str>>),
    Except(BTreeSet<Arc<str>>),
}

impl Outcome {
    /// Any value of this type.
    pub(super) fn of_type(value_type: &Type) -> Self {
        match value_type {
            Type::Bool => Self::Truth(Truths::BOTH),
            Type::Int => Self::whole(i64::MIN.into(), i64::MAX.into()),
            Type::Uint => Self::whole(0, u64::MAX.into()),
            Type::Double => Self::Number(Interval::any_double()),
            Type::Duration | Type::Timestamp => Self::whole(-FAR, FAR),
            Type::String => Self::Text(Texts::ANY),
            Type::List(item) => Self::List(Box::new(Self::of_type(item)), usize::MAX),
            _ => Self::Anything,
        }
    }

    /// Any value that the fact can have while it is known.
    pub(super) fn of_fact(decl: &FactDecl) -> Self {
        let number =
            |is_whole| Self::of_interval(Interval::declared(is_whole, decl.min(), decl.max()));
        let list = |item: Self| {
            Self::List(
                Box::new(item),
                decl.max_items().unwrap_or(FactDecl::MAX_ITEMS),
            )
        };
        match decl.fact_type() {
            FactType::Bool => Self::Truth(Truths::BOTH),
            FactType::Int => number(IsWhole::Yes),
            FactType::Double => number(IsWhole::No),
            FactType::Text => Self::Text(Texts::ANY),
            FactType::Duration | FactType::Timestamp => Self::whole(-FAR, FAR),
            FactType::Ints => list(number(IsWhole::Yes)),
            FactType::Doubles => list(number(IsWhole::No)),
            FactType::Texts => list(Self::Text(Texts::ANY)),
        }
    }

    pub(super) fn of_value(value: &Value) -> Self {
        match value {
            Value::Bool(truth) => Self::Truth(Truths::only(*truth)),
            Value::Int(whole) => Self::whole((*whole).into(), (*whole).into()),
            Value::Uint(whole) => Self::whole((*whole).into(), (*whole).into()),
            Value::Double(double) => Self::Number(Interval::exactly(*double)),
            Value::String(text) => Self::Text(Texts::Among(BTreeSet::from([Arc::clone(text)]))),
            Value::Duration(span) => Self::whole(span.as_nanos(), span.as_nanos()),
            Value::Timestamp(moment) => Self::whole(moment.as_nanosecond(), moment.as_nanosecond()),
            Value::List(items) => Self::List(
                Box::new(
                    items
                        .iter()
                        .fold(Self::Never, |all, item| all.or(Self::of_value(item))),
                ),
                items.len(),
            ),
            _ => Self::Anything,
        }
    }

    pub(super) fn of_interval(interval: Option<Interval>) -> Self {
        interval.map_or(Self::Never, Self::Number)
    }

    pub(super) fn whole(low: i128, high: i128) -> Self {
        Self::of_interval(Interval::whole(low, high))
    }

    pub(super) fn truths(&self) -> Truths {
        match self {
            Self::Truth(truths) => *truths,
            Self::Never => Truths::NEITHER,
            _ => Truths::BOTH,
        }
    }

    /// The values of either.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, only) | (only, Self::Never) => only,
            (Self::Truth(a), Self::Truth(b)) => Self::Truth(a.or(b)),
            (Self::Number(a), Self::Number(b)) => Self::Number(a.hull(&b)),
            (Self::Text(a), Self::Text(b)) => Self::Text(a.or(b)),
            (Self::List(a, n), Self::List(b, m)) => Self::List(Box::new(a.or(*b)), n.max(m)),
            _ => Self::Anything,
        }
    }

    /// How a value of this can stand to one of `other`, both of types that compare.
    pub(super) fn orders(&self, other: &Self) -> Orders {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Orders::NONE,
            (Self::Number(a), Self::Number(b)) => a.orders(b),
            (Self::Truth(a), Self::Truth(b)) => a.orders(*b),
            (Self::Text(a), Self::Text(b)) => a.orders(b),
            _ => Orders::ALL,
        }
    }

    /// What is left of this when a value of it stands to one of `other` in one of `orders`.
    pub(super) fn narrowed(&self, other: &Self, orders: Orders) -> Self {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Self::of_interval(a.narrowed(b, orders)),
            (Self::Text(a), Self::Text(b)) => Self::Text(a.narrowed(b, orders)),
            _ => self.clone(),
        }
    }

    /// The values that are in both.
    pub(super) fn meet(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Truth(a), Self::Truth(b)) => Self::Truth(a.and(*b)),
            (Self::Number(a), Self::Number(b)) => Self::of_interval(a.meet(b)),
            (Self::Text(a), Self::Text(b)) => Self::Text(a.meet(b)),
            _ => self.clone(),
        }
    }

    pub(super) fn is_never(&self) -> bool {
        match self {
            Self::Never => true,
            Self::Truth(truths) => *truths == Truths::NEITHER,
            Self::Text(Texts::Among(few)) => few.is_empty(),
            _ => false,
        }
    }
}

impl Truths {
    pub(super) const BOTH: Self = Self {
        can_be_true: true,
        can_be_false: true,
    };
    pub(super) const NEITHER: Self = Self {
        can_be_true: false,
        can_be_false: false,
    };

    pub(super) fn only(truth: bool) -> Self {
        Self {
            can_be_true: truth,
            can_be_false: !truth,
        }
    }

    pub(super) fn can_be(self, truth: bool) -> bool {
        if truth {
            self.can_be_true
        } else {
            self.can_be_false
        }
    }

    pub(super) fn negated(self) -> Self {
        Self {
            can_be_true: self.can_be_false,
            can_be_false: self.can_be_true,
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            can_be_true: self.can_be_true || other.can_be_true,
            can_be_false: self.can_be_false || other.can_be_false,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            can_be_true: self.can_be_true && other.can_be_true,
            can_be_false: self.can_be_false && other.can_be_false,
        }
    }

    fn orders(self, other: Self) -> Orders {
        let when =
            |is_possible: bool, order: Orders| if is_possible { order } else { Orders::NONE };
        when(
            (self.can_be_true && other.can_be_true) || (self.can_be_false && other.can_be_false),
            Orders::EQUAL,
        ) | when(self.can_be_false && other.can_be_true, Orders::LESS)
            | when(self.can_be_true && other.can_be_false, Orders::GREATER)
    }
}

impl Texts {
    pub(super) const ANY: Self = Self::Except(BTreeSet::new());

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Among(mut a), Self::Among(b)) => {
                a.extend(b);
                Self::Among(a)
            }
            (Self::Among(few), Self::Except(mut not))
            | (Self::Except(mut not), Self::Among(few)) => {
                not.retain(|text| !few.contains(text));
                Self::Except(not)
            }
            (Self::Except(a), Self::Except(b)) => {
                Self::Except(a.intersection(&b).cloned().collect())
            }
        }
    }

    fn meet(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Among(a), Self::Among(b)) => Self::Among(a.intersection(b).cloned().collect()),
            (Self::Among(few), Self::Except(not)) | (Self::Except(not), Self::Among(few)) => {
                Self::Among(few.difference(not).cloned().collect())
            }
            (Self::Except(a), Self::Except(b)) => Self::Except(a.union(b).cloned().collect()),
        }
    }

    fn orders(&self, other: &Self) -> Orders {
        let Self::Among(met) = self.meet(other) else {
            return Orders::LESS | Orders::EQUAL | Orders::GREATER;
        };
        let differing = Orders::LESS | Orders::GREATER;
        match (self, other) {
            (Self::Among(a), Self::Among(b)) => {
                let mut orders = if met.is_empty() {
                    Orders::NONE
                } else {
                    Orders::EQUAL
                };
                if a.first() < b.last() {
                    orders = orders | Orders::LESS;
                }
                if a.last() > b.first() {
                    orders = orders | Orders::GREATER;
                }
                orders
            }
            _ if met.is_empty() => differing,
            _ => differing | Orders::EQUAL,
        }
    }

    fn narrowed(&self, other: &Self, orders: Orders) -> Self {
        match other {
            _ if orders == Orders::EQUAL => self.meet(other),
            Self::Among(few) if few.len() == 1 && !orders.has(Orders::EQUAL) => {
                self.meet(&Self::Except(few.clone()))
            }
            _ => self.clone(),
        }
    }
}

/// Beyond every span of time and every moment, in nanoseconds.
const FAR: i128 = 1 << 100;
