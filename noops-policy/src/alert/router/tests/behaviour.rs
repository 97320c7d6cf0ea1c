use super::*;
use crate::alert::matcher::Matcher;

fn silence(id: &str, name: &str, from: i64, until: i64) -> AlertEvent {
    let matcher = Matcher::equal("alertname", name).unwrap();
    AlertEvent::SilenceAdded(
        Silence::new(id, vec![matcher], at(from), at(until), "ada", "known").unwrap(),
    )
}

fn rules(router: &Router, name: &str) -> Vec<Suppression> {
    router
        .why_not(print(name))
        .iter()
        .map(|record| record.rule().clone())
        .collect()
}

#[test]
fn a_group_waits_then_is_told_of_changes_then_repeats() {
    let mut router = plain();
    fire(&mut router, 0, "a");
    fire(&mut router, 10, "b");
    assert_eq!(
        rules(&router, "a"),
        [Suppression::GroupWait { until: at(30) }]
    );
    assert_eq!(summary(&run(&mut router, 30)), ["30 r first a b"]);
    fire(&mut router, 40, "c");
    resolve(&mut router, 50, "b");
    assert_eq!(summary(&run(&mut router, 400)), ["330 r changed -b a c"]);
    assert_eq!(
        rules(&router, "a"),
        [Suppression::AlreadyNotified {
            at: at(330),
            repeat_at: at(330 + 14_400)
        }]
    );
    assert_eq!(summary(&run(&mut router, 14_800)), ["14730 r repeat 1 a c"]);
    resolve(&mut router, 14_900, "a");
    resolve(&mut router, 14_901, "c");
    assert_eq!(
        summary(&run(&mut router, 16_000)),
        ["15030 r resolved -a -c"]
    );
    assert_eq!(router.next_wakeup(), None);
    assert_eq!(router.firing().count(), 0);
}

#[test]
fn an_alert_that_is_not_heard_of_again_is_over() {
    let mut router = plain();
    let alert = Alert::new([("alertname", "a")], at(0));
    let _ = send(&mut router, 0, AlertEvent::Firing(alert.clone()));
    assert_eq!(summary(&run(&mut router, 200)), ["30 r first a"]);
    assert_eq!(send(&mut router, 200, AlertEvent::Firing(alert)), []);
    assert_eq!(summary(&run(&mut router, 2000)), ["530 r resolved -a"]);
}

#[test]
fn a_silence_holds_back_and_says_so_and_what_fires_on_is_told_after_it() {
    let mut router = plain();
    let _ = send(&mut router, 0, silence("s", "a", 0, 1000));
    fire(&mut router, 1, "a");
    assert_eq!(summary(&run(&mut router, 999)), [""; 0]);
    assert!(rules(&router, "a").contains(&Suppression::Silence {
        id: "s".to_owned(),
        author: "ada".to_owned()
    }));
    assert_eq!(summary(&run(&mut router, 2000)), ["1030 r first a"]);
    let record = &router.why_not(print("a"))[0];
    assert_eq!(
        (record.receiver(), record.first(), record.count()),
        (Some("r"), at(31), 1)
    );
}

#[test]
fn lifting_a_silence_tells() {
    let mut router = plain();
    let _ = send(&mut router, 0, silence("s", "a", 0, 100_000));
    fire(&mut router, 1, "a");
    assert_eq!(run(&mut router, 500), []);
    let _ = send(
        &mut router,
        500,
        AlertEvent::SilenceExpired { id: "s".to_owned() },
    );
    assert_eq!(summary(&run(&mut router, 600)), ["530 r first a"]);
}

#[test]
fn a_resolution_waits_while_a_silenced_alert_of_the_incident_fires() {
    let mut router = plain();
    fire(&mut router, 0, "a");
    fire(&mut router, 0, "b");
    assert_eq!(run(&mut router, 40).len(), 1);
    let _ = send(&mut router, 50, silence("s", "a", 50, 2000));
    resolve(&mut router, 60, "b");
    assert_eq!(summary(&run(&mut router, 1000)), [""; 0]);
    resolve(&mut router, 1000, "a");
    assert_eq!(summary(&run(&mut router, 1100)), ["1030 r resolved -a -b"]);
}

