use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cost::CostError;

/// An exact amount of money, in millionths of the currency's unit.
///
/// Whole numbers, so that a ledger adds up to the last digit in every order. The currency belongs to the ledger. As text and
/// in JSON it is a decimal such as `"12.34"`.
///
/// # Examples
///
/// ```
/// use noops_policy::cost::Money;
///
/// let price: Money = "12.34".parse()?;
/// assert_eq!(price.micros(), 12_340_000);
/// assert_eq!(price.checked_add("0.000001".parse()?), Some("12.340001".parse()?));
/// assert_eq!(Money::from_units(5).map(|five| five.to_string()).as_deref(), Some("5.00"));
/// assert!("1e3".parse::<Money>().is_err());
/// # Ok::<(), noops_policy::cost::CostError>(())
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Money(i128);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The greatest amount: 10²¹ units. The bound leaves room to add up a hundred billion of them.
    pub const MAX: Self = Self(MAX_MICROS);

    /// An amount of millionths, if it is not beyond [`Money::MAX`] in either direction.
    #[must_use]
    pub fn from_micros(micros: i128) -> Option<Self> {
        (-MAX_MICROS..=MAX_MICROS)
            .contains(&micros)
            .then_some(Self(micros))
    }

    /// A number of whole units of the currency, if it is not beyond [`Money::MAX`] in either direction.
    #[must_use]
    pub fn from_units(units: i64) -> Option<Self> {
        Self::from_micros(i128::from(units).checked_mul(MICROS)?)
    }

    /// The millionths.
    pub fn micros(self) -> i128 {
        self.0
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum, if it is not beyond [`Money::MAX`].
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::from_micros(self.0.checked_add(other.0)?)
    }

    /// The difference, if it is not beyond [`Money::MAX`].
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::from_micros(self.0.checked_sub(other.0)?)
    }

    /// The product with a whole number, if it is not beyond [`Money::MAX`].
    #[must_use]
    pub fn checked_mul(self, factor: i64) -> Option<Self> {
        Self::from_micros(self.0.checked_mul(i128::from(factor))?)
    }

    /// The amount in units as the nearest floating point number: for facts, forecasts and charts, never for books.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / MICROS as f64
    }

    /// The amount of millionths, or the bound that it is beyond.
    pub(crate) fn clamped(micros: i128) -> Self {
        Self(micros.clamp(-MAX_MICROS, MAX_MICROS))
    }

    /// The amount nearest to an estimate in units; none for what is not finite, and the bound for what is beyond it.
    pub(crate) fn estimate(units: f64) -> Option<Self> {
        // The conversion saturates, and the bound is far within what it saturates to.
        units
            .is_finite()
            .then(|| Self::clamped((units * MICROS as f64).round() as i128))
    }

    /// The part `numerator / denominator` of the amount, to the nearest millionth and half to even; none where the
    /// denominator is zero or the result is too great.
    pub(crate) fn part(self, numerator: u64, denominator: u64) -> Option<Self> {
        let denominator = i128::from(denominator);
        let product = self.0.checked_mul(i128::from(numerator))?;
        let floor = product.checked_div_euclid(denominator)?;
        let rest = product.checked_rem_euclid(denominator)?;
        let up = match rest.checked_mul(2)?.cmp(&denominator) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => floor % 2 != 0,
        };
        Self::from_micros(floor.checked_add(i128::from(up))?)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let scale = MICROS.unsigned_abs();
        let fraction = format!("{:06}", micros % scale);
        let (cents, rest) = fraction.split_at_checked(2).unwrap_or((&fraction, ""));
        let text = format!(
            "{sign}{}.{cents}{}",
            micros / scale,
            rest.trim_end_matches('0')
        );
        f.pad(&text)
    }
}

impl FromStr for Money {
    type Err = CostError;

