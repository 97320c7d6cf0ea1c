//! Shows the requests to a judge as they would have come, and asks it at regular intervals.

use std::collections::BTreeMap;

use noops_canary::judge::{
    AaCheck, AaReport, Judge, JudgeSpec, Judgement, MetricJudgement, Observation, SliceValue,
    Units, Verdict,
};
use noops_core::Timestamp;

use crate::events::Events;
use crate::failure::{Failure, fail};
use crate::row::Row;

/// What the judge said in the end, and on the way.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) judgement: Judgement,
    pub(crate) looks: Vec<Look>,
    pub(crate) decided: Option<Decided>,
    pub(crate) check: Option<AaReport>,
}

/// The evidence after some of the requests.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) at: Timestamp,
    pub(crate) requests: u64,
    pub(crate) metrics: Vec<MetricJudgement>,
}

/// The first look at which the candidate could have been promoted or rolled back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decided {
    pub(crate) verdict: Verdict,
    pub(crate) at: Timestamp,
    pub(crate) requests: u64,
}

/// Replays a file; `replicates` of an A/A check look at the champion's requests beside.
pub(crate) fn replay(
    events: &Events,
    spec: &JudgeSpec,
    replicates: Option<u32>,
) -> Result<Replay, Failure> {
    let refused = |error: noops_canary::CanaryError| fail(error.to_string());
    let mut seen = Seen {
        judge: Judge::new(spec.clone()).map_err(refused)?,
        check: match replicates {
            Some(replicates) => {
                let spec = spec
                    .clone()
                    .with_units(no_more_than(spec.units(), events.rows()));
                Some(AaCheck::new(&spec, replicates).map_err(refused)?)
            }
            None => None,
        },
        columns: spec.slices().to_vec(),
        known: vec![BTreeMap::new(); spec.slices().len()],
        slices: Vec::new(),
        looks: Vec::new(),
        decided: None,
        judgement: None,
    };
    let every = events.rows();
    let mut last = None;
    events.each(&mut |number, row| {
        seen.observe(row).map_err(|error| {
            fail(format!(
                "`{}`, row `{number}`: {error}",
                events.path().display()
            ))
        })?;
        let (before, now) = (number, number.saturating_add(1));
        last = Some((row.at, now));
        if look_of(before, every) != look_of(now, every) {
            seen.look(row.at, now);
        }
        Ok(())
    })?;
    let looked = seen.looks.last().map(|look| look.requests);
    if let Some((at, requests)) = last.filter(|(_, requests)| looked != Some(*requests)) {
        seen.look(at, requests);
    }
    Ok(Replay {
        judgement: seen.judgement.unwrap_or_else(|| seen.judge.judgement()),
        looks: seen.looks,
        decided: seen.decided,
        check: seen.check.map(|check| check.report()),
    })
}

struct Seen {
    judge: Judge,
    check: Option<AaCheck>,
    columns: Vec<String>,
    /// The slices that were met, by column and value.
    known: Vec<BTreeMap<String, SliceValue>>,
    slices: Vec<SliceValue>,
    looks: Vec<Look>,
    decided: Option<Decided>,
    judgement: Option<Judgement>,
}

impl Seen {
    fn observe(&mut self, row: &Row) -> Result<(), noops_canary::CanaryError> {
        self.slices.clear();
        let columns = self.columns.iter().zip(&mut self.known);
        for ((column, known), value) in columns.zip(&row.slices) {
            let Some(value) = value else {
                continue;
            };
            let slice = match known.get(value) {
                Some(slice) => *slice,
                None => {
                    let slice = self.judge.slice_value(column, value)?;
                    known.insert(value.clone(), slice);
                    slice
                }
            };
            self.slices.push(slice);
        }
        let request = Observation::new(row.at, row.unit, row.arm, row.share, &row.values)
            .with_slices(&self.slices);
        self.judge.observe(&request)?;
        match &mut self.check {
            Some(check) => check.observe(&request),
            None => Ok(()),
        }
    }

    fn look(&mut self, at: Timestamp, requests: u64) {
        let judgement = self.judge.judgement();
        let verdict = judgement.verdict();
        if self.decided.is_none() && matches!(verdict, Verdict::Promote | Verdict::RollBack { .. })
        {
            self.decided = Some(Decided {
                verdict: verdict.clone(),
                at,
                requests,
            });
        }
        self.looks.push(Look {
            at,
            requests,
            metrics: judgement.metrics().to_vec(),
        });
        self.judgement = Some(judgement);
        if let Some(check) = &mut self.check {
            check.look();
        }
    }
}

/// The number of the look, which changes a hundred times while the requests go by, at equal distances.
fn look_of(requests: u64, every: u64) -> u64 {
    let part = u128::from(requests) * u128::from(LOOKS) / u128::from(every.max(1));
    u64::try_from(part).unwrap_or(u64::MAX)
}

/// A check has a memory for each replicate, so it is no larger than it has to be.
fn no_more_than(units: Units, requests: u64) -> Units {
    match units {
        Units::Sticky(remembered) => {
            let requests = u32::try_from(requests).unwrap_or(u32::MAX).max(1);
            Units::Sticky(remembered.min(requests))
        }
        Units::Independent => Units::Independent,
    }
}

const LOOKS: u64 = 100;
