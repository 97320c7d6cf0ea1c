//! What went wrong elsewhere must not go wrong here.

use std::num::NonZeroU32;

use noops_core::Share;

use super::*;

fn fleet(size: u64, healthy: u64, second: i64) -> Fleet {
    Fleet::new("cdn", size, healthy, at(second)).unwrap()
}

/// Google, "Diskerase" (SRE book, chapter 7): an automation read an empty set of machines as all of them and wiped a CDN.
#[test]
fn diskerase_an_empty_set_of_machines_is_an_error_and_not_all_of_them() {
    let none: Vec<String> = Vec::new();
    assert_eq!(Targets::new(none), Err(TargetsError::Empty));
    assert!(serde_json::from_str::<Targets>("[]").is_err());
    let json = serde_json::to_string(&request(Action::Quarantine, &["a"], 1)).unwrap();
    for hostile in ["[]", r#"[""]"#, r#"["*"]"#, "null"] {
        let emptied = json.replace(r#"["a"]"#, hostile);
        assert_ne!(json, emptied);
        assert!(serde_json::from_str::<ActionRequest>(&emptied).is_err());
    }
    let governor = Governor::new(GovernorSettings::default());
    for nothing in ["", " \t\n"] {
        let refusal = governor
            .check(Action::Quarantine, nothing, at(0))
            .unwrap_err();
        assert_eq!(refusal.reason(), &RefusalReason::NoTarget);
    }
}

/// Reddit, 2016: an autoscaler read a half-migrated ZooKeeper, believed it, and terminated servers.
#[test]
fn reddit_a_half_migrated_source_is_not_believed() {
    let settings = GovernorSettings::default().with_fleet(FleetLimits::default());
    let mut governor = Governor::new(settings);
    let down = |epoch, fleet| {
        request(Action::Scale, &["web-1"], epoch)
            .with_scaling(Scaling::Down)
            .with_fleet(fleet)
    };
    assert!(
        governor
            .authorise(&down(1, fleet(100, 100, 0)), at(0))
            .is_ok()
    );
    let refusal = governor
        .authorise(&down(2, fleet(50, 50, 60)), at(60))
        .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "scale of `web-1` belongs to fleet `cdn`, which went from `100` to `50` between two looks; a person must acknowledge its size"
    );
    assert!(refusal.reason().needs_a_person());
    let refusal = governor
        .authorise(&down(3, fleet(0, 0, 61)), at(61))
        .unwrap_err();
    assert!(matches!(refusal.reason(), RefusalReason::FleetEmpty { .. }));
    // Not even the first look at an empty fleet is believed.
    let mut fresh = Governor::new(governor.settings().clone());
    let refusal = fresh
        .authorise(&down(4, fleet(0, 0, 61)), at(61))
        .unwrap_err();
    assert!(matches!(refusal.reason(), RefusalReason::FleetEmpty { .. }));
    // Once a person has said that it is so, it goes on.
    governor.acknowledge_fleet(&fleet(50, 50, 62));
    assert!(
        governor
            .authorise(&down(5, fleet(50, 50, 62)), at(62))
            .is_ok()
    );
}

/// AWS S3, 2017: a tool took away more servers than was meant, faster than the service could bear.
#[test]
fn s3_capacity_is_never_taken_below_the_floor_however_stale_the_count() {
    let limits = FleetLimits::default().with_min_healthy(8);
    let mut governor = Governor::new(GovernorSettings::default().with_fleet(limits));
    // The count lags: it says ten are healthy however many were taken since.
    let mut taken = 0;
    for epoch in 0..20 {
        let target = format!("index-{epoch}");
        let ask = request(Action::Quarantine, &[&target], epoch).with_fleet(fleet(10, 10, 0));
        if let Ok(permit) = governor.authorise(&ask, at(1)) {
            taken += permit.plan().len();
        }
    }
    assert_eq!(taken, 2);
    let all = request(Action::Scale, &["a", "b", "c"], 99)
        .with_scaling(Scaling::Down)
        .with_fleet(fleet(10, 10, 2));
    let refusal = governor.authorise(&all, at(2)).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "scale of `a, b, c` would leave `7` healthy, below the floor of `8`; bring some back first"
    );
}

#[test]
fn without_a_count_of_the_fleet_or_with_an_old_one_nothing_is_changed() {
    let settings = GovernorSettings::default()
        .with_fleet(FleetLimits::default().with_max_age(seconds(60)))
        .with_blast_radius(
            ActionClass::Change,
            BlastRadius::new(100, seconds(3600)).with_share(Share::FULL),
        );
    let mut governor = Governor::new(settings);
    let refusal = governor.check(Action::Promote, "a", at(0)).unwrap_err();
    assert_eq!(refusal.reason(), &RefusalReason::NoFleet);
    for counted in [39, 161] {
        let old = request(Action::Promote, &["a"], 1).with_fleet(fleet(10, 10, counted));
        let refusal = governor.authorise(&old, at(100)).unwrap_err();
        assert!(matches!(refusal.reason(), RefusalReason::FleetStale { .. }));
    }
    assert!(governor.check(Action::Escalate, "a", at(0)).is_ok());
}

