use std::collections::BTreeMap;
use std::fmt;

/// A product of powers of units; the empty one fits every unit.
#[derive(Clone, Debug, Default)]
pub(super) struct Unit {
    /// No power is zero.
    powers: BTreeMap<String, i32>,
}

impl Unit {
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// The unit as it is declared, without blanks around it.
    pub(super) fn named(symbol: &str) -> Self {
        let symbol = symbol.trim();
        let powers = if symbol.is_empty() {
            BTreeMap::new()
        } else {
            BTreeMap::from([(symbol.to_owned(), 1)])
        };
        Self { powers }
    }

    pub(super) fn is_none(&self) -> bool {
        self.powers.is_empty()
    }

    /// The symbol, if the unit is one and not a combination.
    pub(super) fn symbol(&self) -> Option<&str> {
        let mut powers = self.powers.iter();
        match (powers.next(), powers.next()) {
            (Some((symbol, 1)), None) => Some(symbol),
            _ => None,
        }
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        self.combined(other, 1)
    }

    pub(super) fn over(&self, other: &Self) -> Self {
        self.combined(other, -1)
    }

    fn combined(&self, other: &Self, sign: i32) -> Self {
        let mut powers = self.powers.clone();
        for (symbol, power) in &other.powers {
            let total = powers.entry(symbol.clone()).or_insert(0);
            *total = total.saturating_add(power.saturating_mul(sign));
        }
        powers.retain(|_, power| *power != 0);
        Self { powers }
    }
}

/// Units are the same when they read the same, so that a fact declared in `ms/s` fits a quotient of the two.
impl PartialEq for Unit {
    fn eq(&self, other: &Self) -> bool {
        self.powers == other.powers || self.to_string() == other.to_string()
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |sign: i32| {
            self.powers
                .iter()
                .filter(|(_, power)| power.signum() == sign)
                .map(|(symbol, power)| match power.unsigned_abs() {
                    1 => symbol.clone(),
                    power => format!("{symbol}^{power}"),
                })
                .collect::<Vec<_>>()
        };
        let (above, below) = (part(1), part(-1));
        match above.as_slice() {
            [] => f.write_str("1")?,
            above => f.write_str(&above.join("*"))?,
        }
        for symbol in below {
            write!(f, "/{symbol}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_combine_and_cancel() {
        let (ms, s) = (Unit::named(" ms "), Unit::named("s"));
        assert_eq!(ms.to_string(), "ms");
        assert_eq!(ms.over(&s).to_string(), "ms/s");
        assert_eq!(ms.over(&s), Unit::named("ms/s"));
        assert!(ms.over(&ms).is_none());
        assert_eq!(ms.times(&ms).to_string(), "ms^2");
        assert_eq!(Unit::none().over(&s).to_string(), "1/s");
        assert_eq!(ms.times(&s).over(&s).symbol(), Some("ms"));
        assert_eq!(ms.times(&s).symbol(), None);
        assert!(Unit::named("  ").is_none());
    }
}
