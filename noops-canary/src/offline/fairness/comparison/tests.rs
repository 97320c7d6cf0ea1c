use std::collections::BTreeMap;

use super::*;
use crate::offline::fairness::disparity::Baseline;
use crate::offline::fairness::group_metric::GroupMetric;
use crate::offline::{Criterion, Gate, GateVerdict, Rule};
use crate::simulation::Random;

/// Decisions of two models by their selection rates in each of two or more groups of equal size.
fn simulated(seed: u64, rows: usize, champion: &[f64], candidate: &[f64]) -> FairnessComparison {
    let mut random = Random::new(seed);
    let ids: Vec<usize> = (0..rows).map(|row| row % champion.len()).collect();
    let names = (0..champion.len()).map(|group| format!("group {group}"));
    let groups = Groups::new(&ids, names).unwrap();
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for id in &ids {
        // The same draw for both, so that the models agree on most rows.
        let draw = random.uniform();
        old.push(draw < champion[*id]);
        new.push(draw < candidate[*id]);
    }
    let blocks: Vec<u64> = (0..rows as u64).collect();
    compare_disparity(
        &Predictions::decisions(&old).unwrap(),
        &Predictions::decisions(&new).unwrap(),
        &groups,
        &blocks,
        &ComparisonSettings::new(Disparity::demographic_parity_difference(), 0.1)
            .with_seed(seed)
            .with_resamples(99),
    )
    .unwrap()
}

fn passes(runs: u64, rows: usize, champion: &[f64], candidate: &[f64]) -> usize {
    (0..runs)
        .filter(|seed| {
            simulated(*seed, rows, champion, candidate).verdict() == OfflineVerdict::NonInferior
        })
        .count()
}

#[test]
fn a_candidate_worse_by_the_margin_passes_at_most_one_time_in_twenty_also_where_groups_tie() {
    // The champion treats all alike: the kink at which percentile intervals fail.
    let two = passes(200, 1200, &[0.5, 0.5], &[0.5, 0.6]);
    let four = passes(100, 1600, &[0.5; 4], &[0.5, 0.5, 0.6, 0.6]);
    let apart = passes(200, 1200, &[0.3, 0.5], &[0.3, 0.6]);
    // scipy.stats.binom.sf(20, 200, 0.05) = 0.0012, binom.sf(13, 100, 0.05) = 0.0005
    assert!(two <= 20, "{two}");
    assert!(four <= 13, "{four}");
    assert!(apart <= 20, "{apart}");
}

/// Why the percentile interval is not the one that decides.
#[test]
fn the_percentile_interval_passes_a_candidate_worse_by_the_margin_far_too_often() {
    let wrong = (0..200)
        .filter(|seed| {
            let compared = simulated(*seed, 1200, &[0.5, 0.5], &[0.5, 0.6]);
            compared.bootstrap().verdict(compared.margin()) == OfflineVerdict::NonInferior
        })
        .count();
    // scipy.stats.binom.sf(20, 200, 0.05) = 0.0012
    assert!(wrong > 20, "{wrong}");
}

#[test]
fn an_unchanged_and_an_improved_candidate_pass() {
    let unchanged = passes(50, 1200, &[0.5, 0.6], &[0.52, 0.62]);
    let improved = passes(50, 1200, &[0.4, 0.7], &[0.55, 0.55]);
    let reversed = passes(50, 1200, &[0.3, 0.7], &[0.6, 0.5]);
    assert!(unchanged >= 48, "{unchanged}");
    assert_eq!(improved, 50);
    assert!(reversed >= 48, "{reversed}");
}

#[test]
fn a_candidate_far_beyond_the_margin_is_inferior() {
    let found = (0..40)
        .filter(|seed| {
            simulated(*seed, 1200, &[0.5, 0.5], &[0.5, 0.8]).verdict() == OfflineVerdict::Inferior
        })
        .count();
    assert!(found >= 39, "{found}");
}

#[test]
fn the_same_model_is_no_worse_than_itself_for_every_disparity_and_the_gate_hears_of_it() {
    let mut random = Random::new(2);
    let labels: Vec<bool> = (0..400).map(|_| random.uniform() < 0.5).collect();
    let scores: Vec<f64> = labels
        .iter()
        .map(|label| 0.5 * random.uniform() + if *label { 0.4 } else { 0.1 })
        .collect();
    let ids: Vec<usize> = (0..400).map(|row| row % 2).collect();
    let groups = Groups::new(&ids, ["a", "b"]).unwrap();
    let blocks: Vec<u64> = (0..400).collect();
    let model = Predictions::scores(&scores, &labels, 0.5).unwrap();
    for disparity in [
        Disparity::demographic_parity_ratio(),
        Disparity::equalized_odds_difference(),
        Disparity::EqualizedOddsDifference(OddsAggregate::Mean, Baseline::ToOverall),
        Disparity::Difference(GroupMetric::LogLoss, Baseline::ToOverall),
        Disparity::GroupMinimum(GroupMetric::RocAuc),
        Disparity::GroupMaximum(GroupMetric::ZeroOneLoss),
    ] {
        let settings = ComparisonSettings::new(disparity, 0.01).with_resamples(39);
        let compared = compare_disparity(&model, &model, &groups, &blocks, &settings).unwrap();
        assert_eq!(compared.difference(), 0.0);
        assert_eq!(
            compared.verdict(),
            OfflineVerdict::NonInferior,
            "{disparity:?}"
        );
        let criterion = Criterion::new("fair", Rule::NonInferior(compared.margin()));
        let findings = BTreeMap::from([("fair".to_owned(), compared.finding())]);
        let report = Gate::new([criterion]).unwrap().judge(&findings);
        assert_eq!(report.verdict(), GateVerdict::Pass);
    }
}

