use noops_core::Alpha;
use proptest::prelude::*;

use super::*;
use crate::batch::Alternative;
use crate::sequential::counts::Concentrations;
use crate::simulation::Random;

fn single(concentration: f64) -> PairSettings {
    PairSettings::default().with_concentrations(Concentrations::single(concentration).unwrap())
}

#[test]
fn the_printed_values_are_reproduced() {
    for (concentration, champion_only, candidate_only, expected, digits) in [
        (100.0, 60, 35, 0.277_99, 5e-6),
        (100.0, 500, 600, 0.053_38, 5e-6),
        (100.0, 100, 150, 0.051_52, 5e-6),
        (100.0, 30, 5, 0.111_35, 5e-6),
        (2.0, 30, 5, 3.40e-4, 5e-7),
    ] {
        let mut test = SequentialMcNemar::new(single(concentration)).unwrap();
        test.observe_counts(champion_only, candidate_only);
        assert!(
            (test.p_value() - expected).abs() < digits,
            "{}",
            test.p_value()
        );
        let mut mirrored = SequentialMcNemar::new(single(concentration)).unwrap();
        mirrored.observe_counts(candidate_only, champion_only);
        assert!((mirrored.p_value() / test.p_value() - 1.0).abs() < 1e-12);
    }
}

#[test]
fn concordant_pairs_are_counted_and_say_nothing() {
    let mut test = SequentialMcNemar::new(PairSettings::default()).unwrap();
    for _ in 0..1_000 {
        test.observe(PairedResult::Both);
    }
    test.observe(PairedResult::Neither);
    assert!(test.log_e().get().abs() < 1e-12);
    test.observe(PairedResult::CandidateOnly);
    let counts = [
        PairedResult::Both,
        PairedResult::Neither,
        PairedResult::CandidateOnly,
        PairedResult::ChampionOnly,
    ]
    .map(|result| test.pairs(result));
    assert_eq!(counts, [1_000, 1, 1, 0]);
}

#[test]
fn equal_models_rarely_alarm_and_a_worse_one_is_found() {
    let mut random = Random::new(11);
    let mut alarms = |p: f64, looks: u32, settings: &PairSettings| {
        (0..200)
            .filter(|_| {
                let mut test = SequentialMcNemar::new(settings.clone()).unwrap();
                for _ in 0..looks {
                    test.observe(if random.uniform() < p {
                        PairedResult::CandidateOnly
                    } else {
                        PairedResult::ChampionOnly
                    });
                }
                test.max_log_e().rejects(Alpha::FIVE_PERCENT)
            })
            .count()
    };
    // scipy.stats.binom.sf(20, 200, 0.05) = 0.0011
    let equal = alarms(0.5, 3_000, &PairSettings::default());
    assert!(equal <= 20, "{equal}");
    let at_the_margin = single(100.0)
        .with_null_share(0.6)
        .with_alternative(Alternative::Less);
    let margin = alarms(0.6, 500, &at_the_margin);
    assert!(margin <= 20, "{margin}");
    let safe = alarms(0.45, 500, &at_the_margin);
    assert!(safe >= 190, "{safe}");
    let worse = alarms(0.4, 1_500, &PairSettings::default());
    assert!(worse >= 195, "{worse}");
}

#[test]
fn ties_are_reported_and_nan_is_refused_without_a_trace() {
    let mut test = SequentialSign::new(PairSettings::default()).unwrap();
    test.observe(1.0, 1.0).unwrap();
    test.observe(1.0, f64::INFINITY).unwrap();
    test.observe(0.0, -0.0).unwrap();
    let before = test.clone();
    assert!(test.observe(f64::NAN, 1.0).is_err());
    assert!(test.observe(1.0, f64::NAN).is_err());
    assert_eq!(test, before);
    assert_eq!((test.above(), test.below(), test.ties()), (1, 0, 2));
}

#[test]
fn sign_and_mcnemar_are_one_test() {
    let mut sign = SequentialSign::new(PairSettings::default()).unwrap();
    let mut mcnemar = SequentialMcNemar::new(PairSettings::default()).unwrap();
    sign.observe_counts(30, 12);
    mcnemar.observe_counts(30, 12);
    assert_eq!(sign.log_e(), mcnemar.log_e());
    let interval = sign.above_share_interval(Alpha::FIVE_PERCENT);
    assert_eq!(
        interval,
        mcnemar.candidate_share_interval(Alpha::FIVE_PERCENT)
    );
    assert!(interval.contains(12.0 / 42.0));
}

#[test]
fn senseless_settings_and_tampered_states_are_refused() {
    for share in [f64::NAN, 0.0, 1.0, -0.5] {
        assert!(SequentialMcNemar::new(PairSettings::default().with_null_share(share)).is_err());
    }
    let mut sign = SequentialSign::new(PairSettings::default()).unwrap();
    sign.observe_counts(10, 60);
    let mut stored = serde_json::to_value(&sign).unwrap();
    assert_eq!(
        serde_json::from_value::<SequentialSign>(stored.clone()).unwrap(),
        sign
    );
    stored["above"] = 600.into();
    assert!(serde_json::from_value::<SequentialSign>(stored).is_err());
    let mut mcnemar = SequentialMcNemar::new(PairSettings::default()).unwrap();
    mcnemar.observe_counts(10, 60);
    let mut stored = serde_json::to_value(&mcnemar).unwrap();
    assert_eq!(
        serde_json::from_value::<SequentialMcNemar>(stored.clone()).unwrap(),
        mcnemar
    );
    stored["max_log_e"] = 1e6.into();
    assert!(serde_json::from_value::<SequentialMcNemar>(stored).is_err());
}

proptest! {
    #[test]
    fn one_side_or_the_other_has_at_most_twice_the_evidence_of_both(below in 0_u64..3_000, above in 0_u64..3_000) {
        let log_e = |alternative| {
            let mut test = SequentialSign::new(single(100.0).with_alternative(alternative)).unwrap();
            test.observe_counts(below, above);
            test.log_e().get()
        };
        // At a symmetric null each side's prior has half of the mass, so that both is their average.
        let (less, greater, both) = (log_e(Alternative::Less), log_e(Alternative::Greater), log_e(Alternative::TwoSided));
        let largest = less.max(greater);
        let average = largest + (0.5 * ((less - largest).exp() + (greater - largest).exp())).ln();
        prop_assert!((both - average).abs() < 1e-9, "{less} {greater} {both}");
    }
}
