use noops_core::{Alpha, Probability, Share};
use noops_stats::special::normal_upper_quantile;
use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// How many requests each arm needs for one test at one look.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleSize {
    requests: f64,
    share: Share,
}

impl SampleSize {
    /// The requests of the champion.
    #[must_use]
    pub fn champion(&self) -> u64 {
        (self.requests * (1.0 - self.share.ratio())).ceil() as u64
    }

    /// The requests of the candidate.
    #[must_use]
    pub fn candidate(&self) -> u64 {
        (self.requests * self.share.ratio()).ceil() as u64
    }

    /// The requests of both arms together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.champion().saturating_add(self.candidate())
    }

    /// The same where requests come in clusters: times a [`design_effect`].
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the effect is at least 1 and the result finite.
    pub fn inflated(self, design_effect: f64) -> Result<Self, CanaryError> {
        if !(design_effect >= 1.0 && design_effect.is_finite()) {
            return Err(CanaryError::Setting {
                name: "design_effect",
                value: design_effect,
                allowed: "of at least 1 that is finite",
            });
        }
        sized(self.requests * design_effect, self.share)
    }
}

/// The requests that prove, at one look, that an identical candidate's rate is not worse by an absolute margin.
///
/// # Formula
///
/// `(z_alpha + z_beta)^2 p (1 - p) (1 / t + 1 / (1 - t)) / margin^2` of both arms together, one-sided, for a rate `p` in both and the
/// candidate's share `t` (Chow, Shao, Wang and Lokhnygina, "Sample size calculations in clinical research", section 4.2). To look at any
/// time takes more: at 5 %, a one-sided normal-mixture bound is 1.68 times as far away at the moment it is tuned for, which is 2.8 times as many. Pairs on the same requests need far fewer:
/// [`pairs_needed`](crate::shadow::pairs_needed).
///
/// # Errors
///
/// [`CanaryError::Setting`] unless the rate and the share are between 0 and 1, the margin above 0 and at most 1, `alpha` below one half, and the
/// power above one half and below 1.
///
/// # Examples
///
/// ```
/// use noops_canary::planning::requests_for_non_inferiority;
/// use noops_core::{Alpha, Probability, Share};
///
/// let (rate, power) = (Probability::new(0.02)?, Probability::new(0.8)?);
/// let even = requests_for_non_inferiority(rate, 0.005, Alpha::FIVE_PERCENT, power, Share::from_ratio(0.5)?)?;
/// assert_eq!(even.candidate(), 9_695);
/// let canary = requests_for_non_inferiority(rate, 0.005, Alpha::FIVE_PERCENT, power, Share::from_ratio(0.1)?)?;
/// assert_eq!((canary.candidate(), canary.total()), (5_386, 53_858));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn requests_for_non_inferiority(
    rate: Probability,
    margin: f64,
    alpha: Alpha,
    power: Probability,
    share: Share,
) -> Result<SampleSize, CanaryError> {
    let p = rate.get();
    if !(p > 0.0 && p < 1.0) {
        return refuse("rate", p, "between 0 and 1");
    }
    if !(margin > 0.0 && margin <= 1.0) {
        return refuse("margin", margin, "above 0 and at most 1");
    }
    if alpha.get() >= 0.5 {
        return refuse("alpha", alpha.get(), "below one half");
    }
    let z = normal_upper_quantile(alpha.get()) + power_quantile(power)?;
    sized(
        z * z * p * (1.0 - p) * per_request(share)? / (margin * margin),
        share,
    )
}

