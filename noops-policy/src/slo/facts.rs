use std::time::Duration;

use crate::fact::{FactDecl, Facts};
use crate::slo::{BurnRateRules, Objective, SloError, SloReport, duration_text};

/// The facts that an objective gives to policies, under [`Objective::fact_prefix`]: `consumed`, `frozen`, `needs_approval`,
/// and `burn_1h` and alike for every window of its rules.
///
/// A fact that is not known is missing, so that a gate that asks for it stays shut.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_policy::FactSchema;
/// use noops_policy::slo::{BurnRateRules, Kind, Objective, Target, Window, fact_declarations};
///
/// let month = Duration::from_secs(30 * 86_400);
/// let target = Target::from_percent(99.9)?;
/// let objective = Objective::new("checkout", Kind::Availability, target, Window::rolling(month)?)?;
/// let rules = BurnRateRules::for_target(target, month)?;
/// let schema = FactSchema::new(fact_declarations(&objective, &rules))?;
/// assert!(schema.facts().iter().any(|fact| fact.name() == "slo.checkout.burn_1h"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn fact_declarations(objective: &Objective, rules: &BurnRateRules) -> Vec<FactDecl> {
    let prefix = objective.fact_prefix();
    let of = objective.name();
    let mut declarations = vec![
        FactDecl::double(format!("{prefix}.consumed"))
            .with_min(0.0)
            .with_meaning(format!("part of the error budget of {of} that is spent")),
        FactDecl::bool(format!("{prefix}.frozen"))
            .with_meaning(format!("the error budget of {of} is spent: no promotions")),
        FactDecl::bool(format!("{prefix}.needs_approval")).with_meaning(format!(
            "so much of the error budget of {of} is spent that a promotion needs approval"
        )),
    ];
    declarations.extend(rules.windows().into_iter().map(|window| {
        FactDecl::double(burn_name(&prefix, window))
            .with_min(0.0)
            .with_meaning(format!(
                "how many times faster than allowed the error budget of {of} burns over {}",
                duration_text::format(window)
            ))
    }));
    declarations
        .into_iter()
        .map(|declaration| declaration.with_max_age(MAX_AGE))
        .collect()
}

/// Sets the facts of a report, and forgets those of which it knows nothing.
///
/// # Errors
///
/// [`SloError::Facts`] where the schema does not declare one of [`fact_declarations`], or not alike; the facts are then
/// unchanged.
pub fn set_facts(report: &SloReport, facts: &mut Facts) -> Result<(), SloError> {
    let prefix = report.fact_prefix();
    let consumed = report.budget().consumed();
    let tier = report.tier();
    // A tier that was reached is known; one that was not reached is known only if the spending is.
    let reached = |yes: bool| (yes || consumed.is_some()).then_some(yes);
    let mut next = facts.clone();
    let mut put = |name: &str, value: Option<crate::fact::FactValue>| {
        let refuse = |problem: String| SloError::Facts { problem };
        match value {
            Some(value) => next
                .set(name, value, report.at())
                .map_err(|error| refuse(error.to_string())),
            None if next.state(name, report.at()).is_none() => Err(refuse(format!(
                "unknown fact `{name}`; add the declarations of the objective to the schema"
            ))),
            None => {
                next.forget(name);
                Ok(())
            }
        }
    };
    put(&format!("{prefix}.consumed"), consumed.map(Into::into))?;
    put(
        &format!("{prefix}.frozen"),
        reached(tier.is_frozen()).map(Into::into),
    )?;
    put(
        &format!("{prefix}.needs_approval"),
        reached(tier.needs_approval()).map(Into::into),
    )?;
    for burn in report.burns() {
        put(
            &burn_name(prefix, burn.window()),
            burn.rate().map(Into::into),
        )?;
    }
    *facts = next;
    Ok(())
}

fn burn_name(prefix: &str, window: Duration) -> String {
    format!("{prefix}.burn_{}", duration_text::format(window))
}

/// A report older than this decides nothing any more.
const MAX_AGE: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::fact::{FactSchema, FactState};
    use crate::slo::{Kind, Outcome, SloSettings, SloTracker, Target, Window};

    fn tracker(name: &str) -> SloTracker {
        let month = Duration::from_secs(30 * 86_400);
        let target = Target::new(0.9).unwrap();
        let window = Window::rolling(month).unwrap();
        let objective = Objective::new(name, Kind::Quality, target, window).unwrap();
        let rules = BurnRateRules::for_target(target, month).unwrap();
        SloTracker::new(
            objective,
            rules,
            SloSettings::default(),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap()
    }

    #[test]
    fn what_is_not_known_is_missing_not_zero() {
        let mut tracker = tracker("5xx-rate");
        let declarations = fact_declarations(tracker.objective(), tracker.rules());
        let mut facts = Facts::new(&FactSchema::new(declarations).unwrap());
        let now = Timestamp::from_second(60).unwrap();
        tracker.record(now, Outcome::Bad);
        set_facts(&tracker.observe(now), &mut facts).unwrap();
        let state = |facts: &Facts, name: &str, at| facts.state(name, at).unwrap();
        for name in ["consumed", "frozen", "needs_approval", "burn_5m", "burn_3d"] {
            let name = format!("slo._5xx_rate.{name}");
            assert_eq!(state(&facts, &name, now), FactState::Known, "{name}");
        }
        let later = Timestamp::from_second(50_000).unwrap();
        set_facts(&tracker.observe(later), &mut facts).unwrap();
        assert_eq!(
            state(&facts, "slo._5xx_rate.burn_5m", later),
            FactState::Missing
        );
        assert_eq!(
            state(&facts, "slo._5xx_rate.burn_1d", later),
            FactState::Known
        );
    }

    #[test]
    fn nothing_known_leaves_the_gate_shut() {
        let mut tracker = tracker("quiet");
        let declarations = fact_declarations(tracker.objective(), tracker.rules());
        let mut facts = Facts::new(&FactSchema::new(declarations).unwrap());
        let now = Timestamp::from_second(60).unwrap();
        set_facts(&tracker.observe(now), &mut facts).unwrap();
        assert_eq!(
            facts.state("slo.quiet.frozen", now),
            Some(FactState::Missing)
        );
    }

    #[test]
    fn a_schema_without_the_facts_is_refused_and_unchanged() {
        let mut tracker = tracker("a");
        let schema = FactSchema::new(vec![FactDecl::double("slo.a.consumed")]).unwrap();
        let mut facts = Facts::new(&schema);
        let now = Timestamp::from_second(60).unwrap();
        tracker.record(now, Outcome::Bad);
        assert!(set_facts(&tracker.observe(now), &mut facts).is_err());
        assert_eq!(facts, Facts::new(&schema));
    }
}
