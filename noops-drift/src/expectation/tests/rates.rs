use super::*;
use crate::testing::SplitMix64;

const REGIONS: [&str; 4] = ["n", "e", "s", "w"];

/// Labels of 1 with the rate of each region, in turn.
fn labelled(
    rows: usize,
    rates: [f64; 4],
    random: &mut SplitMix64,
) -> Vec<(&'static str, ArrayRef)> {
    let regions: Vec<Option<&str>> = (0..rows).map(|row| Some(REGIONS[row % 4])).collect();
    let labels: Vec<Option<i64>> = (0..rows)
        .map(|row| Some(i64::from(random.unit() < rates[row % 4])))
        .collect();
    vec![("region", texts(&regions)), ("label", integers(&labels))]
}

fn rule() -> CrossRule {
    CrossRule::LabelRate(
        LabelRate::new("label", "1", "region", rate(0.1), rate(0.2))
            .unwrap()
            .with_alpha(noops_core::Alpha::FIVE_PERCENT),
    )
}

#[test]
fn usual_label_rates_seldom_fail_and_unusual_ones_mostly_do() {
    let mut random = SplitMix64(7);
    let mut fails = |rates: [f64; 4]| {
        (0..400)
            .filter(|_| {
                let columns = labelled(800, rates, &mut random);
                check_frame(rule(), columns).verdict() == GateVerdict::Fail
            })
            .count()
    };
    // At the very ends of the usual interval: at most 20 of 400 in expectation, more than 40 with probability 3e-5.
    assert!(fails([0.1, 0.2, 0.1, 0.2]) <= 40);
    // One region at twice the rate: expected 80 of its 200 rows, and about 55 are enough.
    assert!(fails([0.15, 0.15, 0.4, 0.15]) >= 390);
}

#[test]
fn a_partition_with_few_rows_is_undecided() {
    let mut random = SplitMix64(8);
    let report = check_frame(rule(), labelled(16, [0.15; 4], &mut random));
    assert_eq!(report.verdict(), GateVerdict::Undecided);
    let report = check_frame(rule(), labelled(8_000, [0.15; 4], &mut random));
    assert_eq!(report.verdict(), GateVerdict::Pass, "{report:?}");
    let partitions = report.frame()[0].partitions();
    assert_eq!(partitions.len(), 4);
    assert!(partitions.iter().all(|partition| partition.rows() == 2_000));
}

#[test]
fn the_partition_that_failed_comes_first() {
    let mut random = SplitMix64(9);
    let report = check_frame(
        rule(),
        labelled(4_000, [0.15, 0.15, 0.15, 0.9], &mut random),
    );
    let worst = &report.frame()[0].partitions()[0];
    assert_eq!(worst.partition(), "w");
    assert_eq!(worst.verdict(), GateVerdict::Fail);
    assert!(worst.p_value() < 1e-10);
}

#[test]
fn partitions_without_number_are_undecided_and_labels_without_rows_too() {
    let ids: Vec<Option<i64>> = (0..10_001).map(Some).collect();
    let columns = vec![("region", integers(&ids)), ("label", integers(&ids))];
    let report = check_frame(rule(), columns);
    assert_eq!(report.verdict(), GateVerdict::Undecided);
    let columns = vec![
        ("region", texts(&[None, Some("n")])),
        ("label", integers(&[Some(1), None])),
    ];
    assert_eq!(
        check_frame(rule(), columns).verdict(),
        GateVerdict::Undecided
    );
}
