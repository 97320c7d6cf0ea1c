use super::symbol::Unit;
use crate::cel::types::Type;

/// A unit whose relation to others is known.
struct Scale {
    symbol: &'static str,
    family: Family,
    /// How many of the smallest unit of the family it is.
    size: f64,
    /// Other spellings, which are recognised only to say which one to use.
    synonyms: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Time,
    Bytes,
    Share,
}

/// The unit of a number in `unit` after it was divided by `divisor`, which is multiplied by `factor`; none when that is no
/// conversion to a known unit.
///
/// Both are given so that a reciprocal that was written down is recognised exactly: of `0.001` and `1000` either one is a
/// literal.
pub(super) fn convert(unit: &Unit, divisor: f64, factor: f64) -> Option<Unit> {
    let from = scale(unit.symbol()?)?;
    let to = SCALES.iter().find(|to| {
        let is_other = to.family == from.family && to.size != from.size;
        let grows = to.size / from.size;
        let shrinks = from.size / to.size;
        is_other && (divisor == grows || factor == shrinks)
    })?;
    Some(Unit::named(to.symbol))
}

/// How to bring two quantities of different units together: their texts, units and types.
pub(super) fn hint(left: (&str, &Unit, &Type), right: (&str, &Unit, &Type)) -> Option<String> {
    let one = scale(left.1.symbol()?)?;
    let two = scale(right.1.symbol()?)?;
    if one.family != two.family {
        return None;
    }
    if one.size == two.size {
        return Some(format!("declare both in `{}`", one.symbol));
    }
    let ((text, _, value_type), factor) = if one.size < two.size {
        (left, two.size / one.size)
    } else {
        (right, one.size / two.size)
    };
    let text = match value_type {
        Type::Double => text.to_owned(),
        Type::Int | Type::Uint => format!("double({text})"),
        _ => return None,
    };
    Some(format!("convert one: `{text} / {factor:?}`"))
}

fn scale(symbol: &str) -> Option<&'static Scale> {
    SCALES
        .iter()
        .find(|scale| scale.symbol == symbol || scale.synonyms.contains(&symbol))
}

const fn time(symbol: &'static str, size: f64, synonyms: &'static [&'static str]) -> Scale {
    Scale {
        symbol,
        family: Family::Time,
        size,
        synonyms,
    }
}

const fn bytes(symbol: &'static str, size: f64, synonyms: &'static [&'static str]) -> Scale {
    Scale {
        symbol,
        family: Family::Bytes,
        size,
        synonyms,
    }
}

const fn share(symbol: &'static str, size: f64, synonyms: &'static [&'static str]) -> Scale {
    Scale {
        symbol,
        family: Family::Share,
        size,
        synonyms,
    }
}

const SCALES: [Scale; 16] = [
    time("ns", 1.0, &["nanosecond", "nanoseconds"]),
    time(
        "us",
        1e3,
        &["µs", "μs", "usec", "microsecond", "microseconds"],
    ),
    time(
        "ms",
        1e6,
        &["msec", "millis", "millisecond", "milliseconds"],
    ),
    time("s", 1e9, &["sec", "secs", "second", "seconds"]),
    time("min", 6e10, &["mins", "minute", "minutes"]),
    time("h", 3.6e12, &["hr", "hrs", "hour", "hours"]),
    time("d", 8.64e13, &["day", "days"]),
    bytes("B", 1.0, &["byte", "bytes"]),
    bytes("KiB", 1024.0, &["kibibyte", "kibibytes"]),
    bytes("MiB", 1_048_576.0, &["mebibyte", "mebibytes"]),
    bytes("GiB", 1_073_741_824.0, &["gibibyte", "gibibytes"]),
    bytes("kB", 1e3, &["KB", "kilobyte", "kilobytes"]),
    bytes("MB", 1e6, &["megabyte", "megabytes"]),
    bytes("GB", 1e9, &["gigabyte", "gigabytes"]),
    share("percent", 1.0, &["%", "pct", "percentage"]),
    share("ratio", 100.0, &["fraction", "proportion", "share"]),
];
