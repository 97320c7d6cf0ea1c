use std::num::NonZeroUsize;

use noops_core::{Alpha, LogE};

use super::judgement::{Estimate, Judgement, MetricJudgement, MetricVerdict, Scale};
use super::metric_spec::Role;
use super::verdict::{Cause, Verdict};
use crate::interval::Interval;
use crate::rollout::OnInconclusive;

/// The verdict, the evidence, the data, and what would have changed it.
pub(super) fn paragraph(judgement: &Judgement) -> String {
    let mut sentences = vec![headline(judgement.verdict())];
    sentences.extend(judgement.metrics().iter().map(metric_in_words));
    sentences.extend(slices_in_words(judgement));
    sentences.push(data_in_words(judgement));
    sentences.push(counterfactual(judgement));
    sentences.join(" ")
}

fn headline(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Promote => {
            "Promote: the candidate is proven to be no worse than any margin allows.".to_owned()
        }
        Verdict::Continue { needs } => format!("Continue: {needs}."),
        Verdict::RollBack { because } => format!("Roll back: {because}."),
        Verdict::Insufficient { because } => format!("Insufficient data: {because}."),
        Verdict::Inconclusive { because, then } => {
            let then = match then {
                OnInconclusive::Hold => "hold",
                OnInconclusive::RollBack => "roll back",
                OnInconclusive::ExtendOnce => "extend once",
            };
            format!("Inconclusive ({then}): {because}.")
        }
    }
}

fn metric_in_words(metric: &MetricJudgement) -> String {
    let name = metric.name();
    let evidence = match metric.role() {
        Role::Alarm | Role::Watched => format!("e-value {} for harm", metric.worse()),
        Role::Guardrail | Role::Goal => format!(
            "e-value {} for being within the margin, {} for harm",
            metric.not_worse(),
            metric.worse()
        ),
    };
    let margin = match metric.margin() {
        Some(margin) if matches!(metric.role(), Role::Guardrail | Role::Goal) => {
            format!(", margin {}", number(margin))
        }
        _ => String::new(),
    };
    let clipped = match metric.clipped() {
        0 => String::new(),
        clipped => format!("; {clipped} lay outside the range and count as its ends"),
    };
    format!(
        "`{name}` is {}: {}{margin}; {evidence}{clipped}.",
        metric.verdict().as_str(),
        estimate_in_words(metric.estimate())
    )
}

fn estimate_in_words(estimate: &Estimate) -> String {
    let what = match estimate.scale() {
        Scale::Ratio => "ratio",
        Scale::Difference => "difference",
    };
    let Some(value) = estimate.value() else {
        return format!("{what} not known yet");
    };
    let (lower, upper) = (estimate.interval().lower(), estimate.interval().upper());
    if lower.is_infinite() && upper.is_infinite() {
        return format!("{what} {}", number(value));
    }
    format!(
        "{what} {} ({} to {})",
        number(value),
        number(lower),
        number(upper)
    )
}

fn slices_in_words(judgement: &Judgement) -> Option<String> {
    let slices = judgement.slices();
    if slices.is_empty() {
        return None;
    }
    let count = |verdict| {
        slices
            .iter()
            .filter(|slice| slice.verdict() == verdict)
            .count()
    };
    let strongest = slices
        .iter()
        .max_by(|a, b| a.worse().get().total_cmp(&b.worse().get()))?;
    Some(format!(
        "Of {} slices and metrics {} are worse and {} have too few outcomes to tell; the strongest evidence, an e-value of {}, is on `{}` where `{}` is `{}`.",
        slices.len(),
        count(MetricVerdict::Worse),
        count(MetricVerdict::Insufficient),
        strongest.worse(),
        strongest.metric(),
        strongest.column(),
        strongest.value()
    ))
}

