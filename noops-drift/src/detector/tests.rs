mod documentation;
mod oracle;
mod simulation;

use noops_core::{Alpha, Probability};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::testing::SplitMix64;

fn defaults() -> Vec<AnyDetector> {
    let reference: Vec<f64> = (0..1_000)
        .map(|row| f64::from(u8::from(row % 5 == 0)))
        .collect();
    DetectorKind::ALL
        .into_iter()
        .map(|kind| AnyDetector::fit(kind, &reference).unwrap())
        .collect()
}

/// Marsaglia's polar method: the sum of uniforms has too thin tails for run lengths.
fn normal(random: &mut SplitMix64) -> f64 {
    loop {
        let (x, y) = (2.0 * random.unit() - 1.0, 2.0 * random.unit() - 1.0);
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            return x * (-2.0 * square.ln() / square).sqrt();
        }
    }
}

#[test]
fn values_that_cannot_be_used_are_counted_and_change_nothing() {
    for detector in defaults() {
        let mut hostile = detector.clone();
        let mut random = SplitMix64(3);
        let mut clean = detector;
        for row in 0..2_000_u64 {
            let value = f64::from(u8::from(random.unit() < 0.3));
            let bad = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -1e101];
            let _ = hostile.update(bad[row as usize % bad.len()]);
            assert_eq!(hostile.update(value), clean.update(value), "{clean:?}");
        }
        assert_eq!(hostile.ignored(), 2_000);
        assert_eq!(clean.ignored(), 0);
    }
}

#[test]
fn detectors_of_error_rates_ignore_what_is_no_error_rate() {
    for mut detector in defaults() {
        let _ = detector.update(1.5);
        let _ = detector.update(-0.5);
        let expected = if detector.kind().needs_shares() { 2 } else { 0 };
        assert_eq!(detector.ignored(), expected, "{}", detector.name());
    }
}

#[test]
fn a_stored_detector_goes_on_where_it_was() {
    for mut detector in defaults() {
        let mut random = SplitMix64(8);
        for row in 0..700 {
            let level = if row < 400 { 0.2 } else { 0.6 };
            let _ = detector.update(f64::from(u8::from(random.unit() < level)));
        }
        let stored = serde_json::to_string(&detector).unwrap();
        let mut resumed: AnyDetector = serde_json::from_str(&stored).unwrap();
        assert_eq!(resumed, detector);
        for _ in 0..2_000 {
            let value = f64::from(u8::from(random.unit() < 0.4));
            assert_eq!(resumed.update(value), detector.update(value));
        }
        assert_eq!(resumed, detector);
    }
}

#[test]
fn a_reset_detector_is_a_new_one() {
    for fresh in defaults() {
        let mut used = fresh.clone();
        let mut random = SplitMix64(5);
        for _ in 0..333 {
            let _ = used.update(random.unit());
            let _ = used.update(f64::NAN);
        }
        assert_ne!(used, fresh);
        used.reset();
        assert_eq!(used.ignored(), 0);
        let mut fresh = fresh;
        for _ in 0..1_000 {
            let value = f64::from(u8::from(random.unit() < 0.4));
            assert_eq!(used.update(value), fresh.update(value));
        }
    }
}

#[test]
fn an_altered_state_is_refused_by_name() {
    let mut detector = Adwin::new(AdwinSettings::default()).unwrap();
    for row in 0..40 {
        let _ = detector.update(f64::from(row));
    }
    let stored = serde_json::to_string(&detector).unwrap();
    let altered = stored.replace("\"width\":40", "\"width\":41");
    assert_ne!(altered, stored);
    let error = serde_json::from_str::<Adwin>(&altered).unwrap_err();
    assert!(error.to_string().contains("width"), "{error}");

    let stored = serde_json::to_string(&EveryK::new(5).unwrap()).unwrap();
    let altered = stored.replace("\"since\":0", "\"since\":5");
    assert!(serde_json::from_str::<EveryK>(&altered).is_err());

    let stored = serde_json::to_string(&Fhddm::new(FhddmSettings::default()).unwrap()).unwrap();
    let altered = stored.replace("\"correct\":0", "\"correct\":1");
    assert!(serde_json::from_str::<Fhddm>(&altered).is_err());

    let stored = serde_json::to_string(&Cusum::new(CusumSettings::default()).unwrap()).unwrap();
    let altered = stored.replace("\"up\":0.0", "\"up\":6.0");
    assert_ne!(altered, stored);
    assert!(serde_json::from_str::<Cusum>(&altered).is_err());

    let mut detector = PageHinkley::new(PageHinkleySettings::default()).unwrap();
    let _ = detector.update(1.0);
    let stored = serde_json::to_string(&detector).unwrap();
    let altered = stored.replace("\"count\":1", &format!("\"count\":{}", u64::MAX));
    assert_ne!(altered, stored);
    assert!(serde_json::from_str::<PageHinkley>(&altered).is_err());
    let most = stored.replace("\"count\":1", &format!("\"count\":{}", 1_u64 << 62));
    let mut oldest: PageHinkley = serde_json::from_str(&most).unwrap();
    assert_eq!(oldest.update(1.0), State::Stable);
    assert_eq!(oldest.observations(), 1 << 62);

    let settings = EDetectorSettings::default();
    let stored = serde_json::to_string(&EDetector::new(settings).unwrap()).unwrap();
    let altered = stored.replace("\"up\":[0.0", "\"up\":[1e9");
    assert_ne!(altered, stored);
    let error = serde_json::from_str::<EDetector>(&altered).unwrap_err();
    assert!(error.to_string().contains("overdue"), "{error}");
}