/// Nygard's Governor: slow in the unsafe direction only.
#[test]
fn safety_actions_pass_when_changes_have_used_up_the_budget() {
    let total = TotalBudget::new(2, seconds(3600)).with_safety_reserve(1);
    let mut governor = Governor::new(GovernorSettings::default().with_total(total));
    governor.record(Action::Promote, "a", at(0));
    governor.record(Action::Promote, "b", at(0));
    assert!(matches!(
        governor
            .check(Action::Promote, "c", at(1))
            .unwrap_err()
            .reason(),
        RefusalReason::Total { actions: 2, .. }
    ));
    assert!(governor.check(Action::Rollback, "a", at(1)).is_ok());
    governor.record(Action::Rollback, "a", at(1));
    assert!(governor.check(Action::Rollback, "b", at(2)).is_err());
    assert!(governor.check(Action::Escalate, "b", at(2)).is_ok());
}

#[test]
fn a_flapping_target_is_frozen_on_the_safe_side_until_a_person_acknowledges() {
    let flap = FlapLimit::new(NonZeroU32::new(2).unwrap(), seconds(100));
    let mut governor = Governor::new(GovernorSettings::default().with_flap(flap));
    let ask = |action, epoch| request(action, &["a"], epoch);
    for (epoch, action) in [(1, Action::Promote), (2, Action::Rollback)] {
        let permit = governor.authorise(&ask(action, epoch), at(0)).unwrap();
        assert!(permit.freezes().is_empty());
    }
    let permit = governor.authorise(&ask(Action::Promote, 3), at(1)).unwrap();
    assert_eq!(permit.freezes(), ["a"]);
    assert_eq!(governor.frozen(at(1)).collect::<Vec<_>>(), ["a"]);
    let refusal = governor
        .authorise(&ask(Action::Retrain, 4), at(2))
        .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "retrain of `a` is frozen because `a` flaps; a person must acknowledge, or nothing turn round until `1970-01-01T00:01:41Z`"
    );
    assert!(
        governor
            .authorise(&ask(Action::Rollback, 5), at(90))
            .is_ok()
    );
    // It turned round again, so that the quiet time began anew.
    assert!(governor.check(Action::Promote, "a", at(189)).is_err());
    assert!(governor.check(Action::Promote, "a", at(190)).is_ok());
    assert!(governor.check(Action::Promote, "b", at(90)).is_ok());
    governor.acknowledge("a");
    assert!(governor.check(Action::Promote, "a", at(90)).is_ok());
}

#[test]
fn a_refused_signal_that_still_flaps_stays_frozen_and_one_that_insists_does_not() {
    let flap = FlapLimit::new(NonZeroU32::MIN, seconds(10));
    let frozen = || {
        let mut governor = Governor::new(GovernorSettings::default().with_flap(flap));
        for (epoch, scaling) in [(1, Scaling::Up), (2, Scaling::Down)] {
            let ask = request(Action::Scale, &["a"], epoch).with_scaling(scaling);
            let permit = governor.authorise(&ask, at(0)).unwrap();
            assert_eq!(permit.freezes().len(), usize::from(epoch == 2));
        }
        governor
    };
    let ask = |epoch: u64, scaling| request(Action::Scale, &["a"], epoch).with_scaling(scaling);
    let (mut flapping, mut insisting) = (frozen(), frozen());
    for second in 1..100_u64 {
        let turn = [Scaling::Down, Scaling::Up][usize::from(second % 2 == 1)];
        let now = at(i64::try_from(second).unwrap());
        assert!(flapping.authorise(&ask(second + 9, turn), now).is_err());
        let same = insisting.authorise(&ask(second + 9, Scaling::Down), now);
        assert_eq!(same.is_ok(), second >= 10);
    }
}

#[test]
fn a_frozen_target_that_turns_round_in_another_respect_stays_frozen() {
    let flap = FlapLimit::new(NonZeroU32::new(2).unwrap(), seconds(100));
    let mut governor = Governor::new(GovernorSettings::default().with_flap(flap));
    for action in [
        Action::Release,
        Action::Promote,
        Action::Rollback,
        Action::Promote,
    ] {
        governor.record(action, "a", at(0));
    }
    assert!(governor.check(Action::Promote, "a", at(100)).is_ok());
    governor.record(Action::Quarantine, "a", at(90));
    assert!(governor.check(Action::Promote, "a", at(189)).is_err());
    assert!(governor.check(Action::Promote, "a", at(190)).is_ok());
}
