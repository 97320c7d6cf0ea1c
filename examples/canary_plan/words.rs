//! The plan in plain words.

use noops_canary::judge::Role;
use noops_canary::planning::{MetricPlan, StagePlan};

use crate::planned::{Planned, Ramp, slowest_to_find};

/// One paragraph.
pub(crate) fn tell(planned: &Planned<'_>) -> String {
    let mut sentences = vec![proofs(planned)];
    sentences.extend(waits(planned));
    sentences.push(total(planned));
    sentences.extend(goals(planned));
    sentences.extend(found(planned));
    sentences.extend(smallest(planned));
    sentences.extend(planned.ramp.as_ref().map(ramp));
    sentences.join(" ")
}

fn proofs(planned: &Planned<'_>) -> String {
    let each = each_stage(planned, |stage| match stage.promotion() {
        Some(needed) => format!("after {}", duration(needed.minutes())),
        None => "never".to_owned(),
    });
    format!(
        "A candidate that is the champion's equal is proven no worse on all guardrails, four times of five, {each}."
    )
}

/// The metrics that the stages wait for, where there is a choice.
fn waits(planned: &Planned<'_>) -> Option<String> {
    let stages = planned.plan.stages();
    let proven = |stage: &StagePlan| {
        let proven = stage.metrics().iter();
        proven.filter(|metric| metric.proof().is_some()).count()
    };
    if stages.first().is_none_or(|stage| proven(stage) < 2) {
        return None;
    }
    let first = stages.first().and_then(StagePlan::slowest)?;
    if stages.iter().all(|stage| stage.slowest() == Some(first)) {
        return Some(format!(
            "What it waits for longest is `{}`.",
            printable(first)
        ));
    }
    let each = each_stage(planned, |stage| {
        format!("for `{}`", printable(stage.slowest().unwrap_or_default()))
    });
    Some(format!("It waits longest {each}."))
}

/// What a goal needs beyond a guardrail is not in the plan.
fn goals(planned: &Planned<'_>) -> Option<String> {
    let mut metrics = planned.spec.metrics().iter();
    let goal = metrics.any(|metric| metric.role() == Role::Goal);
    goal.then(|| "That it is better on a goal takes longer, and is not planned for.".to_owned())
}

fn total(planned: &Planned<'_>) -> String {
    let mut text = match planned.minutes_of_proofs() {
        Some(_) if planned.plan.stages().len() == 1 => {
            "A judge looks at any time, so it may well be sooner.".to_owned()
        }
        Some(minutes) => format!(
            "Were every stage to wait for its own proof, the ramp would take {} in all, and less with a judge, which keeps its evidence from stage to stage.",
            duration(minutes)
        ),
        None => "A ramp that waits for a proof in every stage does not end.".to_owned(),
    };
    if let Some((one, all)) = planned.asked.minutes.zip(planned.minutes_of_stages()) {
        let long_enough = planned.plan.stages().iter().find(|stage| {
            let needed = stage.promotion();
            needed.is_some_and(|needed| needed.minutes() <= one)
        });
        let which = match long_enough {
            Some(stage) => format!(
                "the stage at {} is the first that is long enough for the proof by itself",
                stage.stage().share()
            ),
            None => "no stage is long enough for the proof by itself".to_owned(),
        };
        text.push_str(&format!(
            " At {} a stage it takes {}, and {which}.",
            duration(one),
            duration(all)
        ));
    }
    text
}

fn found(planned: &Planned<'_>) -> Option<String> {
    planned.plan.stages().first().and_then(slowest_to_find)?;
    let each = each_stage(planned, |stage| match slowest_to_find(stage) {
        Some((name, Some(needed))) => format!(
            "within {} on `{}`",
            duration(needed.minutes()),
            printable(name)
        ),
        Some((name, None)) => format!("never on `{}`", printable(name)),
        None => "never".to_owned(),
    });
    let paired = planned
        .spec
        .metrics()
        .iter()
        .any(|metric| planned.is_paired(metric.name()));
    let margins = if paired {
        " (for paired losses, by that many margins)"
    } else {
        ""
    };
    Some(format!(
        "One that is {} times worse on one metric{margins} is found out four times of five, whichever metric it is: {each}, the slowest to tell.",
        planned.asked.effect
    ))
}

/// What each stage finds on every metric that is acted on.
fn smallest(planned: &Planned<'_>) -> Option<String> {
    let minutes = planned.asked.minutes?;
    planned.plan.stages().first().and_then(slowest_to_find)?;
    let each = each_stage(planned, |stage| {
        let acted_on = stage
            .metrics()
            .iter()
            .filter(|metric| !metric.harms().is_empty());
        let effects = acted_on.map(MetricPlan::smallest_effect);
        match effects.collect::<Option<Vec<f64>>>() {
            Some(effects) => format!("{:.2} times", effects.into_iter().fold(1.0, f64::max)),
            None => "not even a thousand times".to_owned(),
        }
    });
    Some(format!(
        "Within {}, it is enough, whichever metric it is, to be worse by {each}.",
        duration(minutes)
    ))
}

fn ramp(ramp: &Ramp<'_>) -> String {
    let settings = &ramp.asked.settings;
    let metric = printable(&ramp.asked.metric);
    let shares = ramp.plan.shares().iter();
    let shares: Vec<String> = shares.map(|chosen| chosen.share().to_string()).collect();
    let stages = ramp.asked.minutes.len();
    if ramp.plan.is_complete() {
        return format!(
            "A ramp of {} finds one that is {} times worse on `{metric}` in {} of cases, at a cost of {:.1} bad events beyond the champion's on average; the budget is {}.",
            shares.join(", "),
            settings.effect(),
            percent(ramp.plan.detection()),
            ramp.plan.expected_excess(),
            settings.budget()
        );
    }
    format!(
        "Only {} of {stages} stages have a share at which one that is {} times worse on `{metric}` is found within its stage more often than not and within the budget of {} bad events; give the stages longer, or more budget.",
        shares.len(),
        settings.effect(),
        settings.budget()
    )
}

/// What is said of each stage, and where.
fn each_stage(planned: &Planned<'_>, say: impl Fn(&StagePlan) -> String) -> String {
    let stages = planned.plan.stages().iter();
    let said: Vec<String> = stages
        .map(|stage| format!("{} at {}", say(stage), stage.stage().share()))
        .collect();
    match said.split_last() {
        Some((last, before)) if !before.is_empty() => {
            format!("{} and {last}", before.join(", "))
        }
        _ => said.join(""),
    }
}

/// Minutes as a person says them.
pub(crate) fn duration(minutes: f64) -> String {
    let hours = minutes / 60.0;
    let days = hours / 24.0;
    match minutes {
        minutes if minutes < 1.0 => format!("{:.1} seconds", 60.0 * minutes),
        minutes if minutes < 120.0 => format!("{} minutes", rounded(minutes)),
        _ if hours < 48.0 => format!("{} hours", rounded(hours)),
        _ if days < 730.0 => format!("{} days", rounded(days)),
        _ => format!("{:.0} years", days / 365.25),
    }
}

/// With one digit behind the point where it says something.
fn rounded(number: f64) -> String {
    let text = format!("{number:.1}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// A probability, which is never certainty.
pub(crate) fn percent(probability: f64) -> String {
    if probability > 0.999 {
        return "more than 99.9 %".to_owned();
    }
    format!("{:.1} %", 100.0 * probability)
}

/// A name from a file as it may go to a terminal.
pub(crate) fn printable(name: &str) -> String {
    name.chars()
        .map(|one| if one.is_control() { '\u{fffd}' } else { one })
        .collect()
}
