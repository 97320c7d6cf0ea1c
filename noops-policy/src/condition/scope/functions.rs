use crate::cel::function::Function;
use crate::cel::types::Type;
use crate::condition::interval::{Interval, Kind, Operation};
use crate::condition::outcome::{Outcome, Truths};

pub(super) fn extreme(
    outcomes: &[Outcome],
    choose: impl Fn(&Interval, &Interval) -> Interval,
) -> Option<Outcome> {
    let outcomes = match outcomes {
        // Of a list only the hull of its items is known; each extreme of them is in it.
        [Outcome::List(item, _)] => {
            return matches!(**item, Outcome::Number(_)).then(|| (**item).clone());
        }
        outcomes => outcomes,
    };
    let mut chosen: Option<Interval> = None;
    for outcome in outcomes {
        let Outcome::Number(number) = outcome else {
            return None;
        };
        chosen = Some(match chosen {
            None => *number,
            Some(chosen) => choose(&chosen, number),
        });
    }
    chosen.map(Outcome::Number)
}

pub(super) fn one_number(
    function: Function,
    operand: &Interval,
    from: Option<&Type>,
    value_type: &Type,
) -> Option<Outcome> {
    let truth = |can_be_true: bool, can_be_false: bool| {
        Some(Outcome::Truth(Truths {
            can_be_true,
            can_be_false,
        }))
    };
    let clock = |most: i128| (from == Some(&Type::Timestamp)).then(|| Outcome::whole(0, most));
    match function {
        Function::Ceil => Some(Outcome::of_interval(operand.monotone(f64::ceil))),
        Function::Floor => Some(Outcome::of_interval(operand.monotone(f64::floor))),
        Function::Round => Some(Outcome::of_interval(operand.monotone(f64::round))),
        Function::Truncate => Some(Outcome::of_interval(operand.monotone(f64::trunc))),
        Function::Absolute => match value_type {
            Type::Double => Some(Outcome::of_interval(operand.absolute())),
            _ => Some(Outcome::of_interval(operand.absolute()).meet(&Outcome::of_type(value_type))),
        },
        Function::SquareRoot if matches!(from, Some(Type::Int | Type::Uint | Type::Double)) => {
            Some(Outcome::Number(operand.square_root()))
        }
        Function::ToDouble if matches!(from, Some(Type::Int | Type::Uint | Type::Double)) => {
            Some(Outcome::Number(operand.to_double()))
        }
        Function::ToInt if matches!(from, Some(Type::Int | Type::Uint | Type::Double)) => Some(
            Outcome::of_interval(operand.to_whole(i64::MIN.into(), i64::MAX.into())),
        ),
        Function::ToUint if matches!(from, Some(Type::Int | Type::Uint | Type::Double)) => {
            Some(Outcome::of_interval(operand.to_whole(0, u64::MAX.into())))
        }
        Function::IsNan => truth(
            operand.can_be_nan(),
            operand.can_be_finite() || operand.can_be_infinite(),
        ),
        Function::IsInfinite => truth(
            operand.can_be_infinite(),
            operand.can_be_finite() || operand.can_be_nan(),
        ),
        Function::IsFinite => truth(
            operand.can_be_finite(),
            operand.can_be_infinite() || operand.can_be_nan(),
        ),
        Function::Month => clock(11),
        Function::Date => (from == Some(&Type::Timestamp)).then(|| Outcome::whole(1, 31)),
        Function::DayOfMonth => clock(30),
        Function::DayOfWeek => clock(6),
        Function::DayOfYear => clock(365),
        Function::Hours => clock(23),
        Function::Minutes | Function::Seconds => clock(59),
        Function::Milliseconds => clock(999),
        _ => None,
    }
}

pub(super) fn operation_of(function: Function) -> Option<Operation> {
    Some(match function {
        Function::Add => Operation::Add,
        Function::Subtract => Operation::Subtract,
        Function::Multiply => Operation::Multiply,
        Function::Divide => Operation::Divide,
        Function::Remainder => Operation::Remainder,
        _ => return None,
    })
}

pub(super) fn kind_of(value_type: &Type) -> Option<Kind> {
    Some(match value_type {
        Type::Int => Kind::Int,
        Type::Uint => Kind::Uint,
        Type::Double => Kind::Double,
        _ => return None,
    })
}
