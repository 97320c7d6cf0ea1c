use crate::batch::proportions::Proportion;
use noops_stats::special::ln_binomial_mass;

/// The law of the candidate's successes given all totals: hypergeometric, and Fisher's noncentral one at other odds ratios.
///
/// Odds ratios are passed as logarithms. Counts are numbers below 2⁵³, so they are exact.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hypergeometric {
    observed: f64,
    candidate: f64,
    champion: f64,
    successes: f64,
    least: f64,
    most: f64,
}

impl Hypergeometric {
    pub(super) fn of(champion: Proportion, candidate: Proportion) -> Self {
        let successes = (champion.successes() + candidate.successes()) as f64;
        let (n1, n2) = (champion.trials() as f64, candidate.trials() as f64);
        Self {
            observed: candidate.successes() as f64,
            candidate: n2,
            champion: n1,
            successes,
            least: (successes - n1).max(0.0),
            most: successes.min(n2),
        }
    }

    pub(super) fn observed(&self) -> f64 {
        self.observed
    }

    /// P(X ≥ x).
    pub(super) fn upper(&self, x: f64) -> f64 {
        self.central_share(x, Side::Upper)
    }

    /// P(X ≤ x).
    pub(super) fn lower(&self, x: f64) -> f64 {
        self.central_share(x, Side::Lower)
    }

    /// The probability of all outcomes at most as probable as the observed one, up to a relative tolerance.
    pub(super) fn two_sided(&self) -> f64 {
        let limit = self.ln_mass(self.observed) + libm::log1p(TOLERANCE);
        let mode = self.mode(0.0);
        if self.ln_mass(mode) <= limit {
            return 1.0;
        }
        // Outwards from the mode the mass falls.
        let mut total = 0.0;
        if self.ln_mass(self.least) <= limit {
            let (mut inside, mut outside) = (mode, self.least);
            while inside - outside > 1.0 {
                let middle = ((inside + outside) / 2.0).floor();
                if self.ln_mass(middle) <= limit {
                    outside = middle;
                } else {
                    inside = middle;
                }
            }
            total += self.lower(outside);
        }
        if self.ln_mass(self.most) <= limit {
            let (mut inside, mut outside) = (mode, self.most);
            while outside - inside > 1.0 {
                let middle = ((inside + outside) / 2.0).floor();
                if self.ln_mass(middle) <= limit {
                    outside = middle;
                } else {
                    inside = middle;
                }
            }
            total += self.upper(outside);
        }
        total.min(1.0)
    }

    /// The conditional maximum-likelihood estimate of the odds ratio: the one whose mean is what was observed.
    pub(super) fn odds_ratio(&self) -> f64 {
        if self.least >= self.most {
            return f64::NAN;
        }
        if self.observed <= self.least {
            return 0.0;
        }
        if self.observed >= self.most {
            return f64::INFINITY;
        }
        libm::exp(self.search(|ln_odds| self.mean(ln_odds) <= self.observed))
    }

    /// The odds ratio at which so many successes or more have probability `tail`.
    pub(super) fn odds_ratio_above(&self, tail: f64) -> f64 {
        if self.observed <= self.least {
            return 0.0;
        }
        libm::exp(self.search(|ln_odds| self.share(ln_odds, Side::Upper, tail) <= tail))
    }

    /// The odds ratio at which so many successes or fewer have probability `tail`.
    pub(super) fn odds_ratio_below(&self, tail: f64) -> f64 {
        if self.observed >= self.most {
            return f64::INFINITY;
        }
        libm::exp(self.search(|ln_odds| self.share(ln_odds, Side::Lower, tail) >= tail))
    }

