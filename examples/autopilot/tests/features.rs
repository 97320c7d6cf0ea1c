//! What the replay promises of its features: nothing of the future is in them.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_select::concat::concat_batches;
use noops_core::{Digest, FeatureSource, Knowledge, TimeSpan, Timestamp, Trainer, TrainingRequest};

use crate::features::Upstream;
use crate::flights::{Flights, midnight};
use crate::history::LandedFlights;
use crate::trainer::{FlightTrainer, Labels};

/// splitmix64, so that the made-up flights are the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

fn second(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap()
}

/// Flights of some days; a tenth of them never land.
fn made_up_flights(count: usize, days: u64) -> Flights {
    let mut random = Random(7);
    let start = midnight(2, 1).as_second();
    let mut scheduled: Vec<i64> = (0..count)
        .map(|_| start + random.below(days * 86_400) as i64)
        .collect();
    scheduled.sort_unstable();
    let landing = |at: &i64, random: &mut Random| {
        (random.below(10) > 0).then(|| second(at + 1_800 + random.below(6 * 3_600) as i64))
    };
    let lands: Vec<Option<Timestamp>> = scheduled
        .iter()
        .map(|at| landing(at, &mut random))
        .collect();
    let late = lands
        .iter()
        .map(|lands| lands.map(|_| random.below(4) == 0))
        .collect();
    let pick = |from: &[&str], random: &mut Random| {
        let texts = (0..count).map(|_| from[random.below(from.len() as u64) as usize].to_owned());
        Arc::new(StringArray::from_iter_values(texts)) as ArrayRef
    };
    let numbers = |random: &mut Random| {
        Arc::new(
            (0..count)
                .map(|_| Some(random.below(1_000) as f64))
                .collect::<Float64Array>(),
        ) as ArrayRef
    };
    let rows = RecordBatch::try_from_iter_with_nullable([
        ("carrier", pick(&["UA", "DL", "AA"], &mut random), true),
        ("origin", pick(&["JFK", "LGA", "EWR"], &mut random), true),
        ("dest", pick(&["SFO", "ORD"], &mut random), true),
        ("distance", numbers(&mut random), true),
        ("visib", numbers(&mut random), true),
    ]);
    Flights {
        scheduled: scheduled.into_iter().map(second).collect(),
        lands,
        late,
        rows: rows.unwrap(),
        digest: Digest::of(b"made up"),
    }
}

async fn requests(flights: &Arc<Flights>) -> RecordBatch {
    let never = TimeSpan {
        from: Timestamp::MAX,
        until: Timestamp::MAX,
    };
    let upstream = Upstream::new(flights.clone(), never).unwrap();
    let history = LandedFlights::new(flights).unwrap();
    upstream.request(0, flights.len(), &history).await.unwrap()
}

#[tokio::test]
async fn changing_anything_not_yet_known_leaves_every_earlier_prediction_as_it_was() {
    let flights = Arc::new(made_up_flights(600, 2));
    let before = requests(&flights).await;
    let mut random = Random(99);
    let mut later_changed = 0;
    for _ in 0..20 {
        let now = second(midnight(2, 1).as_second() + random.below(2 * 86_400) as i64);
        let other = with_another_future(&flights, now, &mut random);
        let after = requests(&Arc::new(other)).await;
        let known = flights.first_at(second(now.as_second() + 1));
        assert_eq!(before.slice(0, known), after.slice(0, known), "as of {now}");
        later_changed += usize::from(before != after);
    }
    // The test can see a change at all.
    assert!(later_changed > 15);
}

/// The same flights, with another future for all that has not landed by a time.
fn with_another_future(flights: &Flights, now: Timestamp, random: &mut Random) -> Flights {
    let mut other = flights.clone();
    for flight in 0..other.len() {
        // Not landed at that time: when and how it lands is not known yet.
        if other.lands[flight].is_none_or(|lands| lands > now) {
            other.lands[flight] = (random.below(5) > 0)
                .then(|| second(now.as_second() + 1 + random.below(86_400) as i64));
            other.late[flight] = other.lands[flight].map(|_| random.below(2) == 0);
        }
    }
    other
}

#[tokio::test]
async fn changing_anything_not_yet_known_leaves_a_training_as_it_was() {
    let flights = made_up_flights(1_500, 12);
    let now = second(midnight(2, 1).as_second() + 10 * 86_400);
    let other = with_another_future(&flights, now, &mut Random(5));
    assert_ne!(flights.late, other.late);
    let request = TrainingRequest {
        run: "run".to_owned(),
        snapshot_at: now,
        parent: None,
        quarantined: Vec::new(),
    };
    let (mut artifacts, mut lineages) = (Vec::new(), Vec::new());
    for flights in [flights.clone(), flights, other] {
        let flights = Arc::new(flights);
        let never = TimeSpan {
            from: Timestamp::MAX,
            until: Timestamp::MAX,
        };
        let upstream = Arc::new(Upstream::new(flights.clone(), never).unwrap());
        let history = Arc::new(LandedFlights::new(&flights).unwrap());
        let trained = FlightTrainer::new(upstream, history, 1)
            .train(&request)
            .await
            .unwrap();
        artifacts.push(Digest::of(&trained.artifact));
        lineages.push(trained.lineage);
    }
    assert_eq!(
        artifacts[0], artifacts[1],
        "the same training gives the same artifact"
    );
    assert_eq!(artifacts[0], artifacts[2], "the future is not in it");
    assert_eq!(lineages[0], lineages[1]);
    assert_eq!(lineages[0], lineages[2]);
}

