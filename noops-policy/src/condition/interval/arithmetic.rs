use super::Interval;

/// The type that arithmetic is done in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::condition) enum Kind {
    Int,
    Uint,
    /// Doubles; a result that is not finite is an error and so no result.
    Double,
}

/// An operation of arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::condition) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// What `operation` can come to on numbers of the two intervals; none when it never has a result.
pub(in crate::condition) fn arithmetic(
    operation: Operation,
    kind: Kind,
    left: &Interval,
    right: &Interval,
) -> Option<Interval> {
    match kind {
        Kind::Int => on_whole(operation, left, right, i64::MIN.into(), i64::MAX.into()),
        Kind::Uint => on_whole(operation, left, right, 0, u64::MAX.into()),
        Kind::Double => on_doubles(operation, left, right),
    }
}

/// The negation; none when it never has a result.
pub(in crate::condition) fn negation(kind: Kind, operand: &Interval) -> Option<Interval> {
    match kind {
        Kind::Double => {
            let (low, high) = operand.ends();
            let mut flipped = Interval::double(-high, -low)?;
            flipped.is_nan = operand.is_nan;
            Some(flipped)
        }
        Kind::Int | Kind::Uint => Interval::whole(0, 0)
            .and_then(|zero| arithmetic(Operation::Subtract, kind, &zero, operand)),
    }
}

fn on_doubles(operation: Operation, left: &Interval, right: &Interval) -> Option<Interval> {
    let everything = Interval::double(-f64::MAX, f64::MAX);
    if left.is_nan || right.is_nan || left.can_be_infinite() || right.can_be_infinite() {
        return everything;
    }
    let (a, b) = left.ends();
    let (c, d) = right.ends();
    let corners = match operation {
        Operation::Add => [a + c, b + d, a + c, b + d],
        Operation::Subtract => [a - d, b - c, a - d, b - c],
        Operation::Multiply => [a * c, a * d, b * c, b * d],
        Operation::Divide if c == 0.0 && d == 0.0 => return None,
        Operation::Divide if c <= 0.0 && d >= 0.0 => return everything,
        Operation::Divide => [a / c, a / d, b / c, b / d],
        // Doubles have no remainder.
        Operation::Remainder => return everything,
    };
    let low = corners.into_iter().fold(f64::INFINITY, f64::min);
    let high = corners.into_iter().fold(f64::NEG_INFINITY, f64::max);
    // Two single numbers have one result, which is the one that evaluation finds.
    let is_exact = a == b && c == d;
    let (low, high) = if is_exact {
        (low, high)
    } else {
        (low.next_down(), high.next_up())
    };
    if low > f64::MAX || high < -f64::MAX {
        return None;
    }
    Interval::double(low.max(-f64::MAX), high.min(f64::MAX))
}

fn on_whole(
    operation: Operation,
    left: &Interval,
    right: &Interval,
    least: i128,
    greatest: i128,
) -> Option<Interval> {
    let left = whole_ends(left, least, greatest)?;
    let right = whole_ends(right, least, greatest)?;
    let (low, high) = match operation {
        Operation::Add => (
            left.0.saturating_add(right.0),
            left.1.saturating_add(right.1),
        ),
        Operation::Subtract => (
            left.0.saturating_sub(right.1),
            left.1.saturating_sub(right.0),
        ),
        Operation::Multiply => around(corners(left, right, i128::saturating_mul))?,
        Operation::Divide => {
            // The quotient is monotone on either side of zero, where there is none.
            let below =
                side(right, i128::MIN, -1).and_then(|right| around(corners(left, right, quotient)));
            let above =
                side(right, 1, i128::MAX).and_then(|right| around(corners(left, right, quotient)));
            around(below.into_iter().chain(above).flat_map(|(a, b)| [a, b]))?
        }
        Operation::Remainder => {
            let room = right.0.saturating_abs().max(right.1.saturating_abs());
            if room == 0 {
                return None;
            }
            let room = room.saturating_sub(1);
            (
                left.0.min(0).max(room.saturating_neg()),
                left.1.max(0).min(room),
            )
        }
    };
    Interval::whole(low.max(least), high.min(greatest))
}

fn whole_ends(interval: &Interval, least: i128, greatest: i128) -> Option<(i128, i128)> {
    let whole = interval.to_whole(least, greatest)?;
    match (whole.low, whole.high) {
        (super::Number::Whole(low), super::Number::Whole(high)) => Some((low, high)),
        _ => Some((least, greatest)),
    }
}

fn quotient(numerator: i128, denominator: i128) -> i128 {
    numerator.checked_div(denominator).unwrap_or(0)
}

fn side(ends: (i128, i128), least: i128, greatest: i128) -> Option<(i128, i128)> {
    let (low, high) = (ends.0.max(least), ends.1.min(greatest));
    (low <= high).then_some((low, high))
}

fn corners(
    left: (i128, i128),
    right: (i128, i128),
    operation: impl Fn(i128, i128) -> i128,
) -> [i128; 4] {
    [
        operation(left.0, right.0),
        operation(left.0, right.1),
        operation(left.1, right.0),
        operation(left.1, right.1),
    ]
}

fn around(numbers: impl IntoIterator<Item = i128>) -> Option<(i128, i128)> {
    numbers.into_iter().fold(None, |ends, number| match ends {
        None => Some((number, number)),
        Some((low, high)) => Some((number.min(low), number.max(high))),
    })
}
