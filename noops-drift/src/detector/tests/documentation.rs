//! The numbers that the documentation states are what the detectors do.

use super::*;

/// What the documentation shows, and the detector it is about.
type Line = (&'static str, Box<dyn Detector>);

const STREAMS: u64 = 100;
const ROWS: usize = 5_000;
const CHANGE_AT: usize = 2_000;

fn boxed(detector: impl Detector + 'static) -> Box<dyn Detector> {
    Box::new(detector)
}

fn by_default(kind: DetectorKind) -> Box<dyn Detector> {
    boxed(AnyDetector::fit(kind, &[]).unwrap())
}

fn baselines() -> Vec<Line> {
    vec![
        ("[`AlwaysFire`]", boxed(AlwaysFire::new())),
        ("[`NeverFire`]", boxed(NeverFire::new())),
        ("[`EveryK`] of 100", boxed(EveryK::new(100).unwrap())),
    ]
}

fn e_detector(recursion: Recursion) -> EDetector {
    let settings = EDetectorSettings::default()
        .with_reference_mean(Probability::new(0.2).unwrap())
        .with_recursion(recursion);
    EDetector::new(settings).unwrap()
}

fn summary_of(
    detector: &mut dyn Detector,
    value: impl Fn(&mut SplitMix64, bool) -> f64,
) -> EvaluationSummary {
    let runs: Vec<Evaluation> = (0..STREAMS)
        .map(|seed| {
            let mut random = SplitMix64(9_000 + seed);
            detector.reset();
            let stream = (0..ROWS).map(|row| value(&mut random, row >= CHANGE_AT));
            evaluate(detector, stream, CHANGE_AT as u64)
        })
        .collect();
    EvaluationSummary::of(&runs)
}

/// A line of a table: false alarms in a stream, then for each change the mean delay and how often it was missed.
fn line(name: &str, summaries: &[EvaluationSummary]) -> String {
    let false_alarms = summaries[0].false_alarms() as f64 / STREAMS as f64;
    assert!(
        summaries
            .iter()
            .all(|summary| summary.false_alarms() == summaries[0].false_alarms())
    );
    let shown = if false_alarms >= 10.0 {
        grouped(false_alarms)
    } else {
        format!("{false_alarms:.2}")
    };
    let cells: String = summaries
        .iter()
        .map(|summary| match (summary.mean_delay(), summary.missed()) {
            (None, _) => " all missed |".to_owned(),
            (Some(delay), 0) => format!(" {} |", grouped(delay)),
            (Some(delay), missed) => format!(" {}, {missed} missed |", grouped(delay)),
        })
        .collect();
    format!("//! | {name} | {shown} |{cells}")
}

/// Rounded, with a comma before the last three digits.
fn grouped(number: f64) -> String {
    let whole = number.round() as u64;
    if whole < 1_000 {
        whole.to_string()
    } else {
        format!("{},{:03}", whole / 1_000, whole % 1_000)
    }
}

/// Alarms at random, as frequent as the false ones, find a change after half their distance on average at best.
fn beats_blind_alarms(summary: &EvaluationSummary) -> bool {
    let distance = 1_000.0 / summary.false_alarms_per_thousand();
    summary
        .mean_delay()
        .is_some_and(|delay| delay < 0.5 * distance)
}

fn assert_documented(lines: &[String]) {
    let documentation = include_str!("../../detector.rs");
    let missing: Vec<&str> = lines
        .iter()
        .map(String::as_str)
        .filter(|line| !documentation.lines().any(|documented| documented == *line))
        .collect();
    assert!(
        missing.is_empty(),
        "the documentation should say\n{}",
        missing.join("\n")
    );
}

#[test]
fn detectors_find_a_rise_of_an_error_rate_as_documented() {
    let known = CusumSettings::default().with_reference(0.2, 0.4);
    let detectors: Vec<Line> = vec![
        ("[`Adwin`]", by_default(DetectorKind::Adwin)),
        ("[`PageHinkley`]", by_default(DetectorKind::PageHinkley)),
        (
            "[`Cusum`], reference known",
            boxed(Cusum::new(known).unwrap()),
        ),
        ("[`Ddm`]", by_default(DetectorKind::Ddm)),
        ("[`Eddm`]", by_default(DetectorKind::Eddm)),
        ("[`HddmA`]", by_default(DetectorKind::HddmA)),
        ("[`HddmW`]", by_default(DetectorKind::HddmW)),
        ("[`Fhddm`]", by_default(DetectorKind::Fhddm)),
        ("[`Kswin`]", by_default(DetectorKind::Kswin)),
        (
            "[`EDetector`], reference known",
            boxed(e_detector(Recursion::ShiryaevRoberts)),
        ),
        (
            "[`EDetector`], the same, CUSUM",
            boxed(e_detector(Recursion::Cusum)),
        ),
    ];
    let rise = |detector: &mut dyn Detector, rate: f64| {
        summary_of(detector, |random, changed| {
            f64::from(u8::from(random.unit() < if changed { rate } else { 0.2 }))
        })
    };
    let mut lines = Vec::new();
    for (name, mut detector) in detectors {
        let summaries = [0.3, 0.5].map(|rate| rise(detector.as_mut(), rate));
        assert!(
            beats_blind_alarms(&summaries[1]),
            "{name}: {:?}",
            summaries[1]
        );
        lines.push(line(name, &summaries));
    }
    for (name, mut detector) in baselines() {
        let summaries = [0.3, 0.5].map(|rate| rise(detector.as_mut(), rate));
        assert!(
            !beats_blind_alarms(&summaries[1]),
            "{name}: {:?}",
            summaries[1]
        );
        lines.push(line(name, &summaries));
    }
    assert_documented(&lines);
}

#[test]
fn detectors_find_a_change_of_normal_values_as_documented() {
    let detectors: Vec<Line> = vec![
        ("[`Adwin`]", by_default(DetectorKind::Adwin)),
        ("[`PageHinkley`]", by_default(DetectorKind::PageHinkley)),
        (
            "[`Cusum`], reference known",
            boxed(Cusum::new(CusumSettings::default()).unwrap()),
        ),
        ("[`Kswin`]", by_default(DetectorKind::Kswin)),
    ];
    let change = |detector: &mut dyn Detector, shift: f64, scale: f64| {
        summary_of(detector, |random, changed| {
            let value = normal(random);
            if changed {
                shift + scale * value
            } else {
                value
            }
        })
    };
    let changes = [(1.0, 1.0), (0.5, 1.0), (0.0, 1.5)];
    let mut lines = Vec::new();
    for (name, mut detector) in detectors {
        let summaries = changes.map(|(shift, scale)| change(detector.as_mut(), shift, scale));
        assert!(
            beats_blind_alarms(&summaries[0]),
            "{name}: {:?}",
            summaries[0]
        );
        lines.push(line(name, &summaries));
    }
    for (name, mut detector) in baselines() {
        lines.push(line(
            name,
            &changes.map(|(shift, scale)| change(detector.as_mut(), shift, scale)),
        ));
    }
    assert_documented(&lines);
}

#[test]
fn without_drift_alarms_are_as_far_apart_as_documented() {
    type Draw = fn(&mut SplitMix64) -> f64;
    let error: Draw = |random| f64::from(u8::from(random.unit() < 0.2));
    let stated = [
        (DetectorKind::PageHinkley, normal as Draw, 1_500),
        (DetectorKind::HddmW, error, 15_000),
        (DetectorKind::Kswin, normal, 1_000),
    ];
    let counted = stated.map(|(kind, draw, distance)| {
        let mut random = SplitMix64(41);
        let mut detector = by_default(kind);
        let rows = 0..EXPECTED_ALARMS * distance;
        let alarms = rows.filter(|_| detector.update(draw(&mut random)).is_drift());
        (kind, alarms.count())
    });
    // Their number has a standard deviation of 14, and more where they come in clusters.
    assert!(
        counted
            .iter()
            .all(|(_, alarms)| (140..=260).contains(alarms)),
        "{counted:?} of {EXPECTED_ALARMS}"
    );
}

#[test]
fn an_e_detector_finds_a_change_at_the_start_as_soon_as_documented() {
    let stated = [
        (Recursion::ShiryaevRoberts, 0.3, 210.0),
        (Recursion::Cusum, 0.3, 330.0),
        (Recursion::ShiryaevRoberts, 0.5, 38.0),
        (Recursion::Cusum, 0.5, 45.0),
    ];
    let found = stated.map(|(recursion, rate, stated)| {
        let mut random = SplitMix64(42);
        let mut detector = e_detector(recursion);
        let (runs, mut rows) = (1_000_u32, 0_u64);
        for _ in 0..runs {
            loop {
                rows += 1;
                let error = f64::from(u8::from(random.unit() < rate));
                if detector.update(error).is_drift() {
                    break;
                }
            }
        }
        (rows as f64 / f64::from(runs), stated)
    });
    assert!(
        found
            .iter()
            .all(|(mean, stated)| (mean / stated - 1.0).abs() < 0.1),
        "{found:?}"
    );
}

const EXPECTED_ALARMS: u64 = 200;
