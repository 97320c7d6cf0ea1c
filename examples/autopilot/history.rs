//! What the airports know of flights that have landed: the features that move with the day.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use noops_core::{
    CellStatus, Error, ErrorKind, FeatureFrame, FeatureSource, FeatureView, Knowledge, Provenance,
    TextColumn, Timestamp, async_trait,
};

use crate::flights::Flights;

/// Late rates over flights that have landed, as of any moment.
///
/// A flight enters when it lands and not before, whenever it was scheduled: known-at is the landing, and an answer for a time
/// depends only on landings up to it.
#[derive(Debug)]
pub(crate) struct LandedFlights {
    view: FeatureView,
    by_key: Vec<HashMap<String, Landings>>,
}

/// Landings in order of time, with the running count of late ones.
#[derive(Debug, Default)]
struct Landings {
    at: Vec<i64>,
    late_before: Vec<u32>,
}

/// A rate over a window of landings that share a key.
struct Window {
    name: &'static str,
    key: &'static [&'static str],
    hours: i64,
}

impl LandedFlights {
    /// Indexes the landings.
    pub(crate) fn new(flights: &Flights) -> Result<Self, Error> {
        let mut landings: Vec<(i64, usize, bool)> = flights
            .lands
            .iter()
            .zip(&flights.late)
            .enumerate()
            .filter_map(|(flight, (lands, late))| Some(((*lands)?.as_second(), flight, (*late)?)))
            .collect();
        landings.sort_unstable();
        let mut by_key = Vec::new();
        for window in &WINDOWS {
            let keys = Keys::new(&flights.rows, window.key)?;
            let mut index: HashMap<String, Landings> = HashMap::new();
            for &(at, flight, late) in &landings {
                index.entry(keys.of(flight)).or_default().push(at, late);
            }
            by_key.push(index);
        }
        let definition = WINDOWS.iter().map(|window| {
            format!(
                "{} = late rate by {:?} over {} h",
                window.name, window.key, window.hours
            )
        });
        let view = FeatureView::new("landed-flights", definition.collect::<Vec<_>>().join("\n"));
        Ok(Self { view, by_key })
    }
}

#[async_trait]
impl FeatureSource for LandedFlights {
    fn view(&self) -> &FeatureView {
        &self.view
    }

    async fn as_of(
        &self,
        entities: &RecordBatch,
        times: &[Timestamp],
        knowledge: Knowledge,
    ) -> Result<FeatureFrame, Error> {
        if times.len() != entities.num_rows() {
            return Err(invalid("there must be one time per row"));
        }
        let mut columns: Vec<(String, ArrayRef)> = Vec::new();
        for (window, index) in WINDOWS.iter().zip(&self.by_key) {
            let keys = Keys::new(entities, window.key)?;
            let counts = times.iter().enumerate().map(|(row, at)| {
                let known = match knowledge {
                    Knowledge::AtRowTime => *at,
                    Knowledge::Until(end) => end.min(*at),
                };
                let landings = index.get(&keys.of(row));
                landings.map_or((0, 0), |landings| {
                    landings.within(at.as_second() - window.hours * 3600, known.as_second())
                })
            });
            let (rates, sizes): (Vec<f64>, Vec<f64>) = counts
                .map(|(landed, late)| (smoothed(late, landed), f64::from(landed).ln_1p()))
                .unzip();
            columns.push((
                format!("late_{}", window.name),
                Arc::new(Float64Array::from(rates)),
            ));
            columns.push((
                format!("landed_{}", window.name),
                Arc::new(Float64Array::from(sizes)),
            ));
        }
        let values = RecordBatch::try_from_iter_with_nullable(
            columns
                .into_iter()
                .map(|(name, column)| (name, column, true)),
        )
        .map_err(|error| invalid("the columns do not fit").caused_by(error))?;
        // A rate over a window is always known, and as old as the moment it is asked for.
        let present = vec![CellStatus::Present; times.len()];
        let provenance = Provenance::new(present, times.iter().copied().map(Some).collect());
        let provenance = Arc::new(provenance);
        let provenance = values
            .columns()
            .iter()
            .map(|_| provenance.clone())
            .collect();
        FeatureFrame::new(values, times.to_vec(), provenance)
    }
}

impl Landings {
    fn push(&mut self, at: i64, late: bool) {
        let before = self.late_before.last().copied().unwrap_or(0);
        self.at.push(at);
        self.late_before.push(before + u32::from(late));
    }

    /// How many landed after `from` and up to `until`, and how many of those late.
    fn within(&self, from: i64, until: i64) -> (u32, u32) {
        let first = self.at.partition_point(|at| *at <= from);
        let end = self.at.partition_point(|at| *at <= until);
        let late_before = |count: usize| {
            count
                .checked_sub(1)
                .and_then(|last| self.late_before.get(last))
                .copied()
                .unwrap_or(0)
        };
        ((end - first) as u32, late_before(end) - late_before(first))
    }
}

/// The values of some text columns, joined, by row.
struct Keys<'a>(Vec<TextColumn<'a>>);

impl<'a> Keys<'a> {
    fn new(rows: &'a RecordBatch, columns: &[&str]) -> Result<Self, Error> {
        let text = |name: &&str| {
            rows.column_by_name(name)
                .and_then(|column| TextColumn::try_new(column.as_ref()))
                .ok_or_else(|| invalid("a key column is missing").with("column", name))
        };
        columns.iter().map(text).collect::<Result<_, _>>().map(Self)
    }

    fn of(&self, row: usize) -> String {
        let values: Vec<&str> = self
            .0
            .iter()
            .map(|column| column.value(row).unwrap_or(""))
            .collect();
        values.join("/")
    }
}

/// A late rate that starts from the long-run rate and leaves it as landings come in.
fn smoothed(late: u32, landed: u32) -> f64 {
    (f64::from(late) + PRIOR_RATE * PRIOR_LANDINGS) / (f64::from(landed) + PRIOR_LANDINGS)
}

fn invalid(message: &str) -> Error {
    Error::new(
        ErrorKind::Invalid,
        "read features of landed flights",
        message,
    )
}

const WINDOWS: [Window; 6] = [
    Window {
        name: "origin_2h",
        key: &["origin"],
        hours: 2,
    },
    Window {
        name: "origin_6h",
        key: &["origin"],
        hours: 6,
    },
    Window {
        name: "city_3h",
        key: &[],
        hours: 3,
    },
    Window {
        name: "carrier_6h",
        key: &["carrier"],
        hours: 6,
    },
    Window {
        name: "route_3d",
        key: &["dest"],
        hours: 72,
    },
    Window {
        name: "carrier_at_origin_24h",
        key: &["origin", "carrier"],
        hours: 24,
    },
];
const PRIOR_RATE: f64 = 0.22;
const PRIOR_LANDINGS: f64 = 5.0;
