use super::laws::{Atoms, cramer_von_mises_sf};
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Measured, Method, VISIBLE_POWER};
use crate::statistic::settings::TestSettings;
use noops_stats::SortedSample;
use noops_stats::special::{normal_upper_quantile, upper_quantile};
use noops_stats::two_sample::walk;

/// The two-sample Cramér–von Mises test: the squared distance between the distribution functions, over the pooled sample.
///
/// It weighs all of the distribution where Kolmogorov and Smirnov look at one point, and mostly has more power.
///
/// # Formula
///
/// T = U / (nmN) − (4nm − 1) / (6N), U = n Σ (rᵢ − i)² + m Σ (sⱼ − j)², with N = n + m and the mid-ranks r of the sorted
/// reference and s of the sorted current values in the pooled sample (Anderson, 1962). In large samples T is nm/N times
/// ω² = ∫ (F − G)² dH with H the pooled distribution, and without drift T follows Σ χ²₁ / (jπ)².
///
/// The p-value is exact (Xiao, Gordon and Yakovlev, 2007) when no values are equal and both samples have at most twelve rows, or
/// at most twenty each and as many; otherwise it is the limiting tail at T moved and scaled to the mean and the variance of the
/// limit (Anderson, 1962).
///
/// Tolerance, [`TestSettings::relevant`] (0.02 unless set, about half a standard deviation of shift between normal samples) and
/// [`Comparison::visible_from`] are values of ω², from 0 to 1/3, because T grows with the rows. With a tolerance τ the p-value is
/// the limiting tail at (√T − √(τ nm/N))²: the root of T is a norm, and by the triangle inequality exceeds that of the tolerated
/// drift by no more than the norm of the noise. This is conservative to first order in τ.
///
/// # Errors
///
/// [`DriftError::InvalidSetting`], and [`DriftError::InvalidInput`] for more than 2³⁰ rows.
///
/// # Numerical notes
///
/// Rows must be independent. T is computed in integers. Equal values inflate T, and so its limit calls data with large atoms drifted
/// however alike they are; when values are equal the p-value is therefore that of nm/N Σ hⱼ (Fⱼ − Gⱼ)² over the distinct values,
/// with mid-distribution functions F and G and shares h, under the law of that sum for the atoms at hand (Choulakian, Lockhart and
/// Stephens, 1994), and the critical value of T moves with them. The limiting tail keeps its relative accuracy to 1e-300.
///
/// # Complexity
///
/// O(n + m); the exact p-value has at most a few million steps.
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{SortedSample, TestSettings, cramer_von_mises};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let reference = SortedSample::new(&(0..400).map(f64::from).collect::<Vec<_>>());
/// let current = SortedSample::new(&(150..350).map(f64::from).collect::<Vec<_>>());
/// let outcome = cramer_von_mises(&reference, &current, &TestSettings::default())?;
/// assert!(outcome.verdict().is_drift());
/// # Ok(())
/// # }
/// ```
pub fn cramer_von_mises(
    reference: &SortedSample,
    current: &SortedSample,
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let (n, m) = (reference.len() as u64, current.len() as u64);
    for (input, rows) in [("reference", n), ("current", m)] {
        if rows > MOST_ROWS {
            return Err(DriftError::InvalidInput {
                input,
                reason: format!("has `{rows}` rows; sample at most `{MOST_ROWS}`"),
            });
        }
    }
    let sums = Sums::of(reference, current);
    if n == 0 || m == 0 || sums.distinct < 2 {
        return Ok(Comparison::blind(Method::CramerVonMises, n, m));
    }
    let statistic = sums.statistic(n, m);
    let limit = Limit::new(n, m);
    if sums.distinct < n + m {
        let ties = Ties::of(reference, current);
        return Ok(with_equal_values(n, m, statistic, &ties, settings));
    }
    let tolerated = (settings.tolerance() * limit.effective).sqrt();
    let alpha = settings.alpha();
    let root = upper_quantile(alpha.get(), 0.5, cramer_von_mises_sf).sqrt() + tolerated;
    let mut critical = Some(limit.raw(root * root));
    let p_value = if settings.tolerance() > 0.0 {
        let beyond = limit.standardised(statistic).max(0.0).sqrt() - tolerated;
        if beyond > 0.0 {
            cramer_von_mises_sf(beyond * beyond)
        } else {
            1.0
        }
    } else if n.max(m) <= EXACT_UP_TO || (n == m && n <= EXACT_EQUAL) {
        let law = exact_law(n, m);
        critical = largest_kept(&law, alpha.get()).map(|kept| squares_as_statistic(kept, n, m));
        exact_p_value(&law, sums.squares)
    } else {
        cramer_von_mises_sf(limit.standardised(statistic))
    };
    // The noise along a given drift has the variance of the first term of the limit at most.
    let visible_root = root + normal_upper_quantile(1.0 - VISIBLE_POWER) / std::f64::consts::PI;
    let visible_from = visible_root * visible_root / limit.effective;
    let measured = Measured {
        statistic,
        p_value,
        critical,
        visible_from: critical
            .map(|_| visible_from)
            .filter(|visible| *visible <= 1.0 / 3.0),
    };
    Ok(Comparison::judge(
        Method::CramerVonMises,
        n,
        m,
        measured,
        alpha,
        settings.relevant_or(RELEVANT),
    ))
}

