use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::counts::TelemetryCounts;
use super::labels::{Known, Labels};
use super::record::PredictionRecord;

/// What is known of one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Held {
    /// A prediction that has not been drained, with its labels so far.
    Open {
        prediction: Box<PredictionRecord>,
        labels: Labels,
    },
    /// Labels without a prediction.
    Waiting { labels: Labels },
    /// A prediction that has been drained, with the label it had.
    Settled { at: Timestamp, label: Option<Known> },
}

/// Requests in the order they came, within a limit of bytes.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    limit: u64,
    bytes: u64,
    next: u64,
    entries: BTreeMap<u64, Entry>,
    places: BTreeMap<Arc<str>, u64>,
    settled: BTreeSet<u64>,
}

#[derive(Clone, Debug)]
struct Entry {
    request: Arc<str>,
    held: Held,
}

impl Requests {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit,
            bytes: 0,
            next: 0,
            entries: BTreeMap::new(),
            places: BTreeMap::new(),
            settled: BTreeSet::new(),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Held)> {
        self.entries
            .values()
            .map(|entry| (&entry.request, &entry.held))
    }

    pub(super) fn find(&self, request: &str) -> Option<&Held> {
        let place = self.places.get(request)?;
        self.entries.get(place).map(|entry| &entry.held)
    }

    /// The labels of a request that is not settled may be changed in place: that takes no room.
    pub(super) fn find_mut(&mut self, request: &str) -> Option<&mut Held> {
        let place = self.places.get(request)?;
        self.entries.get_mut(place).map(|entry| &mut entry.held)
    }

    /// Whether there can be room for it.
    pub(super) fn fits(&self, request: &str, held: &Held) -> bool {
        size(request, held) <= self.limit
    }

    /// Puts a request at the end, in the place of what was known of it. Makes room by dropping settled requests, then the
    /// oldest ones, and counts them.
    pub(super) fn push(&mut self, request: &str, held: Held, counts: &mut TelemetryCounts) {
        self.remove(request);
        let size = size(request, &held);
        while self.bytes.saturating_add(size) > self.limit {
            match self.drop_oldest() {
                Some(dropped) => counts.dropped(&dropped),
                None => return counts.dropped(&held),
            }
        }
        let request: Arc<str> = Arc::from(request);
        if matches!(held, Held::Settled { .. }) {
            self.settled.insert(self.next);
        }
        self.places.insert(Arc::clone(&request), self.next);
        self.entries.insert(self.next, Entry { request, held });
        self.bytes += size;
        self.next += 1;
    }

    /// Forgets the prediction of a request, but not that there was one.
    pub(super) fn settle(&mut self, request: &str, at: Timestamp, label: Option<Known>) {
        let Some(place) = self.places.get(request).copied() else {
            return;
        };
        let Some(entry) = self.entries.get_mut(&place) else {
            return;
        };
        let before = size(request, &entry.held);
        entry.held = Held::Settled { at, label };
        let now = size(request, &entry.held);
        self.bytes = self.bytes.saturating_sub(before).saturating_add(now);
        self.settled.insert(place);
    }

    pub(super) fn remove(&mut self, request: &str) -> Option<Held> {
        let place = self.places.get(request).copied()?;
        self.take(place)
    }

    fn drop_oldest(&mut self) -> Option<Held> {
        let settled = self.settled.first().copied();
        let oldest = || self.entries.keys().next().copied();
        let place = settled.or_else(oldest)?;
        self.take(place)
    }

    fn take(&mut self, place: u64) -> Option<Held> {
        let entry = self.entries.remove(&place)?;
        self.places.remove(&*entry.request);
        self.settled.remove(&place);
        self.bytes = self.bytes.saturating_sub(size(&entry.request, &entry.held));
        Some(entry.held)
    }
}

/// What a request is accounted for: its texts in full, and for everything else more than it can take.
fn size(request: &str, held: &Held) -> u64 {
    let texts: u64 = match held {
        Held::Open { prediction, .. } => [
            prediction.request.as_str(),
            prediction.unit.as_str(),
            prediction.model.as_str(),
            prediction.arm.as_str(),
        ]
        .iter()
        .map(|text| text.len() as u64)
        .sum(),
        Held::Waiting { .. } | Held::Settled { .. } => 0,
    };
    FIXED + request.len() as u64 + texts
}

/// A number of its own, not the size of the types: the same on every platform, so that a state resumed elsewhere drops the same.
pub(super) const FIXED: u64 = 1024;

// The trees are at least five elevenths full, inner nodes and allocator headers come on top: three times is enough for the
// former, 128 bytes for the latter.
const _: () = assert!(
    3 * (size_of::<Entry>() + size_of::<Arc<str>>() + 3 * size_of::<u64>())
        + size_of::<PredictionRecord>()
        + 128
        <= FIXED as usize,
    "a request may take more than it is accounted for"
);

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting() -> Held {
        Held::Waiting {
            labels: Labels::default(),
        }
    }

    #[test]
    fn settled_requests_make_room_before_older_open_ones() {
        let mut counts = TelemetryCounts::default();
        let mut requests = Requests::new(3 * (FIXED + 1));
        for request in ["a", "b", "c"] {
            requests.push(request, waiting(), &mut counts);
        }
        requests.settle("b", Timestamp::UNIX_EPOCH, None);
        requests.push("d", waiting(), &mut counts);
        assert!(requests.find("b").is_none());
        assert_eq!((counts.forgotten_requests, counts.dropped_labels), (1, 0));
        requests.push("e", waiting(), &mut counts);
        assert!(requests.find("a").is_none(), "then the oldest goes");
        assert_eq!((counts.forgotten_requests, counts.dropped_labels), (1, 1));
        assert_eq!((requests.len(), requests.bytes()), (3, 3 * (FIXED + 1)));
    }

    #[test]
    fn what_never_fits_is_dropped_and_counted() {
        let mut counts = TelemetryCounts::default();
        let mut requests = Requests::new(FIXED);
        assert!(!requests.fits("a", &waiting()));
        requests.push("a", waiting(), &mut counts);
        assert_eq!((requests.len(), requests.bytes()), (0, 0));
        assert_eq!(counts.dropped_labels, 1);
    }
}
