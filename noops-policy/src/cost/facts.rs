use std::time::Duration;

use crate::cost::{CostError, CostStatus, Currency, Forecast};
use crate::fact::{FactDecl, FactValue, Facts};

/// The facts that a budget gives to policies, under a prefix such as `cost`: `spent`, `reserved`, `remaining`, `consumed`,
/// `over_cap`, `spent_on_safety`, and of the forecast `forecast`, `forecast_upper` and `runs_out_at`.
///
/// Amounts are floating point numbers with the currency as their unit, and may be off from the ledger by a rounding. A fact
/// that is not known is missing, so that a gate that asks for it stays shut.
///
/// # Examples
///
/// ```
/// use noops_policy::FactSchema;
/// use noops_policy::cost::fact_declarations;
///
/// let schema = FactSchema::new(fact_declarations("cost", &"EUR".parse()?))?;
/// assert!(schema.facts().iter().any(|fact| fact.name() == "cost.consumed"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn fact_declarations(prefix: &str, currency: &Currency) -> Vec<FactDecl> {
    let money = |name: &str, meaning: &str| {
        FactDecl::double(format!("{prefix}.{name}"))
            .with_unit(currency.code())
            .with_meaning(meaning)
    };
    [
        money("spent", "what was spent in the current period"),
        money("reserved", "what is set aside for work that is under way").with_min(0.0),
        money("remaining", "what is left of the amount of the budget; below zero when it is overdrawn"),
        money("spent_on_safety", "what safety actions spent in the current period"),
        money("forecast", "what is expected to have been spent or reserved when the period ends"),
        money("forecast_upper", "the upper end of the band around the forecast"),
        FactDecl::double(format!("{prefix}.consumed"))
            .with_meaning("the part of the budget that is spent or reserved: 1 when all of it is"),
        FactDecl::bool(format!("{prefix}.over_cap"))
            .with_meaning("the hard cap is exceeded: only safety actions are paid for"),
        FactDecl::timestamp(format!("{prefix}.runs_out_at")).with_meaning(
            "when the budget is used up at the present rate; missing if that is not before the period ends",
        ),
    ]
    .into_iter()
    .map(|declaration| declaration.with_max_age(MAX_AGE))
    .collect()
}

/// Sets the facts of a budget, and forgets those of which nothing is known: all of the forecast where there is none.
///
/// # Errors
///
/// [`CostError::Facts`] where the schema does not declare one of [`fact_declarations`], or not alike; the facts are then
/// unchanged.
pub fn set_facts(
    prefix: &str,
    status: &CostStatus,
    forecast: Option<&Forecast>,
    facts: &mut Facts,
) -> Result<(), CostError> {
    let at = status.at();
    let mut next = facts.clone();
    let mut put = |name: &str, value: Option<FactValue>| {
        let name = format!("{prefix}.{name}");
        let refuse = |problem: String| CostError::Facts { problem };
        match value {
            Some(value) => next
                .set(&name, value, at)
                .map_err(|error| refuse(error.to_string())),
            None if next.state(&name, at).is_none() => Err(refuse(format!(
                "unknown fact `{name}`; add the declarations of the budget to the schema"
            ))),
            None => {
                next.forget(&name);
                Ok(())
            }
        }
    };
    put("spent", Some(status.spent().to_f64().into()))?;
    put("reserved", Some(status.reserved().to_f64().into()))?;
    put("remaining", Some(status.remaining().to_f64().into()))?;
    let safety = status.spent_on_safety();
    put("spent_on_safety", Some(safety.to_f64().into()))?;
    put("consumed", Some(status.consumed().into()))?;
    put("over_cap", Some(status.over_cap().is_some().into()))?;
    let expected = forecast.and_then(Forecast::expected);
    put("forecast", expected.map(|money| money.to_f64().into()))?;
    let upper = forecast.and_then(Forecast::upper);
    put("forecast_upper", upper.map(|money| money.to_f64().into()))?;
    let runs_out_at = forecast.and_then(Forecast::runs_out_at);
    put("runs_out_at", runs_out_at.map(Into::into))?;
    *facts = next;
    Ok(())
}

/// What is older than this decides nothing any more.
const MAX_AGE: Duration = Duration::from_secs(900);

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::cost::{CostBudget, CostGovernor, ForecastSettings};
    use crate::fact::{FactSchema, FactState};
    use crate::slo::{CalendarUnit, Window};

    fn governor() -> CostGovernor {
        let mut governor = CostGovernor::new("EUR".parse().unwrap());
        let month = Window::calendar(CalendarUnit::Month, "UTC").unwrap();
        let budget = CostBudget::new("o".parse().unwrap(), month, "10".parse().unwrap()).unwrap();
        governor.set_budget(budget, Timestamp::UNIX_EPOCH);
        governor
    }

    #[test]
    fn what_is_not_known_is_missing_not_zero() {
        let governor = governor();
        let now = Timestamp::from_second(60).unwrap();
        let schema = FactSchema::new(fact_declarations("cost", governor.currency())).unwrap();
        let mut facts = Facts::new(&schema);
        let path = "o".parse().unwrap();
        let status = governor.status(&path, now).unwrap();
        let forecast = governor
            .forecast(&path, &ForecastSettings::default(), now)
            .unwrap();
        set_facts("cost", &status, Some(&forecast), &mut facts).unwrap();
        for (name, state) in [
            ("spent", FactState::Known),
            ("consumed", FactState::Known),
            ("over_cap", FactState::Known),
            ("forecast", FactState::Missing),
            ("runs_out_at", FactState::Missing),
        ] {
            assert_eq!(
                facts.state(&format!("cost.{name}"), now),
                Some(state),
                "{name}"
            );
        }
        let remaining = facts.entry("cost.remaining").unwrap();
        assert_eq!(remaining.value().as_f64(), Some(10.0));
    }

    #[test]
    fn a_schema_without_the_facts_is_refused_and_unchanged() {
        let schema = FactSchema::new(vec![FactDecl::double("cost.spent")]).unwrap();
        let mut facts = Facts::new(&schema);
        let status = governor()
            .status(&"o".parse().unwrap(), Timestamp::UNIX_EPOCH)
            .unwrap();
        assert!(set_facts("cost", &status, None, &mut facts).is_err());
        assert_eq!(facts, Facts::new(&schema));
    }
}
