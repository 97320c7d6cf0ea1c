//! Numbers as a reader wants them; what is not finite is shown as a dash.

use super::Pair;

/// `1234567` as `1,234,567`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 retrain`, `2 retrains`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(count))
}

/// A value with a fixed number of decimals.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    if value.is_finite() {
        format!("{value:.decimals$}")
    } else {
        DASH.to_owned()
    }
}

/// A ratio as a percentage with a fixed number of decimals.
pub(super) fn percent(ratio: f64, decimals: usize) -> String {
    if ratio.is_finite() {
        format!("{:.decimals$}%", 100.0 * ratio)
    } else {
        DASH.to_owned()
    }
}

/// A latency given in microseconds.
pub(super) fn micros(value: f64) -> String {
    if value.abs() >= 1000.0 && value.is_finite() {
        format!("{:.2} ms", value / 1000.0)
    } else {
        format!("{} µs", fixed(value, 1))
    }
}

/// The autopilot's score relative to the frozen model's, in words: `6.2% lower`.
pub(super) fn change(pair: &Pair) -> String {
    let relative = (pair.autopilot - pair.frozen) / pair.frozen.abs();
    if !relative.is_finite() {
        return "not comparable".to_owned();
    }
    if relative.abs() < 0.0005 {
        return "the same to 0.1%".to_owned();
    }
    let direction = if relative < 0.0 { "lower" } else { "higher" };
    format!("{} {direction}", percent(relative.abs(), 1))
}

/// The English name of a month, short; a number outside 1 to 12 stays a number.
pub(super) fn month(number: u32) -> String {
    let index = usize::try_from(number).unwrap_or(0);
    MONTHS
        .get(index.wrapping_sub(1))
        .map_or_else(|| number.to_string(), |name| (*name).to_owned())
}

/// Stands for a value that is not there.
pub(super) const DASH: &str = "–";

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let grouped_counts = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(grouped_counts, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn nouns_agree_with_their_count() {
        assert_eq!(counted(0, "retrain"), "0 retrains");
        assert_eq!(counted(1, "retrain"), "1 retrain");
        assert_eq!(counted(2, "retrain"), "2 retrains");
    }

    #[test]
    fn values_that_are_not_finite_become_a_dash() {
        assert_eq!(fixed(f64::NAN, 4), DASH);
        assert_eq!(percent(f64::INFINITY, 1), DASH);
        assert_eq!(micros(f64::NAN), "– µs");
        assert_eq!(micros(f64::INFINITY), "– µs");
    }

    #[test]
    fn latency_changes_unit_at_a_millisecond() {
        assert_eq!(micros(12.34), "12.3 µs");
        assert_eq!(micros(1234.0), "1.23 ms");
    }

    #[test]
    fn change_names_its_direction() {
        let pair = |frozen: f64, autopilot: f64| Pair { frozen, autopilot };
        assert_eq!(change(&pair(0.2, 0.1)), "50.0% lower");
        assert_eq!(change(&pair(0.2, 0.25)), "25.0% higher");
        assert_eq!(change(&pair(0.2, 0.2)), "the same to 0.1%");
        assert_eq!(change(&pair(0.0, 0.2)), "not comparable");
        assert_eq!(change(&pair(f64::NAN, 0.2)), "not comparable");
    }

    #[test]
    fn months_outside_the_year_stay_numbers() {
        assert_eq!(month(1), "Jan");
        assert_eq!(month(12), "Dec");
        assert_eq!(month(0), "0");
        assert_eq!(month(13), "13");
    }
}
