use noops_stats::SortedSample;

use crate::batch::pairwise::Pairwise;

/// Every candidate's value less every champion's.
pub(crate) struct Differences<'a> {
    champion: &'a [f64],
    candidate: &'a [f64],
}

impl<'a> Differences<'a> {
    pub(crate) fn between(champion: &'a SortedSample, candidate: &'a SortedSample) -> Self {
        Self {
            champion: champion.values(),
            candidate: candidate.values(),
        }
    }
}

impl Pairwise for Differences<'_> {
    fn total(&self) -> u128 {
        self.champion.len() as u128 * self.candidate.len() as u128
    }

    fn lowest(&self) -> f64 {
        difference(self.candidate.first(), self.champion.last())
    }

    fn highest(&self) -> f64 {
        difference(self.candidate.last(), self.champion.first())
    }

    /// One step through both samples: what is small enough for a champion's value is so for all larger ones.
    fn at_most(&self, bound: f64) -> u128 {
        let mut passed = 0;
        let mut count = 0;
        for champion in self.champion {
            passed = past(self.candidate, passed, *champion, bound);
            count += passed as u128;
        }
        count
    }

    fn between(&self, low: f64, high: f64) -> Vec<f64> {
        let (mut start, mut end) = (0, 0);
        let mut values = Vec::new();
        for champion in self.champion {
            start = past(self.candidate, start, *champion, low);
            end = past(self.candidate, end.max(start), *champion, high);
            let inside = self.candidate.get(start..end).unwrap_or_default();
            values.extend(inside.iter().map(|candidate| candidate - champion));
        }
        values
    }

    fn room(&self) -> u128 {
        (self.champion.len() + self.candidate.len()) as u128 + ROOM
    }
}

fn difference(candidate: Option<&f64>, champion: Option<&f64>) -> f64 {
    match (candidate, champion) {
        (Some(candidate), Some(champion)) => candidate - champion,
        _ => 0.0,
    }
}

/// The first place from `from` on whose difference is above the bound.
#[inline]
fn past(candidate: &[f64], mut from: usize, champion: f64, bound: f64) -> usize {
    while candidate
        .get(from)
        .is_some_and(|value| value - champion <= bound)
    {
        from += 1;
    }
    from
}

const ROOM: u128 = 1_024;
