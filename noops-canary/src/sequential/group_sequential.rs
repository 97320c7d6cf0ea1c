use noops_core::Alpha;
use noops_stats::special::normal_sf;
use serde::{Deserialize, Serialize};

use crate::error::CanaryError;
use crate::interval::Interval;

mod adjusted;
mod boundary;
mod integration;
mod look;
mod normal;
mod sides;
mod spending;

use self::boundary::{MOST_DRIFT, SMALLEST_RISE};
use self::integration::Walk;

pub use self::adjusted::AdjustedEstimate;
pub use self::boundary::GroupSequentialBoundary;
pub use self::look::{LookDecision, LookOutcome};
pub use self::sides::Sides;
pub use self::spending::SpendingFunction;

/// A group sequential test: looks on a schedule, at information fractions that need not be fixed in advance.
///
/// For teams that look once a day or once a stage. It is sharper than the tests that may be looked at after every event, and
/// valid only if the time of a look does not depend on the results so far.
///
/// # Formula
///
/// At each look the z-value of the effect, candidate minus champion, comes with its information: one over the variance of the
/// estimate, n/(2σ²) for the means of n values a side. The spending function says how much of α may be used by that fraction of
/// the maximum information, and the critical value is such that, without effect, this look is the first to reject with exactly
/// that probability less what is used already (Lan and DeMets, 1983). A look at or beyond the maximum is the last and spends the rest.
///
/// # Error rates
///
/// Without effect some look rejects with probability α, to ten digits if z is exactly normal. z-values of fewer than some fifty
/// events are not.
///
/// # Numerical notes
///
/// z must have independent increments on the information scale, as efficient estimates from independent units have. Several
/// requests of one user, counted as independent, break it. Information may not rise because of the results; the maximum is
/// fixed at the start.
///
/// The state serialises as the design and the looks, and reading it back carries the looks through again.
///
/// # Complexity
///
/// A look costs the more steps the smaller the part of the information is that came since the look before. There are at most some
/// thousand looks, and reading a stored test back carries all of them through again.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::{GroupSequential, LookDecision, Sides, SpendingFunction};
/// use noops_core::Alpha;
///
/// // Planned for 2,000 units of information and a one-sided error rate of 2.5 %.
/// let alpha = Alpha::new(0.025)?;
/// let mut test = GroupSequential::lan_de_mets(alpha, Sides::One, SpendingFunction::OBrienFleming, 2_000.0)?;
///
/// let monday = test.look(400.0, 1.9)?;
/// assert!((monday.boundary() - 4.8769).abs() < 1e-4);
/// assert_eq!(monday.decision(), LookDecision::Continue);
///
/// let tuesday = test.look(800.0, 3.5)?;
/// assert!((tuesday.boundary() - 3.3570).abs() < 1e-4);
/// assert_eq!(tuesday.decision(), LookDecision::Reject);
/// assert!(tuesday.interval().is_above(0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawGroupSequential", into = "RawGroupSequential")]
pub struct GroupSequential {
    design: Design,
    looks: Vec<LookOutcome>,
    walk: Walk,
}

impl GroupSequential {
    /// A test that spends `alpha` by `spending` until `maximum_information` is in.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] for a parameter of the spending function outside its range, and unless the maximum is finite and
    /// above 0.
    pub fn lan_de_mets(
        alpha: Alpha,
        sides: Sides,
        spending: SpendingFunction,
        maximum_information: f64,
    ) -> Result<Self, CanaryError> {
        Self::start(Design {
            alpha,
            sides,
            spending,
            maximum_information,
        })
    }

    fn start(design: Design) -> Result<Self, CanaryError> {
        design.check()?;
        Ok(Self {
            design,
            looks: Vec::new(),
            walk: Walk::new(0.0),
        })
    }

    /// Looks at the test when the z-value is `z` and so much `information` is in.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] if a number is not finite, if the information has risen by less than a thousandth of the maximum since
    /// the look before, and if the test has ended. The state is then unchanged.
    pub fn look(&mut self, information: f64, z: f64) -> Result<LookOutcome, CanaryError> {
        let fraction = information / self.design.maximum_information;
        let last = if fraction >= 1.0 {
            Ending::Last
        } else {
            Ending::Open
        };
        self.step(information, z, last)
    }

