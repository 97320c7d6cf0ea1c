//! A model for each kind of row.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use noops_core::{Clock, Contract, Error, ModelName};

use super::condition::{Test, refuse};
use super::counts::Tally;
use super::features::{FeatureReader, RowFeatures};
use super::join::join;
use super::{Routed, RoutedRow, Router, RoutingCounts, Rule, Target};
use crate::runtime::Request;

/// Sends each row to the target of the first rule it keeps, and to a default where it keeps none.
///
/// The rows of one request that have the same target go there together, and the targets are asked at the same time. The answer is put
/// together in the order of the request. A target that fails costs its own rows their answer and no others.
///
/// # Rows without names
///
/// [`Rows`](noops_core::Rows) are read by the contract of the rules. A target whose features are others, or in another order, refuses
/// them.
///
/// # Examples
///
/// ```
/// # use std::collections::BTreeMap;
/// # use std::sync::Arc;
/// # use noops_core::{Contract, Feature, FeatureRule, OutputRule, SystemClock};
/// use noops_serve::routing::{Condition, Router, Rule, RuleRouter};
///
/// # let contract = Contract::new([FeatureRule::strict(Feature::number("amount"))], OutputRule::probability())?;
/// # let targets: BTreeMap<_, Arc<dyn Router>> = BTreeMap::new();
/// let rule = Rule::new(Condition::between("amuont", 1e4, f32::MAX), "large".parse()?);
/// let refused = RuleRouter::new(&contract, &[rule], &"small".parse()?, &targets, Arc::new(SystemClock));
/// assert_eq!(
///     refused.unwrap_err().to_string(),
///     "cannot build routing rules: the contract has no such feature (feature `amuont`, rule `0`)",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RuleRouter {
    reader: FeatureReader,
    rules: Vec<Checked>,
    /// The default first.
    targets: Vec<Target>,
    clock: Arc<dyn Clock>,
    tally: Tally,
}

/// A rule, and the place of the target it leads to.
#[derive(Debug)]
struct Checked {
    when: Vec<Test>,
    to: usize,
}

impl RuleRouter {
    /// Checks rules against the contract they read rows by and against the targets there are.
    ///
    /// # Errors
    ///
    /// Refuses a rule without conditions, a condition on a feature or category that the contract has not, bounds that are no
    /// numbers or out of order, and a target that is not among `targets`. The error names the culprit, and the rule by its place.
    pub fn new(
        contract: &Contract,
        rules: &[Rule],
        default: &ModelName,
        targets: &BTreeMap<ModelName, Arc<dyn Router>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let tests = rules.iter().enumerate().map(|(place, rule)| {
            let tests = tests_of(rule, contract);
            tests.map_err(|error| error.with("rule", place))
        });
        let tests = tests.collect::<Result<Vec<_>, Error>>()?;
        let mut found = Vec::new();
        let mut checked = Vec::new();
        find(default, targets, &mut found)?;
        for (place, (rule, when)) in rules.iter().zip(tests).enumerate() {
            let to = find(rule.to(), targets, &mut found);
            let to = to.map_err(|error| error.with("rule", place))?;
            checked.push(Checked { when, to });
        }
        Ok(Self {
            reader: FeatureReader::new(contract)?,
            rules: checked,
            targets: found,
            clock,
            tally: Tally::default(),
        })
    }

    /// What became of the rows so far.
    #[must_use]
    pub fn counts(&self) -> RoutingCounts {
        self.tally.present()
    }

    fn target_of(&self, row: RowFeatures<'_>) -> usize {
        let mut rules = self.rules.iter();
        let kept = rules.find(|rule| {
            let mut when = rule.when.iter();
            when.all(|test| test.keeps(row.numbers, row.codes))
        });
        kept.map_or(0, |rule| rule.to)
    }

    /// What a target makes of its rows; no error is left to cost others their answers.
    async fn ask(
        &self,
        target: usize,
        rows: &[usize],
        request: &Request,
        since: Duration,
    ) -> Vec<RoutedRow> {
        let Some(target) = self.targets.get(target) else {
            return Vec::new();
        };
        // Here and not before, since others may have taken their time on this thread.
        let spent = self.clock.monotonic().saturating_sub(since);
        let part = request.part(rows, spent, &self.features());
        let routed = match part {
            Ok(part) => target.route(&part).await,
            Err(error) => Err(error),
        };
        match routed {
            Ok(routed) => routed.rows,
            Err(error) => vec![RoutedRow::refused(error); rows.len()],
        }
    }
}

#[async_trait]
impl Router for RuleRouter {
    async fn route(&self, request: &Request) -> Result<Routed, Error> {
        let since = self.clock.monotonic();
        let batch = self.reader.read(request)?;
        let mut rows_of = vec![Vec::new(); self.targets.len()];
        for row in 0..batch.rows() {
            let target = self.target_of(self.reader.row(&batch, row));
            if let Some(rows) = rows_of.get_mut(target) {
                rows.push(row);
            }
        }
        let asked = rows_of.iter().enumerate();
        let asked = asked.filter(|(_, rows)| !rows.is_empty());
        let answers = asked.map(|(target, rows)| {
            let answers = self.ask(target, rows, request, since);
            Box::pin(answers) as std::pin::Pin<Box<dyn Future<Output = _> + Send + '_>>
        });
        let answers = join(answers.collect()).await;
        let nobody = RoutedRow::refused("no target answered the row");
        let mut routed = Routed {
            rows: vec![nobody; batch.rows()],
        };
        let asked = rows_of.iter().filter(|rows| !rows.is_empty());
        for (rows, answers) in asked.zip(answers) {
            for (&row, answer) in rows.iter().zip(answers) {
                if let Some(slot) = routed.rows.get_mut(row) {
                    *slot = answer;
                }
            }
        }
        self.tally.count(&routed);
        Ok(routed)
    }

    fn features(&self) -> Arc<[String]> {
        self.reader.contract().names()
    }
}

fn tests_of(rule: &Rule, contract: &Contract) -> Result<Vec<Test>, Error> {
    if rule.when().is_empty() {
        let message = "a rule without conditions hides all after it; make its target the default";
        return Err(refuse(message));
    }
    let conditions = rule.when().iter();
    conditions
        .map(|condition| Test::of(condition, contract))
        .collect()
}

/// The place of a target among those `found`, where it is put if it is not there.
fn find(
    name: &ModelName,
    targets: &BTreeMap<ModelName, Arc<dyn Router>>,
    found: &mut Vec<Target>,
) -> Result<usize, Error> {
    if let Some(place) = found.iter().position(|target| target.name() == name) {
        return Ok(place);
    }
    let router = targets.get(name).ok_or_else(|| {
        refuse("there is no such target; give it or route to another").with("target", name)
    })?;
    found.push(Target::new(name.clone(), router.clone()));
    Ok(found.len() - 1)
}

#[cfg(not(any(loom, shuttle)))]
#[cfg(test)]
mod tests;
