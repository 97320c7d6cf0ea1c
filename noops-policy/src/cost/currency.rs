use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cost::CostError;

/// A currency code of three capital letters, shaped as in ISO 4217.
///
/// Only the shape is checked: which codes are in use is for the biller to know.
///
/// # Examples
///
/// ```
/// use noops_policy::cost::Currency;
///
/// assert_eq!("EUR".parse::<Currency>()?.code(), "EUR");
/// assert!("eur".parse::<Currency>().is_err());
/// # Ok::<(), noops_policy::cost::CostError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(String);

impl Currency {
    /// The three letters.
    pub fn code(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Currency {
    type Err = CostError;

    fn from_str(code: &str) -> Result<Self, CostError> {
        if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            Ok(Self(code.to_owned()))
        } else {
            Err(CostError::Currency {
                given: code.to_owned(),
            })
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = CostError;

    fn try_from(code: String) -> Result<Self, CostError> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}
