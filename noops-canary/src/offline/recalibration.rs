use noops_core::Alpha;
use noops_stats::special::normal_upper_quantile;
use serde::{Deserialize, Serialize};

use super::losses::{CLIP, check_binary};
use crate::error::CanaryError;
use crate::interval::Interval;

/// The line through the log-odds that would calibrate a model: slope 1 and intercept 0 if it is calibrated already.
///
/// A slope below 1 means predictions too extreme (the model is overfitted), one above 1 too timid; an intercept above 0 means that more comes
/// true than predicted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recalibration {
    intercept: f64,
    slope: f64,
    intercept_error: f64,
    slope_error: f64,
    rows: u64,
}

impl Recalibration {
    /// The intercept, in log-odds.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// The slope.
    #[must_use]
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// Wald's two-sided `1 - alpha` interval of the intercept.
    #[must_use]
    pub fn intercept_interval(&self, alpha: Alpha) -> Interval {
        let half = normal_upper_quantile(alpha.get() / 2.0) * self.intercept_error;
        Interval::between(self.intercept - half, self.intercept + half)
    }

    /// Wald's two-sided `1 - alpha` interval of the slope.
    #[must_use]
    pub fn slope_interval(&self, alpha: Alpha) -> Interval {
        let half = normal_upper_quantile(alpha.get() / 2.0) * self.slope_error;
        Interval::between(self.slope - half, self.slope + half)
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

/// Fits the line through the log-odds of the predictions by maximum likelihood.
///
/// # Formula
///
/// `logit P(y) = a + b logit(p)` (Cox, "Two further applications of a model for binary regression", 1958), by Newton's method; standard errors from the
/// inverse information. Predictions are clipped to machine epsilon from 0 and 1.
///
/// # Errors
///
/// As for [`Evaluation::of`](crate::offline::Evaluation::of), [`CanaryError::Constant`] if all predictions are equal or one class is missing, and
/// [`CanaryError::Input`] where a threshold separates the classes, so that no finite slope is the most likely.
///
/// # Complexity
///
/// O(n) per step, rarely more than ten.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::recalibration;
///
/// let predicted = [0.2, 0.2, 0.2, 0.2, 0.2, 0.8, 0.8, 0.8, 0.8, 0.8];
/// let labels = [true, false, false, false, false, true, true, true, true, false];
/// let line = recalibration(&predicted, &labels)?;
/// assert!((line.slope() - 1.0).abs() < 1e-9);
/// assert!(line.intercept().abs() < 1e-9);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn recalibration(predicted: &[f64], labels: &[bool]) -> Result<Recalibration, CanaryError> {
    check_binary(predicted, labels)?;
    if !(labels.contains(&true) && labels.contains(&false)) {
        return Err(CanaryError::Constant { column: "labels" });
    }
    let logits: Vec<f64> = predicted
        .iter()
        .map(|p| p.clamp(CLIP, 1.0 - CLIP))
        .map(|p| libm::log(p) - libm::log1p(-p))
        .collect();
    if logits.windows(2).all(|pair| pair.first() == pair.last()) {
        return Err(CanaryError::Constant {
            column: "predicted",
        });
    }
    // Around their mean, so that predictions that hardly differ do not make intercept and slope one and the same.
    let middle = logits.iter().sum::<f64>() / logits.len() as f64;
    let logits: Vec<f64> = logits.iter().map(|logit| logit - middle).collect();
    let (mut intercept, mut slope) = (middle, 1.0);
    let mut likelihood = Newton::at(intercept, slope, &logits, labels);
    for _ in 0..MOST_STEPS {
        let Some((up, along)) = likelihood.step() else {
            break;
        };
        // Halve a step that lowers the likelihood, which is concave: the full step may overshoot.
        let mut share = 1.0;
        let mut next = Newton::at(intercept + up, slope + along, &logits, labels);
        while next.falls_below(&likelihood) && share > 1e-6 {
            share *= 0.5;
            next = Newton::at(
                intercept + share * up,
                slope + share * along,
                &logits,
                labels,
            );
        }
        intercept += share * up;
        slope += share * along;
        likelihood = next;
        let scale = 1.0 + intercept.abs() + slope.abs();
        if share * (up.abs() + along.abs()) <= 1e-12 * scale {
            return likelihood.finished(intercept, slope, middle, labels.len());
        }
        if scale.is_nan() || scale >= DIVERGED {
            break;
        }
    }
    Err(SEPARATED)
}

/// The likelihood, its slope and its curvature.
struct Newton {
    value: f64,
    gradient: [f64; 2],
    information: [f64; 3],
}

impl Newton {
    fn at(intercept: f64, slope: f64, logits: &[f64], labels: &[bool]) -> Self {
        let mut sums = Self {
            value: 0.0,
            gradient: [0.0; 2],
            information: [0.0; 3],
        };
        let [up, along] = &mut sums.gradient;
        let [constant, mixed, square] = &mut sums.information;
        for (x, label) in logits.iter().zip(labels) {
            let odds = intercept + slope * x;
            let signed = if *label { odds } else { -odds };
            // log(1 + exp(-s)) without overflow.
            sums.value -= (-signed).max(0.0) + libm::log1p(libm::exp(-signed.abs()));
            let p = 1.0 / (1.0 + libm::exp(-odds));
            let residual = f64::from(u8::from(*label)) - p;
            let weight = p * (1.0 - p);
            *up += residual;
            *along += residual * x;
            *constant += weight;
            *mixed += weight * x;
            *square += weight * x * x;
        }
        sums
    }

