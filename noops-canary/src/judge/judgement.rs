use noops_core::{Alpha, LogE};
use serde::{Deserialize, Serialize};

use super::Judge;
use crate::assignment::Arm;

/// Why a rollout is rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The candidate's loss is above the harm bound.
    WorseLoss,
    /// The candidate fails more often than the allowed ratio.
    FailureRate,
    /// The time or the blocks allowed ran out without evidence.
    Inconclusive,
    /// Somebody, or a rule outside this crate, asked for it.
    Requested,
}

impl Cause {
    /// The cause in words.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::WorseLoss => "the candidate's loss is too high",
            Self::FailureRate => "the candidate fails too often",
            Self::Inconclusive => "no conclusion was reached in time",
            Self::Requested => "it was requested",
        }
    }
}

/// What the evidence allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The candidate is proven no worse than the margin allows by its clamped block mean, its observed mean difference is below the
    /// margin too, and nothing speaks against it.
    Promote,
    /// Go on observing.
    Continue {
        /// About how many more pairs a promotion needs if the evidence grows as it did; `None` while it does not grow, or while
        /// only the observed mean difference stands in the way.
        needs_pairs: Option<u64>,
    },
    /// The candidate is proven to do harm.
    RollBack {
        /// The guardrail that proved it.
        because: Cause,
    },
    /// There are too few pairs to say anything in favour of the candidate.
    Insufficient {
        /// The pairs so far.
        pairs: u64,
        /// The pairs needed altogether.
        needed: u64,
    },
    /// The blocks allowed are used up and neither harm nor non-inferiority is proven.
    Inconclusive,
}

/// A verdict with the evidence it rests on.
///
/// # Examples
///
/// ```
/// use noops_canary::{Judge, JudgeSettings};
///
/// let judgement = Judge::new(JudgeSettings::default())?.verdict();
/// assert_eq!(judgement.pairs(), 0);
/// assert!(judgement.explain().contains("Insufficient data"));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    verdict: Verdict,
    pairs: u64,
    blocks: u64,
    late_pairs: u64,
    clamped_blocks: u64,
    mean_difference: Option<f64>,
    margin: f64,
    harm: f64,
    not_worse: LogE,
    better: LogE,
    worse: LogE,
    more_failures: LogE,
    champion_failures: u64,
    challenger_failures: u64,
    failure_ratio: Option<f64>,
    max_rate_ratio: f64,
    alpha_promote: Alpha,
    alpha_guardrail: Alpha,
    min_pairs: u64,
}

impl Judgement {
    pub(super) fn new(verdict: Verdict, judge: &Judge) -> Self {
        let (loss, failures) = (judge.loss(), judge.failures());
        Self {
            verdict,
            pairs: loss.pairs(),
            blocks: loss.blocks(),
            late_pairs: loss.late(),
            clamped_blocks: loss.clamped_blocks(),
            mean_difference: loss.mean_difference(),
            margin: loss.settings().margin(),
            harm: loss.settings().harm(),
            not_worse: loss.not_worse(),
            better: loss.better(),
            worse: loss.worse(),
            more_failures: failures.evidence(),
            champion_failures: failures.events(Arm::Champion),
            challenger_failures: failures.events(Arm::Challenger),
            failure_ratio: failures.rate_ratio(),
            max_rate_ratio: failures.max_ratio(),
            alpha_promote: judge.settings().alpha_promote(),
            alpha_guardrail: judge.alpha_per_guardrail(),
            min_pairs: judge.settings().min_pairs(),
        }
    }

    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The pairs the evidence rests on.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// The blocks the evidence rests on.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// The mean difference in loss, candidate minus champion, not clamped; `None` before the first block.
    #[must_use]
    pub fn mean_difference(&self) -> Option<f64> {
        self.mean_difference
    }

    /// The evidence that the candidate is no worse than the margin allows, by its clamped block mean.
    #[must_use]
    pub fn not_worse(&self) -> LogE {
        self.not_worse
    }

    /// The evidence that the candidate is better.
    #[must_use]
    pub fn better(&self) -> LogE {
        self.better
    }

    /// The evidence that the candidate's loss is above the harm bound.
    #[must_use]
    pub fn worse(&self) -> LogE {
        self.worse
    }

    /// The evidence that the candidate fails more often than allowed.
    #[must_use]
    pub fn more_failures(&self) -> LogE {
        self.more_failures
    }

