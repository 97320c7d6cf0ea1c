use noops_core::{Alpha, Probability};
use proptest::prelude::*;

use super::{Aspect, CalibrationMonitor, CalibrationSettings, Observed};
use crate::testing::{Draws as _, SplitMix64};

struct World {
    shift: f64,
    slope: f64,
}

/// The day of the first alarm, over days with a common shock of standard deviation 0.1.
fn first_alarm(world: &World, days: u64, seed: u64) -> Option<u64> {
    let mut random = SplitMix64(seed);
    let mut monitor = CalibrationMonitor::new(CalibrationSettings::default()).unwrap();
    for day in 0..days {
        let shock = 0.1 * random.bell();
        for _ in 0..60 {
            let predicted = 0.4 + 0.2 * random.unit();
            let truth = predicted + shock + world.shift + world.slope * (predicted - 0.5).signum();
            let label = if random.unit() < truth {
                Observed::Positive
            } else {
                Observed::Negative
            };
            monitor.observe(day, Probability::new(predicted).unwrap(), label);
        }
        monitor.close_before(day + 1);
        if monitor.evidence().alarmed() {
            return Some(day);
        }
    }
    None
}

fn labels(
    monitor: &mut CalibrationMonitor,
    block: u64,
    predicted: f64,
    positives: u64,
    negatives: u64,
) {
    let predicted = Probability::new(predicted).unwrap();
    for _ in 0..positives {
        monitor.observe(block, predicted, Observed::Positive);
    }
    for _ in 0..negatives {
        monitor.observe(block, predicted, Observed::Negative);
    }
}

fn monitor() -> CalibrationMonitor {
    CalibrationMonitor::new(CalibrationSettings::default()).unwrap()
}

#[test]
fn a_calibrated_model_with_day_effects_is_rarely_alarmed() {
    let alarms = (0..40)
        .filter(|seed| {
            first_alarm(
                &World {
                    shift: 0.0,
                    slope: 0.0,
                },
                300,
                *seed,
            )
            .is_some()
        })
        .count();
    // At most 5 % of 40 in expectation; more than 6 would have a probability below 1 %.
    assert!(alarms <= 6, "{alarms} of 40");
}

#[test]
fn a_shift_within_the_tolerance_is_rarely_alarmed() {
    let world = World {
        shift: 0.02,
        slope: 0.0,
    };
    let alarms = (100..140)
        .filter(|seed| first_alarm(&world, 300, *seed).is_some())
        .count();
    assert!(alarms <= 6, "{alarms} of 40");
}

#[test]
fn a_shift_of_a_tenth_is_found_within_eighty_days_in_most_runs() {
    let world = World {
        shift: -0.1,
        slope: 0.0,
    };
    let found = (200..240)
        .filter(|seed| first_alarm(&world, 80, *seed).is_some())
        .count();
    assert!(found >= 30, "{found} of 40");
}

#[test]
fn a_shift_of_six_hundredths_is_found_within_two_hundred_days_in_most_runs() {
    let world = World {
        shift: 0.06,
        slope: 0.0,
    };
    let found = (300..340)
        .filter(|seed| first_alarm(&world, 200, *seed).is_some())
        .count();
    assert!(found >= 30, "{found} of 40");
}

#[test]
fn overconfidence_is_found_though_the_mean_is_right() {
    let world = World {
        shift: 0.0,
        slope: -0.12,
    };
    let found = (400..420)
        .filter(|seed| first_alarm(&world, 120, *seed).is_some())
        .count();
    assert!(found >= 15, "{found} of 20");
}

#[test]
fn aspects_say_in_which_way_predictions_are_wrong() {
    for (low, high, aspect) in [
        (50, 90, Aspect::TooLow),
        (10, 50, Aspect::TooHigh),
        (50, 50, Aspect::TooSteep),
        (5, 95, Aspect::TooFlat),
    ] {
        let mut monitor = monitor();
        for day in 0..80 {
            labels(&mut monitor, day, 0.3, low, 100 - low);
            labels(&mut monitor, day, 0.7, high, 100 - high);
            monitor.close_before(day + 1);
        }
        let evidence = monitor.evidence();
        assert!(evidence.alarmed(), "{aspect:?}");
        assert_eq!(evidence.aspect(), Some(aspect));
    }
}

#[test]
fn late_labels_are_counted_and_change_nothing_else() {
    let mut monitor = monitor();
    labels(&mut monitor, 3, 0.5, 20, 20);
    monitor.close_before(4);
    let before = monitor.evidence();
    labels(&mut monitor, 3, 0.5, 7, 0);
    monitor.close_before(4);
    assert_eq!(monitor.late(), 7);
    assert_eq!(monitor.evidence().log_e(), before.log_e());
    assert_eq!(monitor.evidence().labels(), before.labels());
}

#[test]
fn positives_that_come_late_are_sure_to_alarm_a_calibrated_model() {
    let mut monitor = monitor();
    for day in 0..300 {
        labels(&mut monitor, day, 0.5, 40, 50);
        monitor.close_before(day + 1);
        labels(&mut monitor, day, 0.5, 10, 0);
    }
    assert_eq!(monitor.late(), 3_000);
    assert!(monitor.evidence().alarmed());
    assert_eq!(monitor.evidence().aspect(), Some(Aspect::TooHigh));
}

