use libm::log;
use noops_core::{Alpha, LogE};
use noops_stats::special::{deviance_term, ln_regularized_beta_lower, ln_regularized_beta_upper};

use super::concentrations::Concentrations;
use super::dirichlet::{Cell, Dirichlet};
use super::odds::{Odds, crossing};
use crate::batch::Alternative;
use crate::sequential::mixture::log_sum_exp;

/// The e-process behind counts, pairs and signs: successes among events, each of which is one with the null's odds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BinomialEvidence {
    null: Odds,
    components: Vec<Component>,
    successes: u64,
    failures: u64,
    max_log_e: LogE,
}

impl BinomialEvidence {
    pub(crate) fn new(null: Odds, alternative: Alternative, priors: &Concentrations) -> Self {
        let components = priors
            .as_slice()
            .iter()
            .zip(priors.ln_weights())
            .map(|(prior, ln_weight)| Component {
                ln_weight,
                prior: TruncatedBeta::new(prior.value(), null, alternative),
            })
            .collect();
        Self {
            null,
            components,
            successes: 0,
            failures: 0,
            max_log_e: LogE::default(),
        }
    }

    /// Takes counts from a stored state; the error names the contradiction.
    pub(crate) fn restored(
        mut self,
        successes: u64,
        failures: u64,
        max_log_e: LogE,
    ) -> Result<Self, &'static str> {
        self.successes = successes;
        self.failures = failures;
        self.max_log_e = max_log_e;
        let now = self.log_e().get();
        let slack = 1e-9 * (1.0 + now.abs());
        if max_log_e.get() < now.max(0.0) - slack {
            return Err("the largest evidence is below the present one");
        }
        // No likelihood ratio is larger than that of events that were all of the rarer kind.
        let most = self.events() * -log(self.null.p().min(self.null.q()));
        if max_log_e.get() > most + slack {
            return Err("the largest evidence is more than so many events can bring");
        }
        Ok(self)
    }

    pub(crate) fn observe(&mut self, successes: u64, failures: u64) {
        self.successes = self.successes.saturating_add(successes);
        self.failures = self.failures.saturating_add(failures);
        self.max_log_e = self.max_log_e.max(self.log_e());
    }

    pub(crate) fn successes(&self) -> u64 {
        self.successes
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures
    }

    pub(crate) fn log_e(&self) -> LogE {
        if self.events() <= 0.0 {
            // The logarithm of the weights' sum is zero but for rounding.
            return LogE::default();
        }
        let (successes, failures) = (self.successes as f64, self.failures as f64);
        let logs = self.components.iter().map(|component| {
            component.ln_weight + component.prior.log_e(self.null, successes, failures)
        });
        LogE::new(log_sum_exp(logs))
    }

    pub(crate) fn max_log_e(&self) -> LogE {
        self.max_log_e
    }

    /// 1 over the largest evidence, at most 1.
    pub(crate) fn p_value(&self) -> f64 {
        p_value(self.max_log_e)
    }

    /// The odds that the untruncated mixture does not reject at `alpha`. The prior stays where it is while the null moves, so
    /// that the evidence is convex and the set is an interval.
    pub(crate) fn odds_interval(&self, alpha: Alpha) -> OddsInterval {
        let events = self.events();
        if events <= 0.0 {
            return OddsInterval {
                lower: Odds::NEVER,
                upper: Odds::ALWAYS,
            };
        }
        let (successes, failures) = (self.successes as f64, self.failures as f64);
        let logs = self.components.iter().map(|component| {
            component.ln_weight + component.prior.two_sided(self.null, successes, failures)
        });
        // What the best single bet would have won more than the mixture.
        let regret = (self.deviance(self.null) - log_sum_exp(logs)).max(0.0);
        let threshold = regret - log(alpha.get());
        let is_out = |odds: Odds| self.deviance(odds) >= threshold;
        let estimate = Odds::of_counts(successes, failures);
        OddsInterval {
            lower: crossing(estimate, Odds::NEVER, is_out),
            upper: crossing(estimate, Odds::ALWAYS, is_out),
        }
    }

    fn events(&self) -> f64 {
        self.successes as f64 + self.failures as f64
    }

    /// The log-likelihood ratio of the observed share against `odds`.
    fn deviance(&self, odds: Odds) -> f64 {
        let (successes, failures) = (self.successes as f64, self.failures as f64);
        let (p, q) = (self.events() * odds.p(), self.events() * odds.q());
        // The smaller of the two expectations knows the difference best.
        let gap = if p < q { successes - p } else { q - failures };
        deviance_term(successes, p, gap) + deviance_term(failures, q, -gap)
    }
}

/// The two ends of a set of odds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OddsInterval {
    pub(crate) lower: Odds,
    pub(crate) upper: Odds,
}

pub(crate) fn p_value(max_log_e: LogE) -> f64 {
    libm::exp(-max_log_e.get().max(0.0))
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Component {
    ln_weight: f64,
    prior: TruncatedBeta,
}

/// A beta prior with its mean at the null, cut off there if the alternative has one side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TruncatedBeta {
    prior: Dirichlet,
    alternative: Alternative,
    /// The logarithm of the prior's mass on the alternative's side.
    ln_mass: f64,
}

impl TruncatedBeta {
    pub(crate) fn new(concentration: f64, null: Odds, alternative: Alternative) -> Self {
        let (a, b) = (concentration * null.p(), concentration * null.q());
        Self {
            prior: Dirichlet::new(concentration, [null.p(), null.q()].into_iter()),
            alternative,
            ln_mass: ln_mass(alternative, null, a, b),
        }
    }

    /// The log e-value of counts against the null the prior was made for.
    pub(crate) fn log_e(self, null: Odds, successes: f64, failures: f64) -> f64 {
        let two_sided = self.two_sided(null, successes, failures);
        if self.alternative == Alternative::TwoSided {
            return two_sided;
        }
        let k = self.prior.concentration();
        let (a, b) = (k * null.p() + successes, k * null.q() + failures);
        let one_sided = two_sided + (ln_mass(self.alternative, null, a, b) - self.ln_mass);
        // Where the null fits best no bet on the other side gains. Two huge terms cancel there, and their rounding must not pass for evidence.
        let excess = successes * null.q() - failures * null.p();
        let is_on_the_nulls_side = match self.alternative {
            Alternative::Greater => excess <= 0.0,
            Alternative::Less => excess >= 0.0,
            Alternative::TwoSided => false,
        };
        if is_on_the_nulls_side {
            one_sided.min(0.0)
        } else {
            one_sided
        }
    }

    fn two_sided(self, null: Odds, successes: f64, failures: f64) -> f64 {
        let cells = [
            Cell {
                count: successes,
                null: null.p(),
            },
            Cell {
                count: failures,
                null: null.q(),
            },
        ];
        self.prior.log_e(cells.into_iter())
    }
}

/// The logarithm of what a beta law has on the alternative's side of the null.
fn ln_mass(alternative: Alternative, null: Odds, a: f64, b: f64) -> f64 {
    match alternative {
        Alternative::TwoSided => 0.0,
        Alternative::Greater => {
            // Said from the smaller side, whose probability has all its digits.
            if null.p() < null.q() {
                ln_regularized_beta_upper(null.p(), a, b)
            } else {
                ln_regularized_beta_lower(null.q(), b, a)
            }
        }
        Alternative::Less => {
            if null.p() < null.q() {
                ln_regularized_beta_lower(null.p(), a, b)
            } else {
                ln_regularized_beta_upper(null.q(), b, a)
            }
        }
    }
}
