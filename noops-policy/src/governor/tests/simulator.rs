//! Signals that do their worst, against limits that must hold.

use std::num::NonZeroU32;

use noops_stats::SplitMix64;

use super::class::Heading;
use super::*;

const HOUR: i64 = 3600;

fn settings() -> GovernorSettings {
    let flap = FlapLimit::new(NonZeroU32::new(3).unwrap(), seconds(3600));
    GovernorSettings::default()
        .with_total(TotalBudget::new(6, seconds(3600)).with_safety_reserve(2))
        .with_blast_radius(ActionClass::Change, BlastRadius::new(2, seconds(3600)))
        .with_budget(Action::Scale, 3, seconds(1800))
        .with_flap(flap)
}

struct Acted {
    at: i64,
    action: Action,
    heading: Option<Heading>,
    target: usize,
}

/// Whatever is asked is done if it is let. Times are those of the governor, for which none goes backwards.
fn simulate(ask: impl FnMut(u64) -> (Action, Scaling, usize, i64), steps: u64) -> Vec<Acted> {
    simulate_under(settings(), ask, steps)
}

fn simulate_under(
    settings: GovernorSettings,
    mut ask: impl FnMut(u64) -> (Action, Scaling, usize, i64),
    steps: u64,
) -> Vec<Acted> {
    let targets = ["a", "b", "c"];
    let mut governor = Governor::new(settings);
    let mut acted = Vec::new();
    for step in 0..steps {
        let (action, scaling, target, clock) = ask(step);
        let request = request(action, &[targets[target]], step).with_scaling(scaling);
        if let Ok(permit) = governor.authorise(&request, at(clock)) {
            let begun = permit.at().as_second();
            let released = governor.execute(permit, at(clock)).unwrap();
            assert_eq!(released.actions().len(), 1);
            acted.push(Acted {
                at: begun,
                action,
                heading: Heading::of(action, Some(scaling)),
                target,
            });
        }
    }
    acted
}

/// The greatest number of acts in any window that `counts`.
fn most(acted: &[Acted], window: i64, counts: impl Fn(&Acted) -> bool) -> usize {
    let times: Vec<i64> = acted
        .iter()
        .filter(|act| counts(act))
        .map(|act| act.at)
        .collect();
    let within = |from: i64| {
        let inside = times
            .iter()
            .filter(|time| (from..from + window).contains(time));
        inside.count()
    };
    times.iter().map(|time| within(*time)).max().unwrap_or(0)
}

/// How often the target turned round on the axis of `first` within an hour of it.
fn reversals_from(acted: &[Acted], first: &Acted) -> usize {
    let Some(axis) = first.heading else {
        return 0;
    };
    let headings: Vec<Heading> = acted
        .iter()
        .filter(|act| act.target == first.target && (first.at..first.at + HOUR).contains(&act.at))
        .filter_map(|act| act.heading)
        .filter(|heading| *heading == axis || heading.undoes(axis))
        .collect();
    let pairs = headings.windows(2);
    pairs.filter(|pair| pair[0].undoes(pair[1])).count()
}

fn limits_hold(acted: &[Acted]) {
    let change = |act: &Acted| ActionClass::of(act.action) == ActionClass::Change;
    assert!(most(acted, HOUR, |_| true) <= 8);
    assert!(most(acted, HOUR, |act| act.action == Action::Scale) <= 6);
    assert!(most(acted, HOUR / 2, |act| act.action == Action::Scale) <= 3);
    for act in acted {
        // Three reversals freeze a target, which may then turn once more, back to the safe side.
        assert!(reversals_from(acted, act) <= 4);
        let near = |other: &&Acted| (act.at..act.at + HOUR).contains(&other.at) && change(other);
        let reached: std::collections::BTreeSet<usize> = acted
            .iter()
            .filter(near)
            .map(|other| other.target)
            .collect();
        assert!(reached.len() <= 2);
    }
}

#[test]
fn an_adversarial_signal_never_yields_more_actions_than_configured() {
    let actions = [
        Action::Promote,
        Action::Rollback,
        Action::Quarantine,
        Action::Release,
        Action::Scale,
        Action::Retrain,
    ];
    for seed in 0..6 {
        let mut random = SplitMix64(seed);
        let mut clock = 0_i64;
        let acted = simulate(
            |_| {
                clock += i64::try_from(random.below(400)).unwrap();
                let back = i64::try_from(random.below(3) * random.below(2000)).unwrap();
                let action = actions[random.below(6)];
                let scaling = [Scaling::Up, Scaling::Down][usize::from(random.unit() < 0.5)];
                let target = random.below(3);
                (action, scaling, target, (clock - back).max(0))
            },
            1500,
        );
        assert!(acted.len() > 100, "the limits let nothing through");
        limits_hold(&acted);
    }
}

#[test]
fn the_worst_alternating_signal_is_stopped_after_the_configured_reversals() {
    for pair in [
        [Action::Promote, Action::Rollback],
        [Action::Release, Action::Quarantine],
        [Action::Ramp, Action::Rollback],
    ] {
        let acted = simulate(
            |step| {
                let second = i64::try_from(step).unwrap() * 20;
                (pair[usize::from(step % 2 == 1)], Scaling::Up, 0, second)
            },
            2000,
        );
        limits_hold(&acted);
        // Four changes of direction at most: three, and one back to the safe side.
        let turns = acted
            .windows(2)
            .filter(|two| two[0].action != two[1].action)
            .count();
        assert!(turns <= 4, "{turns} turns");
        let last_change = acted.iter().rposition(|act| act.action == pair[0]);
        assert!(last_change.is_some_and(|last| acted[last].at < HOUR));
    }
}

#[test]
fn alternating_scaling_is_frozen_in_both_directions() {
    let acted = simulate(
        |step| {
            let scaling = [Scaling::Up, Scaling::Down][usize::from(step % 2 == 1)];
            let second = i64::try_from(step).unwrap() * 601;
            (Action::Scale, scaling, 0, second)
        },
        500,
    );
    limits_hold(&acted);
    assert_eq!(acted.len(), 4);
}

#[test]
fn the_flap_limit_alone_bounds_how_often_a_target_turns_round() {
    let flap = FlapLimit::new(NonZeroU32::new(3).unwrap(), seconds(3600));
    let alone = GovernorSettings::default().with_flap(flap);
    let actions = [
        Action::Promote,
        Action::Rollback,
        Action::Quarantine,
        Action::Release,
        Action::Scale,
    ];
    let mut most = 0;
    for seed in 10..16 {
        let mut random = SplitMix64(seed);
        let mut clock = 0_i64;
        let acted = simulate_under(
            alone.clone(),
            |_| {
                clock += i64::try_from(random.below(1500)).unwrap();
                let scaling = [Scaling::Up, Scaling::Down][random.below(2)];
                (actions[random.below(5)], scaling, random.below(2), clock)
            },
            600,
        );
        let turns = acted.iter().map(|act| reversals_from(&acted, act)).max();
        most = most.max(turns.unwrap_or(0));
    }
    assert!((3..=4).contains(&most), "{most} turns");
}
