use super::{Assumption, Consistency, MOST_ASSUMED, Scope, are_comparable, orders_of};
use crate::cel::function::Function;
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::condition::interval::Orders;
use crate::condition::outcome::{Outcome, Texts, Truths};

impl<'a> Scope<'a> {
    /// Assumes that `node`, a condition, comes to `truth`.
    pub(in crate::condition) fn assume(&mut self, node: &'a Typed, truth: bool) -> Consistency {
        if self.assumed.len() >= MOST_ASSUMED || self.steps == 0 {
            return Consistency::Possible;
        }
        if !self.outcome(node).truths().can_be(truth) {
            return Consistency::Impossible;
        }
        self.note(node, truth);
        match &node.kind {
            TypedKind::Not(inner) => self.assume(inner, !truth),
            TypedKind::And(parts) if truth => self.assume_all(parts, true),
            TypedKind::Or(parts) if !truth => self.assume_all(parts, false),
            TypedKind::And(parts) | TypedKind::Or(parts) => self.assume_one(parts, truth),
            TypedKind::Conditional(test, yes, no) => {
                let can = |outcome: Outcome| outcome.truths().can_be(truth);
                if !can(self.outcome(yes)) {
                    self.assume_both((test, false), (no, truth))
                } else if !can(self.outcome(no)) {
                    self.assume_both((test, true), (yes, truth))
                } else {
                    Consistency::Possible
                }
            }
            TypedKind::Call(Function::In, arguments) => match arguments.as_slice() {
                [item, list] => self.assume_among(item, list, truth),
                _ => Consistency::Possible,
            },
            TypedKind::Call(function, arguments) => {
                match (orders_of(*function), arguments.as_slice()) {
                    (Some(orders), [left, right]) => {
                        let orders = if truth { orders } else { orders.others() };
                        self.assume_orders(left, right, orders)
                    }
                    _ => Consistency::Possible,
                }
            }
            _ => Consistency::Possible,
        }
    }

    fn assume_both(&mut self, one: (&'a Typed, bool), two: (&'a Typed, bool)) -> Consistency {
        match self.assume(one.0, one.1) {
            Consistency::Possible => self.assume(two.0, two.1),
            Consistency::Impossible => Consistency::Impossible,
        }
    }

    fn assume_all(&mut self, parts: &'a [Typed], truth: bool) -> Consistency {
        for part in parts {
            if self.assume(part, truth) == Consistency::Impossible {
                return Consistency::Impossible;
            }
        }
        Consistency::Possible
    }

    /// One of the parts comes to `truth`: where only one of them can, it is that one.
    fn assume_one(&mut self, parts: &'a [Typed], truth: bool) -> Consistency {
        let mut able = Vec::new();
        for part in parts {
            if self.outcome(part).truths().can_be(truth) {
                able.push(part);
            }
        }
        match able.as_slice() {
            [] => Consistency::Impossible,
            [only] => self.assume(only, truth),
            _ => Consistency::Possible,
        }
    }

    fn assume_orders(&mut self, left: &'a Typed, right: &'a Typed, orders: Orders) -> Consistency {
        self.assumed.push(Assumption::Orders(left, right, orders));
        if !are_comparable(&left.value_type, &right.value_type) {
            return Consistency::Possible;
        }
        let (one, two) = (self.outcome(left), self.outcome(right));
        if let (Outcome::Truth(a), Outcome::Truth(b)) = (&one, &two) {
            return self.assume_equivalence((left, *a), (right, *b), orders);
        }
        for (part, outcome) in [
            (left, one.narrowed(&two, orders)),
            (right, two.narrowed(&one, orders.swapped())),
        ] {
            if outcome.is_never() {
                return Consistency::Impossible;
            }
            if !matches!(part.kind, TypedKind::Constant(_)) {
                self.assumed.push(Assumption::Outcome(part, outcome));
            }
        }
        Consistency::Possible
    }

    /// `flag == true` says what `flag` is.
    fn assume_equivalence(
        &mut self,
        left: (&'a Typed, Truths),
        right: (&'a Typed, Truths),
        orders: Orders,
    ) -> Consistency {
        let (other, known) = if right.1 != Truths::BOTH {
            (left.0, right.1)
        } else {
            (right.0, left.1)
        };
        if known == Truths::BOTH || known == Truths::NEITHER {
            return Consistency::Possible;
        }
        match orders.has(Orders::EQUAL) {
            true if orders == Orders::EQUAL => self.assume(other, known.can_be_true),
            true => Consistency::Possible,
            false => self.assume(other, !known.can_be_true),
        }
    }

    fn assume_among(&mut self, item: &'a Typed, list: &'a Typed, truth: bool) -> Consistency {
        let (Outcome::List(items, _), Type::List(item_type)) =
            (self.outcome(list), &list.value_type)
        else {
            return Consistency::Possible;
        };
        if !are_comparable(&item.value_type, item_type) {
            return Consistency::Possible;
        }
        let outcome = self.outcome(item);
        let narrowed = match (truth, *items) {
            (true, items) => outcome.meet(&items),
            // Every text that is written in the list, and only those, is excluded.
            (false, Outcome::Text(Texts::Among(few))) if is_literal(list) => {
                outcome.meet(&Outcome::Text(Texts::Except(few)))
            }
            _ => outcome,
        };
        if narrowed.is_never() {
            return Consistency::Impossible;
        }
        self.assumed.push(Assumption::Outcome(item, narrowed));
        Consistency::Possible
    }
}

fn is_literal(list: &Typed) -> bool {
    match &list.kind {
        TypedKind::Constant(Value::List(_)) => true,
        TypedKind::List(items) => items
            .iter()
            .all(|item| matches!(item.kind, TypedKind::Constant(_))),
        _ => false,
    }
}
