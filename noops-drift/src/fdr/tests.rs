use noops_core::{Alpha, LogE};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::testing::SplitMix64;

type Batch = fn(&[f64]) -> Vec<f64>;

const BATCHES: [(&str, Batch); 4] = [
    ("bonferroni", bonferroni),
    ("holm", holm),
    ("benjamini_hochberg", benjamini_hochberg),
    ("benjamini_yekutieli", benjamini_yekutieli),
];

fn rules() -> Vec<(&'static str, Box<dyn OnlineFdr>)> {
    let alpha = Alpha::FIVE_PERCENT;
    vec![
        ("lond", Box::new(Lond::new(alpha))),
        ("lord", Box::new(LordPlusPlus::new(alpha))),
        ("saffron", Box::new(Saffron::new(alpha))),
        ("addis", Box::new(Addis::new(alpha))),
    ]
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../../testdata/fdr.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

#[test]
fn adjusted_p_values_are_those_of_scipy_and_statsmodels() {
    let golden = golden();
    for (name, adjust) in BATCHES {
        for data in ["sample", "stream"] {
            let expected = numbers(&golden["batch"][name][data]);
            let adjusted = adjust(&numbers(&golden[data]));
            assert_eq!(adjusted.len(), expected.len());
            for (ours, theirs) in adjusted.iter().zip(&expected) {
                assert!(
                    (ours - theirs).abs() <= 1e-10 * theirs,
                    "{name}: {ours} {theirs}"
                );
            }
        }
    }
}

#[test]
fn online_levels_are_those_published_for_the_reference_implementation() {
    let golden = golden();
    let sample = numbers(&golden["sample"]);
    for (name, mut rule) in rules() {
        let published = &golden["published"][name];
        let half_digit = published["half_digit"].as_f64().unwrap();
        for (p, expected) in sample.iter().zip(numbers(&published["levels"])) {
            let level = rule.test(*p).level();
            assert!(
                (level - expected).abs() <= half_digit,
                "{name}: {level} {expected}"
            );
        }
    }
}

#[test]
fn online_levels_are_those_of_the_papers_definitions() {
    let golden = golden();
    let stream = numbers(&golden["stream"]);
    for (name, mut rule) in rules() {
        for (p, expected) in stream
            .iter()
            .zip(numbers(&golden["defined"][name]["levels"]))
        {
            let announced = rule.level();
            let decision = rule.test(*p);
            assert_eq!(decision.level(), announced);
            assert_eq!(decision.is_discovery(), *p <= announced);
            assert!(
                (announced - expected).abs() <= 1e-10 * expected,
                "{name}: {announced} {expected}"
            );
        }
        assert!(
            rule.discoveries() > 50,
            "{name} finds the signals of the stream"
        );
    }
}

#[test]
fn the_false_discovery_rate_of_every_online_rule_is_at_most_its_alpha() {
    let runs = 1_500;
    for (index, (name, _)) in rules().into_iter().enumerate() {
        let mut random = SplitMix64(31 + index as u64);
        let (mut false_share, mut found, mut signals) = (0.0, 0_u32, 0_u32);
        for _ in 0..runs {
            let mut rule = rules().swap_remove(index).1;
            let (mut wrong, mut all) = (0_u32, 0_u32);
            for _ in 0..80 {
                let signal = random.unit() < 0.3;
                let p = if signal {
                    random.unit().powi(12)
                } else {
                    random.unit()
                };
                let hit = rule.test(p).is_discovery();
                all += u32::from(hit);
                wrong += u32::from(hit && !signal);
                signals += u32::from(signal);
                found += u32::from(hit && signal);
            }
            false_share += f64::from(wrong) / f64::from(all.max(1));
        }
        let rate = false_share / f64::from(runs);
        assert!(rate <= upper(0.05, runs), "{name}: {rate}");
        assert!(found * 4 > signals, "{name} finds {found} of {signals}");
    }
}

#[test]
fn without_a_signal_any_discovery_is_as_rare_as_alpha() {
    let runs = 2_000;
    for (index, (name, _)) in rules().into_iter().enumerate() {
        let mut random = SplitMix64(77 + index as u64);
        let mut wrong = 0_u32;
        for _ in 0..runs {
            let mut rule = rules().swap_remove(index).1;
            let any = (0..60).fold(false, |any, _| {
                rule.test(random.unit()).is_discovery() || any
            });
            wrong += u32::from(any);
        }
        let rate = f64::from(wrong) / f64::from(runs);
        assert!(rate <= upper(0.05, runs), "{name}: {rate}");
    }
}

#[test]
fn e_value_rules_keep_alpha_when_all_true_nulls_share_one_value() {
    let alpha = Alpha::FIVE_PERCENT;
    let runs = 4_000;
    let mut random = SplitMix64(5);
    let (mut batch_share, mut online_share) = (0.0, 0.0);
    for _ in 0..runs {
        // 1 / (2 √u) has mean 1 for uniform u; the twenty signals are strong.
        let shared = -(2.0 * random.unit().max(1e-300).sqrt()).ln();
        let evidence: Vec<LogE> = (0..60)
            .map(|i| LogE::new(if i % 3 == 0 { 8.0 } else { shared }))
            .collect();
        let mut online = ELond::new(alpha);
        let verdicts = e_benjamini_hochberg(&evidence, alpha);
        let (mut wrong, mut all, mut online_wrong) = (0.0, 0.0, 0.0);
        for (i, (verdict, e)) in verdicts.iter().zip(&evidence).enumerate() {
            let hit = online.test(*e).is_discovery();
            if *verdict {
                all += 1.0;
                wrong += f64::from(u8::from(i % 3 != 0));
            }
            online_wrong += f64::from(u8::from(hit && i % 3 != 0));
        }
        assert!(all >= 20.0, "the signals are found");
        batch_share += wrong / all;
        online_share += online_wrong / (online.discoveries().max(1) as f64);
    }
    assert!(batch_share / f64::from(runs) <= upper(0.05, runs));
    assert!(online_share / f64::from(runs) <= upper(0.05, runs));
}

#[test]
fn a_rule_goes_on_from_its_stored_state_as_if_never_stopped() {
    let mut random = SplitMix64(9);
    let mut lord = LordPlusPlus::new(Alpha::FIVE_PERCENT);
    let mut saffron = Saffron::new(Alpha::FIVE_PERCENT);
    let mut addis = Addis::new(Alpha::FIVE_PERCENT);
    let mut e_lond = ELond::new(Alpha::FIVE_PERCENT);
    for _ in 0..200 {
        let p = random.unit().powi(3);
        let decisions = [
            lord.test(p),
            saffron.test(p),
            addis.test(p),
            e_lond.test(LogE::new(-p.max(1e-300).ln() - 2.0)),
        ];
        assert!(decisions.iter().all(|decision| decision.level() > 0.0));
        lord = through_json(&lord);
        saffron = through_json(&saffron);
        addis = through_json(&addis);
        e_lond = through_json(&e_lond);
    }
    assert_eq!(lord.tests(), 200);
    let mut stopped: LordPlusPlus = through_json(&lord);
    assert_eq!(stopped.test(1e-4), lord.test(1e-4));
    assert_eq!(stopped, lord);
}

#[test]
fn a_stored_state_that_contradicts_itself_is_refused() {
    let more_discoveries = r#"{"alpha":0.05,"tests":1,"discoveries":2}"#;
    assert!(serde_json::from_str::<Lond>(more_discoveries).is_err());
    assert!(serde_json::from_str::<ELond>(more_discoveries).is_err());
    let wealth = |tests: u64, time: u64, payouts: &str| {
        format!(r#"{{"alpha":0.05,"tests":{tests},"time":{time},"payouts":[{payouts}]}}"#)
    };
    let one = r#"{"time":1,"discoveries":1}"#;
    assert!(serde_json::from_str::<LordPlusPlus>(&wealth(2, 2, one)).is_ok());
    assert!(serde_json::from_str::<Saffron>(&wealth(2, 1, one)).is_ok());
    for text in [
        wealth(2, 2, &format!("{one},{one}")),
        wealth(2, 0, one),
        wealth(2, 2, r#"{"time":1,"discoveries":0}"#),
        wealth(2, 2, r#"{"time":1,"discoveries":18446744073709551615}"#),
        wealth(1, 2, ""),
    ] {
        assert!(
            serde_json::from_str::<LordPlusPlus>(&text).is_err(),
            "{text}"
        );
        assert!(serde_json::from_str::<Saffron>(&text).is_err(), "{text}");
        assert!(serde_json::from_str::<Addis>(&text).is_err(), "{text}");
    }
    assert!(serde_json::from_str::<LordPlusPlus>(&wealth(3, 2, one)).is_err());
    assert!(serde_json::from_str::<Saffron>(&wealth(2, 2, one)).is_err());
}

#[test]
fn hostile_numbers_are_no_discoveries_and_nothing_overflows() {
    let hostile = [f64::NAN, f64::INFINITY, 2.0];
    for (name, mut rule) in rules() {
        for p in hostile {
            assert!(!rule.test(p).is_discovery(), "{name}");
        }
        assert!(
            rule.test(-1.0).is_discovery(),
            "{name}: below 0 counts as 0"
        );
    }
    let last: &str =
        r#"{"alpha":0.05,"tests":18446744073709551615,"time":18446744073709551615,"payouts":[]}"#;
    let mut lord: LordPlusPlus = serde_json::from_str(last).unwrap();
    assert!(!lord.test(0.5).is_discovery());
    assert_eq!(lord.tests(), u64::MAX);
    assert!(bonferroni(&[]).is_empty() && holm(&[]).is_empty());
    assert!(e_benjamini_hochberg(&[], Alpha::FIVE_PERCENT).is_empty());
    assert_eq!(benjamini_hochberg(&[f64::NAN, -0.5]), [1.0, 0.0]);
}

proptest! {
    #[test]
    fn batch_rules_agree_with_their_definitions_for_every_alpha(
        p_values in prop::collection::vec(0.0_f64..1.0, 1..12),
        alpha in 0.001_f64..0.999,
    ) {
        let m = p_values.len();
        let mut sorted = p_values.clone();
        sorted.sort_by(f64::total_cmp);
        let last = |rejects: &dyn Fn(usize, f64) -> bool| {
            sorted.iter().enumerate().filter(|(i, p)| rejects(i + 1, **p)).map(|(i, _)| i + 1).max().unwrap_or(0)
        };
        let up = last(&|k, p| p <= alpha * k as f64 / m as f64);
        let harmonic: f64 = (1..=m).map(|k| 1.0 / k as f64).sum();
        let any = last(&|k, p| p <= alpha * k as f64 / (m as f64 * harmonic));
        let down = sorted.iter().enumerate().take_while(|(i, p)| **p <= alpha / (m - i) as f64).count();
        let count = |adjusted: Vec<f64>| adjusted.iter().filter(|p| **p <= alpha).count();
        // A p-value exactly on its line may fall either way in the last bit; random ones never are.
        prop_assert_eq!(count(benjamini_hochberg(&p_values)), up);
        prop_assert_eq!(count(benjamini_yekutieli(&p_values)), any);
        prop_assert_eq!(count(holm(&p_values)), down);
        prop_assert_eq!(count(bonferroni(&p_values)), sorted.iter().filter(|p| **p <= alpha / m as f64).count());
    }

    #[test]
    fn e_bh_is_bh_on_one_over_e(logs in prop::collection::vec(-3.0_f64..8.0, 1..12)) {
        let evidence: Vec<LogE> = logs.iter().map(|log| LogE::new(*log)).collect();
        let p_values: Vec<f64> = logs.iter().map(|log| (-log).exp().min(1.0)).collect();
        let expected: Vec<bool> = benjamini_hochberg(&p_values).iter().map(|p| *p <= 0.05).collect();
        prop_assert_eq!(e_benjamini_hochberg(&evidence, Alpha::FIVE_PERCENT), expected);
    }

    #[test]
    fn levels_are_probabilities_whatever_comes(p_values in prop::collection::vec(any::<f64>(), 0..60)) {
        for (_, mut rule) in rules() {
            for p in &p_values {
                let level = rule.test(*p).level();
                prop_assert!((0.0..=1.0).contains(&level));
            }
        }
    }
}

/// Four standard errors above a mean of shares, whose variance is at most that of a coin of the same mean.
fn upper(alpha: f64, runs: u32) -> f64 {
    alpha + 4.0 * (alpha * (1.0 - alpha) / f64::from(runs)).sqrt()
}

fn through_json<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}