#[tokio::test]
async fn the_lineage_tells_the_rows_the_labels_and_the_view_that_were_trained_on() {
    let flights = Arc::new(made_up_flights(1_500, 12));
    let never = TimeSpan {
        from: Timestamp::MAX,
        until: Timestamp::MAX,
    };
    let upstream = Arc::new(Upstream::new(flights.clone(), never).unwrap());
    let history = Arc::new(LandedFlights::new(&flights).unwrap());
    let view = history.view().version();
    let trainer = FlightTrainer::new(upstream, history, 1);
    let request = TrainingRequest {
        run: "run".to_owned(),
        snapshot_at: second(midnight(2, 1).as_second() + 10 * 86_400),
        parent: None,
        quarantined: Vec::new(),
    };
    let without_a_day = TrainingRequest {
        quarantined: vec![TimeSpan {
            from: midnight(2, 1),
            until: midnight(2, 2),
        }],
        ..request.clone()
    };
    let mut datasets = Vec::new();
    for (request, labels) in [
        (&request, Labels::True),
        (&request, Labels::Shuffled),
        (&without_a_day, Labels::True),
    ] {
        let lineage = trainer.train_on(request, labels).await.unwrap().lineage;
        assert_eq!(lineage.feature_view, Some(view));
        datasets.push(lineage.dataset.unwrap());
    }
    assert_ne!(datasets[0], datasets[1], "other labels are other rows");
    assert_ne!(datasets[0], datasets[2], "fewer rows are other rows");
}

#[tokio::test]
async fn training_and_serving_get_the_same_features() {
    let flights = Arc::new(made_up_flights(200, 2));
    let never = TimeSpan {
        from: Timestamp::MAX,
        until: Timestamp::MAX,
    };
    let upstream = Upstream::new(flights.clone(), never).unwrap();
    let history = LandedFlights::new(&flights).unwrap();
    let together = upstream.request(0, 200, &history).await.unwrap();
    let mut alone = Vec::new();
    for flight in 0..200 {
        alone.push(upstream.request(flight, 1, &history).await.unwrap());
    }
    assert_eq!(
        together,
        concat_batches(&together.schema(), &alone).unwrap()
    );
}

#[tokio::test]
async fn a_late_rate_counts_the_landings_of_its_window_and_no_others() {
    let flights = made_up_flights(400, 2);
    let history = LandedFlights::new(&flights).unwrap();
    let rates = history
        .as_of(&flights.rows, &flights.scheduled, Knowledge::AtRowTime)
        .await
        .unwrap()
        .into_values();
    let origins = flights.rows.column_by_name("origin").unwrap();
    let origins = noops_core::TextColumn::try_new(origins.as_ref()).unwrap();
    let sizes = rates.column_by_name("landed_origin_2h").unwrap();
    let sizes: Vec<f64> = noops_core::NumberColumn::try_new(sizes.as_ref())
        .unwrap()
        .iter()
        .flatten()
        .collect();
    for (flight, now) in flights.scheduled.iter().enumerate() {
        let landed = (0..flights.len()).filter(|&other| {
            let within = flights.lands[other]
                .is_some_and(|lands| lands <= *now && lands.as_second() > now.as_second() - 7_200);
            within && origins.value(other) == origins.value(flight)
        });
        assert!(
            (sizes[flight].exp_m1() - landed.count() as f64).abs() < 1e-9,
            "flight {flight}"
        );
    }
}

#[tokio::test]
async fn the_broken_week_delivers_kilometres_and_no_visibility() {
    let flights = Arc::new(made_up_flights(50, 2));
    let always = TimeSpan {
        from: Timestamp::MIN,
        until: Timestamp::MAX,
    };
    let upstream = Upstream::new(flights.clone(), always).unwrap();
    let history = LandedFlights::new(&flights).unwrap();
    let delivered = upstream.request(0, 50, &history).await.unwrap();
    let numbers = |rows: &RecordBatch, name: &str| {
        noops_core::NumberColumn::try_new(rows.column_by_name(name).unwrap().as_ref())
            .unwrap()
            .iter()
            .collect::<Vec<_>>()
    };
    let (miles, kilometres) = (
        numbers(&flights.rows, "distance"),
        numbers(&delivered, "distance"),
    );
    assert!(
        miles
            .iter()
            .flatten()
            .zip(kilometres.iter().flatten())
            .all(|(miles, kilometres)| (miles * 1.609_344 - kilometres).abs() < 1e-9)
    );
    assert!(numbers(&delivered, "visib").iter().all(Option::is_none));
}
