use libm::{exp, log};

/// A probability held as the logarithm of its odds, with both it and its complement to full precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Odds {
    ln_odds: f64,
    p: f64,
    q: f64,
}

impl Odds {
    pub(crate) const NEVER: Self = Self {
        ln_odds: f64::NEG_INFINITY,
        p: 0.0,
        q: 1.0,
    };
    pub(crate) const ALWAYS: Self = Self {
        ln_odds: f64::INFINITY,
        p: 1.0,
        q: 0.0,
    };

    /// Odds of `for_it` to `against`, both finite, not below zero and not both zero.
    pub(crate) fn of_counts(for_it: f64, against: f64) -> Self {
        if for_it <= 0.0 {
            return Self::NEVER;
        }
        if against <= 0.0 {
            return Self::ALWAYS;
        }
        let sum = for_it + against;
        Self {
            ln_odds: log(for_it) - log(against),
            p: for_it / sum,
            q: against / sum,
        }
    }

    pub(crate) fn from_ln_odds(ln_odds: f64) -> Self {
        // The smaller of the two is got from the exponential, so that neither is rounded to zero.
        let smaller = exp(-ln_odds.abs());
        let (small, large) = (smaller / (1.0 + smaller), 1.0 / (1.0 + smaller));
        let (p, q) = if ln_odds < 0.0 {
            (small, large)
        } else {
            (large, small)
        };
        Self { ln_odds, p, q }
    }

    pub(crate) fn p(self) -> f64 {
        self.p
    }

    pub(crate) fn q(self) -> f64 {
        self.q
    }

    /// These odds over others.
    pub(crate) fn over(self, other: Self) -> f64 {
        exp(self.ln_odds - other.ln_odds)
    }
}

/// The first odds found out of the set, going from `inside` towards `end`; `end` itself if none is.
///
/// `is_out` must be false at `inside` and must not turn back on the way. The answer lies on the outer side of the border, by less than a
/// rounding of the logarithm.
pub(crate) fn crossing(inside: Odds, end: Odds, is_out: impl Fn(Odds) -> bool) -> Odds {
    if inside.ln_odds == end.ln_odds {
        return end;
    }
    let direction = if end.ln_odds < inside.ln_odds {
        -1.0
    } else {
        1.0
    };
    let mut near = inside.ln_odds.clamp(-FARTHEST, FARTHEST);
    let mut step = 1e-3;
    let mut far = near;
    loop {
        far = (far + direction * step).clamp(-FARTHEST, FARTHEST);
        if is_out(Odds::from_ln_odds(far)) {
            break;
        }
        if far.abs() >= FARTHEST && far * direction > 0.0 {
            return end;
        }
        near = far;
        step *= 2.0;
    }
    for _ in 0..BISECTIONS {
        let middle = 0.5 * (near + far);
        if middle == near || middle == far {
            break;
        }
        if is_out(Odds::from_ln_odds(middle)) {
            far = middle;
        } else {
            near = middle;
        }
    }
    Odds::from_ln_odds(far)
}

/// Odds of e^±690 are the last whose smaller probability is an ordinary number.
const FARTHEST: f64 = 690.0;
const BISECTIONS: usize = 100;