#[test]
fn a_source_that_ends_frees_its_targets_and_sources_do_not_inhibit_each_other() {
    let mut router = Router::new(config(
        "
receivers: [{name: r}]
inhibit_rules: [{source_matchers: [alertname=~\"(cause|both).*\"], target_matchers: [alertname=~\"(effect|both).*\"]}]
route: {receiver: r, group_by: ['...']}
",
    ));
    fire(&mut router, 0, "both1");
    fire(&mut router, 0, "both2");
    assert_eq!(run(&mut router, 40).len(), 2);
    fire(&mut router, 50, "effect");
    assert_eq!(run(&mut router, 100), []);
    fire(&mut router, 100, "cause");
    assert_eq!(summary(&run(&mut router, 200)), ["130 r first cause"]);
    for name in ["both1", "both2"] {
        resolve(&mut router, 1000, name);
    }
    assert_eq!(run(&mut router, 1100).len(), 2);
    resolve(&mut router, 1100, "cause");
    assert_eq!(
        summary(&run(&mut router, 1200)),
        ["1130 r first effect", "1130 r resolved -cause"]
    );
}

#[test]
fn a_deploy_quiets_its_labels_but_not_pages_about_users() {
    let mut router = Router::new(config(
        "
receivers: [{name: r}]
deploys: [{name: settle, equal: [service], quiet_for: 10m}]
route: {receiver: r, group_by: ['...'], group_wait: 0s}
",
    ));
    let labels = BTreeMap::from([("service".to_owned(), "api".to_owned())]);
    let of = |service: &str, severity: &str, impact: &str| {
        AlertEvent::Firing(
            Alert::new(
                [
                    ("alertname", service),
                    ("service", service),
                    ("severity", severity),
                    ("user_impact", impact),
                ],
                at(1),
            )
            .with_ends_at(at(100_000)),
        )
    };
    let start = AlertEvent::DeployStarted {
        labels: labels.clone(),
    };
    let _ = send(&mut router, 0, start);
    assert_eq!(send(&mut router, 1, of("api", "page", "")).len(), 0);
    assert_eq!(send(&mut router, 2, of("api", "page", "true")).len(), 1);
    assert_eq!(send(&mut router, 3, of("web", "page", "")).len(), 1);
    let _ = send(&mut router, 60, AlertEvent::DeployEnded { labels });
    assert_eq!(summary(&run(&mut router, 659)), [""; 0]);
    assert_eq!(summary(&run(&mut router, 660)), ["660 r first api"]);
}

#[test]
fn maintenance_and_muted_routes_hold_back_until_they_end() {
    let mut router = Router::new(config(
        "
receivers: [{name: r}, {name: day}]
time_intervals:
  - name: office
    time_intervals: [{times: [{start_time: '09:00', end_time: '17:00'}]}]
maintenance:
  - name: move
    matchers: [alertname=db]
    window: {from: 1970-01-01T00:00:00Z, until: 1970-01-01T02:00:00Z}
route:
  receiver: r
  routes: [{receiver: day, matchers: [alertname=slow], active_time_intervals: [office]}]
",
    ));
    fire(&mut router, 0, "db");
    fire(&mut router, 0, "slow");
    assert_eq!(summary(&run(&mut router, 7199)), [""; 0]);
    assert!(rules(&router, "db").contains(&Suppression::Maintenance {
        window: "move".to_owned()
    }));
    assert!(rules(&router, "slow").contains(&Suppression::TimeInterval {
        interval: "outside office".to_owned(),
        until: Some(at(9 * 3600))
    }));
    assert_eq!(
        summary(&run(&mut router, 9 * 3600 + 1)),
        [
            "7230 r first db",
            "21630 r repeat 1 db",
            "32400 day first slow"
        ]
        .into_iter()
        .collect::<Vec<_>>()
    );
}

const CHAIN: &str = "
receivers: [{name: r}, {name: second}, {name: boss}]
escalations:
  - name: up
    levels: [{after: 10m, receiver: second}, {after: 20m, receiver: boss}]
route: {receiver: r, escalation: up}
";

#[test]
fn an_escalation_climbs_until_somebody_acknowledges() {
    let mut router = Router::new(config(CHAIN));
    fire(&mut router, 0, "a");
    assert_eq!(
        summary(&run(&mut router, 700)),
        ["30 r first a", "630 second level 1 a"]
    );
    let ack = AlertEvent::Acknowledge {
        fingerprint: print("a"),
        by: "ada".to_owned(),
    };
    let _ = send(&mut router, 700, ack);
    assert_eq!(summary(&run(&mut router, 5000)), [""; 0]);
    assert!(rules(&router, "a").contains(&Suppression::Acknowledged {
        by: "ada".to_owned()
    }));
    resolve(&mut router, 5000, "a");
    assert_eq!(
        summary(&run(&mut router, 5100)),
        ["5030 r resolved -a", "5030 second resolved -a"]
    );
}

#[test]
fn an_escalation_that_nobody_answers_reaches_the_end_once() {
    let mut router = Router::new(config(CHAIN));
    fire(&mut router, 0, "a");
    assert_eq!(
        summary(&run(&mut router, 10_000)),
        [
            "30 r first a",
            "630 second level 1 a",
            "1830 boss level 2 a"
        ]
    );
}

#[test]
fn what_a_peer_tells_of_an_end_does_not_climb_the_chain_again() {
    let (mut left, mut right) = (Router::new(config(CHAIN)), Router::new(config(CHAIN)));
    for name in ["a", "b"] {
        fire(&mut left, 0, name);
        fire(&mut right, 0, name);
    }
    let tell = |from: &mut Router, to: &mut Router, until: i64| {
        let told = run(from, until);
        for notification in &told {
            let event = AlertEvent::PeerNotified(Box::new(notification.clone()));
            let _ = to.step(notification.at(), event);
        }
        told.len()
    };
    assert_eq!(tell(&mut left, &mut right, 2000), 3);
    resolve(&mut left, 2000, "b");
    resolve(&mut right, 2000, "b");
    assert!(tell(&mut left, &mut right, 2400) > 0);
    assert_eq!(summary(&run(&mut right, 9_000)), [""; 0]);
}

#[test]
fn a_flapping_alert_is_told_once_and_its_end_when_it_is_calm() {
    let mut router = Router::new(config(
        "{receivers: [{name: r}], flapping: {episodes: 3, within: 1h}, route: {receiver: r, group_wait: 0s, group_interval: 1m}}",
    ));
    let mut told = Vec::new();
    for minute in 0..20 {
        told.extend(fire(&mut router, minute * 120, "a"));
        told.extend(run(&mut router, minute * 120 + 50));
        told.extend(resolve(&mut router, minute * 120 + 60, "a"));
        told.extend(run(&mut router, minute * 120 + 119));
    }
    assert_eq!(
        summary(&told),
        [
            "0 r first a",
            "60 r resolved -a",
            "120 r first a",
            "180 r resolved -a",
            "240 r first a"
        ]
    );
    assert!(rules(&router, "a").contains(&Suppression::Flapping { episodes: 3 }));
    // The third but last episode began at 17 * 120 s.
    assert_eq!(summary(&run(&mut router, 20_000)), ["5640 r resolved -a"]);
}

#[test]
fn an_alert_beyond_the_capacity_is_refused_and_says_so() {
    let mut router = Router::new(config(
        "{global: {max_alerts: 2}, receivers: [{name: r}], route: {receiver: r}}",
    ));
    for name in ["a", "b", "c"] {
        fire(&mut router, 0, name);
    }
    assert_eq!(rules(&router, "c"), [Suppression::Capacity { most: 2 }]);
    assert_eq!(router.firing().count(), 2);
}

#[test]
fn hostile_stored_state_is_refused() {
    let mut router = plain();
    fire(&mut router, 0, "a");
    let json = serde_json::to_string(&router).unwrap();
    for (from, to) in [
        ("\"next_group\":1", "\"next_group\":0"),
        ("\"latest\":\"1970-01-01T00:00:00Z\"", "\"latest\":null"),
        ("\"latest\"", "\"surprise\":1,\"latest\""),
        (&*print("a").to_string(), &*print("b").to_string()),
    ] {
        let bad = json.replace(from, to);
        assert_ne!(bad, json);
        assert!(serde_json::from_str::<Router>(&bad).is_err(), "{bad}");
    }
}

#[test]
fn the_end_of_time_and_a_clock_that_goes_back_do_no_harm() {
    let mut router = plain();
    for now in [Timestamp::MAX, Timestamp::MIN, at(0), Timestamp::MAX] {
        let _ = router.step(now, AlertEvent::Firing(Alert::new([("a", "b")], now)));
        let _ = router.step(now, AlertEvent::Resolved(print("a")));
        let _ = router.step(now, AlertEvent::Restarted);
        let _ = restored(&router);
    }
}