#[test]
fn the_interval_holds_the_difference_and_the_same_seed_gives_it_again() {
    for seed in 0..20 {
        let compared = simulated(seed, 200, &[0.3, 0.5, 0.4], &[0.5, 0.3, 0.4]);
        let interval = compared.interval().unwrap();
        assert!(interval.contains(compared.difference()), "{interval:?}");
        assert_eq!(
            compared,
            simulated(seed, 200, &[0.3, 0.5, 0.4], &[0.5, 0.3, 0.4])
        );
    }
}

#[test]
fn few_blocks_and_a_group_that_draws_miss_decide_nothing() {
    let decisions: Vec<bool> = (0..60).map(|row| row % 3 == 0).collect();
    let model = Predictions::decisions(&decisions).unwrap();
    let ask = |ids: &[usize], blocks: &[u64]| {
        compare_disparity(
            &model,
            &model,
            &Groups::new(ids, ["a", "b"]).unwrap(),
            blocks,
            &ComparisonSettings::new(Disparity::demographic_parity_difference(), 0.1)
                .with_resamples(99),
        )
        .unwrap()
    };
    let halves: Vec<usize> = (0..60).map(|row| row % 2).collect();
    let few: Vec<u64> = (0..60).map(|row| row % 4).collect();
    let rows: Vec<u64> = (0..60).collect();
    let compared = ask(&halves, &few);
    assert_eq!(compared.verdict(), OfflineVerdict::Undecided);
    let mut lonely = vec![0; 60];
    lonely[7] = 1;
    let compared = ask(&lonely, &rows);
    assert!(compared.bootstrap().undefined() > 0);
    assert_eq!(
        (compared.interval(), compared.verdict()),
        (None, OfflineVerdict::Undecided)
    );
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let decisions = [true, false, true, false];
    let model = Predictions::decisions(&decisions).unwrap();
    let two = Groups::new(&[0, 1, 0, 1], ["a", "b"]).unwrap();
    let one = Groups::new(&[0; 4], ["a"]).unwrap();
    let parity = Disparity::demographic_parity_difference();
    let ask = |groups: &Groups, blocks: &[u64], disparity, margin| {
        compare_disparity(
            &model,
            &model,
            groups,
            blocks,
            &ComparisonSettings::new(disparity, margin).with_resamples(19),
        )
    };
    let rows = [0, 1, 2, 3];
    assert!(ask(&two, &rows, parity, 0.1).is_ok());
    assert!(ask(&one, &rows, parity, 0.1).is_err());
    assert!(ask(&two, &rows[1..], parity, 0.1).is_err());
    assert!(ask(&two, &rows, Disparity::equalized_odds_ratio(), 0.1).is_err());
    for wrong in [f64::NAN, 0.0, -0.1, f64::INFINITY] {
        assert!(ask(&two, &rows, parity, wrong).is_err());
    }
    let many: Vec<usize> = (0..60).map(|row| row % 30).collect();
    let many_decisions = [true; 60];
    let model = Predictions::decisions(&many_decisions).unwrap();
    let names = (0..30).map(|group| group.to_string());
    let groups = Groups::new(&many, names).unwrap();
    let refused = compare_disparity(
        &model,
        &model,
        &groups,
        &[0; 60],
        &ComparisonSettings::new(parity, 0.1),
    );
    assert!(refused.is_err());
    // So many groups that their pairs would not fit into memory.
    let alone: Vec<usize> = (0..300_000).collect();
    let names = alone.iter().map(|group| group.to_string());
    let groups = Groups::new(&alone, names).unwrap();
    let decisions = vec![true; alone.len()];
    let model = Predictions::decisions(&decisions).unwrap();
    let blocks = vec![0; alone.len()];
    let settings = ComparisonSettings::new(parity, 0.1);
    assert!(compare_disparity(&model, &model, &groups, &blocks, &settings).is_err());
}

#[test]
fn stored_settings_need_no_more_than_the_question() {
    let stored = r#"{"disparity":{"group_minimum":"accuracy"},"margin":0.1}"#;
    let settings: ComparisonSettings = serde_json::from_str(stored).unwrap();
    let fresh = ComparisonSettings::new(Disparity::GroupMinimum(GroupMetric::Accuracy), 0.1);
    assert_eq!(settings, fresh);
}
