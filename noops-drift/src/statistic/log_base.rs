use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

/// The base of the logarithms in a divergence, and so its unit.
///
/// Libraries differ silently here: a Jensen–Shannon distance of 0.1 in nats is 0.12 in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LogBase {
    /// Base 2: bits. The Jensen–Shannon divergence ends at 1.
    Two,
    /// Base e: nats. The Jensen–Shannon divergence ends at ln 2.
    E,
}

impl LogBase {
    /// What one nat is in this base.
    #[must_use]
    pub fn per_nat(self) -> f64 {
        match self {
            Self::Two => LN_2.recip(),
            Self::E => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LogBase;

    #[test]
    fn a_bit_is_the_logarithm_of_two_in_nats() {
        assert!((LogBase::Two.per_nat() * 2.0_f64.ln() - 1.0).abs() < 1e-15);
        assert_eq!(LogBase::E.per_nat(), 1.0);
    }
}
