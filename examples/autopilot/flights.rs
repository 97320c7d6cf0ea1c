//! The real world: every flight that left New York City in 2013, in the order of its schedule.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array};
use arrow_select::{concat::concat_batches, take::take_record_batch};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use noops_core::{Digest, NumberColumn, TextColumn, Timestamp};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::failure::{Failure, fail};

/// All flights, by scheduled departure. Times are the airports' local clock, written as if it were UTC.
#[derive(Clone, Debug)]
pub(crate) struct Flights {
    /// When each flight is scheduled, which is when it is predicted.
    pub(crate) scheduled: Vec<Timestamp>,
    /// When each flight lands; never, for the cancelled and diverted.
    pub(crate) lands: Vec<Option<Timestamp>>,
    /// Whether each flight arrives more than 15 minutes late.
    pub(crate) late: Vec<Option<bool>>,
    /// What is known of each flight when it is scheduled.
    pub(crate) rows: RecordBatch,
    /// The digest of the file.
    pub(crate) digest: Digest,
}

impl Flights {
    /// Reads and sorts the file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = std::fs::read(path).map_err(|error| {
            fail(format!(
                "cannot read the flights in `{}`: {error}",
                path.display()
            ))
        })?;
        let table = read_parquet(path)?;
        let raw = Raw {
            table: &table,
            path,
        };
        let scheduled_minute = raw.scheduled_minutes()?;
        let delay = raw.numbers("arr_delay")?;
        let landing_minute = raw.landing_minutes(&scheduled_minute, &delay)?;

        let mut order: Vec<u32> = (0..table.num_rows() as u32).collect();
        order.sort_by_key(|&row| (scheduled_minute.get(row as usize).copied(), row));
        let rows = take_record_batch(
            &raw.features(&scheduled_minute)?,
            &UInt32Array::from(order.clone()),
        )
        .map_err(|error| fail(format!("cannot sort the flights: {error}")))?;
        let sorted = |values: &[Option<i64>]| {
            order
                .iter()
                .map(|&row| {
                    values
                        .get(row as usize)
                        .copied()
                        .flatten()
                        .map(minute_to_timestamp)
                })
                .collect::<Vec<_>>()
        };
        let late = |row: &u32| {
            delay
                .get(*row as usize)
                .copied()
                .flatten()
                .map(|minutes| minutes > LATE_MINUTES)
        };
        let flights = Self {
            scheduled: order
                .iter()
                .filter_map(|&row| {
                    scheduled_minute
                        .get(row as usize)
                        .copied()
                        .map(minute_to_timestamp)
                })
                .collect(),
            lands: sorted(&landing_minute),
            late: order.iter().map(late).collect(),
            rows,
            digest: Digest::of(&bytes),
        };
        let landed = (0..flights.first_at(midnight(2, 1)))
            .filter(|flight| flights.late.get(*flight).copied().flatten().is_some());
        if landed.count() < FEWEST_TO_TRAIN_ON {
            return Err(fail(format!(
                "`{}` has fewer than {FEWEST_TO_TRAIN_ON} landed flights in January 2013 to train on",
                path.display()
            )));
        }
        Ok(flights)
    }

    /// How many flights there are.
    pub(crate) fn len(&self) -> usize {
        self.scheduled.len()
    }

    /// The first flight scheduled at or after a time.
    pub(crate) fn first_at(&self, at: Timestamp) -> usize {
        self.scheduled.partition_point(|scheduled| *scheduled < at)
    }

    /// Splits flights into those scheduled for the same minute: they are asked for together.
    pub(crate) fn scheduled_together(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let scheduled = self.scheduled.get(range.clone()).unwrap_or_default();
        let mut groups = Vec::new();
        let mut start = range.start;
        for group in scheduled.chunk_by(|a, b| a == b) {
            groups.push(start..start + group.len());
            start += group.len();
        }
        groups
    }

    /// The id of a flight's prediction.
    pub(crate) fn id(flight: usize) -> String {
        format!("flight-{flight}")
    }
}

/// Midnight at the beginning of a day of 2013.
pub(crate) fn midnight(month: i8, day: i8) -> Timestamp {
    let date = Date::new(2013, month, day).unwrap_or(Date::ZERO);
    date.to_zoned(TimeZone::UTC)
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

/// The end of the year's first months after January: 11 is the end of the year.
pub(crate) fn midnight_after_months(months: u8) -> Timestamp {
    if months >= 11 {
        Timestamp::from_second(midnight(12, 31).as_second() + 86_400).unwrap_or(Timestamp::MAX)
    } else {
        midnight(months as i8 + 2, 1)
    }
}

/// The table as it comes.
struct Raw<'a> {
    table: &'a RecordBatch,
    path: &'a Path,
}