fn data_in_words(judgement: &Judgement) -> String {
    let mut text = format!(
        "This rests on {} requests of the champion and {} of the candidate",
        judgement.n_champion(),
        judgement.n_candidate()
    );
    let pairs = judgement.metrics().iter().filter(|metric| {
        metric.estimate().scale() == Scale::Difference
            && metric.champion_level().is_none()
            && metric.champion_events().is_none()
    });
    for metric in pairs {
        text.push_str(&format!(
            " and {} pairs of `{}`",
            metric.n_champion(),
            metric.name()
        ));
    }
    if judgement.repeats() > 0 {
        text.push_str(&format!(
            ", of which {} repeat a unit and are not judged",
            judgement.repeats()
        ));
    }
    if judgement.unremembered() > 0 {
        text.push_str(&format!(
            ", and {} requests of units beyond the memory are not judged",
            judgement.unremembered()
        ));
    }
    text.push_str(&format!(
        "; the shares have an e-value of {} for a mismatch.",
        judgement.mismatch().evidence()
    ));
    text
}

fn counterfactual(judgement: &Judgement) -> String {
    let needed = threshold(judgement.alpha_promote());
    let harm = judgement
        .metrics()
        .iter()
        .filter_map(MetricJudgement::alpha_harm);
    let harm = harm
        .map(threshold)
        .min_by(|a, b| a.get().total_cmp(&b.get()));
    let harm = harm.unwrap_or(threshold(judgement.alpha_rollback()));
    let must_prove =
        |metric: &&MetricJudgement| matches!(metric.role(), Role::Guardrail | Role::Goal);
    let proven = |metric: &&MetricJudgement| {
        matches!(
            metric.verdict(),
            MetricVerdict::NotWorse | MetricVerdict::Better
        )
    };
    match judgement.verdict() {
        Verdict::Inconclusive {
            because: Cause::SampleRatioMismatch,
            ..
        } => format!(
            "It would have gone on had the e-value for a mismatch stayed below {}.",
            threshold(judgement.mismatch().alpha())
        ),
        Verdict::Promote => format!(
            "It would have gone on with an e-value for being within the margin below {needed} on any of them, and rolled back with one for harm of {harm}."
        ),
        Verdict::RollBack { .. } => format!(
            "It would have gone on had every e-value for harm stayed below its threshold, the smallest of which is {harm}, and every budget been kept."
        ),
        _ => {
            let open: Vec<String> = judgement
                .metrics()
                .iter()
                .filter(must_prove)
                .filter(|metric| !proven(metric))
                // Nothing is known of other margins where there is no interval.
                .filter(|metric| metric.estimate().interval() != Interval::UNBOUNDED)
                .map(|metric| match metric.provable_margin() {
                    Some(margin) => format!(
                        "`{}` would pass now with a margin at {}",
                        metric.name(),
                        number(margin)
                    ),
                    None => format!("no margin of `{}` would pass now", metric.name()),
                })
                .collect();
            let open = if open.is_empty() {
                String::new()
            } else {
                format!(" ({})", open.join("; "))
            };
            format!(
                "It would promote with an e-value of {needed} for being within the margin on each metric{open}{}, and roll back with one for harm of {harm}.",
                goals_in_words(judgement)
            )
        }
    }
}

/// What one of the goals has to show, where there are any.
fn goals_in_words(judgement: &Judgement) -> String {
    let goals = judgement.metrics().iter();
    let goals = goals.filter(|metric| metric.role() == Role::Goal).count();
    NonZeroUsize::new(goals).map_or_else(String::new, |goals| {
        let needed = threshold(judgement.alpha_promote().split(goals));
        format!(" and one of {needed} for being better on a goal")
    })
}

fn threshold(alpha: Alpha) -> LogE {
    LogE::new(-libm::log(alpha.get()))
}

/// Four digits that count.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 {
            "unbounded"
        } else {
            "-unbounded"
        }
        .to_owned();
    }
    let size = value.abs();
    if size == 0.0 || (0.001..100_000.0).contains(&size) {
        let digits = match size {
            size if size >= 1000.0 => 0,
            size if size >= 100.0 => 1,
            size if size >= 10.0 => 2,
            size if size >= 1.0 => 3,
            size if size >= 0.1 => 4,
            _ => 5,
        };
        return format!("{value:.digits$}");
    }
    format!("{value:.3e}")
}
