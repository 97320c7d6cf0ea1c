use serde::Deserialize;

use super::{STATISTICS, close};
use crate::statistic::TestSettings;

#[derive(Deserialize)]
struct Oracle {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    function: String,
    reference: Vec<u64>,
    current: Vec<u64>,
    statistic: f64,
    p_value: Option<f64>,
    call: String,
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("../../../../testdata/counted.json")).unwrap()
}

#[test]
fn statistics_and_p_values_agree_with_scipy() {
    let mut checked = 0;
    for case in oracle().cases {
        let (_, statistic) = STATISTICS
            .into_iter()
            .find(|(name, _)| *name == case.function)
            .unwrap();
        let found = statistic(&case.reference, &case.current, &TestSettings::default()).unwrap();
        let context = format!("{} by {}: {found:?}", case.function, case.call);
        assert!(
            (found.statistic() / case.statistic - 1.0).abs() <= 1e-10,
            "{context}, expected {}",
            case.statistic
        );
        if let Some(p_value) = case.p_value {
            assert!(
                (found.p_value() / p_value - 1.0).abs() <= 1e-6,
                "{context}, expected {p_value}"
            );
        }
        assert_eq!(
            found.degrees_of_freedom(),
            Some(case.reference.len() as u64 - 1),
            "{context}"
        );
        checked += 1;
    }
    assert_eq!(checked, 97);
}

#[test]
fn the_oracle_reaches_the_far_tail() {
    let smallest = oracle()
        .cases
        .iter()
        .filter_map(|case| case.p_value)
        .fold(1.0, f64::min);
    assert!((1e-300..1e-290).contains(&smallest), "{smallest}");
}

#[test]
fn tolerant_psi_agrees_with_numpy_and_scipy() {
    // p = (r + .5) / (sum(r) + 1.5), q likewise; sum((p - q) log(p / q)), scipy.stats.chi2 and ncx2
    let (reference, current) = ([100, 200, 700], [150, 150, 200]);
    let plain = super::psi(&reference, &current, &TestSettings::default()).unwrap();
    close(plain.statistic(), 0.426_860_254_469_049_9, 1e-12);
    close(plain.p_value(), 1.267_139_677_514_886_8e-31, 1e-8);
    close(plain.critical().unwrap(), 0.017_974_393_641_323_95, 1e-8);
    let settings = TestSettings::default().with_tolerance(0.1);
    let tolerant = super::psi(&reference, &current, &settings).unwrap();
    // The delta method's norm.sf is the larger here: ncx2 gives 5.4e-10 and a critical value of 0.168.
    close(tolerant.p_value(), 4.447_112_461_004_104e-6, 1e-8);
    close(tolerant.critical().unwrap(), 0.224_801_272_222_203_5, 1e-8);
}
