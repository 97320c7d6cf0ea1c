//! Defects of Alertmanager, by the number of its issue.

use super::*;

#[test]
fn a_second_firing_is_told_although_resolutions_are_not_sent_1063() {
    let mut router = Router::new(config(
        "{receivers: [{name: r, send_resolved: false}], route: {receiver: r}}",
    ));
    fire(&mut router, 0, "a");
    assert_eq!(summary(&run(&mut router, 60)), ["30 r first a"]);
    resolve(&mut router, 100, "a");
    assert_eq!(summary(&run(&mut router, 900)), [""; 0]);
    fire(&mut router, 1000, "a");
    assert_eq!(summary(&run(&mut router, 1100)), ["1030 r first a"]);

    // Also when it comes and goes within one group interval.
    resolve(&mut router, 1110, "a");
    fire(&mut router, 1120, "a");
    assert_eq!(summary(&run(&mut router, 1400)), ["1330 r first a"]);
}

const INHIBITED: &str = "
receivers: [{name: r}]
inhibit_rules:
  - name: cause
    source_matchers: [alertname=cause]
    target_matchers: [alertname=~\"effect.*\"]
    equal: [zone]
route: {receiver: r, group_by: [alertname]}
";

#[test]
fn inhibited_alerts_do_not_fire_on_reload_or_restart_4064() {
    let mut router = Router::new(config(INHIBITED));
    fire(&mut router, 0, "cause");
    fire(&mut router, 1, "effect");
    assert_eq!(summary(&run(&mut router, 100)), ["30 r first cause"]);

    let changed =
        config(&INHIBITED.replace("receivers:", "global: {resolve_timeout: 6m}\nreceivers:"));
    assert_eq!(
        send(&mut router, 101, AlertEvent::ConfigReloaded(changed)),
        []
    );
    assert_eq!(summary(&run(&mut router, 1000)), [""; 0]);

    // Down for an hour: longer than either alert lives without news. The target is heard of first.
    let mut router = restored(&router);
    assert_eq!(send(&mut router, 4600, AlertEvent::Restarted), []);
    assert_eq!(fire(&mut router, 4601, "effect"), []);
    assert_eq!(summary(&run(&mut router, 4700)), [""; 0]);
    let why = router.why_not(print("effect"));
    let inhibition = Suppression::Inhibition {
        rule: "cause".to_owned(),
        source: print("cause"),
    };
    assert!(
        why.iter().any(|record| *record.rule() == inhibition),
        "{why:?}"
    );
}

#[test]
fn a_restart_loses_no_source_that_states_no_end_4064() {
    let mut router = Router::new(config(INHIBITED));
    for name in ["cause", "effect"] {
        let alert = Alert::new([("alertname", name)], at(0));
        assert_eq!(send(&mut router, 0, AlertEvent::Firing(alert)), []);
    }
    assert_eq!(run(&mut router, 60).len(), 1);
    let mut router = restored(&router);
    assert_eq!(send(&mut router, 4000, AlertEvent::Restarted), []);
    let effect = Alert::new([("alertname", "effect")], at(0));
    assert_eq!(send(&mut router, 4001, AlertEvent::Firing(effect)), []);
    assert_eq!(summary(&run(&mut router, 4200)), [""; 0]);
}

#[test]
fn two_routes_that_look_alike_keep_separate_books_3808() {
    let mut router = Router::new(config(
        "
receivers: [{name: r}]
route:
  receiver: r
  routes:
    - {matchers: [alertname=a], continue: true, repeat_interval: 1h}
    - {matchers: [alertname=a], group_wait: 40s, repeat_interval: 2h}
",
    ));
    fire(&mut router, 0, "a");
    let told = run(&mut router, 8000);
    assert_eq!(
        summary(&told),
        [
            "30 r first a",
            "40 r first a",
            "3630 r repeat 1 a",
            "7230 r repeat 2 a",
            "7240 r repeat 1 a",
        ]
    );
    let keys: BTreeSet<&str> = told.iter().map(Notification::group_key).collect();
    assert_eq!(keys.len(), 2);
}

#[test]
fn a_reload_keeps_the_group_interval_3074_2492_1660_3037() {
    let yaml = "{receivers: [{name: r}], route: {receiver: r}}";
    let mut router = Router::new(config(yaml));
    fire(&mut router, 0, "a");
    assert_eq!(summary(&run(&mut router, 40)), ["30 r first a"]);
    fire(&mut router, 50, "b");
    for second in 60..70 {
        // A route is added before; the group is the same.
        let more = "{receivers: [{name: r}, {name: x}], route: {receiver: r, routes: [{receiver: x, matchers: [z=z]}]}}";
        let next = if second % 2 == 0 { more } else { yaml };
        let event = AlertEvent::ConfigReloaded(config(next));
        assert_eq!(send(&mut router, second, event), []);
    }
    assert_eq!(summary(&run(&mut router, 329)), [""; 0]);
    assert_eq!(summary(&run(&mut router, 330)), ["330 r changed a b"]);
}

#[test]
fn a_reload_applies_new_intervals_to_groups_that_wait_3074() {
    let yaml = "{receivers: [{name: r}], route: {receiver: r, repeat_interval: 4h}}";
    let mut router = Router::new(config(yaml));
    fire(&mut router, 0, "a");
    assert_eq!(run(&mut router, 40).len(), 1);
    let event = AlertEvent::ConfigReloaded(config(&yaml.replace("4h", "10m")));
    assert_eq!(send(&mut router, 50, event), []);
    assert_eq!(summary(&run(&mut router, 700)), ["630 r repeat 1 a"]);
}

#[test]
fn two_routers_tell_once_after_a_resolution_4008_2447() {
    let (mut left, mut right) = (plain(), plain());
    fire(&mut left, 0, "a");
    let late = AlertEvent::Firing(alert("a", 0));
    assert_eq!(send(&mut right, 2, late), []);
    let tell = |from: &mut Router, to: &mut Router, until: i64| {
        let told = run(from, until);
        for notification in &told {
            let event = AlertEvent::PeerNotified(Box::new(notification.clone()));
            assert_eq!(notifications(to.step(at(until), event)), []);
        }
        told
    };
    assert_eq!(summary(&tell(&mut left, &mut right, 31)), ["30 r first a"]);
    assert_eq!(summary(&run(&mut right, 300)), [""; 0]);
    // Only one of them hears of the end; the other hears late news of the firing.
    resolve(&mut left, 310, "a");
    assert_eq!(
        summary(&tell(&mut left, &mut right, 345)),
        ["340 r resolved -a"]
    );
    let outcomes = right.step(at(346), AlertEvent::Firing(alert("a", 0)));
    assert!(
        matches!(outcomes.as_slice(), [Outcome::Suppressed(record)]
            if matches!(record.rule(), Suppression::ResolvedByPeer { .. })),
        "{outcomes:?}"
    );
    assert_eq!(summary(&run(&mut right, 699)), [""; 0]);
    // It fires on: the news were not late, and are told in the end.
    fire(&mut right, 700, "a");
    assert_eq!(summary(&run(&mut right, 800)), ["730 r first a"]);
}

#[test]
fn two_routers_that_cannot_talk_name_the_same_news_alike_4008_2447() {
    let (mut left, mut right) = (plain(), plain());
    let mut keys = Vec::new();
    for (router, delay) in [(&mut left, 0), (&mut right, 3)] {
        let mut told = Vec::new();
        told.extend(send(router, delay, AlertEvent::Firing(alert("a", 0))));
        told.extend(run(router, 1000));
        told.extend(resolve(router, 1000 + delay, "a"));
        told.extend(run(router, 2000));
        told.extend(send(
            router,
            2000 + delay,
            AlertEvent::Firing(alert("a", 2000)),
        ));
        told.extend(run(router, 3000));
        keys.push(
            told.iter()
                .map(Notification::idempotency_key)
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(keys[0].len(), 3);
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys[0].iter().collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn a_restart_loses_no_alert_889() {
    let mut router = plain();
    fire(&mut router, 0, "a");
    fire(&mut router, 5, "b");
    let mut router = restored(&router);
    assert_eq!(
        summary(&send(&mut router, 4000, AlertEvent::Restarted)),
        ["4000 r first a b"]
    );
    resolve(&mut router, 4010, "a");
    let mut router = restored(&router);
    assert_eq!(summary(&run(&mut router, 4300)), ["4300 r changed -a b"]);
}

#[test]
fn a_repeat_is_not_rounded_up_to_the_group_interval_917_3370() {
    // Alertmanager looks at the repeat interval at ticks of the group interval only.
    let mut router = Router::new(config(
        "{receivers: [{name: r}], route: {receiver: r, group_interval: 5m, repeat_interval: 7m}}",
    ));
    fire(&mut router, 0, "a");
    assert_eq!(
        summary(&run(&mut router, 900)),
        ["30 r first a", "450 r repeat 1 a", "870 r repeat 2 a"]
    );
}
