//! A small data set: drivers whose hourly numbers are corrected a day later now and then.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray,
};
use noops_core::{
    FeatureSource, FeatureType, FeatureView, Knowledge, ParquetFeatures, ParquetSettings, Timestamp,
};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::failure::{Failure, fail};
use crate::frame::{Provenance, join};
use crate::table;

/// Writes the data set, and says what to do with it.
pub(crate) async fn write(folder: &Path, seed: u64) -> Result<String, Failure> {
    let rows = folder.join("rows");
    std::fs::create_dir_all(&rows)
        .map_err(|error| fail(format!("cannot create `{}`: {error}", rows.display())))?;
    let view = FeatureView::new(
        "driver-hourly",
        "trips and mean rating of the last full hour",
    )
    .with_key("driver", FeatureType::Integer)
    .with_feature("trips", FeatureType::Integer)
    .with_feature("rating", FeatureType::Number)
    .with_ttl(Duration::from_secs(6 * 3600))
    .with_owner("dispatch");
    let json = serde_json::to_vec_pretty(&view)
        .map_err(|error| fail(format!("cannot write the view: {error}")))?;
    let path = folder.join("view.json");
    std::fs::write(&path, json)
        .map_err(|error| fail(format!("cannot write `{}`: {error}", path.display())))?;

    let mut random = ChaCha8Rng::seed_from_u64(seed);
    table::write(&rows.join("drivers.parquet"), &history(&mut random)?)?;
    let entities = entities(&mut random)?;
    table::write(&folder.join("entities.parquet"), &entities)?;

    let source = ParquetFeatures::open(view, &rows, ParquetSettings::default())?;
    let times = table::times(&entities, "asked_at")?;
    let known = source
        .as_of(&entities, &times, Knowledge::AtRowTime)
        .await?;
    let served = join(&entities, &known, Provenance::LeftOut)?;
    table::write(
        &folder.join("served.parquet"),
        &skewed(&served, &mut random)?,
    )?;
    // What a join on event time alone makes of the same rows, weeks later.
    let hindsight = Knowledge::Until(instant(START + 60 * DAY)?);
    let later = source.as_of(&entities, &times, hindsight).await?;
    let leaky = join(&entities, &later, Provenance::LeftOut)?;
    table::write(&folder.join("leaky.parquet"), &leaky)?;

    let at = folder.display();
    let source = format!("--view {at}/view.json --rows {at}/rows --time asked_at");
    Ok(format!(
        "wrote a view, its rows, entities, a training frame with leaks and a log of served vectors; try\n  \
         features train {source} --entities {at}/entities.parquet --out {at}/frame.parquet\n  \
         features leakage {source} --frame {at}/frame.parquet\n  \
         features leakage {source} --frame {at}/leaky.parquet\n  \
         features parity {source} --served {at}/served.parquet --tolerance 0.01"
    ))
}

/// Hourly rows of every driver, known five minutes later; one in ten is corrected after a day.
fn history(random: &mut ChaCha8Rng) -> Result<RecordBatch, Failure> {
    let (mut drivers, mut events, mut knowns) = (Vec::new(), Vec::new(), Vec::new());
    let (mut trips, mut ratings) = (Vec::new(), Vec::new());
    for hour in 0..HOURS {
        for driver in 0..DRIVERS {
            let event = START + hour * HOUR;
            let count = random.random_range(0..9_i64);
            let rating = (count > 0).then(|| random.random_range(30..=50_i64) as f64 / 10.0);
            drivers.push(driver);
            events.push(event * MICROS);
            knowns.push((event + 300) * MICROS);
            trips.push(count);
            ratings.push(rating);
            if random.random_range(0..10_i64) == 0 {
                drivers.push(driver);
                events.push(event * MICROS);
                knowns.push((event + DAY) * MICROS);
                trips.push(count + 1);
                ratings.push(rating.map(|rating| rating - 0.5));
            }
        }
    }
    let columns: [(&str, ArrayRef, bool); 5] = [
        ("driver", Arc::new(Int64Array::from(drivers)), false),
        ("event_time", timestamps(events), false),
        ("known_at", timestamps(knowns), false),
        ("trips", Arc::new(Int64Array::from(trips)), true),
        ("rating", Arc::new(Float64Array::from(ratings)), true),
    ];
    batch(columns)
}

/// Whom somebody asked for, when, and what came of it.
fn entities(random: &mut ChaCha8Rng) -> Result<RecordBatch, Failure> {
    let (mut drivers, mut asked, mut late) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ENTITIES {
        // Two drivers are new and have no features yet.
        drivers.push(random.random_range(0..DRIVERS + 2));
        asked.push((START + random.random_range(0..HOURS * HOUR)) * MICROS);
        late.push(random.random_range(0..5_i64) == 0);
    }
    let columns: [(&str, ArrayRef, bool); 3] = [
        ("driver", Arc::new(Int64Array::from(drivers)), false),
        ("asked_at", timestamps(asked), false),
        ("late", Arc::new(BooleanArray::from(late)), false),
    ];
    batch(columns)
}

/// The same vectors, one in fifty of them served with a count of another hour.
fn skewed(served: &RecordBatch, random: &mut ChaCha8Rng) -> Result<RecordBatch, Failure> {
    let mut columns = served.columns().to_vec();
    let trips = served
        .schema()
        .index_of("trips")
        .map_err(|error| fail(format!("the frame lacks a feature: {error}")))?;
    if let Some(column) = columns.get_mut(trips) {
        let counts = arrow_array::cast::AsArray::as_primitive_opt::<arrow_array::types::Int64Type>(
            column.as_ref(),
        )
        .ok_or_else(|| fail("the trips are no counts"))?;
        let skewed: Int64Array = counts
            .iter()
            .map(|count| {
                let wrong = random.random_range(0..50_i64) == 0;
                count.map(|count| count + i64::from(wrong))
            })
            .collect();
        *column = Arc::new(skewed);
    }
    RecordBatch::try_new(served.schema(), columns)
        .map_err(|error| fail(format!("cannot put the served vectors together: {error}")))
}

fn timestamps(micros: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
}

fn batch<const N: usize>(columns: [(&str, ArrayRef, bool); N]) -> Result<RecordBatch, Failure> {
    RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|error| fail(format!("cannot put the demo together: {error}")))
}

fn instant(second: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_second(second).map_err(|error| fail(error.to_string()))
}

/// 2024-01-01T00:00:00Z.
const START: i64 = 1_704_067_200;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const HOURS: i64 = 14 * 24;
const DRIVERS: i64 = 40;
const ENTITIES: usize = 2_000;
const MICROS: i64 = 1_000_000;