impl Raw<'_> {
    fn column(&self, name: &str) -> Result<&ArrayRef, Failure> {
        let missing = || {
            fail(format!(
                "`{}` has no column `{name}`, which the autopilot needs",
                self.path.display()
            ))
        };
        self.table.column_by_name(name).ok_or_else(missing)
    }

    fn numbers(&self, name: &str) -> Result<Vec<Option<f64>>, Failure> {
        let column = self.column(name)?;
        let wrong = || {
            fail(format!(
                "column `{name}` of `{}` must hold numbers, not {}",
                self.path.display(),
                column.data_type()
            ))
        };
        let numbers = NumberColumn::try_new(column.as_ref()).ok_or_else(wrong)?;
        // Not a number is as missing as null.
        Ok(numbers
            .iter()
            .map(|value| value.filter(|value| value.is_finite()))
            .collect())
    }

    fn texts(&self, name: &str) -> Result<StringArray, Failure> {
        let column = self.column(name)?;
        let wrong = || {
            fail(format!(
                "column `{name}` of `{}` must hold text, not {}",
                self.path.display(),
                column.data_type()
            ))
        };
        let texts = TextColumn::try_new(column.as_ref()).ok_or_else(wrong)?;
        Ok((0..column.len()).map(|row| texts.value(row)).collect())
    }

    /// Scheduled departures in minutes since the epoch.
    fn scheduled_minutes(&self) -> Result<Vec<i64>, Failure> {
        let (years, months, days) = (
            self.numbers("year")?,
            self.numbers("month")?,
            self.numbers("day")?,
        );
        let clock = self.numbers("sched_dep_time")?;
        let dates = years.iter().zip(&months).zip(&days).zip(&clock);
        let parsed = dates
            .enumerate()
            .map(|(row, (((year, month), day), clock))| {
                let midnight = Date::new((*year)? as i16, (*month)? as i8, (*day)? as i8)
                    .ok()?
                    .to_zoned(TimeZone::UTC)
                    .ok()?;
                Some((
                    row,
                    midnight.timestamp().as_second() / 60 + minute_of_day((*clock)?)?,
                ))
            });
        let path = self.path.display();
        parsed
            .map(|parsed| {
                parsed.map(|(_, minute)| minute).ok_or_else(|| {
                    fail(format!(
                        "a flight in `{path}` has no legal scheduled date and time"
                    ))
                })
            })
            .collect()
    }

    /// Landings in minutes since the epoch, on the clock of New York. The schedule gives the arrival on the local clock of the
    /// destination, so its time zone is recovered first: the whole number of hours that brings the scheduled flight time closest
    /// to what the distance takes, for most flights to that destination in that half of the year (not every destination
    /// changes its clocks when New York does).
    fn landing_minutes(
        &self,
        scheduled: &[i64],
        delay: &[Option<f64>],
    ) -> Result<Vec<Option<i64>>, Failure> {
        let (departs, arrives) = (
            self.numbers("sched_dep_time")?,
            self.numbers("sched_arr_time")?,
        );
        let (distance, departure_delay) = (self.numbers("distance")?, self.numbers("dep_delay")?);
        let (destinations, months) = (self.texts("dest")?, self.numbers("month")?);
        let on_the_clock: Vec<Option<f64>> = departs
            .iter()
            .zip(&arrives)
            .map(|(departs, arrives)| {
                Some(
                    (minute_of_day((*arrives)?)? - minute_of_day((*departs)?)?)
                        .rem_euclid(DAY_MINUTES) as f64,
                )
            })
            .collect();
        let summer = |row: usize| {
            months
                .get(row)
                .copied()
                .flatten()
                .is_some_and(|month| (4.0..=10.0).contains(&month))
        };
        let key = |row: usize| (destinations.value(row).to_owned(), summer(row));
        let mut zones: BTreeMap<(String, bool), BTreeMap<i64, u32>> = BTreeMap::new();
        for (row, (on_the_clock, miles)) in on_the_clock.iter().zip(&distance).enumerate() {
            if let (Some(on_the_clock), Some(miles)) = (on_the_clock, miles) {
                let hours = ((on_the_clock - TAXI_MINUTES - miles / MILES_PER_MINUTE) / 60.0)
                    .round() as i64;
                *zones.entry(key(row)).or_default().entry(hours).or_default() += 1;
            }
        }
        let usual = |row: usize| {
            zones
                .get(&key(row))?
                .iter()
                .max_by_key(|(_, flights)| **flights)
                .map(|(hours, _)| *hours)
        };
        let landings = scheduled
            .iter()
            .zip(delay)
            .zip(&on_the_clock)
            .zip(&departure_delay)
            .zip(&distance)
            .enumerate();
        Ok(landings
            .map(
                |(row, ((((scheduled, delay), on_the_clock), departure_delay), miles))| {
                    let flight_time = (*on_the_clock)? - 60.0 * usual(row)? as f64;
                    // Whatever the schedule says, nobody arrives faster than the aircraft flies.
                    let fastest = (*departure_delay)? + (*miles)? / FASTEST_MILES_PER_MINUTE;
                    Some(
                        scheduled
                            .saturating_add((flight_time + (*delay)?).max(fastest).ceil() as i64),
                    )
                },
            )
            .collect())
    }

    /// What is known of a flight when it is scheduled.
    fn features(&self, scheduled: &[i64]) -> Result<RecordBatch, Failure> {
        let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
        for name in ["carrier", "origin", "dest"] {
            columns.push((name, Arc::new(self.texts(name)?)));
        }
        let hours = scheduled
            .iter()
            .map(|minute| format!("{:02}h", minute.rem_euclid(DAY_MINUTES) / 60));
        columns.push(("hour", Arc::new(StringArray::from_iter_values(hours))));
        let weekdays = scheduled.iter().map(|minute| {
            WEEKDAYS
                .get((minute.div_euclid(DAY_MINUTES)).rem_euclid(7) as usize)
                .copied()
                .unwrap_or("")
        });
        columns.push(("weekday", Arc::new(StringArray::from_iter_values(weekdays))));
        let minutes = scheduled
            .iter()
            .map(|minute| Some(minute.rem_euclid(DAY_MINUTES) as f64));
        columns.push(("minute_of_day", Arc::new(minutes.collect::<Float64Array>())));
        for name in NUMBERS {
            columns.push((
                name,
                Arc::new(self.numbers(name)?.into_iter().collect::<Float64Array>()),
            ));
        }
        RecordBatch::try_from_iter_with_nullable(
            columns
                .into_iter()
                .map(|(name, column)| (name, column, true)),
        )
        .map_err(|error| {
            fail(format!(
                "cannot build the features of `{}`: {error}",
                self.path.display()
            ))
        })
    }
}