/// The test when values are equal, by the distance of mid-distribution functions over the atoms of the pooled sample.
fn with_equal_values(
    n: u64,
    m: u64,
    statistic: f64,
    ties: &Ties,
    settings: &TestSettings,
) -> Comparison {
    let effective = Limit::new(n, m).effective;
    let law = ties.atoms.plain_law();
    let tolerated = (settings.tolerance() * effective).sqrt();
    let beyond = ((ties.squared_distance * effective).sqrt() - tolerated).max(0.0);
    let alpha = settings.alpha();
    let quantile = law.upper_quantile(alpha.get());
    let root = quantile.sqrt() + tolerated;
    let visible_root = tolerated + law.visible_root(quantile, VISIBLE_POWER);
    let visible_from = visible_root * visible_root / effective;
    let measured = Measured {
        statistic,
        p_value: law.sf(beyond * beyond),
        // The part of T that equal values make stays as it is.
        critical: Some(statistic - ties.squared_distance * effective + root * root),
        visible_from: Some(visible_from).filter(|visible| *visible <= 1.0 / 3.0),
    };
    Comparison::judge(
        Method::CramerVonMises,
        n,
        m,
        measured,
        alpha,
        settings.relevant_or(RELEVANT),
    )
}

/// What one pass over both samples gives.
struct Sums {
    /// Twelve times U.
    twelve_u: u128,
    /// Σ (a i − b j)² over the lattice path, the statistic of the exact test; meaningful without equal values.
    squares: u128,
    distinct: u64,
}

impl Sums {
    fn of(reference: &SortedSample, current: &SortedSample) -> Self {
        let (n, m) = (reference.len() as u64, current.len() as u64);
        let common = greatest_common_divisor(n, m).max(1);
        let (per_reference, per_current) = (m / common, n / common);
        let mut of_reference = 0_u128;
        let mut of_current = 0_u128;
        let mut squares = 0_u128;
        let mut distinct = 0_u64;
        walk(reference, current, |step| {
            distinct += 1;
            // Σ (r − i)² over r values at mid-rank is r (p + c/2)² + (r³ − r)/12, with p current values below and c equal.
            let part = |equal: u64, others: u64, passed: u64| {
                let twice = u128::from(2 * (passed - others) + others);
                let equal = u128::from(equal);
                3 * equal * twice * twice + (equal * equal * equal - equal)
            };
            if step.reference > 0 {
                of_reference += part(step.reference, step.current, step.passed_current);
            }
            if step.current > 0 {
                of_current += part(step.current, step.reference, step.passed_reference);
            }
            let gap = u128::from(step.passed_reference * per_reference)
                .abs_diff(u128::from(step.passed_current * per_current));
            squares = squares.saturating_add(gap.saturating_mul(gap));
        });
        Self {
            twelve_u: u128::from(n) * of_reference + u128::from(m) * of_current,
            squares,
            distinct,
        }
    }

    fn statistic(&self, n: u64, m: u64) -> f64 {
        let product = u128::from(n) * u128::from(m);
        let pooled = u128::from(n + m);
        let least = 2 * product * (4 * product - 1);
        let sign = if self.twelve_u < least { -1.0 } else { 1.0 };
        sign * self.twelve_u.abs_diff(least) as f64 / (12 * product * pooled) as f64
    }
}

/// What another pass gives when values are equal.
struct Ties {
    /// ω² of the mid-distribution functions, Σ hⱼ (Fⱼ − Gⱼ)².
    squared_distance: f64,
    atoms: Atoms,
}

impl Ties {
    fn of(reference: &SortedSample, current: &SortedSample) -> Self {
        let (rows, current_rows) = (reference.len() as f64, current.len() as f64);
        let mut squared_distance = 0.0;
        let mut atoms = Atoms::default();
        walk(reference, current, |step| {
            let share = (step.reference + step.current) as f64 / (rows + current_rows);
            let f = (2 * step.passed_reference - step.reference) as f64 / (2.0 * rows);
            let g = (2 * step.passed_current - step.current) as f64 / (2.0 * current_rows);
            squared_distance += share * (f - g) * (f - g);
            atoms.push(share);
        });
        Self {
            squared_distance,
            atoms,
        }
    }
}