    /// Looks for the last time, with less information than planned: the rest of the error rate is spent.
    ///
    /// For a test that must end early for reasons that have nothing to do with its results, such as a deadline. To call a look the
    /// last one because z is large breaks the error rate.
    ///
    /// # Errors
    ///
    /// As for [`look`](Self::look).
    pub fn final_look(&mut self, information: f64, z: f64) -> Result<LookOutcome, CanaryError> {
        self.step(information, z, Ending::Last)
    }

    /// The looks so far.
    #[must_use]
    pub fn looks(&self) -> &[LookOutcome] {
        &self.looks
    }

    /// The error rate, all looks and both sides together.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.design.alpha
    }

    /// On which sides it rejects.
    #[must_use]
    pub fn sides(&self) -> Sides {
        self.design.sides
    }

    /// The spending function.
    #[must_use]
    pub fn spending(&self) -> SpendingFunction {
        self.design.spending
    }

    /// The information at which the test is planned to end.
    #[must_use]
    pub fn maximum_information(&self) -> f64 {
        self.design.maximum_information
    }

    /// What follows from the looks so far.
    #[must_use]
    pub fn decision(&self) -> LookDecision {
        self.looks
            .last()
            .map_or(LookDecision::Continue, LookOutcome::decision)
    }

    /// The probability that a single further look, at the maximum information, rejects if the effect is `effect`.
    ///
    /// A low one under the effect that was planned for is a reason to give up (stochastic curtailment). Giving up on it is not
    /// binding: the error rate holds whether or not it is done, and the power falls. Looks in between would make it a little different.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] if the effect is not finite or is more than 100 standard errors at the maximum information, if the test has
    /// ended, and if a thousandth of the information or less is to come.
    pub fn conditional_power(&self, effect: f64) -> Result<f64, CanaryError> {
        let drift = effect * self.design.maximum_information.sqrt();
        if drift.is_nan() || drift.abs() > MOST_DRIFT {
            return Err(CanaryError::Input {
                input: "effect",
                reason: "is not finite or above 100 standard errors; pass an effect in the units of the estimate",
            });
        }
        self.check_open()?;
        let (from, place, spent) = self.looks.last().map_or((0.0, 0.0, 0.0), |look| {
            (
                look.fraction,
                look.z * look.fraction.sqrt(),
                look.alpha_spent,
            )
        });
        let ahead = 1.0 - from;
        if ahead < SMALLEST_RISE {
            return Err(CanaryError::Input {
                input: "information",
                reason: "is within a thousandth of the maximum; make the last look",
            });
        }
        let mut walk = self.walk.clone();
        walk.arrive(1.0);
        let sides = self.design.sides;
        let critical = walk.critical(sides, self.design.alpha.get() - spent);
        let spread = ahead.sqrt();
        let mean = place + drift * ahead;
        let above = normal_sf((critical - mean) / spread);
        Ok(match sides {
            Sides::One => above,
            Sides::Two => (above + normal_sf((critical + mean) / spread)).min(1.0),
        })
    }

    /// The effect with allowance for how the test ended; `None` while it goes on.
    ///
    /// # Formula
    ///
    /// By the stagewise order a result is farther out the earlier it stopped the test, and at the same look the larger z is. The
    /// ends of the interval are the effects under which a result as far out, or farther, has probability α/2 and 1 − α/2 (one
    /// sided: α), and the estimate that under which it has ½ (Tsiatis, Rosner and Mehta, 1984).
    ///
    /// # Complexity
    ///
    /// Two or three searches, each of which carries all looks through again at most a hundred times.
    #[must_use]
    pub fn adjusted_estimate(&self) -> Option<AdjustedEstimate> {
        match self.decision() {
            LookDecision::Continue => None,
            LookDecision::Reject | LookDecision::Retain => {
                AdjustedEstimate::of(&self.looks, self.design.sides, self.design.alpha.get())
            }
        }
    }

    fn step(
        &mut self,
        information: f64,
        z: f64,
        ending: Ending,
    ) -> Result<LookOutcome, CanaryError> {
        self.check_open()?;
        let Design {
            alpha,
            sides,
            spending,
            maximum_information,
        } = self.design;
        let fraction = information / maximum_information;
        if !information.is_finite() || !fraction.is_finite() {
            return Err(CanaryError::Input {
                input: "information",
                reason: "is not finite; pass one over the variance of the estimate",
            });
        }
        if !z.is_finite() {
            return Err(CanaryError::Input {
                input: "z",
                reason: "is not finite; pass the estimate over its standard error",
            });
        }
        let (from, spent) = self
            .looks
            .last()
            .map_or((0.0, 0.0), |look| (look.fraction, look.alpha_spent));
        if fraction - from < SMALLEST_RISE {
            return Err(CanaryError::Input {
                input: "information",
                reason: "must rise by a thousandth of the maximum or more; look again when more data are in",
            });
        }

        let alpha_spent = match ending {
            Ending::Last => alpha.get(),
            Ending::Open => spending.spent_by(alpha, sides, fraction).max(spent),
        };
        self.walk.arrive(fraction);
        let boundary = self.walk.critical(sides, alpha_spent - spent);
        let decision = match (sides.reaches(z, boundary), ending) {
            (true, _) => LookDecision::Reject,
            (false, Ending::Last) => LookDecision::Retain,
            (false, Ending::Open) => LookDecision::Continue,
        };
        let p_value = match decision {
            LookDecision::Continue => None,
            LookDecision::Reject | LookDecision::Retain => {
                Some((spent + self.walk.beyond(sides, z)).clamp(0.0, 1.0))
            }
        };
        self.walk.stay(sides.lower(boundary), boundary);

        let root = information.sqrt();
        let upper = match sides {
            Sides::One => f64::INFINITY,
            Sides::Two => (z + boundary) / root,
        };
        let outcome = LookOutcome {
            information,
            fraction,
            z,
            boundary,
            alpha_spent,
            decision,
            estimate: z / root,
            interval: Interval::between((z - boundary) / root, upper),
            p_value,
        };
        self.looks.push(outcome.clone());
        Ok(outcome)
    }

    fn check_open(&self) -> Result<(), CanaryError> {
        match self.decision() {
            LookDecision::Continue => Ok(()),
            LookDecision::Reject | LookDecision::Retain => Err(CanaryError::Input {
                input: "look",
                reason: "comes after the end of the test; start a new test",
            }),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Design {
    alpha: Alpha,
    sides: Sides,
    spending: SpendingFunction,
    maximum_information: f64,
}

impl Design {
    fn check(&self) -> Result<(), CanaryError> {
        self.spending.check()?;
        if self.maximum_information > 0.0 && self.maximum_information.is_finite() {
            return Ok(());
        }
        Err(CanaryError::Setting {
            name: "maximum_information",
            value: self.maximum_information,
            allowed: "above 0",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ending {
    Open,
    Last,
}

#[derive(Serialize, Deserialize)]
struct RawGroupSequential {
    design: Design,
    looks: Vec<RawLook>,
    /// Whether the last look ended the test, whatever it found.
    ending: Ending,
}

#[derive(Serialize, Deserialize)]
struct RawLook {
    information: f64,
    z: f64,
}

impl TryFrom<RawGroupSequential> for GroupSequential {
    type Error = CanaryError;

    fn try_from(raw: RawGroupSequential) -> Result<Self, CanaryError> {
        let mut test = Self::start(raw.design)?;
        let last = raw.looks.len();
        for (number, look) in (1..).zip(raw.looks) {
            match raw.ending {
                Ending::Last if number == last => test.final_look(look.information, look.z)?,
                Ending::Last | Ending::Open => test.look(look.information, look.z)?,
            };
        }
        Ok(test)
    }
}

impl From<GroupSequential> for RawGroupSequential {
    fn from(test: GroupSequential) -> Self {
        // A look that rejects after all is spent is the same whether or not it was called the last.
        let spent_all = |look: &LookOutcome| look.alpha_spent >= test.design.alpha.get();
        let ending = match test.looks.last() {
            Some(look) if look.decision != LookDecision::Continue && spent_all(look) => {
                Ending::Last
            }
            _ => Ending::Open,
        };
        Self {
            design: test.design,
            looks: test
                .looks
                .iter()
                .map(|look| RawLook {
                    information: look.information,
                    z: look.z,
                })
                .collect(),
            ending,
        }
    }
}

#[cfg(test)]
mod tests;