/// The requests that find, at one look, a difference between two rates.
///
/// # Formula
///
/// Of both arms together, with `r = (1 - t) / t` champions to a candidate and the mean rate `p = (p1 + r p0) / (1 + r)`:
///
/// `(z_{alpha/2} sqrt((1 + 1/r) p (1 - p)) + z_beta sqrt(p1 (1 - p1) + p0 (1 - p0) / r))^2 / (p1 - p0)^2`
///
/// candidates, two-sided (Fleiss, Levin and Paik 2003, without continuity correction).
///
/// # Errors
///
/// [`CanaryError::Setting`] unless the rates differ, the share is between 0 and 1, and the power above one half and below 1.
///
/// # Examples
///
/// ```
/// use noops_canary::planning::requests_for_superiority;
/// use noops_core::{Alpha, Probability, Share};
///
/// let p = Probability::new;
/// let size = requests_for_superiority(p(0.020)?, p(0.025)?, Alpha::FIVE_PERCENT, p(0.8)?, Share::from_ratio(0.5)?)?;
/// assert_eq!(size.candidate(), 13_809);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn requests_for_superiority(
    champion: Probability,
    candidate: Probability,
    alpha: Alpha,
    power: Probability,
    share: Share,
) -> Result<SampleSize, CanaryError> {
    let (p0, p1, theta) = (champion.get(), candidate.get(), share.ratio());
    if p0 == p1 {
        return refuse("candidate", p1, "other than the champion's");
    }
    // In requests of both arms: 1 / t for the candidate, 1 / (1 - t) for the champion.
    let both = per_request(share)?;
    let mean = theta * p1 + (1.0 - theta) * p0;
    let together = (mean * (1.0 - mean) * both).sqrt();
    let apart = (p1 * (1.0 - p1) / theta + p0 * (1.0 - p0) / (1.0 - theta)).sqrt();
    let z = normal_upper_quantile(alpha.get() / 2.0) * together + power_quantile(power)? * apart;
    sized(z * z / ((p1 - p0) * (p1 - p0)), share)
}

/// The requests that find, at one look, a difference between two means of equal spread.
///
/// # Formula
///
/// `(z_{alpha/2} + z_beta)^2 (1 / t + 1 / (1 - t)) / d^2` of both arms together, two-sided, for a difference of `d` standard deviations
/// (Cohen 1988, by the normal law).
///
/// # Errors
///
/// [`CanaryError::Setting`] unless the difference is finite and not 0, the share is between 0 and 1, and the power above one half and below 1.
///
/// # Examples
///
/// ```
/// use noops_canary::planning::requests_for_means;
/// use noops_core::{Alpha, Probability, Share};
///
/// let size = requests_for_means(0.05, Alpha::FIVE_PERCENT, Probability::new(0.8)?, Share::from_ratio(0.5)?)?;
/// assert_eq!(size.candidate(), 6_280);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn requests_for_means(
    difference: f64,
    alpha: Alpha,
    power: Probability,
    share: Share,
) -> Result<SampleSize, CanaryError> {
    if difference == 0.0 || !difference.is_finite() {
        return refuse("difference", difference, "that is finite and not 0");
    }
    let z = normal_upper_quantile(alpha.get() / 2.0) + power_quantile(power)?;
    sized(z * z * per_request(share)? / difference / difference, share)
}

/// By how much clustering inflates a sample: `1 + (m - 1) rho`.
///
/// `m` requests of one unit, of one hour or of one campaign move together with the intraclass correlation `rho` (Kish 1965). With unequal
/// clusters, take the mean of their squared sizes over the mean size.
///
/// # Errors
///
/// [`CanaryError::Setting`] unless the size is at least 1 and finite.
///
/// # Examples
///
/// ```
/// use noops_canary::planning::design_effect;
/// use noops_core::Probability;
///
/// assert_eq!(design_effect(21.0, Probability::new(0.05)?)?, 2.0);
/// assert!(design_effect(0.0, Probability::ONE).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn design_effect(
    cluster_size: f64,
    intraclass_correlation: Probability,
) -> Result<f64, CanaryError> {
    if cluster_size >= 1.0 && cluster_size.is_finite() {
        return Ok(1.0 + (cluster_size - 1.0) * intraclass_correlation.get());
    }
    refuse("cluster_size", cluster_size, "of at least 1 that is finite")
}

fn per_request(share: Share) -> Result<f64, CanaryError> {
    let theta = share.ratio();
    if theta > 0.0 && theta < 1.0 {
        return Ok(1.0 / theta + 1.0 / (1.0 - theta));
    }
    refuse("share", theta, "between 0 and 1")
}

fn power_quantile(power: Probability) -> Result<f64, CanaryError> {
    let power = power.get();
    if power > 0.5 && power < 1.0 {
        return Ok(normal_upper_quantile(1.0 - power));
    }
    refuse("power", power, "above one half and below 1")
}

fn sized(requests: f64, share: Share) -> Result<SampleSize, CanaryError> {
    if requests.is_finite() {
        return Ok(SampleSize { requests, share });
    }
    refuse(
        "requests",
        requests,
        "that is finite: ask for a larger difference",
    )
}