    fn from_str(text: &str) -> Result<Self, CostError> {
        let refuse = |problem| CostError::Amount {
            given: text.chars().take(MAX_TEXT).collect(),
            problem,
        };
        let shape = "must be a plain decimal, such as `12.34`";
        if text.len() > MAX_TEXT {
            return Err(refuse(shape));
        }
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return Err(refuse(shape));
        }
        if fraction.len() > DECIMALS {
            return Err(refuse("has more than six decimals; round it first"));
        }
        let too_great = || refuse("is too great; amounts end at 10^21 units");
        let whole: i128 = whole.parse().map_err(|_| too_great())?;
        let micros: i128 = format!("{fraction:0<DECIMALS$}")
            .parse()
            .map_err(|_| refuse(shape))?;
        whole
            .checked_mul(MICROS)
            .and_then(|whole| whole.checked_add(micros))
            .map(|micros| if negative { -micros } else { micros })
            .and_then(Self::from_micros)
            .ok_or_else(too_great)
    }
}

impl TryFrom<String> for Money {
    type Error = CostError;

    fn try_from(text: String) -> Result<Self, CostError> {
        text.parse()
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.to_string()
    }
}

const MICROS: i128 = 1_000_000;
const DECIMALS: usize = 6;
const MAX_MICROS: i128 = 1_000_000_000_000_000_000_000 * MICROS;
/// Longer text is no amount that somebody wrote.
const MAX_TEXT: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_exact_or_refused() {
        let text = |text: &str| text.parse::<Money>().map(|money| money.to_string());
        assert_eq!(text("12").as_deref(), Ok("12.00"));
        assert_eq!(text("0.1").as_deref(), Ok("0.10"));
        assert_eq!(text("-0.000001").as_deref(), Ok("-0.000001"));
        assert_eq!(text("-0").as_deref(), Ok("0.00"));
        for wrong in [
            "", "-", ".", "1.", ".5", "+1", "1e3", " 1", "1,5", "1.2.3", "--1", "NaN", "inf", "١",
        ] {
            assert!(text(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            text("0.0000001").unwrap_err().to_string(),
            "amount `0.0000001` has more than six decimals; round it first"
        );
        assert!(text(&"9".repeat(63)).is_err());
        assert!(text(&"9".repeat(1_000_000)).is_err());
    }

    #[test]
    fn nothing_goes_beyond_the_bounds() {
        let least = Money::from_micros(-Money::MAX.micros()).unwrap();
        assert_eq!(Money::MAX.checked_add(Money(1)), None);
        assert_eq!(least.checked_sub(Money(1)), None);
        assert_eq!(Money::MAX.checked_mul(i64::MIN), None);
        assert_eq!(Money::from_micros(i128::MIN), None);
        assert_eq!(Money::estimate(1e300), Some(Money::MAX));
        assert_eq!(Money::estimate(f64::NAN), None);
        assert_eq!(Money::MAX.part(u64::MAX, 1), None);
        assert_eq!(Money::MAX.part(1, 0), None);
        assert!(Money::MAX.to_string().parse::<Money>() == Ok(Money::MAX));
    }

    #[test]
    fn parts_round_half_to_even() {
        // python3 -c "from decimal import *; print([Decimal(n)/2 // 1 …])": round(n / 2) of python rounds half to even.
        for (micros, rounded) in [(1, 0), (3, 2), (5, 2), (-1, 0), (-3, -2), (-5, -2), (4, 2)] {
            assert_eq!(Money(micros).part(1, 2), Some(Money(rounded)), "{micros}");
        }
        assert_eq!(Money(2).part(1, 3), Some(Money(1)));
    }

    proptest! {
        #[test]
        fn text_and_json_read_back_exactly(micros in -MAX_MICROS..=MAX_MICROS) {
            let money = Money::from_micros(micros).unwrap();
            prop_assert_eq!(money.to_string().parse::<Money>(), Ok(money));
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(json.clone(), format!("\"{money}\""));
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Money>();
        }
    }
}
