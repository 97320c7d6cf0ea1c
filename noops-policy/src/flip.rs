use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::condition::{Plan, Run, Truth};
use crate::decision::Effect;
use crate::document::{Rule, RuleEffect, WhenUnknown};
use crate::fact::{FactValue, Facts};
use crate::set::{Judgement, PolicySet};

/// The smallest known change of facts that would turn a denial into a permission, or a permission into a denial.
///
/// Facts that have a value are moved across the thresholds of the clauses they stand in, in closed form: numbers alone or
/// in sums, products and quotients with constants, truth values, and text among literals. What is proposed is decided
/// again before it is returned, so that it is never wrong; that nothing smaller would do is not proven where rules share
/// facts. A change of a number counts by its size relative to the larger of the two values, any other change counts one.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_policy::{Action, FactDecl, FactSchema, FactValue, Facts, PolicySet};
///
/// let schema = FactSchema::new(vec![FactDecl::int("n"), FactDecl::double("psi")])?;
/// let yaml = "
/// policy: enough
/// owner: team
/// enforcement: hard-mandatory
/// rules:
///   - { name: data, effect: permit, action: promote, when: n > 1000 && psi < 0.2, because: small samples mislead }
/// ";
/// let policies = PolicySet::load(&[("p", yaml)], &schema)?;
/// let now = Timestamp::UNIX_EPOCH;
/// let mut facts = Facts::new(&schema);
/// facts.set("n", 400, now)?;
/// facts.set("psi", 0.1, now)?;
/// let flip = policies.flip(Action::Promote, &facts, now).ok_or("no flip")?;
/// assert_eq!(flip.changes()[0].to(), &FactValue::Int(1001));
/// assert_eq!(flip.to_string(), "`n` from 400 to 1001");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flip {
    changes: Vec<FactChange>,
}

impl Flip {
    /// The flip of what is decided about facts in the set's own slots.
    pub(crate) fn of(
        set: &PolicySet,
        action: Action,
        facts: &Facts,
        now: Timestamp,
    ) -> Option<Self> {
        let search = Search {
            set,
            action,
            facts,
            now,
            ran: set
                .rules(action)
                .iter()
                .filter(|rule| !rule.is_advisory())
                .map(|rule| (rule, rule.condition.run(facts, now)))
                .collect(),
        };
        let (plans, wanted) = match Judgement::new(set, action, facts, now).effect {
            Effect::Allow => (search.denials(), Effect::Deny),
            Effect::Deny => (search.permissions(), Effect::Allow),
            Effect::Unknown { .. } => return None,
        };
        search.best(plans, &wanted)
    }

    /// The changes, by the name of the fact. All of them together flip the decision.
    pub fn changes(&self) -> &[FactChange] {
        &self.changes
    }
}

impl fmt::Display for Flip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, change) in self.changes.iter().enumerate() {
            if index > 0 {
                f.write_str(" and ")?;
            }
            write!(f, "{change}")?;
        }
        Ok(())
    }
}

/// Another value of a fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactChange {
    fact: String,
    from: FactValue,
    to: FactValue,
}

impl FactChange {
    /// The fact to change.
    pub fn fact(&self) -> &str {
        &self.fact
    }

    /// Its present value.
    pub fn from(&self) -> &FactValue {
        &self.from
    }

    /// The value at which the decision would be another.
    pub fn to(&self) -> &FactValue {
        &self.to
    }
}

