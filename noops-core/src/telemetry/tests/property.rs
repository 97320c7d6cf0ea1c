use arrow_array::RecordBatch;
use proptest::prelude::*;

use super::*;

/// Something that is delivered, or a drain.
#[derive(Clone, Debug)]
enum Event {
    Prediction(u8),
    Label(u8, bool, i64),
    Drain(i64),
}

/// When the prediction of a request is made.
fn made_at(request: u8) -> i64 {
    3 * i64::from(request)
}

fn id(request: u8) -> String {
    format!("r-{request}")
}

fn deliver(
    telemetry: &mut TelemetryBuffer,
    event: &Event,
) -> (Option<LabelOutcome>, Vec<RecordBatch>) {
    match *event {
        Event::Prediction(request) => {
            telemetry.predictions(&[prediction(&id(request), made_at(request))]);
            (None, Vec::new())
        }
        Event::Label(request, positive, known_at) => {
            let outcome = telemetry.label(label(&id(request), positive, known_at));
            (Some(outcome), Vec::new())
        }
        Event::Drain(now) => (None, telemetry.drain(second(now)).unwrap()),
    }
}

/// The rule, straight from its wording: collect everything, then decide.
fn naive(events: &[Event], grace: i64, now: i64) -> Vec<Read> {
    let mut rows = Vec::new();
    for request in 0..=u8::MAX {
        let is_predicted =
            |event: &Event| matches!(event, Event::Prediction(other) if *other == request);
        if !events.iter().any(is_predicted) {
            continue;
        }
        let at = made_at(request);
        let mut in_time: Vec<(i64, bool)> = events
            .iter()
            .filter_map(|event| match *event {
                Event::Label(other, positive, known_at) if other == request => {
                    Some((known_at, positive))
                }
                _ => None,
            })
            .filter(|(known_at, _)| *known_at <= at + HORIZON)
            .collect();
        in_time.sort_unstable();
        let first = in_time.first().copied();
        let complete_at = first.map_or(at + HORIZON + grace, |(known_at, _)| known_at + grace);
        if complete_at <= now {
            let conflicting = in_time
                .iter()
                .find(|(_, positive)| first.is_some_and(|(_, counting)| counting != *positive));
            rows.push(row(
                &id(request),
                at,
                first.map(|(known_at, positive)| (positive, known_at)),
                conflicting.map(|(known_at, _)| *known_at),
            ));
        }
    }
    rows
}

fn deliveries() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        (0u8..6).prop_map(Event::Prediction),
        (0u8..6, any::<bool>(), -3i64..30)
            .prop_map(|(request, positive, known_at)| Event::Label(request, positive, known_at)),
    ];
    prop::collection::vec(event, 0..60)
}

fn deliveries_and_drains() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (0u8..12).prop_map(Event::Prediction),
        5 => (0u8..12, any::<bool>(), -3i64..50)
            .prop_map(|(request, positive, known_at)| Event::Label(request, positive, known_at)),
        1 => (0i64..50).prop_map(Event::Drain),
    ];
    prop::collection::vec(event, 0..80)
}

/// A request: when its prediction is delivered, when copies of it are, and its labels with their delay and delivery.
type Story = (i64, Vec<i64>, Vec<(bool, i64, i64)>);

fn stories() -> impl Strategy<Value = Vec<Story>> {
    let copies = prop::collection::vec(0i64..50, 0..3);
    let labels = prop::collection::vec((any::<bool>(), 0i64..15, 0i64..=GRACE), 0..4);
    prop::collection::vec((0i64..=GRACE, copies, labels), 8)
}