fn read_parquet(path: &Path) -> Result<RecordBatch, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        fail(format!(
            "cannot read `{}` as Parquet: {error}",
            path.display()
        ))
    };
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| unreadable(&error))?;
    let schema = builder.schema().clone();
    let reader = builder
        .with_batch_size(65_536)
        .build()
        .map_err(|error| unreadable(&error))?;
    let batches = reader
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreadable(&error))?;
    concat_batches(&schema, &batches).map_err(|error| unreadable(&error))
}

/// Minutes since midnight of a clock time as an HHMM number, if it is one.
fn minute_of_day(hhmm: f64) -> Option<i64> {
    let hhmm = hhmm as i64;
    let (hour, minute) = (hhmm / 100, hhmm % 100);
    ((0..=24).contains(&hour) && (0..60).contains(&minute)).then_some(hour * 60 + minute)
}

fn minute_to_timestamp(minute: i64) -> Timestamp {
    Timestamp::from_second(minute.saturating_mul(60)).unwrap_or(Timestamp::MAX)
}

/// Numeric columns of the file that are known when a flight is scheduled. The pressure is left out: whole days lack it.
const NUMBERS: [&str; 10] = [
    "distance",
    "temp",
    "dewp",
    "humid",
    "wind_speed",
    "precip",
    "visib",
    "plane_year",
    "seats",
    "engines",
];
/// Day 0 of the epoch was a Thursday.
const WEEKDAYS: [&str; 7] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];
const LATE_MINUTES: f64 = 15.0;
/// Below this nothing is learned that deserves to be served.
const FEWEST_TO_TRAIN_ON: usize = 1_000;
const DAY_MINUTES: i64 = 24 * 60;
/// Gate to gate beyond the flight itself, and cruising speed, as the median flight of the file has them.
const TAXI_MINUTES: f64 = 50.0;
const MILES_PER_MINUTE: f64 = 7.5;
/// With the strongest tail wind.
const FASTEST_MILES_PER_MINUTE: f64 = 11.0;
