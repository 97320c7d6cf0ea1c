use noops_core::{LogE, Share};
use serde::{Deserialize, Serialize};

use super::settings::AllocationSettings;
use super::verdict::{ArmAllocation, SampleRatioVerdict};
use crate::error::CanaryError;
use crate::sequential::counts::Concentrations;
use crate::sequential::counts::dirichlet::{Cell, Dirichlet};
use crate::sequential::mixture::log_sum_exp;

/// Watches whether units fall to the arms as their shares say, for any number of arms, also while the shares change.
///
/// A sample ratio that is off means that units were lost, repeated or misdirected on one side, so that the arms no longer hold the same
/// population. It is the first thing to check and the last that a dashboard shows.
///
/// # Formula
///
/// With shares p, counts x and a concentration k: E = B(k p + x) / B(k p) / Π p_i^x_i, B the multivariate beta function (Lindon and Malek,
/// "Anytime-valid inference for multinomial count data", 2022). Each vector of shares is a stratum of its own; the e-values of
/// the strata are multiplied, and the mean over the [`Concentrations`] is taken of the products.
///
/// # Error rates
///
/// P(a mismatch is ever reported) <= alpha if the shares are right, at any number of looks, whenever and however often the shares change,
/// also if they change because of what was seen.
///
/// # Numerical notes
///
/// A new stratum starts its learning anew, which costs about ½ ln(1 + n / k) of evidence per stratum and degree of freedom, n being its
/// units: a ramp of five stages finds a mismatch later than a single stage. For two arms [`RampedSampleRatio`](super::RampedSampleRatio)
/// carries what was learnt from stage to stage. A unit in an arm whose share is zero is impossible, and so the largest
/// evidence there is: leave out units that an override pinned. Count each unit once, when it is first exposed.
///
/// # Complexity
///
/// Linear in the arms and concentrations per event; nothing is allocated unless the shares are new.
/// Coming back to earlier shares takes a search through the strata, of which there may be 4,096.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::{AllocationSettings, SampleRatioMismatch};
/// use noops_core::Share;
///
/// let shares = [Share::from_ppm(500_000)?, Share::from_ppm(300_000)?, Share::from_ppm(200_000)?];
/// let mut watch = SampleRatioMismatch::new(3, AllocationSettings::default())?;
/// watch.observe_counts(&[5_000, 3_020, 1_980], &shares)?;
/// assert!(!watch.verdict().is_mismatch());
/// watch.observe_counts(&[5_000, 3_000, 1_000], &shares)?;
/// assert!(watch.verdict().is_mismatch());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawMismatch", into = "RawMismatch")]
pub struct SampleRatioMismatch {
    arms: usize,
    settings: AllocationSettings,
    ln_weights: Vec<f64>,
    strata: Vec<Stratum>,
    /// The stratum of the last event, and what all others together bring for each concentration.
    current: usize,
    others: Vec<f64>,
    max_log_e: LogE,
}

impl SampleRatioMismatch {
    /// Starts without units.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for fewer than two arms and for more than 1,024.
    pub fn new(arms: usize, settings: AllocationSettings) -> Result<Self, CanaryError> {
        if !(2..=MOST_ARMS).contains(&arms) {
            return Err(CanaryError::Input {
                input: "arms",
                reason: "must be from 2 to 1024; there is no ratio to check otherwise",
            });
        }
        let ln_weights: Vec<f64> = settings.concentrations().ln_weights().collect();
        Ok(Self {
            arms,
            others: vec![0.0; ln_weights.len()],
            ln_weights,
            settings,
            strata: Vec::new(),
            current: 0,
            max_log_e: LogE::default(),
        })
    }

    /// Takes one unit that fell to the arm at `arm`, counted from zero, at the shares in force when it did.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for an unknown arm, for shares that do not sum to one (a millionth per arm is forgiven) and for the
    /// 4,097th vector of shares; [`CanaryError::Length`] unless there is a share per arm. Nothing is counted then.
    pub fn observe(&mut self, arm: usize, shares: &[Share]) -> Result<(), CanaryError> {
        if arm >= self.arms {
            return Err(CanaryError::Input {
                input: "arm",
                reason: "is not one of those counted from zero; name an arm that has a share",
            });
        }
        self.turn_to(shares)?;
        if let Some(count) = self
            .strata
            .get_mut(self.current)
            .and_then(|stratum| stratum.counts.get_mut(arm))
        {
            *count = count.saturating_add(1);
        }
        self.look();
        Ok(())
    }

