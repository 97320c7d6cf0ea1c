use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// One way a mixture spreads its bets: a prior worth `value` events, with its share of the wealth.
///
/// The prior is a beta law (a Dirichlet law with more arms) with its mean at the null hypothesis and with `value` as the sum of its
/// shapes. A small value bets on large effects and finds them after few events; a large one bets on small effects.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawConcentration", into = "RawConcentration")]
pub struct Concentration {
    value: f64,
    weight: f64,
}

impl Concentration {
    /// A prior worth `value` events, with `weight` of the wealth relative to the others' weights.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the value lies from 0.001 to a billion and the weight from a millionth to a million.
    pub fn new(value: f64, weight: f64) -> Result<Self, CanaryError> {
        if !(SMALLEST_VALUE..=LARGEST_VALUE).contains(&value) {
            return Err(CanaryError::Setting {
                name: "concentration",
                value,
                allowed: "from 0.001 to 1000000000",
            });
        }
        if !(1e-6..=1e6).contains(&weight) {
            return Err(CanaryError::Setting {
                name: "concentration_weight",
                value: weight,
                allowed: "from 0.000001 to 1000000",
            });
        }
        Ok(Self { value, weight })
    }

    /// The events the prior is worth.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The weight, relative to the others'.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight
    }
}

/// The priors over which a beta-binomial mixture spreads its wealth.
///
/// The average of e-processes is an e-process, so several concentrations cost the logarithm of the inverse weight at most, while a
/// single one costs far more when the effect is not of the size it bets on.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::{Concentration, Concentrations};
///
/// let both = Concentrations::new(&[Concentration::new(2.0, 1.0)?, Concentration::new(100.0, 3.0)?])?;
/// assert_eq!(both.as_slice().len(), 2);
/// assert!(Concentrations::new(&[]).is_err());
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Concentration>", into = "Vec<Concentration>")]
pub struct Concentrations(Vec<Concentration>);

impl Concentrations {
    /// Several priors at once.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for none and for more than sixteen, each of which has to be evaluated at every look.
    pub fn new(concentrations: &[Concentration]) -> Result<Self, CanaryError> {
        if concentrations.is_empty() || concentrations.len() > MOST {
            return Err(CanaryError::Input {
                input: "concentrations",
                reason: "must hold from one to sixteen; leave out those that lie close together",
            });
        }
        Ok(Self(concentrations.to_vec()))
    }

    /// A single prior.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the value lies from 0.001 to a billion.
    pub fn single(value: f64) -> Result<Self, CanaryError> {
        Ok(Self(vec![Concentration::new(value, 1.0)?]))
    }

    /// The priors.
    #[must_use]
    pub fn as_slice(&self) -> &[Concentration] {
        &self.0
    }

    /// The logarithms of the weights, which sum to one before they are taken.
    pub(crate) fn ln_weights(&self) -> impl Iterator<Item = f64> + '_ {
        let total: f64 = self.0.iter().map(|one| one.weight).sum();
        self.0.iter().map(move |one| libm::log(one.weight / total))
    }
}

impl Default for Concentrations {
    /// 2, 100 and 10,000 events: large, middling and small effects, with nine tenths of the wealth on the middle.
    fn default() -> Self {
        Self(
            DEFAULTS
                .iter()
                .map(|&(value, weight)| Concentration { value, weight })
                .collect(),
        )
    }
}

impl TryFrom<Vec<Concentration>> for Concentrations {
    type Error = CanaryError;

    fn try_from(concentrations: Vec<Concentration>) -> Result<Self, CanaryError> {
        Self::new(&concentrations)
    }
}

impl From<Concentrations> for Vec<Concentration> {
    fn from(concentrations: Concentrations) -> Self {
        concentrations.0
    }
}

#[derive(Serialize, Deserialize)]
struct RawConcentration {
    value: f64,
    weight: f64,
}

impl TryFrom<RawConcentration> for Concentration {
    type Error = CanaryError;

    fn try_from(raw: RawConcentration) -> Result<Self, CanaryError> {
        Self::new(raw.value, raw.weight)
    }
}

impl From<Concentration> for RawConcentration {
    fn from(concentration: Concentration) -> Self {
        Self {
            value: concentration.value,
            weight: concentration.weight,
        }
    }
}

const SMALLEST_VALUE: f64 = 1e-3;
const LARGEST_VALUE: f64 = 1e9;
const MOST: usize = 16;
const DEFAULTS: [(f64, f64); 3] = [(2.0, 0.05), (100.0, 0.9), (10_000.0, 0.05)];
