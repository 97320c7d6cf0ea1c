use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::slo::{SloError, Target, duration_text};

/// How loudly a rule speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Somebody looks in working hours.
    Ticket,
    /// Somebody is woken.
    Page,
}

/// Fires where the budget burns faster than `factor` over a long window and still does over a short one.
///
/// The long window says that it matters, the short one that it is not over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawRule", into = "RawRule")]
pub struct BurnRateRule {
    severity: Severity,
    long: Duration,
    short: Duration,
    factor: f64,
}

impl BurnRateRule {
    /// Checks windows and factor.
    ///
    /// # Errors
    ///
    /// [`SloError::Duration`] unless both windows are whole seconds, the short one at least ten seconds and no longer than
    /// the long one, and the long one at most 366 days; [`SloError::Setting`] unless the factor is finite and above 0.
    pub fn new(
        severity: Severity,
        long: Duration,
        short: Duration,
        factor: f64,
    ) -> Result<Self, SloError> {
        if !(factor.is_finite() && factor > 0.0) {
            return Err(SloError::Setting {
                name: "factor",
                problem: format!("`{factor}` must be finite and above 0"),
            });
        }
        let whole = |window: Duration| window.subsec_nanos() == 0;
        if !whole(long) || long > MAX_WINDOW {
            return Err(SloError::Duration {
                what: "the long window of a rule",
                given: duration_text::format(long),
                allowed: "whole seconds, at most `366d`".to_owned(),
            });
        }
        if !whole(short) || short < MIN_SHORT || short > long {
            return Err(SloError::Duration {
                what: "the short window of a rule",
                given: duration_text::format(short),
                allowed: "whole seconds between `10s` and the long window".to_owned(),
            });
        }
        Ok(Self {
            severity,
            long,
            short,
            factor,
        })
    }

    /// The severity.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The long window.
    pub fn long(&self) -> Duration {
        self.long
    }

    /// The short window.
    pub fn short(&self) -> Duration {
        self.short
    }

    /// The burn rate above which the rule fires.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// The bad ratio above which the rule fires: factor × budget.
    pub fn threshold(&self, target: Target) -> f64 {
        self.factor * target.budget()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    severity: Severity,
    #[serde(with = "duration_text")]
    long: Duration,
    #[serde(with = "duration_text")]
    short: Duration,
    factor: f64,
}

impl TryFrom<RawRule> for BurnRateRule {
    type Error = SloError;

    fn try_from(raw: RawRule) -> Result<Self, SloError> {
        Self::new(raw.severity, raw.long, raw.short, raw.factor)
    }
}

impl From<BurnRateRule> for RawRule {
    fn from(rule: BurnRateRule) -> Self {
        Self {
            severity: rule.severity,
            long: rule.long,
            short: rule.short,
            factor: rule.factor,
        }
    }
}

/// A published set of burn-rate rules for 30 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ladder {
    /// Sloth: pages on 2 % of the budget in 1 h and 5 % in 6 h, tickets on 10 % in 1 d and 10 % in 3 d.
    #[default]
    Sloth,
    /// The Site Reliability Workbook: pages on 2 % in 1 h and 5 % in 6 h, a ticket on 10 % in 3 d.
    Workbook,
}

impl Ladder {
    /// Severity, part of the budget, and long window in seconds of 30 days.
    fn steps(self) -> &'static [(Severity, f64, u64)] {
        match self {
            Self::Sloth => &[
                (Severity::Page, 0.02, HOUR),
                (Severity::Page, 0.05, 6 * HOUR),
                (Severity::Ticket, 0.1, 24 * HOUR),
                (Severity::Ticket, 0.1, 72 * HOUR),
            ],
            Self::Workbook => &[
                (Severity::Page, 0.02, HOUR),
                (Severity::Page, 0.05, 6 * HOUR),
                (Severity::Ticket, 0.1, 72 * HOUR),
            ],
        }
    }
}