#[test]
fn discarded_blocks_leave_no_trace() {
    let mut used = monitor();
    labels(&mut used, 0, 0.5, 20, 30);
    used.close_before(1);
    labels(&mut used, 1, 0.5, 25, 25);
    let mut expected = used.clone();
    labels(&mut used, 2, 0.9, 0, 50);
    labels(&mut used, 7, 0.9, 0, 50);
    used.discard_from(2);
    assert_eq!(used, expected);
    used.close_before(10);
    expected.close_before(10);
    assert_eq!(used, expected);
    assert_eq!(used.evidence().blocks(), 2);
}

#[test]
fn discarding_takes_back_no_bet_and_a_dropped_block_may_open_again() {
    let mut monitor = monitor();
    labels(&mut monitor, 0, 0.5, 10, 40);
    monitor.close_before(1);
    let before = monitor.evidence();
    labels(&mut monitor, 3, 0.9, 0, 50);
    monitor.discard_from(0);
    assert_eq!(monitor.evidence(), before);
    labels(&mut monitor, 3, 0.5, 20, 20);
    monitor.close_before(4);
    assert_eq!(monitor.late(), 0);
    assert_eq!(monitor.evidence().labels(), before.labels() + 40);
}

#[test]
fn thin_blocks_are_dropped_and_counted() {
    let mut monitor = monitor();
    labels(&mut monitor, 0, 0.5, 29, 0);
    monitor.close_before(1);
    assert_eq!(
        (monitor.evidence().thin(), monitor.evidence().blocks()),
        (1, 0)
    );
    assert_eq!(monitor.evidence().aspect(), None);
}

#[test]
fn reset_forgets_all_but_the_settings() {
    let mut used = monitor();
    labels(&mut used, 9, 0.9, 0, 100);
    used.close_before(10);
    used.reset();
    assert_eq!(used, monitor());
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let settings = CalibrationSettings::default();
    for (tolerance, range) in [
        (f64::NAN, 0.35),
        (-0.1, 0.35),
        (0.35, 0.35),
        (0.0, 0.0),
        (0.0, 1.1),
        (0.0, f64::NAN),
    ] {
        let settings = settings
            .clone()
            .with_tolerance(tolerance)
            .with_block_range(range);
        assert!(
            CalibrationMonitor::new(settings).is_err(),
            "{tolerance} {range}"
        );
    }
}

#[test]
fn an_altered_monitor_is_refused() {
    let mut sound = monitor();
    for day in 0..5 {
        labels(&mut sound, day, 0.5, 40, 10);
        sound.close_before(day + 1);
    }
    labels(&mut sound, 9, 0.5, 3, 1);
    assert!(sound.evidence().max().get() > 0.0);
    let stored = serde_json::to_string(&sound).unwrap();
    let read: CalibrationMonitor = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, sound);
    for (good, bad) in [
        ("\"block_range\":0.35", "\"block_range\":0.0"),
        ("\"tolerance\":0.02", "\"tolerance\":0.9"),
        ("\"blocks\":5", "\"blocks\":6"),
        ("\"labels\":250", "\"labels\":0"),
        ("\"closed_before\":5", "\"closed_before\":10"),
        ("\"location_sum\":1", "\"location_sum\":9"),
        ("\"location\":1.0", "\"location\":-4.5"),
        ("\"max\":", "\"max\":-"),
    ] {
        assert!(stored.contains(good), "{good} in {stored}");
        let altered = stored.replacen(good, bad, 1);
        assert!(
            serde_json::from_str::<CalibrationMonitor>(&altered).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn a_smaller_alpha_asks_for_more_evidence() {
    let mut strict =
        CalibrationMonitor::new(CalibrationSettings::default().with_alpha(Alpha::ONE_PERCENT))
            .unwrap();
    let mut usual = monitor();
    let mut days = (0, 0);
    for day in 0..200 {
        for monitor in [&mut strict, &mut usual] {
            labels(monitor, day, 0.5, 60, 40);
            monitor.close_before(day + 1);
        }
        days.0 += u64::from(!strict.evidence().alarmed());
        days.1 += u64::from(!usual.evidence().alarmed());
    }
    assert!(days.0 > days.1 && days.0 < 200, "{days:?}");
}

proptest! {
    #[test]
    fn resumed_state_goes_on_as_if_unbroken(counts in prop::collection::vec((0_u64..60, 0_u64..60), 1..30), cut in 0_usize..30) {
        let mut unbroken = monitor();
        let mut resumed = monitor();
        for (day, (positives, negatives)) in counts.into_iter().enumerate() {
            let day = day as u64;
            if day == cut as u64 {
                let stored = serde_json::to_string(&resumed).unwrap();
                resumed = serde_json::from_str(&stored).unwrap();
            }
            for monitor in [&mut unbroken, &mut resumed] {
                labels(monitor, day, 0.6, positives, negatives);
                monitor.close_before(day);
            }
        }
        prop_assert_eq!(unbroken, resumed);
    }

    #[test]
    fn interleaved_blocks_are_folded_in_the_order_of_their_keys(counts in prop::collection::vec(30_u64..60, 1..10)) {
        let mut forwards = monitor();
        let mut backwards = monitor();
        for (day, positives) in counts.iter().enumerate() {
            labels(&mut forwards, day as u64, 0.25, *positives, 10);
        }
        for (day, positives) in counts.iter().enumerate().rev() {
            labels(&mut backwards, day as u64, 0.25, *positives, 10);
        }
        forwards.close_before(100);
        backwards.close_before(100);
        prop_assert_eq!(forwards, backwards);
    }
}