    /// Takes the units of a batch that was served at the same shares and then looks once.
    ///
    /// # Errors
    ///
    /// As [`observe`](Self::observe); [`CanaryError::Length`] also unless there is a count per arm.
    pub fn observe_counts(&mut self, counts: &[u64], shares: &[Share]) -> Result<(), CanaryError> {
        check_length("counts", self.arms, counts.len())?;
        self.turn_to(shares)?;
        if let Some(stratum) = self.strata.get_mut(self.current) {
            for (total, count) in stratum.counts.iter_mut().zip(counts) {
                *total = total.saturating_add(*count);
            }
        }
        self.look();
        Ok(())
    }

    /// The evidence as it stands.
    #[must_use]
    pub fn log_e(&self) -> LogE {
        let current = self.strata.get(self.current);
        let logs = self.ln_weights.iter().zip(&self.others).enumerate().map(
            |(index, (ln_weight, others))| {
                let here = current.and_then(|stratum| stratum.log_e.get(index));
                ln_weight + others + here.copied().unwrap_or(0.0)
            },
        );
        LogE::new(log_sum_exp(logs))
    }

    /// The largest evidence of all looks.
    #[must_use]
    pub fn max_log_e(&self) -> LogE {
        self.max_log_e
    }

    /// Whether the ratio is off, with what was observed and expected.
    #[must_use]
    pub fn verdict(&self) -> SampleRatioVerdict {
        let arms = (0..self.arms)
            .map(|arm| {
                let of_arm = |stratum: &Stratum| stratum.counts.get(arm).copied().unwrap_or(0);
                let observed = self
                    .strata
                    .iter()
                    .fold(0, |sum: u64, stratum| sum.saturating_add(of_arm(stratum)));
                let expected = self
                    .strata
                    .iter()
                    .map(|stratum| stratum.expected(arm))
                    .sum();
                ArmAllocation::new(observed, expected)
            })
            .collect();
        SampleRatioVerdict::new(self.max_log_e, self.settings.alpha(), arms)
    }

    /// The number of arms.
    #[must_use]
    pub fn arms(&self) -> usize {
        self.arms
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &AllocationSettings {
        &self.settings
    }

    /// Makes the stratum of `shares` the current one.
    fn turn_to(&mut self, shares: &[Share]) -> Result<(), CanaryError> {
        let is_current = self
            .strata
            .get(self.current)
            .is_some_and(|stratum| stratum.shares == shares);
        if is_current {
            return Ok(());
        }
        check_shares(shares, self.arms)?;
        let known = self
            .strata
            .iter()
            .position(|stratum| stratum.shares == shares);
        let index = match known {
            Some(index) => index,
            None if self.strata.len() >= MOST_STRATA => {
                return Err(CanaryError::Input {
                    input: "shares",
                    reason: "have changed more than 4095 times; round them to the stages of a ramp",
                });
            }
            None => {
                let counts = vec![0; self.arms];
                let stratum = Stratum::new(shares, counts, self.settings.concentrations());
                self.strata.push(stratum);
                self.strata.len() - 1
            }
        };
        self.make_current(index);
        Ok(())
    }

    /// The sum over the others is taken in the order of the strata, so that a stored state goes on with the same bits.
    fn make_current(&mut self, index: usize) {
        self.current = index;
        for (prior, others) in self.others.iter_mut().enumerate() {
            *others = self
                .strata
                .iter()
                .enumerate()
                .filter(|(stratum, _)| *stratum != index)
                .filter_map(|(_, stratum)| stratum.log_e.get(prior))
                .sum();
        }
    }

    fn look(&mut self) {
        if let Some(stratum) = self.strata.get_mut(self.current) {
            stratum.evaluate();
        }
        self.max_log_e = self.max_log_e.max(self.log_e());
    }
}

/// The units that came while one vector of shares was in force.
#[derive(Clone, Debug, PartialEq)]
struct Stratum {
    shares: Vec<Share>,
    counts: Vec<u64>,
    /// The shares as probabilities that sum to one.
    nulls: Vec<f64>,
    priors: Vec<Dirichlet>,
    log_e: Vec<f64>,
}

impl Stratum {
    fn new(shares: &[Share], counts: Vec<u64>, concentrations: &Concentrations) -> Self {
        let nulls: Vec<f64> = shares
            .iter()
            .map(|&share| fraction(share, shares))
            .collect();
        let possible = || nulls.iter().copied().filter(|null| *null > 0.0);
        let priors: Vec<Dirichlet> = concentrations
            .as_slice()
            .iter()
            .map(|prior| Dirichlet::new(prior.value(), possible()))
            .collect();
        Self {
            shares: shares.to_vec(),
            counts,
            log_e: vec![0.0; priors.len()],
            nulls,
            priors,
        }
    }

    fn evaluate(&mut self) {
        let is_impossible = self
            .nulls
            .iter()
            .zip(&self.counts)
            .any(|(null, count)| *null <= 0.0 && *count > 0);
        let cells = self
            .nulls
            .iter()
            .zip(&self.counts)
            .filter(|(null, _)| **null > 0.0)
            .map(|(&null, &count)| Cell {
                count: count as f64,
                null,
            });
        for (log_e, prior) in self.log_e.iter_mut().zip(&self.priors) {
            *log_e = if is_impossible {
                CERTAIN
            } else {
                prior.log_e(cells.clone())
            };
        }
    }

