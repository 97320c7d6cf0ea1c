use proptest::prelude::*;

use super::*;
use crate::alert::matcher::Matcher;

#[derive(Clone, Copy, Debug)]
enum Move {
    Fire(u8),
    Resolve(u8),
    Silence(u8, i64),
    Deploy,
    Reload,
    Store,
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "cause", "effect"];
const WAIT: i64 = 10;
const INTERVAL: i64 = 60;
const REPEAT: i64 = 170;
const YAML: &str = "
receivers: [{name: r}]
inhibit_rules: [{source_matchers: [alertname=cause], target_matchers: [alertname=effect]}]
deploys: [{name: d, equal: [alertname], quiet_for: 30s, longest: 1m}]
route: {receiver: r, group_wait: 10s, group_interval: 60s, repeat_interval: 170s}
";

fn moves() -> impl Strategy<Value = Vec<(i64, Move)>> {
    let one = prop_oneof![
        5 => (0u8..6).prop_map(Move::Fire),
        3 => (0u8..6).prop_map(Move::Resolve),
        1 => ((0u8..6), 1i64..200).prop_map(|(name, long)| Move::Silence(name, long)),
        1 => Just(Move::Deploy),
        1 => Just(Move::Reload),
        1 => Just(Move::Store),
    ];
    proptest::collection::vec((0i64..90, one), 1..40)
}

fn event(now: i64, made: Move) -> AlertEvent {
    let name = |index: u8| NAMES[usize::from(index)];
    match made {
        Move::Fire(index) => AlertEvent::Firing(alert(name(index), now)),
        Move::Resolve(index) => AlertEvent::Resolved(print(name(index))),
        Move::Silence(index, long) => {
            let matcher = Matcher::equal("alertname", name(index)).unwrap();
            // Another identity each, lest one replaces another.
            let id = format!("{now} {index} {long}");
            let until = at(now + long);
            AlertEvent::SilenceAdded(
                Silence::new(id, vec![matcher], at(now), until, "ada", "x").unwrap(),
            )
        }
        Move::Deploy => AlertEvent::DeployStarted {
            labels: BTreeMap::from([("alertname".to_owned(), "d".to_owned())]),
        },
        Move::Reload => AlertEvent::ConfigReloaded(config(YAML)),
        Move::Store => AlertEvent::Tick,
    }
}

/// Every notification, in steps no longer than the router asks for.
fn play(moves: &[(i64, Move)], store: bool) -> Vec<Notification> {
    let mut router = Router::new(config(YAML));
    let mut told = Vec::new();
    let mut now = 0;
    for (wait, made) in moves {
        now += wait;
        told.extend(run(&mut router, now));
        told.extend(send(&mut router, now, event(now, *made)));
        if store {
            router = restored(&router);
        }
    }
    told.extend(run(&mut router, now + 1000));
    told
}

/// The naive model: what fires, what is held back, second by second.
#[derive(Default)]
struct Model {
    firing: BTreeMap<&'static str, i64>,
    silenced: BTreeMap<&'static str, i64>,
    deploy: Option<i64>,
}

impl Model {
    fn take(&mut self, now: i64, made: Move) {
        match made {
            Move::Fire(index) => {
                self.firing.entry(NAMES[usize::from(index)]).or_insert(now);
            }
            Move::Resolve(index) => {
                self.firing.remove(NAMES[usize::from(index)]);
            }
            Move::Silence(index, long) => {
                let until = self.silenced.entry(NAMES[usize::from(index)]).or_insert(0);
                *until = (*until).max(now + long);
            }
            // A deploy that never ends: its longest, and the quiet after it.
            Move::Deploy => self.deploy = Some(now + 90),
            Move::Reload | Move::Store => {}
        }
    }

    /// The alerts that should be told, sooner or later.
    fn open(&self, now: i64) -> BTreeSet<&'static str> {
        self.firing
            .keys()
            .copied()
            .filter(|name| self.silenced.get(name).is_none_or(|until| *until <= now))
            .filter(|name| *name != "effect" || !self.firing.contains_key("cause"))
            .filter(|name| *name != "d" || self.deploy.is_none_or(|until| until <= now))
            .collect()
    }
}

fn name_of(notified: &crate::alert::NotifiedAlert) -> &'static str {
    let name = notified.alert().label("alertname");
    NAMES.iter().find(|known| **known == name).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn replaying_gives_the_same_bytes_also_through_storage(moves in moves()) {
        let bytes = |told: &[Notification]| serde_json::to_string(told).unwrap();
        let plain = bytes(&play(&moves, false));
        prop_assert_eq!(&plain, &bytes(&play(&moves, false)));
        prop_assert_eq!(&plain, &bytes(&play(&moves, true)));
    }

    /// Liveness: what has been open for a group wait and a group interval was told in its episode. Safety: what is told is
    /// open, and nobody is told the same twice within the repeat interval.
    #[test]
    fn everything_open_is_told_and_nothing_is_told_twice(moves in moves()) {
        let told = play(&moves, false);
        let mut model = Model::default();
        let mut moves_left = moves.iter().scan(0, |now, (wait, made)| {
            *now += wait;
            Some((*now, *made))
        }).peekable();
        let end = moves.iter().map(|(wait, _)| wait).sum::<i64>() + 1000;
        let mut open_since: BTreeMap<&str, i64> = BTreeMap::new();
        let mut known: BTreeMap<&str, i64> = BTreeMap::new();
        let mut last = None;
        let mut told = told.iter().peekable();
        for now in 0..=end {
            // Steps at `now` in the order of `play`: timers, the event, timers again; so both views are good for what is told.
            let before = model.open(now);
            while let Some((_, made)) = moves_left.next_if(|(when, _)| *when == now) {
                if let Move::Fire(index) = made {
                    let name = NAMES[usize::from(index)];
                    if !model.firing.contains_key(name) {
                        known.remove(name);
                        open_since.remove(name);
                    }
                }
                model.take(now, made);
            }
            let after = model.open(now);
            while let Some(one) = told.next_if(|one| one.at() == at(now)) {
                let mut news = false;
                for notified in one.alerts() {
                    let name = name_of(notified);
                    if notified.status() == AlertStatus::Resolved {
                        news = true;
                        continue;
                    }
                    prop_assert!(before.contains(name) || after.contains(name), "{now} {name}");
                    let start = notified.alert().starts_at().as_second();
                    news |= known.insert(name, start) != Some(start);
                }
                let quiet: Option<i64> = last.map(|last| now - last);
                if news {
                    prop_assert!(quiet.is_none_or(|quiet| quiet >= INTERVAL), "{now} too soon");
                } else {
                    prop_assert!(quiet.is_some_and(|quiet| quiet >= REPEAT), "{now} no news");
                }
                last = Some(now);
            }
            open_since.retain(|name, _| after.contains(name) && before.contains(name));
            for name in after {
                let since = *open_since.entry(name).or_insert(now);
                if now - since > WAIT + INTERVAL {
                    prop_assert!(known.contains_key(name), "{name} open since {since} at {now}");
                }
            }
        }
    }
}