/// Multi-window, multi-burn-rate rules of which every one can fire.
///
/// # Formula
///
/// factor = part of the budget × period / long window; short window = long window / 12 (*The Site Reliability Workbook*,
/// chapter 5). A bad ratio is at most 1, so a rule whose factor × budget is 1 or more can never fire: 14.4 is dead below a
/// target of 93.06 %.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_policy::slo::{BurnRateRules, Ladder, Target};
///
/// let month = Duration::from_secs(30 * 86_400);
/// let strict = BurnRateRules::for_target(Target::from_percent(99.9)?, month)?;
/// assert!((strict.rules()[0].factor() - 14.4).abs() < 1e-9);
/// assert!(strict.changes().is_empty());
///
/// // The standard factors would be dead here; the derived ones say what they changed.
/// let quality = Target::from_percent(90.0)?;
/// assert!(BurnRateRules::standard(Ladder::Sloth, quality, month).is_err());
/// let derived = BurnRateRules::for_target(quality, month)?;
/// assert!((derived.rules()[0].factor() - 8.0).abs() < 1e-9);
/// assert_eq!(derived.changes().len(), 1);
/// # Ok::<(), noops_policy::slo::SloError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawRules", into = "RawRules")]
pub struct BurnRateRules {
    target: Target,
    rules: Vec<BurnRateRule>,
    changes: Vec<FactorChange>,
}

impl BurnRateRules {
    /// Rules as given.
    ///
    /// # Errors
    ///
    /// [`SloError::Unreachable`] for a rule that can never fire with this target; [`SloError::Setting`] for more than 64
    /// rules, which nobody would read.
    pub fn new(target: Target, rules: Vec<BurnRateRule>) -> Result<Self, SloError> {
        if rules.len() > MAX_RULES {
            return Err(SloError::Setting {
                name: "rules",
                problem: format!("`{}` rules are more than `{MAX_RULES}`", rules.len()),
            });
        }
        match rules.iter().find(|rule| rule.threshold(target) >= 1.0) {
            None => Ok(Self {
                target,
                rules,
                changes: Vec::new(),
            }),
            Some(dead) => Err(SloError::Unreachable {
                factor: dead.factor,
                budget: target.budget(),
                reachable: reachable(target),
            }),
        }
    }

    /// A published set for a budget over `period`, refused where one of its rules can never fire.
    ///
    /// Windows are those of the set from 28 days on; for a shorter period they shrink in proportion, so that factors stay
    /// what they are. Rules whose long window is longer than the period are left out.
    ///
    /// # Errors
    ///
    /// As [`BurnRateRules::new`], and [`SloError::Duration`] for a period that no window fits: less than a minute, more
    /// than 366 days, or fractions of a second.
    pub fn standard(ladder: Ladder, target: Target, period: Duration) -> Result<Self, SloError> {
        Self::new(target, ladder_rules(ladder, period)?)
    }

    /// The usual set, with each factor lowered to what the target leaves reachable.
    ///
    /// # Formula
    ///
    /// min(factor, 0.8 / budget): a rule then fires at the latest where four of five events are bad.
    ///
    /// # Errors
    ///
    /// [`SloError::Duration`] for a period that no window fits.
    pub fn for_target(target: Target, period: Duration) -> Result<Self, SloError> {
        Self::derived(Ladder::default(), target, period)
    }

    /// As [`BurnRateRules::for_target`], from a set of choice.
    ///
    /// # Errors
    ///
    /// As [`BurnRateRules::for_target`].
    pub fn derived(ladder: Ladder, target: Target, period: Duration) -> Result<Self, SloError> {
        let mut rules = ladder_rules(ladder, period)?;
        let mut changes = Vec::new();
        for rule in &mut rules {
            let highest = reachable(target);
            if rule.factor > highest {
                changes.push(FactorChange {
                    severity: rule.severity,
                    long: rule.long,
                    from: rule.factor,
                    to: highest,
                });
                rule.factor = highest;
            }
        }
        Ok(Self {
            changes,
            ..Self::new(target, rules)?
        })
    }

