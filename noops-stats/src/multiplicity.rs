use noops_core::{Alpha, LogE};

/// Adjusts p-values for the number of tests: each one times their number, at most 1.
///
/// Rejecting where the adjusted value is at most alpha keeps the probability of *any* false rejection at alpha, whatever
/// the dependence. The weakest of the four; [`holm`] rejects at least as much under the same promise.
///
/// A NaN and anything above 1 count as 1, anything below 0 as 0.
///
/// # Examples
///
/// ```
/// use noops_stats::bonferroni;
///
/// assert_eq!(bonferroni(&[0.25, 0.5, f64::NAN]), [0.75, 1.0, 1.0]);
/// ```
#[must_use]
pub fn bonferroni(p_values: &[f64]) -> Vec<f64> {
    let tests = p_values.len() as f64;
    p_values
        .iter()
        .map(|p| (probability(*p) * tests).min(1.0))
        .collect()
}

/// Adjusts p-values by Holm's step-down rule.
///
/// Rejecting where the adjusted value is at most alpha keeps the probability of *any* false rejection at alpha, whatever
/// the dependence.
///
/// # Formula
///
/// With p_(1) <= … <= p_(m): adjusted p_(k) = max over j <= k of min(1, (m − j + 1) p_(j)) (Holm, 1979).
///
/// A NaN and anything above 1 count as 1, anything below 0 as 0.
///
/// # Complexity
///
/// O(m log m).
///
/// # Examples
///
/// ```
/// use noops_stats::holm;
///
/// assert_eq!(holm(&[0.25, 0.0625]), [0.25, 0.125]);
/// ```
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let ascending = ascending(p_values);
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest = 0.0_f64;
    let remaining = (1..=ascending.len()).rev();
    for ((index, p), remaining) in ascending.into_iter().zip(remaining) {
        largest = largest.max((p * remaining as f64).min(1.0));
        if let Some(place) = adjusted.get_mut(index) {
            *place = largest;
        }
    }
    adjusted
}

/// Adjusts p-values by the step-up rule of Benjamini and Hochberg.
///
/// Rejecting where the adjusted value is at most alpha keeps the false discovery rate, the expected share of false
/// rejections among all rejections, at alpha, **if** the tests are independent or positively dependent (PRDS). Features
/// of one model need not be; [`benjamini_yekutieli`] and [`e_benjamini_hochberg`] hold under any dependence.
///
/// # Formula
///
/// With p_(1) <= … <= p_(m): adjusted p_(k) = min over j >= k of min(1, p_(j) m / j) (Benjamini and Hochberg, 1995).
///
/// A NaN and anything above 1 count as 1, anything below 0 as 0.
///
/// # Complexity
///
/// O(m log m).
///
/// # Examples
///
/// ```
/// use noops_stats::benjamini_hochberg;
///
/// assert_eq!(benjamini_hochberg(&[0.5, 0.0625, 0.125, 1.0]), [0.6666666666666666, 0.25, 0.25, 1.0]);
/// ```
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    step_up(p_values, 1.0)
}

/// Adjusts p-values by the step-up rule of Benjamini and Yekutieli, which holds under any dependence.
///
/// # Formula
///
/// The adjusted values of [`benjamini_hochberg`] times H_m = 1 + 1/2 + … + 1/m, at most 1 (Benjamini and Yekutieli, 2001).
///
/// A NaN and anything above 1 count as 1, anything below 0 as 0.
///
/// # Complexity
///
/// O(m log m).
///
/// # Examples
///
/// ```
/// use noops_stats::benjamini_yekutieli;
///
/// assert_eq!(benjamini_yekutieli(&[0.125, 0.5]), [0.375, 0.75]);
/// ```
#[must_use]
pub fn benjamini_yekutieli(p_values: &[f64]) -> Vec<f64> {
    let harmonic = (1..=p_values.len()).rev().map(|k| 1.0 / k as f64).sum();
    step_up(p_values, harmonic)
}

/// Says which hypotheses e-BH rejects: the false discovery rate is at most `alpha` under **any** dependence.
///
/// This is the rule for the features of one model, which are dependent in ways nobody knows: an e-value for each, however
/// they were got, and no correction for the dependence.
///
/// # Formula
///
/// Reject the k largest e-values for the largest k with k e_(k) >= m / alpha, e_(1) >= e_(2) >= … (Wang and Ramdas, "False
/// discovery rate control with e-values", 2022).
///
/// # Assumptions
///
/// Each e-value has expectation at most 1 under its own null hypothesis *at the moment of looking*: the value of an
/// e-process now, or at any stopping time, but not its running maximum.
///
/// # Complexity
///
/// O(m log m).
///
/// # Examples
///
/// ```
/// use noops_core::{Alpha, LogE};
/// use noops_stats::e_benjamini_hochberg;
///
/// let evidence = [50.0_f64, 1.0, 45.0].map(|e| LogE::new(e.ln()));
/// // Neither 50 nor 45 reaches 3 / 0.05 = 60 alone; together they need 30 each.
/// assert_eq!(e_benjamini_hochberg(&evidence, Alpha::FIVE_PERCENT), [true, false, true]);
/// ```
#[must_use]
pub fn e_benjamini_hochberg(evidence: &[LogE], alpha: Alpha) -> Vec<bool> {
    let mut descending: Vec<(usize, f64)> = evidence
        .iter()
        .enumerate()
        .map(|(index, e)| (index, e.get()))
        .collect();
    descending.sort_by(|a, b| b.1.total_cmp(&a.1));
    let needed = (evidence.len() as f64).ln() - alpha.get().ln();
    let rejected = descending
        .iter()
        .zip(1_usize..)
        .filter(|((_, log_e), k)| (*k as f64).ln() + log_e >= needed)
        .map(|(_, k)| k)
        .max()
        .unwrap_or(0);
    let mut verdicts = vec![false; evidence.len()];
    for (index, _) in descending.into_iter().take(rejected) {
        if let Some(place) = verdicts.get_mut(index) {
            *place = true;
        }
    }
    verdicts
}

/// The step-up rule with every p-value first multiplied by `factor`.
fn step_up(p_values: &[f64], factor: f64) -> Vec<f64> {
    let ascending = ascending(p_values);
    let tests = ascending.len();
    let mut adjusted = vec![1.0; tests];
    let mut smallest = 1.0_f64;
    for (place, (index, p)) in ascending.into_iter().enumerate().rev() {
        let rank = place as f64 + 1.0;
        smallest = smallest.min(p * factor * (tests as f64 / rank));
        if let Some(value) = adjusted.get_mut(index) {
            *value = smallest;
        }
    }
    adjusted
}

/// The p-values with their places, smallest first.
fn ascending(p_values: &[f64]) -> Vec<(usize, f64)> {
    let mut sorted: Vec<(usize, f64)> = p_values
        .iter()
        .map(|p| probability(*p))
        .enumerate()
        .collect();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
    sorted
}

/// No evidence when it is not a number.
fn probability(p: f64) -> f64 {
    if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }
}
