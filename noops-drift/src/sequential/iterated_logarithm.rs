/// How far an empirical distribution function may ever be from the true one: a bound over all rows at once.
///
/// P(for some t >= 1: sup |F_t − F| > A √((ln(1 + ln t) + C) / t)) <= alpha, with A = 0.85 and the C that solves
///
/// alpha = inf over η > 1 of 4 e^(−γ² C) (1 + 1 / ((γ² − 1) ln η)), γ² = (2 / η)(A − √(2(η − 1) / C))² > 1
///
/// (Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and best-arm
/// identification", Bernoulli 2022, theorem 2). Every η gives a valid bound, so a search that misses the best one is
/// only conservative. Ties are allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct IteratedLogarithm {
    constant: f64,
}

impl IteratedLogarithm {
    pub(super) fn new(alpha: f64) -> Self {
        let mut low = 0.0;
        let mut high = LARGEST_CONSTANT;
        for _ in 0..BISECTIONS {
            let middle = 0.5 * (low + high);
            if ln_error_rate(middle) > alpha.ln() {
                low = middle;
            } else {
                high = middle;
            }
        }
        Self { constant: high }
    }

    /// The constant C.
    #[cfg(test)]
    pub(super) fn constant(self) -> f64 {
        self.constant
    }

    /// The bound at `rows` rows, at most 1.
    pub(super) fn bound(self, rows: u64) -> f64 {
        if rows == 0 {
            return 1.0;
        }
        let t = rows as f64;
        let inner = t.ln().ln_1p() + self.constant;
        (FACTOR * (inner / t).sqrt()).min(1.0)
    }
}

/// The logarithm of the error rate that the constant C has, with the best η that is found.
fn ln_error_rate(constant: f64) -> f64 {
    let (mut low, mut high) = LN_EXCESS;
    for _ in 0..SEARCH_STEPS {
        let third = (high - low) / 3.0;
        let (left, right) = (low + third, high - third);
        // Where γ² <= 1 the rate is infinite, and that is so for all larger η too.
        let at_left = ln_error_rate_at(constant, left.exp());
        if at_left.is_finite() && at_left > ln_error_rate_at(constant, right.exp()) {
            low = left;
        } else {
            high = right;
        }
    }
    ln_error_rate_at(constant, low.exp())
}

/// The logarithm of the error rate at η = 1 + `excess`; infinite where the bound does not hold.
fn ln_error_rate_at(constant: f64, excess: f64) -> f64 {
    let slack = FACTOR - (2.0 * excess / constant).sqrt();
    let gamma_squared = 2.0 / (1.0 + excess) * slack * slack;
    if slack.is_nan() || slack <= 0.0 || gamma_squared <= 1.0 {
        return f64::INFINITY;
    }
    let epochs = 1.0 / ((gamma_squared - 1.0) * excess.ln_1p());
    LN_FOUR - gamma_squared * constant + epochs.ln_1p()
}

/// A, which has to exceed √½.
const FACTOR: f64 = 0.85;
const LN_FOUR: f64 = 2.0 * std::f64::consts::LN_2;
/// Logarithms of the smallest and the largest η − 1 that are tried.
const LN_EXCESS: (f64, f64) = (-16.0, 0.0);
/// More than the smallest positive error rate needs.
const LARGEST_CONSTANT: f64 = 2_000.0;
const BISECTIONS: usize = 60;
const SEARCH_STEPS: usize = 60;
