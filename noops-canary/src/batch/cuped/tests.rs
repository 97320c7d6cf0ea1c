use super::*;
use crate::batch::rank_oracle::{assert_agrees, assert_close, numbers, oracle};
use crate::direction::Direction;
use crate::simulation::Random;

#[test]
fn numpy_and_scipy_agree() {
    let case = &oracle()["cuped"];
    let column = |name: &str| numbers(&case[name]);
    let cuped = Cuped::fit(
        &column("covariate_champion"),
        &column("metric_champion"),
        &column("covariate_candidate"),
        &column("metric_candidate"),
    )
    .unwrap();
    assert_close(cuped.theta(), &case["theta"], 1e-10);
    assert_close(cuped.variance_reduction(), &case["reduction"], 1e-10);
    assert_agrees(&cuped.welch(&TestSettings::default()).unwrap(), case);
}

#[test]
fn adjusting_sharpens_and_does_not_shift() {
    let mut random = Random::new(6);
    let mut arm = |shift: f64| -> (Vec<f64>, Vec<f64>) {
        let before: Vec<f64> = (0..4_000).map(|_| random.normal()).collect();
        let after = before.iter().map(|x| 3.0 * x + random.normal() + shift);
        let after = after.collect();
        (before, after)
    };
    let (champion, candidate) = (arm(0.0), arm(0.2));
    let cuped = Cuped::fit(&champion.0, &champion.1, &candidate.0, &candidate.1).unwrap();
    // rho² = 9 / 10
    assert!((cuped.variance_reduction() - 0.9).abs() < 0.01);
    assert!((cuped.variance_factor() - 0.1).abs() < 0.01);
    let settings = TestSettings::default();
    let adjusted = cuped.welch(&settings).unwrap().interval().unwrap();
    let plain = welch_t_test(&champion.1, &candidate.1, &settings).unwrap();
    let plain = plain.interval().unwrap();
    assert!(adjusted.contains(0.2));
    assert!((adjusted.width() / plain.width() - 0.1_f64.sqrt()).abs() < 0.02);
    let alpha = Alpha::FIVE_PERCENT;
    let margin = Margin::new(Direction::LowerIsBetter, 0.4).unwrap();
    assert!(cuped.non_inferiority(margin, alpha).unwrap().rejects(alpha));
    assert!(cuped.equivalence(margin, alpha).unwrap().rejects(alpha));
}

#[test]
fn without_a_difference_it_is_seldom_claimed() {
    let mut random = Random::new(16);
    let claimed = (0..1_000)
        .filter(|_| {
            let mut arm = || -> (Vec<f64>, Vec<f64>) {
                let before: Vec<f64> = (0..40).map(|_| random.normal()).collect();
                let after = before.iter().map(|x| x + random.normal()).collect();
                (before, after)
            };
            let (champion, candidate) = (arm(), arm());
            let cuped = Cuped::fit(&champion.0, &champion.1, &candidate.0, &candidate.1).unwrap();
            let outcome = cuped.welch(&TestSettings::default()).unwrap();
            outcome.rejects(Alpha::FIVE_PERCENT)
        })
        .count();
    // scipy.stats.binom.sf(75, 1000, 0.05) = 0.0003
    assert!(claimed <= 75, "{claimed}");
}

#[test]
fn a_covariate_that_says_nothing_is_refused() {
    let metric = [1.0, 2.0, 3.0];
    // Constant in each arm: its difference between the arms would be the effect itself.
    let constant = Cuped::fit(&[1.0; 3], &metric, &[2.0; 3], &metric);
    assert!(matches!(constant, Err(CanaryError::Constant { .. })));
    let constant = Cuped::fit(&metric, &[1.0; 3], &metric, &[1.0; 3]);
    assert!(matches!(constant, Err(CanaryError::Constant { .. })));
}

#[test]
fn hostile_columns_are_refused() {
    let fine = [1.0, 2.0, 4.0];
    assert!(Cuped::fit(&fine, &fine, &fine, &fine[..2]).is_err());
    assert!(Cuped::fit(&[], &[], &fine, &fine).is_err());
    assert!(Cuped::fit(&[f64::NAN, 1.0, 2.0], &fine, &fine, &fine).is_err());
    let huge = [1e308, -1e308, 0.0];
    assert!(Cuped::fit(&huge, &fine, &fine, &fine).is_err());
    let tiny = [1e-308, 2e-308, 0.0];
    assert!(Cuped::fit(&tiny, &fine, &tiny, &fine).is_err());
}
