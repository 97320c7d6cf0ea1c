use serde::Deserialize;

use super::*;
use crate::testing::Draws as _;

#[derive(Deserialize)]
struct Oracle {
    cases: Vec<Case>,
    run_lengths: Vec<RunLength>,
}

#[derive(Deserialize)]
struct Case {
    detector: String,
    variant: String,
    call: String,
    stream: Stream,
    alarms: Vec<usize>,
    warned_rows: usize,
    width: Option<u64>,
    total: Option<f64>,
    variance: Option<f64>,
}

#[derive(Deserialize)]
struct Stream {
    seed: u64,
    segments: Vec<Segment>,
}

#[derive(Deserialize)]
struct Segment {
    rows: usize,
    kind: String,
    level: f64,
    spread: f64,
}

#[derive(Deserialize)]
struct RunLength {
    slack: f64,
    threshold: f64,
    shift: f64,
    up: f64,
    down: f64,
}

impl Stream {
    fn values(&self) -> Vec<f64> {
        let mut random = SplitMix64(self.seed);
        let mut values = Vec::new();
        for segment in &self.segments {
            for _ in 0..segment.rows {
                values.push(match segment.kind.as_str() {
                    "bernoulli" => f64::from(u8::from(random.unit() < segment.level)),
                    "bell" => segment.level + segment.spread * random.bell(),
                    other => panic!("no stream `{other}`"),
                });
            }
        }
        values
    }
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("../../../testdata/detectors.json")).unwrap()
}

fn detector(case: &Case) -> AnyDetector {
    let narrow = |direction| {
        let settings = PageHinkleySettings::default()
            .with_threshold(20.0)
            .with_delta(0.01)
            .with_forgetting(0.999)
            .with_direction(direction);
        AnyDetector::PageHinkley(PageHinkley::new(settings).unwrap())
    };
    match (case.detector.as_str(), case.variant.as_str()) {
        (name, "default") => AnyDetector::fit(name.parse().unwrap(), &[]).unwrap(),
        ("adwin", "every_row") => {
            let settings = AdwinSettings::default().with_delta(0.05).with_clock(1);
            AnyDetector::Adwin(Adwin::new(settings).unwrap())
        }
        ("page-hinkley", "up") => narrow(Direction::Up),
        ("page-hinkley", "down") => narrow(Direction::Down),
        ("hddm-a", "both") => {
            let settings = HddmASettings::default().with_direction(Direction::Both);
            AnyDetector::HddmA(HddmA::new(settings).unwrap())
        }
        ("hddm-w", "both") => {
            let settings = HddmWSettings::default().with_direction(Direction::Both);
            AnyDetector::HddmW(HddmW::new(settings).unwrap())
        }
        ("fhddm", "short") => {
            let settings = FhddmSettings::default()
                .with_window(50)
                .with_confidence(0.001);
            AnyDetector::Fhddm(Fhddm::new(settings).unwrap())
        }
        ("kswin", "loose") => {
            let settings = KswinSettings::default()
                .with_alpha(0.05)
                .with_window(60)
                .with_recent(20);
            AnyDetector::Kswin(Kswin::new(settings).unwrap())
        }
        other => panic!("no detector {other:?}"),
    }
}

#[test]
fn alarms_and_warnings_are_those_of_the_reference_implementations() {
    let cases = oracle().cases;
    assert!(cases.len() >= 60);
    for case in cases {
        let mut detector = detector(&case);
        let (mut alarms, mut warned_rows) = (Vec::new(), 0);
        for (row, value) in case.stream.values().into_iter().enumerate() {
            match detector.update(value) {
                State::Drift => alarms.push(row),
                State::Warning => warned_rows += 1,
                State::Stable => {}
            }
        }
        let context = format!("{} on seed {}", case.call, case.stream.seed);
        assert_eq!(alarms, case.alarms, "{context}");
        assert_eq!(warned_rows, case.warned_rows, "{context}");
        if let AnyDetector::Adwin(adwin) = detector {
            let rows = adwin.width() as f64;
            assert_eq!(Some(adwin.width()), case.width, "{context}");
            let close = |ours: f64, theirs: Option<f64>| {
                let theirs = theirs.unwrap();
                (ours - theirs).abs() <= 1e-10 * (theirs.abs() + 1.0)
            };
            assert!(close(adwin.mean() * rows, case.total), "{context}");
            assert!(close(adwin.variance() * rows, case.variance), "{context}");
        }
    }
}

#[test]
fn cusum_runs_as_long_as_pages_integral_equation_says() {
    let mut random = SplitMix64(17);
    let mut compared = 0;
    for case in oracle().run_lengths {
        let expected = 1.0 / (1.0 / case.up + 1.0 / case.down);
        if expected > 500.0 || case.shift > 1.0 {
            continue;
        }
        let settings = CusumSettings::default()
            .with_slack(case.slack)
            .with_threshold(case.threshold);
        let mut detector = Cusum::new(settings).unwrap();
        let (runs, mut rows) = (2_000_u32, 0_u64);
        for _ in 0..runs {
            loop {
                rows += 1;
                if detector.update(case.shift + normal(&mut random)).is_drift() {
                    break;
                }
            }
        }
        // Run lengths are close to exponential, so their mean is known within 1 / √2000 = 2.2 %; ten per cent is 4.5 of it.
        let ratio = rows as f64 / f64::from(runs) / expected;
        assert!((ratio - 1.0).abs() < 0.1, "{ratio} of {expected}");
        compared += 1;
    }
    assert!(compared >= 10);
}