fn refuse<T>(name: &'static str, value: f64, allowed: &'static str) -> Result<T, CanaryError> {
    Err(CanaryError::Setting {
        name,
        value,
        allowed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(value: f64) -> Probability {
        Probability::new(value).unwrap()
    }

    fn share(ratio: f64) -> Share {
        Share::from_ratio(ratio).unwrap()
    }

    #[derive(serde::Deserialize)]
    struct Case {
        function: String,
        arguments: Vec<f64>,
        share: f64,
        total: f64,
    }

    #[test]
    fn the_numbers_are_those_of_scipy_and_statsmodels() {
        let text = include_str!("../../testdata/planning.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert!(cases.len() > 10);
        for case in cases {
            let size = match (case.function.as_str(), case.arguments.as_slice()) {
                ("non_inferiority", &[rate, margin, alpha, power]) => requests_for_non_inferiority(
                    p(rate),
                    margin,
                    Alpha::new(alpha).unwrap(),
                    p(power),
                    share(case.share),
                ),
                ("superiority", &[one, other, alpha, power]) => requests_for_superiority(
                    p(one),
                    p(other),
                    Alpha::new(alpha).unwrap(),
                    p(power),
                    share(case.share),
                ),
                ("means", &[difference, alpha, power]) => requests_for_means(
                    difference,
                    Alpha::new(alpha).unwrap(),
                    p(power),
                    share(case.share),
                ),
                other => panic!("{other:?}"),
            };
            let found = size.unwrap().requests;
            assert!(
                (found / case.total - 1.0).abs() < 1e-9,
                "{}: {found} {}",
                case.function,
                case.total
            );
        }
    }

    #[test]
    fn the_published_sizes_come_out_to_the_last_digit() {
        let non_inferior = |rate, margin| {
            requests_for_non_inferiority(p(rate), margin, Alpha::FIVE_PERCENT, p(0.8), share(0.5))
                .unwrap()
                .candidate()
        };
        assert_eq!(non_inferior(0.02, 0.005), 9_695);
        assert_eq!(non_inferior(0.01, 0.0025), 19_587);
        assert_eq!(non_inferior(0.001, 0.0005), 49_411);
        assert_eq!(non_inferior(0.1, 0.01), 11_129);
        let canary = |theta| {
            requests_for_non_inferiority(p(0.02), 0.005, Alpha::FIVE_PERCENT, p(0.8), share(theta))
                .unwrap()
        };
        assert_eq!(canary(0.1).candidate(), 5_386);
        assert_eq!(canary(0.1).total(), 53_858);
        assert_eq!(canary(0.01).total(), 489_610);
        for (difference, size) in [(0.1, 1_570), (0.05, 6_280), (0.02, 39_245)] {
            let found =
                requests_for_means(difference, Alpha::FIVE_PERCENT, p(0.8), share(0.5)).unwrap();
            assert_eq!(found.candidate(), size);
        }
    }

    #[test]
    fn clusters_inflate() {
        let size = requests_for_means(0.1, Alpha::FIVE_PERCENT, p(0.8), share(0.5)).unwrap();
        let inflated = size.inflated(design_effect(11.0, p(0.1)).unwrap()).unwrap();
        assert_eq!(inflated.candidate(), 3_140);
        assert!(size.inflated(0.9).is_err());
        assert!(size.inflated(f64::NAN).is_err());
    }

    #[test]
    fn impossible_questions_are_refused() {
        let alpha = Alpha::FIVE_PERCENT;
        assert!(requests_for_non_inferiority(p(0.0), 0.1, alpha, p(0.8), share(0.5)).is_err());
        let even = Alpha::new(0.5).unwrap();
        assert!(requests_for_non_inferiority(p(0.1), 0.1, even, p(0.8), share(0.5)).is_err());
        assert!(requests_for_superiority(p(0.1), p(0.1), alpha, p(0.8), share(0.5)).is_err());
        for bad in [0.0, f64::NAN, f64::INFINITY, 1e-200] {
            assert!(
                requests_for_means(bad, alpha, p(0.8), share(0.5)).is_err(),
                "{bad}"
            );
        }
        for theta in [0.0, 1.0] {
            assert!(
                requests_for_means(0.1, alpha, p(0.8), share(theta)).is_err(),
                "{theta}"
            );
        }
        for power in [0.5, 1.0] {
            assert!(
                requests_for_means(0.1, alpha, p(power), share(0.5)).is_err(),
                "{power}"
            );
        }
    }
}