    /// The failure rate of the candidate over that of the champion; `None` before the champion's first failure.
    #[must_use]
    pub fn failure_ratio(&self) -> Option<f64> {
        self.failure_ratio
    }

    /// The error rate at which non-inferiority is proven, for the clamped block mean.
    #[must_use]
    pub fn alpha_promote(&self) -> Alpha {
        self.alpha_promote
    }

    /// The error rate at which each guardrail proves harm.
    #[must_use]
    pub fn alpha_guardrail(&self) -> Alpha {
        self.alpha_guardrail
    }

    /// One paragraph for a person: the verdict, the estimates, each e-value against its threshold, how much data there is, and
    /// what would have changed the verdict.
    #[must_use]
    pub fn explain(&self) -> String {
        [
            self.headline(),
            self.loss_in_words(),
            self.failures_in_words(),
            self.data_in_words(),
            self.counterfactual(),
        ]
        .join(" ")
    }

    fn headline(&self) -> String {
        match self.verdict {
            Verdict::Promote => {
                "Promote: the candidate is proven no worse than the margin allows.".to_owned()
            }
            Verdict::Continue {
                needs_pairs: Some(n),
            } => {
                format!("Continue: at the present rate about {n} more pairs are needed.")
            }
            Verdict::Continue { needs_pairs: None }
                if self.not_worse.rejects(self.alpha_promote) =>
            {
                "Continue: blocks beyond the range keep the mean difference from being below the margin."
                    .to_owned()
            }
            Verdict::Continue { needs_pairs: None } => {
                "Continue: the evidence for the candidate is not growing.".to_owned()
            }
            Verdict::RollBack { because } => format!("Roll back: {}.", because.as_str()),
            Verdict::Insufficient { pairs, needed } => {
                format!("Insufficient data: {pairs} of {needed} pairs.")
            }
            Verdict::Inconclusive => {
                "Inconclusive: the blocks allowed are used up and nothing is proven.".to_owned()
            }
        }
    }

    fn loss_in_words(&self) -> String {
        let estimate = match self.mean_difference {
            Some(difference) => {
                format!("The candidate's loss minus the champion's is {difference:+.5} on average")
            }
            None => "The losses are not compared yet".to_owned(),
        };
        format!(
            "{estimate} (margin {:+}, harm bound {:+}): e-value {} for non-inferiority, {} for being better, {} for harm.",
            self.margin, self.harm, self.not_worse, self.better, self.worse
        )
    }

    fn failures_in_words(&self) -> String {
        let ratio = match self.failure_ratio {
            Some(ratio) => format!("{ratio:.3}"),
            None => "unknown".to_owned(),
        };
        format!(
            "Failures: {} of the candidate, {} of the champion, rate ratio {ratio} (allowed {}): e-value {} for harm.",
            self.challenger_failures,
            self.champion_failures,
            self.max_rate_ratio,
            self.more_failures
        )
    }

    fn data_in_words(&self) -> String {
        format!(
            "This rests on {} pairs in {} blocks; {} pairs came too late and {} block means were clamped.",
            self.pairs, self.blocks, self.late_pairs, self.clamped_blocks
        )
    }

    fn counterfactual(&self) -> String {
        let promote = threshold(self.alpha_promote);
        let harm = threshold(self.alpha_guardrail);
        match self.verdict {
            Verdict::Promote => format!(
                "It would have gone on with an e-value for non-inferiority below {promote}, a mean difference not below the margin or fewer than {} pairs, and rolled back with one for harm of {harm}.",
                self.min_pairs
            ),
            Verdict::RollBack {
                because: Cause::WorseLoss,
            } => {
                format!(
                    "It would have gone on had the e-value for harm in the loss stayed below {harm}."
                )
            }
            Verdict::RollBack { .. } => {
                format!(
                    "It would have gone on had the e-value for harm by failures stayed below {harm}."
                )
            }
            Verdict::Continue { .. } | Verdict::Insufficient { .. } | Verdict::Inconclusive => {
                format!(
                    "It would promote with an e-value for non-inferiority of {promote} and a mean difference below the margin on at least {} pairs, and roll back with one for harm of {harm}.",
                    self.min_pairs
                )
            }
        }
    }
}

fn threshold(alpha: Alpha) -> LogE {
    LogE::new(-alpha.get().ln())
}
