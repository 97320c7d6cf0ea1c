use noops_core::Alpha;
use serde_json::Value;

use super::*;
use crate::matrix::Matrix;
use crate::testing::SplitMix64;

struct Chunk {
    scores: Vec<f64>,
    predicted: Vec<bool>,
    labels: Vec<bool>,
    oracle: Value,
}

fn car_loan() -> Value {
    serde_json::from_str(include_str!("../../../testdata/cbpe.json")).unwrap()
}

/// Rows from the counts of (score in hundredths, prediction, label) they are stored as.
fn chunks(data: &Value, part: &str) -> Vec<Chunk> {
    let unpack = |chunk: &Value| {
        let cells: Vec<u64> = chunk["cells"]
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_u64().unwrap())
            .collect();
        let (mut scores, mut predicted, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for cell in cells.chunks(4) {
            for _ in 0..cell[3] {
                scores.push(cell[0] as f64 / 100.0);
                predicted.push(cell[1] == 1);
                labels.push(cell[2] == 1);
            }
        }
        Chunk {
            scores,
            predicted,
            labels,
            oracle: chunk.clone(),
        }
    };
    data[part].as_array().unwrap().iter().map(unpack).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

fn fitted_on(reference: &[Chunk], settings: CbpeSettings) -> Cbpe {
    let scores: Vec<f64> = reference
        .iter()
        .flat_map(|chunk| chunk.scores.clone())
        .collect();
    let labels: Vec<bool> = reference
        .iter()
        .flat_map(|chunk| chunk.labels.clone())
        .collect();
    Cbpe::fit(&scores, &labels, settings).unwrap()
}

#[track_caller]
fn close(found: f64, expected: f64, relative: f64) {
    assert!(
        (found - expected).abs() <= relative * expected.abs(),
        "{found}, expected {expected}"
    );
}

#[test]
fn the_published_table_comes_out_to_its_six_digits() {
    let data = car_loan();
    let cbpe = fitted_on(&chunks(&data, "reference"), CbpeSettings::default());
    assert!(
        cbpe.calibrator().is_some(),
        "calibration helps on these data"
    );
    let analysis = chunks(&data, "analysis");
    assert_eq!(analysis.len(), 10);
    let published = &data["published"];
    let columns = [
        (
            BinaryMetric::RocAuc,
            numbers(&published["estimated_roc_auc"]),
        ),
        (
            BinaryMetric::Accuracy,
            numbers(&published["estimated_accuracy"]),
        ),
        (BinaryMetric::F1, numbers(&published["estimated_f1"])),
    ];
    for (row, chunk) in analysis.iter().enumerate() {
        assert_eq!(chunk.scores.len(), 5_000);
        let estimate = cbpe.estimate(&chunk.scores, &chunk.predicted).unwrap();
        for (metric, expected) in &columns {
            let found = estimate.metric(*metric).unwrap().value();
            assert!(
                (found - expected[row]).abs() <= 0.5e-6 + 1e-12,
                "{metric:?} of chunk {row}: {found}, published {}",
                expected[row]
            );
        }
    }
}

#[test]
fn every_metric_agrees_with_numpy_over_scikit_learns_calibration() {
    let data = car_loan();
    let cbpe = fitted_on(&chunks(&data, "reference"), CbpeSettings::default());
    for (at, expected) in (-5..106).zip(numbers(&data["isotonic"]["calibrated"])) {
        assert!(
            (cbpe.probability(f64::from(at) / 100.0) - expected).abs() < 1e-12,
            "at {at}"
        );
    }
    for chunk in chunks(&data, "analysis") {
        let expected = |name: &str| chunk.oracle["estimated"][name].as_f64().unwrap();
        let estimate = cbpe.estimate(&chunk.scores, &chunk.predicted).unwrap();
        let confusion = estimate.confusion();
        close(
            confusion.true_positives(),
            expected("true_positives"),
            1e-10,
        );
        close(
            confusion.false_positives(),
            expected("false_positives"),
            1e-10,
        );
        close(
            confusion.false_negatives(),
            expected("false_negatives"),
            1e-10,
        );
        close(
            confusion.true_negatives(),
            expected("true_negatives"),
            1e-10,
        );
        for (metric, name) in [
            (BinaryMetric::Accuracy, "accuracy"),
            (BinaryMetric::Precision, "precision"),
            (BinaryMetric::Recall, "recall"),
            (BinaryMetric::Specificity, "specificity"),
            (BinaryMetric::F1, "f1"),
            (BinaryMetric::RocAuc, "roc_auc"),
            (BinaryMetric::AveragePrecision, "average_precision"),
        ] {
            close(
                estimate.metric(metric).unwrap().value(),
                expected(name),
                1e-10,
            );
        }
    }
}

#[test]
fn the_published_thresholds_are_three_deviations_of_realised_chunks() {
    let data = car_loan();
    for (metric, published) in [
        ("roc_auc", "roc_auc_thresholds"),
        ("accuracy", "accuracy_thresholds"),
    ] {
        let realised: Vec<f64> = data["reference"]
            .as_array()
            .unwrap()
            .iter()
            .map(|chunk| chunk["realised"][metric].as_f64().unwrap())
            .collect();
        let band = reference_thresholds(&realised).unwrap();
        let expected = numbers(&data["published"][published]);
        assert!(
            (band.lower() - expected[0]).abs() < 0.51e-6,
            "{metric}: {}",
            band.lower()
        );
        assert!(
            (band.upper() - expected[1]).abs() < 0.51e-6,
            "{metric}: {}",
            band.upper()
        );
        assert_eq!(band.chunks(), 10);
    }
    assert!(reference_thresholds(&[0.9]).is_err());
    assert!(reference_thresholds(&[0.9, f64::NAN]).is_err());
    assert!(reference_thresholds(&[f64::MAX, -f64::MAX]).is_err());
}

#[test]
fn a_left_out_chunk_is_estimated_without_its_labels() {
    let data = car_loan();
    let reference = chunks(&data, "reference");
    let scores: Vec<f64> = reference
        .iter()
        .flat_map(|chunk| chunk.scores.clone())
        .collect();
    let predicted: Vec<bool> = reference
        .iter()
        .flat_map(|chunk| chunk.predicted.clone())
        .collect();
    let labels: Vec<bool> = reference
        .iter()
        .flat_map(|chunk| chunk.labels.clone())
        .collect();
    let settings = CbpeSettings::default().with_calibration(Calibration::Always);
    let estimates = Cbpe::left_out_chunks(&scores, &predicted, &labels, 5_000, &settings).unwrap();
    assert_eq!(estimates.len(), 10);
    let mut flipped = labels.clone();
    flipped[..5_000]
        .iter_mut()
        .for_each(|label| *label = !*label);
    let again = Cbpe::left_out_chunks(&scores, &predicted, &flipped, 5_000, &settings).unwrap();
    assert_eq!(estimates[0], again[0]);
    assert_ne!(estimates[1], again[1]);
    assert!(Cbpe::left_out_chunks(&scores, &predicted, &labels, 0, &settings).is_err());
    assert!(Cbpe::left_out_chunks(&scores, &predicted, &labels, 50_000, &settings).is_err());
}

/// P(metric <= x) by adding up all pairs of counts, for a batch whose positives are drawn from the probabilities.
#[test]
fn an_interval_is_the_quantile_of_all_outcomes() {
    let probabilities = [0.9, 0.8, 0.35, 0.6, 0.2, 0.1, 0.45];
    let predicted = [true, true, true, true, false, false, false];
    let settings = CbpeSettings::default()
        .with_alpha(Alpha::new(0.2).unwrap())
        .with_calibration(Calibration::Never)
        .with_values(BusinessValues {
            true_positive: 5.0,
            false_positive: -2.0,
            false_negative: -7.0,
            true_negative: 0.5,
        });
    let cbpe = Cbpe::fit(&probabilities, &predicted, settings).unwrap();
    let estimate = cbpe.estimate(&probabilities, &predicted).unwrap();
    let ratio = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
    type Metric<'a> = &'a dyn Fn(f64, f64, f64, f64) -> f64;
    let metrics: [(BinaryMetric, Metric<'_>); 6] = [
        (BinaryMetric::Accuracy, &|tp, _, _, tn| (tp + tn) / 7.0),
        (BinaryMetric::Precision, &|tp, fp, _, _| ratio(tp, tp + fp)),
        (BinaryMetric::Recall, &|tp, _, fnn, _| ratio(tp, tp + fnn)),
        (BinaryMetric::Specificity, &|_, fp, _, tn| {
            ratio(tn, tn + fp)
        }),
        (BinaryMetric::F1, &|tp, fp, fnn, _| {
            ratio(2.0 * tp, 2.0 * tp + fp + fnn)
        }),
        (BinaryMetric::BusinessValue, &|tp, fp, fnn, tn| {
            5.0 * tp - 2.0 * fp - 7.0 * fnn + 0.5 * tn
        }),
    ];
    for (metric, of) in metrics {
        let mut outcomes: Vec<(f64, f64)> = (0_u32..128)
            .map(|outcome| {
                let mut counts = [0.0; 4];
                let mut chance = 1.0;
                for (row, (p, positive)) in probabilities.iter().zip(predicted).enumerate() {
                    let label = outcome >> row & 1 == 1;
                    chance *= if label { *p } else { 1.0 - p };
                    let cell = match (positive, label) {
                        (true, true) => 0,
                        (true, false) => 1,
                        (false, true) => 2,
                        (false, false) => 3,
                    };
                    counts[cell] += 1.0;
                }
                (of(counts[0], counts[1], counts[2], counts[3]), chance)
            })
            .collect();
        outcomes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let quantile = |level: f64| {
            let mut sum = 0.0;
            outcomes
                .iter()
                .find(|(_, chance)| {
                    sum += chance;
                    sum >= level
                })
                .map_or(f64::NAN, |(value, _)| *value)
        };
        let found = estimate.metric(metric).unwrap();
        assert!(
            (found.lower() - quantile(0.1).min(found.value())).abs() < 1e-8,
            "{metric:?}: {found:?}, {}",
            quantile(0.1)
        );
        assert!(
            (found.upper() - quantile(0.9).max(found.value())).abs() < 1e-8,
            "{metric:?}: {found:?}, {}",
            quantile(0.9)
        );
    }
}

#[test]
fn intervals_hold_what_the_labels_show_nineteen_times_in_twenty() {
    let mut random = SplitMix64(11);
    let settings = CbpeSettings::default().with_calibration(Calibration::Never);
    let cbpe = Cbpe::fit(&[0.2, 0.8], &[false, true], settings).unwrap();
    let runs = 300;
    let metrics = [
        BinaryMetric::Accuracy,
        BinaryMetric::Precision,
        BinaryMetric::Recall,
        BinaryMetric::F1,
        BinaryMetric::RocAuc,
        BinaryMetric::AveragePrecision,
    ];
    let mut missed = [0; 6];
    for _ in 0..runs {
        let scores: Vec<f64> = (0..400)
            .map(|_| {
                let u = random.unit();
                u * u
            })
            .collect();
        let predicted: Vec<bool> = scores.iter().map(|score| *score > 0.4).collect();
        let labels: Vec<f64> = scores
            .iter()
            .map(|score| if random.unit() < *score { 1.0 } else { 0.0 })
            .collect();
        let estimate = cbpe.estimate(&scores, &predicted).unwrap();
        // With labels for probabilities, expected metrics are realised ones.
        let truth: Vec<Row> = scores
            .iter()
            .zip(&labels)
            .zip(&predicted)
            .map(|((&score, &probability), &predicted)| Row {
                score,
                probability,
                predicted,
            })
            .collect();
        let realised = BinaryEstimate::of(&truth, 0, cbpe.settings());
        for (missed, metric) in missed.iter_mut().zip(metrics) {
            let (estimate, realised) = (
                estimate.metric(metric).unwrap(),
                realised.metric(metric).unwrap(),
            );
            if realised.value() < estimate.lower() - 1e-9
                || realised.value() > estimate.upper() + 1e-9
            {
                *missed += 1;
            }
        }
    }
    // scipy.stats.binom.sf(29, 300, 0.05) is 4e-4.
    for (missed, metric) in missed.iter().zip(metrics) {
        assert!(*missed <= 29, "{metric:?}: {missed} of {runs}");
    }
    assert!(
        missed.iter().sum::<i32>() > 0,
        "intervals that never miss are too wide"
    );
}

#[test]
fn classes_of_several_agree_with_scikit_learn() {
    let text = include_str!("../../../testdata/performance.json");
    let oracle: Value = serde_json::from_str(text).unwrap();
    let oracle = &oracle["multiclass"];
    let scores = Matrix::from_columns(
        oracle["scores"]
            .as_array()
            .unwrap()
            .iter()
            .map(numbers)
            .collect(),
    )
    .unwrap();
    let indices = |name: &str| -> Vec<usize> {
        numbers(&oracle[name])
            .into_iter()
            .map(|x| x as usize)
            .collect()
    };
    let settings = CbpeSettings::default().with_calibration(Calibration::Always);
    let cbpe = MulticlassCbpe::fit(&scores, &indices("labels"), settings).unwrap();
    let estimate = cbpe.estimate(&scores, &indices("predicted")).unwrap();
    for (metric, name) in [
        (MulticlassMetric::Accuracy, "accuracy"),
        (MulticlassMetric::MacroPrecision, "macro_precision"),
        (MulticlassMetric::MacroRecall, "macro_recall"),
        (MulticlassMetric::MacroSpecificity, "macro_specificity"),
        (MulticlassMetric::MacroF1, "macro_f1"),
        (MulticlassMetric::MacroRocAuc, "macro_roc_auc"),
    ] {
        let found = estimate.metric(metric).unwrap();
        close(found.value(), oracle[name].as_f64().unwrap(), 1e-9);
        assert!(
            found.lower() < found.value() && found.value() < found.upper(),
            "{metric:?}"
        );
    }
}

#[test]
fn intervals_of_several_classes_hold_too() {
    let mut random = SplitMix64(13);
    let settings = CbpeSettings::default().with_calibration(Calibration::Never);
    let sure = Matrix::from_columns(vec![
        vec![1.0, 0.0, 0.0],
        vec![0.0, 1.0, 0.0],
        vec![0.0, 0.0, 1.0],
    ])
    .unwrap();
    let cbpe = MulticlassCbpe::fit(&sure, &[0, 1, 2], settings).unwrap();
    let metrics = [
        MulticlassMetric::Accuracy,
        MulticlassMetric::MacroF1,
        MulticlassMetric::MacroRecall,
        MulticlassMetric::MacroRocAuc,
    ];
    let (runs, mut missed) = (200, [0; 4]);
    for _ in 0..runs {
        let mut columns = vec![Vec::new(), Vec::new(), Vec::new()];
        let mut truth = columns.clone();
        let mut predicted = Vec::new();
        for _ in 0..400 {
            let raw = [
                random.unit() + 0.01,
                random.unit() + 0.01,
                random.unit() + 0.01,
            ];
            let sum: f64 = raw.iter().sum();
            let shares = raw.map(|x| x / sum);
            let drawn = random.unit();
            let label = if drawn < shares[0] {
                0
            } else if drawn < shares[0] + shares[1] {
                1
            } else {
                2
            };
            for class in 0..3 {
                columns[class].push(shares[class]);
                truth[class].push(if class == label { 1.0 } else { 0.0 });
            }
            predicted.push(
                (0..3)
                    .max_by(|a, b| shares[*a].total_cmp(&shares[*b]))
                    .unwrap(),
            );
        }
        let estimate = cbpe
            .estimate(&Matrix::from_columns(columns.clone()).unwrap(), &predicted)
            .unwrap();
        let realised = cbpe.summarise(&columns, &truth, &predicted, 0);
        for (missed, metric) in missed.iter_mut().zip(metrics) {
            let (estimate, realised) = (
                estimate.metric(metric).unwrap(),
                realised.metric(metric).unwrap(),
            );
            *missed += i32::from(
                realised.value() < estimate.lower() || realised.value() > estimate.upper(),
            );
        }
    }
    // scipy.stats.binom.sf(22, 200, 0.05) is 2e-4.
    for (missed, metric) in missed.iter().zip(metrics) {
        assert!(*missed <= 22, "{metric:?}: {missed} of {runs}");
    }
}

#[test]
fn hostile_batches_give_errors_or_absent_metrics_and_never_a_nan() {
    let cbpe = Cbpe::fit(&[0.1, 0.9], &[false, true], CbpeSettings::default()).unwrap();
    let empty = cbpe.estimate(&[], &[]).unwrap();
    assert!(empty.accuracy().is_none() && empty.roc_auc().is_none() && empty.f1().is_none());
    assert!(cbpe.estimate(&[0.5], &[]).is_err());
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.5, -0.0, 0.0];
    let estimate = cbpe.estimate(&odd, &[false; 6]).unwrap();
    assert_eq!((estimate.rows(), estimate.left_out()), (5, 1));
    assert!(estimate.metric(BinaryMetric::Precision).is_none());
    assert!(!serde_json::to_string(&estimate).unwrap().contains("null"));
    let infinite = BusinessValues {
        true_positive: f64::INFINITY,
        ..BusinessValues::default()
    };
    assert!(
        Cbpe::fit(
            &[0.1],
            &[true],
            CbpeSettings::default().with_values(infinite)
        )
        .is_err()
    );
    let text = serde_json::to_string(&cbpe).unwrap();
    assert_eq!(serde_json::from_str::<Cbpe>(&text).unwrap(), cbpe);
    let values = r#""values":{"true_positive":1e300,"false_positive":0.0,"false_negative":0.0,"true_negative":0.0}"#;
    let altered = text.replace("\"values\":null", values);
    assert_ne!(altered, text);
    assert!(serde_json::from_str::<Cbpe>(&altered).is_err());
    let two = Matrix::from_columns(vec![vec![0.5], vec![0.5]]).unwrap();
    assert!(MulticlassCbpe::fit(&two, &[2], CbpeSettings::default()).is_err());
    let one = Matrix::from_columns(vec![vec![0.5]]).unwrap();
    assert!(MulticlassCbpe::fit(&one, &[0], CbpeSettings::default()).is_err());
}