    /// The target they were checked against.
    pub fn target(&self) -> Target {
        self.target
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[BurnRateRule] {
        &self.rules
    }

    /// The factors that were lowered because they could never have been reached.
    pub fn changes(&self) -> &[FactorChange] {
        &self.changes
    }

    /// Every window that a rule reads, each once, shortest first.
    pub fn windows(&self) -> Vec<Duration> {
        let mut windows: Vec<Duration> = self
            .rules
            .iter()
            .flat_map(|rule| [rule.short, rule.long])
            .collect();
        windows.sort_unstable();
        windows.dedup();
        windows
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRules {
    target: Target,
    rules: Vec<BurnRateRule>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<FactorChange>,
}

impl TryFrom<RawRules> for BurnRateRules {
    type Error = SloError;

    fn try_from(raw: RawRules) -> Result<Self, SloError> {
        Ok(Self {
            changes: raw.changes,
            ..Self::new(raw.target, raw.rules)?
        })
    }
}

impl From<BurnRateRules> for RawRules {
    fn from(rules: BurnRateRules) -> Self {
        Self {
            target: rules.target,
            rules: rules.rules,
            changes: rules.changes,
        }
    }
}

/// A factor that was lowered because it could never have been reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactorChange {
    severity: Severity,
    #[serde(with = "duration_text")]
    long: Duration,
    from: f64,
    to: f64,
}

impl FactorChange {
    /// The severity of the rule.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The long window of the rule.
    pub fn long(&self) -> Duration {
        self.long
    }

    /// The factor of the published set.
    pub fn from(&self) -> f64 {
        self.from
    }

    /// The factor in force.
    pub fn to(&self) -> f64 {
        self.to
    }
}

/// How long a constant bad ratio lasts before `rule` fires, from a clean start; none if it never does.
///
/// # Formula
///
/// factor × budget × long window / bad ratio. The confidence guard can only make it later.
#[must_use]
pub fn detection_time(rule: &BurnRateRule, target: Target, bad_ratio: f64) -> Option<Duration> {
    let part = rule.threshold(target) / bad_ratio;
    (bad_ratio > 0.0 && bad_ratio <= 1.0 && part < 1.0)
        .then(|| scale(rule.long, part))
        .flatten()
}

/// How long `rule` keeps firing after a constant bad ratio ended; none if that ratio does not fire it.
///
/// # Formula
///
/// short window × (1 - factor × budget / bad ratio): until the clean part of the short window has thinned it out.
#[must_use]
pub fn reset_time(rule: &BurnRateRule, target: Target, bad_ratio: f64) -> Option<Duration> {
    let part = rule.threshold(target) / bad_ratio;
    (bad_ratio > 0.0 && bad_ratio <= 1.0 && part < 1.0)
        .then(|| scale(rule.short, 1.0 - part))
        .flatten()
}

/// How long a full budget lasts at a constant burn rate; none if it lasts for ever.
///
/// # Formula
///
/// period / burn rate.
#[must_use]
pub fn exhaustion_time(period: Duration, burn_rate: f64) -> Option<Duration> {
    (burn_rate > 0.0)
        .then(|| scale(period, 1.0 / burn_rate))
        .flatten()
}

pub(crate) fn scale(duration: Duration, by: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(duration.as_secs_f64() * by).ok()
}

fn reachable(target: Target) -> f64 {
    REACH / target.budget()
}

fn ladder_rules(ladder: Ladder, period: Duration) -> Result<Vec<BurnRateRule>, SloError> {
    let seconds = period.as_secs();
    if period.subsec_nanos() != 0 || !(60..=MAX_WINDOW.as_secs()).contains(&seconds) {
        return Err(SloError::Duration {
            what: "the period of a budget",
            given: duration_text::format(period),
            allowed: "whole seconds between `1m` and `366d`".to_owned(),
        });
    }
    ladder
        .steps()
        .iter()
        .map(|(severity, part, of_month)| {
            let long = if seconds >= 28 * DAY {
                *of_month
            } else {
                (of_month * seconds / (30 * DAY)).max(60)
            };
            let short = (long / 12).max(MIN_SHORT.as_secs());
            (*severity, *part, long, short)
        })
        .filter(|(_, _, long, _)| *long <= seconds)
        .map(|(severity, part, long, short)| {
            BurnRateRule::new(
                severity,
                Duration::from_secs(long),
                Duration::from_secs(short),
                part * seconds as f64 / long as f64,
            )
        })
        .collect()
}

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const MAX_WINDOW: Duration = Duration::from_secs(366 * DAY);
const MIN_SHORT: Duration = Duration::from_secs(10);
const MAX_RULES: usize = 64;
/// The bad ratio at which a lowered rule fires.
const REACH: f64 = 0.8;

#[cfg(test)]
mod tests;