proptest! {
    #[test]
    fn rows_are_those_of_the_rule_in_whatever_order_things_are_delivered(
        (events, shuffled) in deliveries().prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
        grace in 0i64..4,
        now in 0i64..50,
    ) {
        let (mut one, mut other) = (telemetry(grace), telemetry(grace));
        for event in &events {
            deliver(&mut one, event);
        }
        for event in &shuffled {
            deliver(&mut other, event);
        }
        let batches = one.drain(second(now)).unwrap();
        prop_assert_eq!(read(&batches), naive(&events, grace, now));
        prop_assert_eq!(other.drain(second(now)).unwrap(), batches);
    }

    #[test]
    fn what_is_delivered_within_the_grace_finds_its_place_and_every_row_is_drained_once(stories in stories()) {
        let mut deliveries: Vec<(i64, Event)> = Vec::new();
        for (request, (delivery, copies, labels)) in (0u8..).zip(&stories) {
            let at = made_at(request);
            deliveries.push((at + delivery, Event::Prediction(request)));
            deliveries.extend(copies.iter().map(|copy| (at + copy, Event::Prediction(request))));
            deliveries.extend(labels.iter().map(|(positive, delay, delivery)| {
                let known_at = at + delay;
                (known_at + delivery, Event::Label(request, *positive, known_at))
            }));
        }
        let mut telemetry = telemetry(GRACE);
        let mut rows: Vec<Read> = Vec::new();
        for now in 0..=90 {
            for (_, event) in deliveries.iter().filter(|(at, _)| *at == now) {
                deliver(&mut telemetry, event);
            }
            rows.extend(read(&telemetry.drain(second(now)).unwrap()));
        }
        let events: Vec<Event> = deliveries.into_iter().map(|(_, event)| event).collect();
        // A conflict may come to light after the row was drained; what counts does not change by it.
        let counting = |rows: &[Read]| -> Vec<(String, Option<(bool, i64)>)> {
            let mut rows: Vec<_> = rows.iter().map(|row| (row.request.clone(), row.label)).collect();
            rows.sort();
            rows
        };
        prop_assert_eq!(counting(&rows), counting(&naive(&events, GRACE, 90)));
        prop_assert_eq!(telemetry.counts().late_predictions + telemetry.counts().duplicate_predictions,
            stories.iter().map(|(_, copies, _)| copies.len() as u64).sum::<u64>());
    }

    #[test]
    fn a_resumed_buffer_goes_on_as_an_unbroken_one_within_its_limit(
        events in deliveries_and_drains(),
        room in 0u64..8,
        grace in 0i64..4,
    ) {
        let limit = room * (FIXED + 20);
        let settings = settings(grace).with_max_bytes(limit);
        let mut unbroken = TelemetryBuffer::new(settings).unwrap();
        let mut resumed = unbroken.clone();
        for event in &events {
            prop_assert_eq!(deliver(&mut unbroken, event), deliver(&mut resumed, event));
            let text = serde_json::to_string(&resumed).unwrap();
            resumed = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json::to_string(&unbroken).unwrap(), text);
            // Added up anew when it is read, and bit by bit otherwise.
            prop_assert_eq!(resumed.held_bytes(), unbroken.held_bytes());
            prop_assert!(unbroken.held_bytes() <= limit);
        }
    }

    #[test]
    fn every_prediction_is_in_exactly_one_count(events in deliveries_and_drains(), room in 0u64..8) {
        let settings = settings(0).with_max_bytes(room * (FIXED + 20));
        let mut telemetry = TelemetryBuffer::new(settings).unwrap();
        for event in &events {
            deliver(&mut telemetry, event);
        }
        let delivered = events.iter().filter(|event| matches!(event, Event::Prediction(_))).count() as u64;
        let counts = telemetry.counts();
        prop_assert_eq!(
            counts.predictions + counts.duplicate_predictions + counts.late_predictions + counts.refused_predictions,
            delivered
        );
        telemetry.drain(second(1000)).unwrap();
        let counts = telemetry.counts();
        prop_assert_eq!(
            counts.labelled_rows + counts.unlabelled_rows + counts.dropped_predictions,
            counts.predictions
        );
        prop_assert_eq!(telemetry.held_bytes(), 0);
    }
}
