use super::eval::{Arithmetic, EvaluationError, EvaluationErrorKind, Fuel};
use super::function::Function;
use super::types::Type;
use super::value::Value;
use names::symbol;
pub(crate) use names::type_name;
pub(crate) use patterns::Patterns;

mod arithmetic;
mod collections;
mod comparison;
mod conversions;
mod encoders;
mod format;
mod mathematics;
mod names;
pub(crate) mod notation;
mod patterns;
mod text;
mod time;

#[cfg(test)]
mod tests;

type Outcome = Result<Value, EvaluationError>;

/// One call, on its way to the function.
struct Call<'a> {
    function: Function,
    arguments: &'a [Value],
    fuel: &'a mut Fuel,
    patterns: &'a mut Patterns,
}

impl Call<'_> {
    /// The error that no overload of the function takes these arguments.
    fn refuse<T>(&self) -> Result<T, EvaluationError> {
        Err(no_such_overload(symbol(self.function), self.arguments))
    }

    fn overflow<T>(&self, result: &Type) -> Result<T, EvaluationError> {
        let name = symbol(self.function);
        Err(EvaluationError::new(
            EvaluationErrorKind::Overflow,
            format!("`{name}` leaves the range of `{result}`"),
        ))
    }
}

/// Calls a function with the values of its arguments, the target of a method first.
///
/// # Errors
///
/// When no overload takes the arguments, when the one that does has no result, or when the fuel is spent.
pub(crate) fn call(
    function: Function,
    arguments: &[Value],
    fuel: &mut Fuel,
    patterns: &mut Patterns,
    arithmetic: Arithmetic,
) -> Outcome {
    let mut call = Call {
        function,
        arguments,
        fuel,
        patterns,
    };
    match dispatch(&mut call)? {
        Value::Double(value) if arithmetic == Arithmetic::Finite && !value.is_finite() => {
            let name = symbol(function);
            Err(EvaluationError::new(
                EvaluationErrorKind::NotFinite,
                format!("`{name}` has no finite result"),
            ))
        }
        value => Ok(value),
    }
}

/// The error that no overload of `name` takes these arguments.
pub(crate) fn no_such_overload(name: &str, arguments: &[Value]) -> EvaluationError {
    let types: Vec<&str> = arguments
        .iter()
        .map(|argument| type_name(&argument.value_type()))
        .collect();
    let types = types.join(", ");
    EvaluationError::new(
        EvaluationErrorKind::NoSuchOverload,
        format!("`{name}` does not take `({types})`"),
    )
}

fn dispatch(call: &mut Call<'_>) -> Outcome {
    match call.function {
        Function::Negate => arithmetic::negate(call),
        Function::Add => arithmetic::add(call),
        Function::Subtract => arithmetic::subtract(call),
        Function::Multiply => arithmetic::multiply(call),
        Function::Divide => arithmetic::divide(call),
        Function::Remainder => arithmetic::remainder(call),
        Function::Equal | Function::NotEqual => comparison::equality(call),
        Function::Less | Function::LessOrEqual => comparison::ordering(call),
        Function::Greater | Function::GreaterOrEqual => comparison::ordering(call),
        Function::In => collections::contains(call),
        Function::Index => collections::index(call),
        Function::Size => collections::size(call),
        Function::ToBool => conversions::to_bool(call),
        Function::ToInt => conversions::to_int(call),
        Function::ToUint => conversions::to_uint(call),
        Function::ToDouble => conversions::to_double(call),
        Function::ToText => conversions::to_text(call),
        Function::ToBytes => conversions::to_bytes(call),
        Function::ToDuration => conversions::to_duration(call),
        Function::ToTimestamp => conversions::to_timestamp(call),
        Function::ToDyn => conversions::to_dyn(call),
        Function::TypeOf => conversions::type_of(call),
        Function::FullYear
        | Function::Month
        | Function::Date
        | Function::DayOfMonth
        | Function::DayOfWeek
        | Function::DayOfYear
        | Function::Hours
        | Function::Minutes
        | Function::Seconds
        | Function::Milliseconds => time::part(call),
        Function::Contains => text::contains(call),
        Function::StartsWith => text::starts_with(call),
        Function::EndsWith => text::ends_with(call),
        Function::Matches => text::matches(call),
        Function::CharAt => text::char_at(call),
        Function::IndexOf => text::index_of(call),
        Function::LastIndexOf => text::last_index_of(call),
        Function::Join => text::join(call),
        Function::LowerAscii => text::lower_ascii(call),
        Function::UpperAscii => text::upper_ascii(call),
        Function::Replace => text::replace(call),
        Function::Split => text::split(call),
        Function::Substring => text::substring(call),
        Function::Trim => text::trim(call),
        Function::Reverse => text::reverse(call),
        Function::Quote => text::quote(call),
        Function::Format => format::format(call),
        Function::Greatest | Function::Least => mathematics::extreme(call),
        Function::Ceil => mathematics::rounded(call, f64::ceil),
        Function::Floor => mathematics::rounded(call, f64::floor),
        Function::Round => mathematics::rounded(call, f64::round),
        Function::Truncate => mathematics::rounded(call, f64::trunc),
        Function::Absolute => mathematics::absolute(call),
        Function::Sign => mathematics::sign(call),
        Function::SquareRoot => mathematics::square_root(call),
        Function::IsNan => mathematics::classified(call, f64::is_nan),
        Function::IsInfinite => mathematics::classified(call, f64::is_infinite),
        Function::IsFinite => mathematics::classified(call, f64::is_finite),
        Function::BitAnd | Function::BitOr | Function::BitXor => mathematics::bitwise(call),
        Function::BitNot => mathematics::bit_not(call),
        Function::BitShiftLeft | Function::BitShiftRight => mathematics::shift(call),
        Function::Base64Encode => encoders::encode(call),
        Function::Base64Decode => encoders::decode(call),
    }
}
