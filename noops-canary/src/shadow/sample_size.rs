use noops_core::{Alpha, Probability};
use noops_stats::special::normal_upper_quantile;

use crate::error::CanaryError;

/// How many requests, each answered by both models, a test of a difference in accuracy needs.
///
/// # Formula
///
/// `(z_{alpha/2} sqrt(psi) + z_beta sqrt(psi - delta^2))^2 / delta^2` for a share `psi` of pairs on which exactly one model is right
/// and a difference in accuracy `delta` (Connor 1987), two-sided, to the nearest pair. It is for one look:
/// evidence that is valid at any time needs more pairs for the same chance.
///
/// # Errors
///
/// [`CanaryError::Setting`] unless the difference is not 0 and at most the discordance in size, and the power is above one half and below 1.
///
/// # Examples
///
/// ```
/// use noops_canary::shadow::{pairs_needed, requests_needed_unpaired};
/// use noops_core::{Alpha, Probability};
///
/// let p = Probability::new;
/// let pairs = pairs_needed(p(0.03)?, 0.01, Alpha::FIVE_PERCENT, p(0.8)?)?;
/// assert_eq!(pairs, 2_352);
/// let per_arm = requests_needed_unpaired(p(0.90)?, p(0.89)?, Alpha::FIVE_PERCENT, p(0.8)?)?;
/// assert_eq!(per_arm, 14_751);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn pairs_needed(
    discordance: Probability,
    difference: f64,
    alpha: Alpha,
    power: Probability,
) -> Result<u64, CanaryError> {
    let psi = discordance.get();
    if !(difference != 0.0 && difference.abs() <= psi) {
        return Err(CanaryError::Setting {
            name: "difference",
            value: difference,
            allowed: "other than 0 and at most the discordance in size",
        });
    }
    let z_beta = power_quantile(power)?;
    let z_alpha = normal_upper_quantile(alpha.get() / 2.0);
    let rest = (psi - difference * difference).max(0.0);
    let root = (z_alpha * psi.sqrt() + z_beta * rest.sqrt()) / difference;
    Ok((root * root).round() as u64)
}

/// How many requests **per arm** the same question needs when each request is answered by one model only.
///
/// # Formula
///
/// `(z_{alpha/2} sqrt(2 p (1-p)) + z_beta sqrt(p0 (1-p0) + p1 (1-p1)))^2 / (p1 - p0)^2` with `p` the mean of both accuracies
/// (Fleiss, Levin and Paik 2003, without continuity correction), two-sided, to the nearest request.
///
/// # Errors
///
/// [`CanaryError::Setting`] if the accuracies are equal or the power is not above one half and below 1.
pub fn requests_needed_unpaired(
    champion: Probability,
    candidate: Probability,
    alpha: Alpha,
    power: Probability,
) -> Result<u64, CanaryError> {
    let (p0, p1) = (champion.get(), candidate.get());
    if p0 == p1 {
        return Err(CanaryError::Setting {
            name: "candidate",
            value: p1,
            allowed: "other than the champion's",
        });
    }
    let z_beta = power_quantile(power)?;
    let z_alpha = normal_upper_quantile(alpha.get() / 2.0);
    let mean = (p0 + p1) / 2.0;
    let together = (2.0 * mean * (1.0 - mean)).sqrt();
    let apart = (p0 * (1.0 - p0) + p1 * (1.0 - p1)).sqrt();
    let root = (z_alpha * together + z_beta * apart) / (p1 - p0);
    Ok((root * root).round() as u64)
}

fn power_quantile(power: Probability) -> Result<f64, CanaryError> {
    let power = power.get();
    if power > 0.5 && power < 1.0 {
        return Ok(normal_upper_quantile(1.0 - power));
    }
    Err(CanaryError::Setting {
        name: "power",
        value: power,
        allowed: "above one half and below 1",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(value: f64) -> Probability {
        Probability::new(value).unwrap()
    }

    #[test]
    fn pairing_needs_four_to_twelve_times_fewer_requests() {
        let pairs = |psi, difference| {
            pairs_needed(p(psi), difference, Alpha::FIVE_PERCENT, p(0.8)).unwrap()
        };
        // Evaluated with scipy.stats.norm.isf: 2352.30, 3922.08, 7846.52, 6276.75.
        assert_eq!(pairs(0.03, 0.01), 2_352);
        assert_eq!(pairs(0.05, -0.01), 3_922);
        assert_eq!(pairs(0.10, 0.01), 7_847);
        assert_eq!(pairs(0.02, 0.005), 6_277);
        let unpaired =
            |a, b| requests_needed_unpaired(p(a), p(b), Alpha::FIVE_PERCENT, p(0.8)).unwrap();
        assert_eq!(unpaired(0.90, 0.89), 14_751);
        assert_eq!(unpaired(0.95, 0.945), 31_233);
        let times_fewer = |unpaired: u64, pairs: u64| 2.0 * unpaired as f64 / pairs as f64;
        for times in [
            times_fewer(unpaired(0.90, 0.89), pairs(0.03, 0.01)),
            times_fewer(unpaired(0.90, 0.89), pairs(0.10, 0.01)),
            times_fewer(unpaired(0.95, 0.945), pairs(0.02, 0.005)),
        ] {
            assert!((3.7..12.6).contains(&times), "{times}");
        }
    }

    #[test]
    fn impossible_questions_are_refused() {
        let ask = |psi, difference, power| {
            pairs_needed(p(psi), difference, Alpha::FIVE_PERCENT, p(power))
        };
        for difference in [0.0, 0.04, f64::NAN, f64::INFINITY] {
            assert!(ask(0.03, difference, 0.8).is_err(), "{difference}");
        }
        for power in [0.0, 0.5, 1.0] {
            assert!(ask(0.03, 0.01, power).is_err(), "{power}");
        }
        assert!(requests_needed_unpaired(p(0.5), p(0.5), Alpha::FIVE_PERCENT, p(0.8)).is_err());
    }
}