impl fmt::Display for FactChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` from {} to {}", self.fact, self.from, self.to)
    }
}

impl PolicySet {
    /// What would have to be different for the decision to be another; see [`Flip`]. None for an unknown decision, which
    /// says what it waits for, and where no change of known facts that is found is enough.
    ///
    /// # Complexity
    ///
    /// One decision for each candidate: 64 at most, the cheapest of up to 4096.
    pub fn flip(&self, action: Action, facts: &Facts, now: Timestamp) -> Option<Flip> {
        Flip::of(self, action, &facts.aligned(self.schema()), now)
    }
}

struct Search<'a> {
    set: &'a PolicySet,
    action: Action,
    facts: &'a Facts,
    now: Timestamp,
    ran: Vec<(&'a Rule, Run)>,
}

impl<'a> Search<'a> {
    /// Ways to deny what is allowed: a forbidding rule holds, or nothing triggers it, or nothing permits it.
    fn denials(&self) -> Vec<Plan> {
        let forbidden = self
            .of(RuleEffect::Forbid)
            .filter_map(|(rule, run)| self.plan(rule, run, true));
        let starved = [RuleEffect::Trigger, RuleEffect::Permit]
            .into_iter()
            .filter(|effect| self.of(*effect).next().is_some())
            .filter_map(|effect| self.none_holds(effect));
        forbidden.chain(starved).collect()
    }

    /// Ways to allow what is denied: one trigger and one permit hold, if there are any, and no forbidding rule does.
    fn permissions(&self) -> Vec<Plan> {
        if self
            .ran
            .iter()
            .all(|(rule, _)| rule.effect == RuleEffect::Forbid)
        {
            return Vec::new();
        }
        let Some(unforbidden) = self.none_holds(RuleEffect::Forbid) else {
            return Vec::new();
        };
        let triggers = self.one_holds(RuleEffect::Trigger);
        let permits = self.one_holds(RuleEffect::Permit);
        triggers
            .iter()
            .flat_map(|trigger| permits.iter().map(move |permit| (trigger, permit)))
            .take(MAX_PAIRS)
            .filter_map(|(trigger, permit)| unforbidden.clone().joined(trigger)?.joined(permit))
            .collect()
    }

    /// A plan for each rule with an effect to hold; an empty one where no rule has it.
    fn one_holds(&self, effect: RuleEffect) -> Vec<Plan> {
        if self.of(effect).next().is_none() {
            return vec![Plan::default()];
        }
        let plans = self
            .of(effect)
            .filter_map(|(rule, run)| self.plan(rule, run, true))
            .collect();
        self.cheapest_first(plans)
    }

    fn cheapest_first(&self, plans: Vec<Plan>) -> Vec<Plan> {
        let mut costs: Vec<(f64, Plan)> = plans
            .into_iter()
            .map(|plan| (plan.cost(self.facts), plan))
            .collect();
        costs.sort_by(|left, right| left.0.total_cmp(&right.0));
        costs.into_iter().map(|(_, plan)| plan).collect()
    }

    /// One plan for no rule with an effect to hold. A forbidding rule that skips what is unknown does not hold then.
    fn none_holds(&self, effect: RuleEffect) -> Option<Plan> {
        self.of(effect)
            .filter(|(rule, run)| {
                run.truth() != Truth::Unknown
                    || effect == RuleEffect::Forbid && rule.unknown == WhenUnknown::Deny
            })
            .try_fold(Plan::default(), |plan, (rule, run)| {
                plan.joined(&self.plan(rule, run, false)?)
            })
    }

    fn plan(&self, rule: &Rule, run: Run, wanted: bool) -> Option<Plan> {
        rule.condition.plan(self.facts, self.now, run, wanted)
    }

    fn of(&self, effect: RuleEffect) -> impl Iterator<Item = (&'a Rule, Run)> + '_ {
        self.ran
            .iter()
            .copied()
            .filter(move |(rule, _)| rule.effect == effect)
    }

    /// The cheapest plan that does lead to the wanted effect.
    fn best(&self, plans: Vec<Plan>, wanted: &Effect) -> Option<Flip> {
        self.cheapest_first(plans)
            .into_iter()
            .take(MAX_CANDIDATES)
            .find_map(|plan| self.applied(&plan, wanted))
    }

    fn applied(&self, plan: &Plan, wanted: &Effect) -> Option<Flip> {
        let mut changed = self.facts.clone();
        let mut changes = Vec::new();
        for (slot, to) in plan.changes() {
            let name = self.set.schema().name(*slot);
            let entry = self.facts.entry(name)?;
            changed.set(name, to.clone(), entry.at()).ok()?;
            changes.push(FactChange {
                fact: name.to_owned(),
                from: entry.value().clone(),
                to: to.clone(),
            });
        }
        let effect = Judgement::new(self.set, self.action, &changed, self.now).effect;
        (effect == *wanted).then_some(Flip { changes })
    }
}

/// Bounds the decisions that one search takes.
const MAX_CANDIDATES: usize = 64;

/// Bounds the pairs of a trigger and a permit that are looked at, the cheapest first.
const MAX_PAIRS: usize = 4096;
