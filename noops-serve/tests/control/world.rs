//! A world of one number and one outcome, in which every hour can be lived through again.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use jiff::Timestamp;
use noops_core::{Label, Observed};

pub(crate) const DAY: i64 = 24;
pub(crate) const ROWS: i64 = 60;

/// Hours count from the start of the service; before it lies the history that the first version learns from.
#[derive(Clone, Debug)]
pub(crate) struct World {
    seed: u64,
    turns_at: i64,
    breaks: Option<Breakage>,
    gossip: Gossip,
}

#[derive(Clone, Copy, Debug)]
struct Breakage {
    from: i64,
    until: i64,
    how: Broken,
}

/// What a broken upstream delivers instead of the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Missing,
    HundredFold,
}

/// Whether labels come that nobody can use, beside the useful ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gossip {
    Silent,
    Loud,
}

/// One request row and what will become of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) hour: i64,
    pub(crate) index: i64,
    /// The number as it is delivered.
    pub(crate) x: Option<f64>,
    pub(crate) outcome: bool,
    label: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Never,
    After(i64),
    TwiceAfter(i64),
}

impl World {
    /// The outcome is the likelier the larger the number, for ever.
    pub(crate) fn stable(seed: u64) -> Self {
        Self {
            seed,
            turns_at: i64::MAX,
            breaks: None,
            gossip: Gossip::Silent,
        }
    }

    /// From this hour on the outcome is the likelier the smaller the number.
    pub(crate) fn turning_at(mut self, hour: i64) -> Self {
        self.turns_at = hour;
        self
    }

    /// Between these hours the number is delivered broken.
    pub(crate) fn broken(mut self, from: i64, until: i64, how: Broken) -> Self {
        self.breaks = Some(Breakage { from, until, how });
        self
    }

    /// Adds labels that contradict earlier ones, that belong to no request, and that come beyond the horizon.
    pub(crate) fn with_gossip(mut self) -> Self {
        self.gossip = Gossip::Loud;
        self
    }

    pub(crate) fn rows(&self, hour: i64) -> impl Iterator<Item = Row> {
        let turned = hour >= self.turns_at;
        let how = self
            .breaks
            .filter(|breaks| (breaks.from..breaks.until).contains(&hour))
            .map(|breaks| breaks.how);
        let mut random = SplitMix::new(self.seed, hour);
        (0..ROWS).map(move |index| {
            let x = random.unit();
            let chance = if turned { 0.8 - 0.6 * x } else { 0.2 + 0.6 * x };
            let outcome = random.unit() < chance;
            let delay = 1 + random.below(5);
            let label = match random.below(20) {
                0 | 1 => Fate::Never,
                2 => Fate::TwiceAfter(delay),
                _ => Fate::After(delay),
            };
            let x = match how {
                None => Some(x),
                Some(Broken::Missing) => None,
                Some(Broken::HundredFold) => Some(100.0 * x),
            };
            Row {
                hour,
                index,
                x,
                outcome,
                label,
            }
        })
    }

    /// The labels that come in during an hour, the youngest requests first.
    pub(crate) fn labels(&self, hour: i64) -> Vec<Label> {
        let made = |delay: i64| Some(hour - delay).filter(|made| *made >= 0);
        let mut labels = Vec::new();
        for delay in 1..=LONGEST_DELAY + 1 {
            let rows = made(delay).into_iter().flat_map(|made| self.rows(made));
            labels.extend(
                rows.filter(|row| row.is_labelled_after(delay))
                    .map(|row| row.labelled(row.outcome, hour)),
            );
        }
        if self.gossip == Gossip::Loud {
            let contradicted = made(LONGEST_DELAY + 1)
                .into_iter()
                .flat_map(|made| self.rows(made))
                .filter(|row| row.label != Fate::Never)
                .map(|row| row.labelled(!row.outcome, hour));
            let too_late = made(TOO_LATE)
                .into_iter()
                .flat_map(|made| self.rows(made))
                .filter(|row| row.label == Fate::Never)
                .map(|row| row.labelled(!row.outcome, hour));
            let unknown = Label {
                request: format!("nobody-{hour}"),
                observed: Observed::Positive,
                known_at: at(hour),
            };
            labels.extend(contradicted.chain(too_late).chain([unknown]));
        }
        labels
    }
}

impl Row {
    pub(crate) fn id(&self) -> String {
        format!("{}-{}", self.hour, self.index)
    }

    /// Whether the label had come in before an hour began.
    pub(crate) fn is_known_before(&self, hour: i64) -> bool {
        match self.label {
            Fate::Never => false,
            Fate::After(delay) | Fate::TwiceAfter(delay) => self.hour + delay < hour,
        }
    }

    fn is_labelled_after(&self, delay: i64) -> bool {
        match self.label {
            Fate::Never => false,
            Fate::After(first) => delay == first,
            Fate::TwiceAfter(first) => delay == first || delay == first + 1,
        }
    }

    fn labelled(&self, outcome: bool, hour: i64) -> Label {
        Label {
            request: self.id(),
            observed: Observed::from(outcome),
            known_at: at(hour),
        }
    }
}

/// The beginning of an hour.
pub(crate) fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(START + hour * 3600).unwrap()
}

/// When the requests of an hour are made.
pub(crate) fn asked_at(hour: i64) -> Timestamp {
    Timestamp::from_second(START + hour * 3600 + 1800).unwrap()
}

/// The hour that begins at a time.
pub(crate) fn hour_of(time: Timestamp) -> i64 {
    (time.as_second() - START).div_euclid(3600)
}

pub(crate) fn features(xs: Vec<Option<f64>>) -> RecordBatch {
    RecordBatch::try_from_iter([("x", Arc::new(Float64Array::from(xs)) as ArrayRef)]).unwrap()
}

struct SplitMix(u64);

impl SplitMix {
    fn new(seed: u64, hour: i64) -> Self {
        // Mixed twice: states that differ by a multiple of the increment would walk through one stream.
        let mut hours = Self(hour.cast_unsigned());
        let mut both = Self(seed ^ hours.next());
        Self(both.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, end: u64) -> i64 {
        (self.next() % end).cast_signed()
    }
}

/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600;
const LONGEST_DELAY: i64 = 5;
/// Beyond the label horizon of a day.
const TOO_LATE: i64 = 30;