    /// Whether it is lower by more than what summation loses, or not a number.
    fn falls_below(&self, other: &Self) -> bool {
        self.value.is_nan() || self.value < other.value - 1e-12 * other.value.abs()
    }

    fn determinant(&self) -> Option<f64> {
        let [constant, mixed, square] = self.information;
        let determinant = constant * square - mixed * mixed;
        (determinant > 1e-14 * constant * square).then_some(determinant)
    }

    fn step(&self) -> Option<(f64, f64)> {
        let determinant = self.determinant()?;
        let [constant, mixed, square] = self.information;
        let [up, along] = self.gradient;
        Some((
            (square * up - mixed * along) / determinant,
            (constant * along - mixed * up) / determinant,
        ))
    }

    fn finished(
        &self,
        intercept: f64,
        slope: f64,
        middle: f64,
        rows: usize,
    ) -> Result<Recalibration, CanaryError> {
        let determinant = self.determinant().ok_or(SEPARATED)?;
        let [constant, mixed, square] = self.information;
        // At log-odds of zero, which lie `middle` away.
        let there = square + middle * (2.0 * mixed + middle * constant);
        let found = Recalibration {
            intercept: intercept - slope * middle,
            slope,
            intercept_error: (there / determinant).sqrt(),
            slope_error: (constant / determinant).sqrt(),
            rows: rows as u64,
        };
        let finite = [
            found.intercept,
            slope,
            found.intercept_error,
            found.slope_error,
        ]
        .iter()
        .all(|value| value.is_finite());
        if finite { Ok(found) } else { Err(SEPARATED) }
    }
}

const SEPARATED: CanaryError = CanaryError::Input {
    input: "predicted",
    reason: "separates the classes, so that no finite slope fits; pass more rows",
};
const MOST_STEPS: u32 = 100;
const DIVERGED: f64 = 1e6;

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_line_equals_statsmodels() {
        let cases: Value =
            serde_json::from_str(include_str!("../../testdata/offline.json")).unwrap();
        for case in cases["recalibration"].as_array().unwrap() {
            let predicted: Vec<f64> = serde_json::from_value(case["predicted"].clone()).unwrap();
            let labels: Vec<bool> = serde_json::from_value(case["labels"].clone()).unwrap();
            let line = recalibration(&predicted, &labels).unwrap();
            let slope = line.slope_interval(Alpha::FIVE_PERCENT);
            let intercept = line.intercept_interval(Alpha::FIVE_PERCENT);
            let found = [
                (line.intercept(), "intercept"),
                (line.slope(), "slope"),
                (slope.lower(), "slope_lower"),
                (slope.upper(), "slope_upper"),
                (intercept.lower(), "intercept_lower"),
                (intercept.upper(), "intercept_upper"),
            ];
            for (found, key) in found {
                let expected = case[key].as_f64().unwrap();
                assert!((found - expected).abs() < 1e-9, "{key}: {found} {expected}");
            }
        }
    }

    #[test]
    fn predictions_that_hardly_differ_still_have_a_line() {
        // Two predictions, so that the line goes through the log-odds of both shares.
        let (low, high): (f64, f64) = (0.95, 0.950_001);
        let predicted: Vec<f64> = (0..400)
            .map(|row| if row < 200 { low } else { high })
            .collect();
        let labels: Vec<bool> = (0..400)
            .map(|row| row % 200 < if row < 200 { 150 } else { 160 })
            .collect();
        let line = recalibration(&predicted, &labels).unwrap();
        let logit = |p: f64| libm::log(p / (1.0 - p));
        let rise = logit(0.8) - logit(0.75);
        let slope = rise / (logit(high) - logit(low));
        assert!((line.slope() / slope - 1.0).abs() < 1e-6, "{line:?}");
        let there = line.intercept() + line.slope() * logit(low);
        assert!((there - logit(0.75)).abs() < 1e-6, "{line:?}");
    }

    #[test]
    fn what_no_finite_line_fits_is_refused() {
        let refused = recalibration(&[0.1, 0.2, 0.8, 0.9], &[false, false, true, true]);
        assert!(refused.is_err(), "{refused:?}");
        let extreme = recalibration(&[0.0, 1.0, 0.0, 1.0], &[false, true, false, true]);
        assert!(extreme.is_err(), "{extreme:?}");
        assert!(recalibration(&[0.5, 0.5], &[false, true]).is_err());
        assert!(recalibration(&[0.4, 0.5], &[true, true]).is_err());
        assert!(recalibration(&[0.4, f64::NAN], &[false, true]).is_err());
        assert!(recalibration(&[], &[]).is_err());
    }
}