/// The mean and the variance of T, and those of its limit.
struct Limit {
    effective: f64,
    mean: f64,
    scale: f64,
}

impl Limit {
    fn new(n: u64, m: u64) -> Self {
        let (n, m) = (n as f64, m as f64);
        let pooled = n + m;
        let product = n * m;
        let variance = (pooled + 1.0) / (45.0 * pooled * pooled) / (4.0 * product)
            * (4.0 * product * pooled - 3.0 * (n * n + m * m) - 2.0 * product);
        Self {
            effective: product / pooled,
            mean: (1.0 + 1.0 / pooled) / 6.0,
            scale: (45.0 * variance).max(0.0).sqrt(),
        }
    }

    fn standardised(&self, statistic: f64) -> f64 {
        if self.scale > 0.0 {
            1.0 / 6.0 + (statistic - self.mean) / self.scale
        } else {
            0.0
        }
    }

    fn raw(&self, standardised: f64) -> f64 {
        self.mean + (standardised - 1.0 / 6.0) * self.scale
    }
}

/// The share of the orders whose lattice path has a sum of squares of at least `squares`.
fn exact_p_value(law: &Counts, squares: u128) -> f64 {
    let total: f64 = law.iter().map(|(_, paths)| paths).sum();
    let above = law.iter().filter(|(sum, _)| u128::from(*sum) >= squares);
    let above: f64 = above.map(|(_, paths)| paths).sum();
    if total > 0.0 { above / total } else { 1.0 }
}

/// The largest sum of squares whose p-value is at least `alpha`; nothing when that is the largest there is.
fn largest_kept(law: &Counts, alpha: f64) -> Option<u64> {
    let total: f64 = law.iter().map(|(_, paths)| paths).sum();
    let mut above = 0.0;
    for (place, (sum, paths)) in law.iter().rev().enumerate() {
        above += paths;
        if above >= alpha * total {
            return Some(*sum).filter(|_| place > 0);
        }
    }
    None
}

/// T of different values, of which Σ (a i − b j)² over the path is a multiple.
fn squares_as_statistic(squares: u64, n: u64, m: u64) -> f64 {
    let common = greatest_common_divisor(n, m) as f64;
    let (n, m) = (n as f64, m as f64);
    squares as f64 * (common / (n + m)) * (common / (n + m)) / (n * m)
}

/// How many orders of n and m values have which sum of squares along their lattice path, column by column.
fn exact_law(n: u64, m: u64) -> Counts {
    let common = greatest_common_divisor(n, m).max(1);
    let (per_reference, per_current) = (m / common, n / common);
    let mut column: Vec<Counts> = Vec::new();
    for i in 0..=n {
        let mut next: Vec<Counts> = Vec::new();
        let mut below: Counts = Vec::new();
        for j in 0..=m {
            let gap = (i * per_reference).abs_diff(j * per_current);
            let left = column.get(j as usize).map_or(&[][..], Vec::as_slice);
            let mut here = if i == 0 && j == 0 {
                vec![(0, 1.0)]
            } else {
                merged(left, &below)
            };
            for entry in &mut here {
                entry.0 += gap * gap;
            }
            below.clone_from(&here);
            next.push(here);
        }
        column = next;
    }
    column.pop().unwrap_or_default()
}

/// How many paths have which sum, ascending.
type Counts = Vec<(u64, f64)>;

fn merged(one: &[(u64, f64)], other: &[(u64, f64)]) -> Counts {
    let mut merged = Vec::with_capacity(one.len() + other.len());
    let mut left = one.iter().copied().peekable();
    let mut right = other.iter().copied().peekable();
    loop {
        match (left.peek().copied(), right.peek().copied()) {
            (Some((a, paths)), Some((b, others))) => {
                if a <= b {
                    left.next();
                }
                if b <= a {
                    right.next();
                }
                let from_left = if a <= b { paths } else { 0.0 };
                let from_right = if b <= a { others } else { 0.0 };
                merged.push((a.min(b), from_left + from_right));
            }
            (Some(entry), None) => {
                left.next();
                merged.push(entry);
            }
            (None, Some(entry)) => {
                right.next();
                merged.push(entry);
            }
            (None, None) => return merged,
        }
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

const RELEVANT: f64 = 0.02;
const EXACT_UP_TO: u64 = 12;
const EXACT_EQUAL: u64 = 20;
/// Keeps twelve U below 2¹²⁸.
const MOST_ROWS: u64 = 1 << 30;

#[cfg(test)]
mod tests;
