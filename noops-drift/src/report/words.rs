//! A report in words, with numbers as a reader wants them.

use std::fmt;

use super::column::ColumnDrift;
use super::rates::RateKind;
use crate::statistic::Verdict;

impl fmt::Display for ColumnDrift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = one_line(self.column());
        let psi = self.psi();
        let rows = counted(psi.n_current(), "row");
        let found = format!("PSI {} over {rows}", number(psi.statistic()));
        match (self.verdict(), self.jumped()) {
            (Verdict::Drift, Some(kind)) => {
                let (what, whole, before, now) = match kind {
                    RateKind::Missing => (
                        "nulls",
                        "rows",
                        self.reference().missing(),
                        self.current().missing(),
                    ),
                    RateKind::NotFinite => (
                        "NaN and infinities",
                        "rows",
                        self.reference().not_finite(),
                        self.current().not_finite(),
                    ),
                    RateKind::Unseen => (
                        "unlisted categories",
                        "values",
                        self.reference().unseen(),
                        self.current().unseen(),
                    ),
                    RateKind::OutOfRange => (
                        "values other than the reference's only one",
                        "values",
                        self.reference().out_of_range(),
                        self.current().out_of_range(),
                    ),
                };
                write!(
                    f,
                    "`{name}` drifted: {what} went from {} to {} of the {whole} (p-value {})",
                    percent(before),
                    percent(now),
                    p_value(self.rate_p_value())
                )
            }
            (Verdict::Drift, None) => {
                let forgiven = if self.tolerance() > 0.0 {
                    format!("{} + chance", number(self.tolerance()))
                } else {
                    "chance".to_owned()
                };
                match psi.critical() {
                    Some(critical) if psi.statistic() > critical => write!(
                        f,
                        "`{name}` drifted: {found}, beyond {forgiven} (critical {})",
                        number(critical)
                    ),
                    // Together with the other columns less is enough than it would be alone.
                    _ => write!(
                        f,
                        "`{name}` drifted: {found}, beyond {forgiven} (p-value {})",
                        p_value(self.p_value())
                    ),
                }
            }
            (Verdict::NoDrift, _) => {
                write!(f, "`{name}` has not drifted: {found}")?;
                match psi.visible_from() {
                    Some(visible) => write!(
                        f,
                        ", where {} would most likely have shown",
                        number(visible)
                    ),
                    None => Ok(()),
                }
            }
            (Verdict::Undecided { visible_from }, _) => {
                write!(f, "`{name}` is undecided, not enough rows: {rows} ")?;
                let verb = if psi.n_current() == 1 {
                    "shows"
                } else {
                    "show"
                };
                match visible_from {
                    Some(visible) => write!(f, "{verb} a PSI from {} on", number(visible)),
                    None => write!(f, "{verb} no PSI, however large"),
                }
            }
        }
    }
}

/// A name without line breaks and other control characters, so that it cannot look like something else.
pub(super) fn one_line(name: &str) -> String {
    let mut line = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

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

/// `1 row`, `2 rows`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(count))
}

/// A ratio as a percentage with at most one decimal.
pub(super) fn percent(ratio: f64) -> String {
    let hundredths = 100.0 * ratio;
    if !hundredths.is_finite() {
        DASH.to_owned()
    } else if hundredths > 0.0 && hundredths < 0.05 {
        "below 0.1 %".to_owned()
    } else {
        format!("{} %", without_zeros(format!("{hundredths:.1}")))
    }
}

/// A p-value: what is smaller than the smallest number is not nothing.
pub(super) fn p_value(value: f64) -> String {
    if value == 0.0 {
        "< 1e-300".to_owned()
    } else {
        number(value)
    }
}

/// Three significant digits, as a power of ten where there are many zeros.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        DASH.to_owned()
    } else if size == 0.0 {
        "0".to_owned()
    } else if (0.001..1e6).contains(&size) {
        let decimals = if size < 0.01 {
            5
        } else if size < 0.1 {
            4
        } else if size < 1.0 {
            3
        } else if size < 10.0 {
            2
        } else if size < 100.0 {
            1
        } else {
            0
        };
        without_zeros(format!("{value:.decimals$}"))
    } else {
        format!("{value:.1e}")
    }
}

fn without_zeros(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

const DASH: &str = "–";

#[cfg(test)]
mod tests {
    use super::{counted, number, one_line, percent};

    #[test]
    fn numbers_keep_three_digits() {
        for (value, text) in [
            (0.31, "0.31"),
            (0.000_5, "5.0e-4"),
            (0.020_04, "0.02"),
            (0.001_234, "0.00123"),
            (1.0, "1"),
            (1_234.4, "1234"),
            (-12.34, "-12.3"),
            (1e300, "1.0e300"),
            (f64::NAN, "–"),
            (f64::NEG_INFINITY, "–"),
            (-0.0, "0"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn shares_and_counts_read_well() {
        assert_eq!(percent(0.5), "50 %");
        assert_eq!(percent(0.1234), "12.3 %");
        assert_eq!(percent(0.0001), "below 0.1 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(4_000, "row"), "4,000 rows");
    }

    #[test]
    fn a_name_stays_on_its_line() {
        assert_eq!(one_line("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(one_line("größe"), "größe");
    }
}