    /// What a bet on exactly these units would have won; no mixture has more, nor had at an earlier look.
    fn most_log_e(&self) -> f64 {
        self.nulls
            .iter()
            .zip(&self.counts)
            .filter(|(_, count)| **count > 0)
            .map(|(null, &count)| count as f64 * -libm::log(*null))
            .sum()
    }

    fn expected(&self, arm: usize) -> f64 {
        let n: f64 = self.counts.iter().map(|&count| count as f64).sum();
        n * self.nulls.get(arm).copied().unwrap_or(0.0)
    }
}

/// The share as a probability, where all shares together may miss one by rounding.
pub(super) fn fraction(share: Share, shares: &[Share]) -> f64 {
    let sum: f64 = shares.iter().map(|share| f64::from(share.ppm())).sum();
    f64::from(share.ppm()) / sum
}

pub(super) fn check_shares(shares: &[Share], arms: usize) -> Result<(), CanaryError> {
    check_length("shares", arms, shares.len())?;
    let sum: u64 = shares.iter().map(|share| u64::from(share.ppm())).sum();
    if sum.abs_diff(u64::from(Share::FULL.ppm())) > shares.len() as u64 {
        return Err(CanaryError::Input {
            input: "shares",
            reason: "do not sum to one; name a share for every arm",
        });
    }
    if shares.iter().filter(|share| **share != Share::ZERO).count() < 2 {
        return Err(CanaryError::Input {
            input: "shares",
            reason: "give everything to one arm; there is no ratio to check until two arms are served",
        });
    }
    Ok(())
}

fn check_length(column: &'static str, expected: usize, found: usize) -> Result<(), CanaryError> {
    if expected == found {
        return Ok(());
    }
    Err(CanaryError::Length {
        column,
        expected,
        found,
    })
}

#[derive(Serialize, Deserialize)]
struct RawMismatch {
    arms: usize,
    settings: AllocationSettings,
    strata: Vec<RawStratum>,
    current: usize,
    max_log_e: LogE,
}

#[derive(Serialize, Deserialize)]
struct RawStratum {
    shares: Vec<Share>,
    counts: Vec<u64>,
}

impl TryFrom<RawMismatch> for SampleRatioMismatch {
    type Error = CanaryError;

    fn try_from(raw: RawMismatch) -> Result<Self, CanaryError> {
        let contradiction = |reason| CanaryError::State {
            state: "SampleRatioMismatch",
            reason,
        };
        let mut watch = Self::new(raw.arms, raw.settings)?;
        if raw.strata.len() > MOST_STRATA || raw.current > raw.strata.len().saturating_sub(1) {
            return Err(contradiction("its current stratum is not one of its own"));
        }
        for stored in raw.strata {
            check_shares(&stored.shares, watch.arms)?;
            check_length("counts", watch.arms, stored.counts.len())?;
            let is_twin = |stratum: &Stratum| stratum.shares == stored.shares;
            if watch.strata.iter().any(is_twin) {
                return Err(contradiction("two of its strata have the same shares"));
            }
            let concentrations = watch.settings.concentrations();
            let mut stratum = Stratum::new(&stored.shares, stored.counts, concentrations);
            stratum.evaluate();
            watch.strata.push(stratum);
        }
        watch.make_current(raw.current);
        let now = watch.log_e().get().max(0.0);
        if raw.max_log_e.get() < now - 1e-9 * (1.0 + now) {
            return Err(contradiction(
                "the largest evidence is below the present one",
            ));
        }
        let most: f64 = watch.strata.iter().map(Stratum::most_log_e).sum();
        if raw.max_log_e.get() > most + 1e-9 * (1.0 + most) {
            return Err(contradiction(
                "the largest evidence is more than so many units can bring",
            ));
        }
        watch.max_log_e = raw.max_log_e;
        Ok(watch)
    }
}

impl From<SampleRatioMismatch> for RawMismatch {
    fn from(watch: SampleRatioMismatch) -> Self {
        Self {
            arms: watch.arms,
            settings: watch.settings,
            strata: watch
                .strata
                .into_iter()
                .map(|stratum| RawStratum {
                    shares: stratum.shares,
                    counts: stratum.counts,
                })
                .collect(),
            current: watch.current,
            max_log_e: watch.max_log_e,
        }
    }
}

const MOST_ARMS: usize = 1_024;
const MOST_STRATA: usize = 4_096;
/// The evidence of what cannot happen, small enough to be added up over all strata.
const CERTAIN: f64 = 1e290;