    /// The largest logarithm of an odds ratio that `holds`.
    fn search(&self, holds: impl Fn(f64) -> bool) -> f64 {
        // The sample odds ratio, which is near.
        let [a, b, c, d] = [
            self.observed,
            self.candidate - self.observed,
            self.successes - self.observed,
            self.champion - self.successes + self.observed,
        ]
        .map(|count| libm::log(count + 0.5));
        let near = a - b - c + d;
        let mut reach = 1.0;
        let (mut low, mut high) = (near, near);
        if holds(near) {
            while high < FURTHEST && holds(high) {
                low = high;
                high += reach;
                reach *= 2.0;
            }
        } else {
            while low > -FURTHEST && !holds(low) {
                high = low;
                low -= reach;
                reach *= 2.0;
            }
        }
        for _ in 0..HALVINGS {
            let middle = low + (high - low) / 2.0;
            if high - low <= PRECISION || middle <= low || middle >= high {
                break;
            }
            if holds(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low + (high - low) / 2.0
    }

    fn mean(&self, ln_odds: f64) -> f64 {
        let mode = self.mode(ln_odds);
        let (mut mass, mut moment) = (0.0, 0.0);
        self.walk(mode, ln_odds, NEGLIGIBLE, |x, weight| {
            mass += weight;
            moment += weight * (x - mode);
        });
        mode + moment / mass
    }

    /// The tail from what was observed on, so far as it is not negligible beside `tail`.
    fn share(&self, ln_odds: f64, side: Side, tail: f64) -> f64 {
        let mode = self.mode(ln_odds);
        let (mut inside, mut outside) = (0.0, 0.0);
        self.walk(mode, ln_odds, tail * NEGLIGIBLE, |at, weight| {
            let counted = match side {
                Side::Upper => at >= self.observed,
                Side::Lower => at <= self.observed,
            };
            if counted {
                inside += weight;
            } else {
                outside += weight;
            }
        });
        inside / (inside + outside)
    }

    /// A tail at an odds ratio of 1, where the mass has a closed form, however far out.
    fn central_share(&self, x: f64, side: Side) -> f64 {
        let mode = self.mode(0.0);
        let tail = |from: f64, side: Side| {
            if from < self.least || from > self.most {
                return 0.0;
            }
            let mut sum = 0.0;
            let mut term = 1.0;
            let mut at = from;
            while term > NEGLIGIBLE * sum {
                sum += term;
                term *= match side {
                    Side::Upper => self.rise(at),
                    Side::Lower => 1.0 / self.rise(at - 1.0),
                };
                at += side.step();
            }
            libm::exp(self.ln_mass(from)) * sum
        };
        match side {
            Side::Upper if x > mode => tail(x, Side::Upper).min(1.0),
            Side::Lower if x < mode => tail(x, Side::Lower).min(1.0),
            Side::Upper => (1.0 - tail(x - 1.0, Side::Lower)).clamp(0.0, 1.0),
            Side::Lower => (1.0 - tail(x + 1.0, Side::Upper)).clamp(0.0, 1.0),
        }
    }

    /// Visits all outcomes with a weight that counts, from the mode outwards.
    fn walk(&self, mode: f64, ln_odds: f64, unseen: f64, mut visit: impl FnMut(f64, f64)) {
        visit(mode, 1.0);
        let odds = libm::exp(ln_odds);
        let (mut at, mut weight) = (mode, 1.0);
        while at < self.most {
            weight *= self.rise(at) * odds;
            at += 1.0;
            visit(at, weight);
            if weight <= unseen {
                break;
            }
        }
        let (mut at, mut weight) = (mode, 1.0);
        while at > self.least {
            weight /= self.rise(at - 1.0) * odds;
            at -= 1.0;
            visit(at, weight);
            if weight <= unseen {
                break;
            }
        }
    }

    /// P(X = x + 1) / P(X = x) at an odds ratio of 1.
    fn rise(&self, x: f64) -> f64 {
        let free = self.champion - self.successes + x + 1.0;
        ((self.candidate - x) / (x + 1.0)) * ((self.successes - x) / free)
    }

    /// The most probable outcome, or one next to it.
    fn mode(&self, ln_odds: f64) -> f64 {
        // rise(x) · odds = 1, a quadratic a x² − b x + c = 0, all over the odds where they are large and in the form that does
        // not cancel.
        let (up, down) = if ln_odds > 0.0 {
            (1.0, libm::exp(-ln_odds))
        } else {
            (libm::exp(ln_odds), 1.0)
        };
        let a = up - down;
        let b =
            (self.successes + self.candidate + 2.0) * up + (self.champion - self.successes) * down;
        let c = (self.candidate + 1.0) * (self.successes + 1.0) * up;
        let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
        let mode = if b > 0.0 {
            2.0 * c / (b + root)
        } else {
            (b - root) / (2.0 * a)
        };
        mode.floor().max(self.least).min(self.most)
    }

    fn ln_mass(&self, x: f64) -> f64 {
        let n = self.candidate + self.champion;
        let p = self.successes / n;
        if self.least >= self.most {
            return 0.0;
        }
        ln_binomial_mass(x, self.candidate, p)
            + ln_binomial_mass(self.successes - x, self.champion, p)
            - ln_binomial_mass(self.successes, n, p)
    }
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Upper,
    Lower,
}

impl Side {
    fn step(self) -> f64 {
        match self {
            Self::Upper => 1.0,
            Self::Lower => -1.0,
        }
    }
}

/// As `scipy` and R have it: masses this near are equal, which rounding may hide.
const TOLERANCE: f64 = 1e-7;
const NEGLIGIBLE: f64 = 1e-18;
/// e to this power is still a number.
const FURTHEST: f64 = 700.0;
/// Of a logarithm.
const PRECISION: f64 = 1e-14;
const HALVINGS: usize = 100;
