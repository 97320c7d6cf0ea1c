//! A request: what upstream delivers of a flight, joined with what is known of landed flights.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use noops_core::{Error, ErrorKind, FeatureSource, Knowledge, TimeSpan, Timestamp};

use crate::flights::Flights;

/// What upstream delivers, and when.
#[derive(Debug)]
pub(crate) struct Upstream {
    flights: Arc<Flights>,
    delivered: RecordBatch,
}

impl Upstream {
    /// Delivers the flights as they are, but during `broken` with distances in kilometres and without visibility.
    pub(crate) fn new(flights: Arc<Flights>, broken: TimeSpan) -> Result<Self, Error> {
        let is_broken = |flight: usize| {
            flights
                .scheduled
                .get(flight)
                .is_some_and(|at| broken.contains(*at))
        };
        let schema = flights.rows.schema();
        let columns = schema
            .fields()
            .iter()
            .zip(flights.rows.columns())
            .map(|(field, column)| match field.name().as_str() {
                "distance" => change(column, |flight, miles| {
                    if is_broken(flight) {
                        Some(miles * KILOMETRES_PER_MILE)
                    } else {
                        Some(miles)
                    }
                }),
                "visib" => change(
                    column,
                    |flight, miles| if is_broken(flight) { None } else { Some(miles) },
                ),
                _ => column.clone(),
            });
        let delivered = RecordBatch::try_new(schema.clone(), columns.collect()).map_err(unfit)?;
        Ok(Self { flights, delivered })
    }

    /// The flights behind the deliveries.
    pub(crate) fn flights(&self) -> &Flights {
        &self.flights
    }

    /// The complete features of some consecutive flights, each as of when it is scheduled.
    pub(crate) async fn request(
        &self,
        first: usize,
        count: usize,
        history: &dyn FeatureSource,
    ) -> Result<RecordBatch, Error> {
        let entities = self.delivered.slice(first, count);
        let times: Vec<Timestamp> = self
            .flights
            .scheduled
            .iter()
            .skip(first)
            .take(count)
            .copied()
            .collect();
        let known = history
            .as_of(&entities, &times, Knowledge::AtRowTime)
            .await?;
        join(&entities, known.values())
    }
}

fn change(column: &ArrayRef, change: impl Fn(usize, f64) -> Option<f64>) -> ArrayRef {
    let Some(numbers) = noops_core::NumberColumn::try_new(column.as_ref()) else {
        return column.clone();
    };
    let changed = numbers
        .iter()
        .enumerate()
        .map(|(flight, value)| value.and_then(|value| change(flight, value)));
    Arc::new(changed.collect::<Float64Array>())
}

fn join(left: &RecordBatch, right: &RecordBatch) -> Result<RecordBatch, Error> {
    let columns = |batch: &RecordBatch| {
        let fields = batch
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect::<Vec<_>>();
        fields
            .into_iter()
            .zip(batch.columns().to_vec())
            .map(|(name, column)| (name, column, true))
            .collect::<Vec<_>>()
    };
    RecordBatch::try_from_iter_with_nullable(columns(left).into_iter().chain(columns(right)))
        .map_err(unfit)
}

fn unfit(error: arrow_schema::ArrowError) -> Error {
    Error::new(
        ErrorKind::Invalid,
        "build a request",
        "the columns do not fit",
    )
    .caused_by(error)
}

const KILOMETRES_PER_MILE: f64 = 1.609_344;