#[test]
fn a_full_window_of_adwin_drops_its_oldest_values_without_an_alarm() {
    let mut state: Value =
        serde_json::to_value(Adwin::new(AdwinSettings::default()).unwrap()).unwrap();
    let window = &mut state["track"]["window"];
    for row in window["rows"].as_array_mut().unwrap() {
        row["filled"] = 5.into();
    }
    window["last"] = 29.into();
    window["width"] = (5 * (1_u64 << 30) - 5).into();
    let mut detector: Adwin = serde_json::from_value(state).unwrap();
    assert_eq!(detector.width(), 5 * (1 << 30) - 5);
    for _ in 0..64 {
        assert_eq!(detector.update(0.0), State::Stable);
    }
    // The first value joins buckets in every row, and the last row gives its oldest 2^29 values away.
    assert_eq!(detector.width(), 5 * (1 << 30) - 4 - (1 << 29) + 63);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let refused = [
        Adwin::new(AdwinSettings::default().with_delta(0.0)).is_err(),
        Adwin::new(AdwinSettings::default().with_delta(f64::NAN)).is_err(),
        Adwin::new(AdwinSettings::default().with_clock(0)).is_err(),
        PageHinkley::new(PageHinkleySettings::default().with_threshold(f64::INFINITY)).is_err(),
        PageHinkley::new(PageHinkleySettings::default().with_delta(-1.0)).is_err(),
        Cusum::new(CusumSettings::default().with_reference(0.0, 0.0)).is_err(),
        Ddm::new(DdmSettings::default().with_drift_threshold(-1.0)).is_err(),
        Eddm::new(EddmSettings::default().with_drift_ratio(0.99)).is_err(),
        HddmA::new(HddmASettings::default().with_drift_confidence(0.0)).is_err(),
        HddmW::new(HddmWSettings::default().with_weight(2.0)).is_err(),
        Fhddm::new(FhddmSettings::default().with_window(0)).is_err(),
        Kswin::new(KswinSettings::default().with_recent(100)).is_err(),
        Kswin::new(KswinSettings::default().with_window(4).with_recent(2)).is_err(),
        EDetector::new(EDetectorSettings::default().with_tolerance(-0.1)).is_err(),
        EveryK::new(0).is_err(),
    ];
    assert!(refused.iter().all(|refused| *refused), "{refused:?}");
}

#[test]
fn names_and_kinds_are_one_to_one() {
    for kind in DetectorKind::ALL {
        assert_eq!(DetectorKind::from_name(kind.name()), Ok(kind));
        let stored = serde_json::to_string(&kind).unwrap();
        assert_eq!(stored, format!("\"{kind}\""));
    }
    assert_eq!("Page_Hinkley".parse(), Ok(DetectorKind::PageHinkley));
    let error = DetectorKind::from_name("wind").unwrap_err().to_string();
    assert!(
        DetectorKind::ALL
            .iter()
            .all(|kind| error.contains(kind.name()))
    );
}

#[test]
fn a_reference_that_cannot_be_learnt_from_is_refused() {
    let none = [f64::NAN, f64::INFINITY];
    assert!(AnyDetector::fit(DetectorKind::Cusum, &none).is_err());
    assert!(AnyDetector::fit(DetectorKind::Cusum, &[1.0, 1.0]).is_err());
    assert!(AnyDetector::fit(DetectorKind::EDetector, &none).is_err());
    assert!(AnyDetector::fit(DetectorKind::EDetector, &[0.5, 2.0]).is_err());
    assert!(AnyDetector::fit(DetectorKind::Adwin, &[]).is_ok());
}

#[test]
fn the_mixture_formula_of_the_e_detector_is_met() {
    for recursion in [Recursion::Cusum, Recursion::ShiryaevRoberts] {
        let settings = EDetectorSettings::default()
            .with_reference_mean(Probability::new(0.25).unwrap())
            .with_tolerance(0.05)
            .with_alpha(Alpha::new(1e-9).unwrap())
            .with_recursion(recursion);
        let mut detector = EDetector::new(settings).unwrap();
        let values = [1.0, 0.0, 0.5, 0.75, 1.0, 0.0, 0.3];
        for value in values {
            assert_eq!(detector.update(value), State::Stable);
        }
        let products = |c: f64| -> Vec<f64> {
            (0..values.len())
                .map(|start| {
                    let factors = values[start..].iter().map(|x| 1.0 + c / 0.3 * (x - 0.3));
                    factors.product()
                })
                .collect()
        };
        let bets = [0.5, 0.25, 0.125, 0.0625, 0.031_25].map(|c| {
            let starts = products(c);
            match recursion {
                Recursion::Cusum => starts.into_iter().fold(0.0, f64::max),
                Recursion::ShiryaevRoberts => starts.into_iter().sum(),
            }
        });
        let naive = bets.iter().sum::<f64>() / 5.0;
        let error = detector.evidence().value() / naive - 1.0;
        assert!(error.abs() < 1e-12, "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_stream_makes_a_detector_panic_or_unstorable(
        bits in prop::collection::vec(any::<u64>(), 1..300),
    ) {
        for mut detector in defaults() {
            for bits in &bits {
                let _ = detector.update(f64::from_bits(*bits));
                let _ = detector.update((*bits % 1_000) as f64 / 999.0);
            }
            let stored = serde_json::to_string(&detector).unwrap();
            let resumed: AnyDetector = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(resumed, detector);
        }
    }
}
