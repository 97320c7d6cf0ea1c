use std::collections::BTreeMap;
use std::time::Duration;

use serde_saphyr::{Location, Spanned};

use super::source::{ConfigSource, RouteSource, Text};
use super::{Compiled, DeployRule, Flapping, InhibitRule, Level, Maintenance, SendResolved};
use crate::alert::AlertError;
use crate::alert::duration::parse_duration;
use crate::alert::matcher::Matcher;
use crate::alert::route::{GroupBy, Route};
use crate::alert::schedule::TimeIntervals;
use crate::alert::severity::{SEVERITY, Severity};
use crate::error::Position;
use crate::suggest::nearest;

/// Reads the text and checks everything in it.
pub(super) fn compile(source: &str, yaml: &str) -> Result<Compiled, AlertError> {
    let name = |at: Option<Position>, problem: String| AlertError::Config {
        source: source.to_owned(),
        at,
        problem,
    };
    if yaml.len() > MAX_BYTES {
        let problem = format!("it is longer than `{MAX_BYTES}` bytes; shorten it");
        return Err(name(None, problem));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_total_scalar_bytes: 2 * MAX_BYTES,
        },
        with_snippet: false,
    };
    let parsed: ConfigSource =
        serde_saphyr::from_str_with_options(yaml, options).map_err(|error| {
            let text = error.without_snippet().to_string();
            name(
                error.location().as_ref().and_then(position),
                text.lines().next().unwrap_or_default().trim().to_owned(),
            )
        })?;
    build(source, yaml, parsed).map_err(|problem| name(problem.at, problem.text))
}

/// What is wrong, and where.
struct Problem {
    at: Option<Position>,
    text: String,
}

impl Problem {
    fn at<T>(spanned: &Spanned<T>, text: impl Into<String>) -> Self {
        Self {
            at: position(&spanned.referenced),
            text: text.into(),
        }
    }
}

fn build(source: &str, yaml: &str, parsed: ConfigSource) -> Result<Compiled, Problem> {
    let mut receivers: BTreeMap<String, SendResolved> = BTreeMap::new();
    for receiver in parsed.receivers {
        let send = match receiver.send_resolved {
            Some(false) => SendResolved::No,
            None | Some(true) => SendResolved::Yes,
        };
        insert(&mut receivers, "receiver", &receiver.name, send)?;
    }
    let mut intervals: BTreeMap<String, TimeIntervals> = BTreeMap::new();
    for named in parsed.time_intervals {
        insert(
            &mut intervals,
            "time interval",
            &named.name,
            named.time_intervals,
        )?;
    }
    let mut escalations: BTreeMap<String, Vec<Level>> = BTreeMap::new();
    for escalation in parsed.escalations {
        if escalation.levels.is_empty() || escalation.levels.len() > MAX_LEVELS {
            return Err(Problem::at(
                &escalation.name,
                format!("an escalation needs between `1` and `{MAX_LEVELS}` levels"),
            ));
        }
        let mut levels = Vec::new();
        for level in &escalation.levels {
            known(&receivers, "receiver", &level.receiver)?;
            levels.push(Level {
                after: duration(&level.after, Some(SECOND))?,
                receiver: level.receiver.value.clone(),
            });
        }
        insert(&mut escalations, "escalation", &escalation.name, levels)?;
    }
    let mut maintenance = Vec::new();
    for window in parsed.maintenance {
        if window.matchers.is_empty() {
            return Err(Problem::at(
                &window.name,
                "`matchers` is empty; say which alerts the window is about",
            ));
        }
        maintenance.push(Maintenance {
            matchers: matchers(&window.matchers)?,
            name: window.name.value,
            window: window.window,
        });
    }
    let mut deploys = Vec::new();
    for rule in parsed.deploys {
        if rule.equal.is_empty() {
            return Err(Problem::at(
                &rule.name,
                "`equal` is empty; name the labels that an alert shares with a deploy",
            ));
        }
        deploys.push(DeployRule {
            matchers: matchers(&rule.matchers)?,
            quiet_for: duration(&rule.quiet_for, None)?,
            longest: optional(rule.longest.as_ref(), HOUR)?,
            name: rule.name.value,
            equal: rule.equal,
        });
    }
    let mut inhibitions = Vec::new();
    for (index, rule) in parsed.inhibit_rules.iter().enumerate() {
        let written = &rule.value;
        if written.source_matchers.is_empty() || written.target_matchers.is_empty() {
            return Err(Problem::at(
                rule,
                "an inhibition rule needs `source_matchers` and `target_matchers`",
            ));
        }
        inhibitions.push(InhibitRule {
            name: written
                .name
                .clone()
                .unwrap_or_else(|| format!("inhibit_rules[{index}]")),
            source: matchers(&written.source_matchers)?,
            target: matchers(&written.target_matchers)?,
            equal: written.equal.clone(),
        });
    }
    let flapping = match &parsed.flapping {
        None => None,
        Some(written) if (2..=MAX_EPISODES).contains(&written.value.episodes) => Some(Flapping {
            episodes: written.value.episodes,
            within: duration(&written.value.within, Some(SECOND))?,
        }),
        Some(written) => {
            return Err(Problem::at(
                written,
                format!("`episodes` must lie between `2` and `{MAX_EPISODES}`"),
            ));
        }
    };
    let names = Names {
        receivers: &receivers,
        intervals: &intervals,
        escalations: &escalations,
    };
    let mut routes = Vec::new();
    add_route(&names, &mut routes, None, 0, &parsed.route)?;
    let max_alerts = match &parsed.global.max_alerts {
        None => DEFAULT_ALERTS,
        Some(most) if (1..=MAX_ALERTS).contains(&most.value) => most.value,
        Some(most) => {
            return Err(Problem::at(
                most,
                format!("`max_alerts` must lie between `1` and `{MAX_ALERTS}`"),
            ));
        }
    };
    Ok(Compiled {
        source: source.to_owned(),
        yaml: yaml.to_owned(),
        resolve_timeout: at_least_a_second(parsed.global.resolve_timeout.as_ref(), 5 * MINUTE)?,
        max_alerts,
        routes,
        receivers,
        intervals,
        escalations,
        maintenance,
        deploys,
        inhibitions,
        flapping,
    })
}

/// What a route may name.
struct Names<'a> {
    receivers: &'a BTreeMap<String, SendResolved>,
    intervals: &'a BTreeMap<String, TimeIntervals>,
    escalations: &'a BTreeMap<String, Vec<Level>>,
}

/// Adds a route and those below it; the depth of the document bounds the recursion.
fn add_route(
    names: &Names<'_>,
    routes: &mut Vec<Route>,
    parent: Option<&Route>,
    ordinal: usize,
    written: &Spanned<RouteSource>,
) -> Result<usize, Problem> {
    let route = read_route(names, routes, parent, ordinal, written)?;
    let at = routes.len();
    if at >= MAX_ROUTES {
        return Err(Problem::at(
            written,
            format!("there are more than `{MAX_ROUTES}` routes; merge some of them"),
        ));
    }
    routes.push(route.clone());
    let mut children = Vec::new();
    let mut shadowed = false;
    for (ordinal, child) in written.value.routes.iter().enumerate() {
        if shadowed {
            return Err(Problem::at(
                child,
                "no alert reaches this route: the one before it takes all; reorder them or set `continue: true`",
            ));
        }
        children.push(add_route(names, routes, Some(&route), ordinal, child)?);
        shadowed = child.value.matchers.is_empty() && !child.value.continues;
    }
    if let Some(route) = routes.get_mut(at) {
        route.children = children;
    }
    Ok(at)
}

fn read_route(
    names: &Names<'_>,
    routes: &[Route],
    parent: Option<&Route>,
    ordinal: usize,
    written: &Spanned<RouteSource>,
) -> Result<Route, Problem> {
    let source = &written.value;
    let matchers = matchers(&source.matchers)?;
    let receiver = match (&source.receiver, parent) {
        (Some(receiver), _) => {
            known(names.receivers, "receiver", receiver)?;
            receiver.value.clone()
        }
        (None, Some(parent)) => parent.receiver.clone(),
        (None, None) => {
            return Err(Problem::at(written, "the root route needs a `receiver`"));
        }
    };
    let timed = !source.mute_time_intervals.is_empty() || !source.active_time_intervals.is_empty();
    if parent.is_none() && (!matchers.is_empty() || source.continues || timed) {
        return Err(Problem::at(
            written,
            "the root route takes every alert at all times; move `matchers`, `continue` and time intervals to a route below it",
        ));
    }
    for interval in source
        .mute_time_intervals
        .iter()
        .chain(&source.active_time_intervals)
    {
        known(names.intervals, "time interval", interval)?;
    }
    if let Some(escalation) = &source.escalation {
        known(names.escalations, "escalation", escalation)?;
    }
    let stated = source.severity.or_else(|| stated_severity(&matchers));
    let severity = stated.or(parent.and_then(|parent| parent.severity));
    let owner = source
        .owner
        .clone()
        .or_else(|| parent.and_then(|parent| parent.owner.clone()));
    let runbook = source
        .runbook
        .clone()
        .or_else(|| parent.and_then(|parent| parent.runbook.clone()));
    if severity == Some(Severity::Page) {
        for (key, text) in [("owner", &owner), ("runbook", &runbook)] {
            if text.as_ref().is_none_or(|text| text.trim().is_empty()) {
                return Err(Problem::at(
                    written,
                    format!("a route that pages needs `{key}`; who is woken up must know"),
                ));
            }
        }
    }
    let (wait, interval, repeat) = match parent {
        Some(parent) => (
            parent.group_wait,
            parent.group_interval,
            parent.repeat_interval,
        ),
        None => (GROUP_WAIT, 5 * MINUTE, 4 * HOUR),
    };
    let group_by = match (&source.group_by, parent) {
        (Some(labels), _) => group_by(labels)?,
        (None, Some(parent)) => parent.group_by.clone(),
        (None, None) => GroupBy::Labels(Vec::new()),
    };
    Ok(Route {
        key: route_key(routes, parent, ordinal, &matchers, &receiver),
        matchers,
        children: Vec::new(),
        continues: source.continues,
        receiver,
        group_by,
        group_wait: optional(source.group_wait.as_ref(), wait)?,
        group_interval: at_least_a_second(source.group_interval.as_ref(), interval)?,
        repeat_interval: at_least_a_second(source.repeat_interval.as_ref(), repeat)?,
        mute: texts(&source.mute_time_intervals),
        active: texts(&source.active_time_intervals),
        severity,
        owner,
        runbook,
        escalation: source
            .escalation
            .as_ref()
            .map(|escalation| escalation.value.clone())
            .or_else(|| parent.and_then(|parent| parent.escalation.clone())),
    })
}

/// The same for the same route whatever is added around it, and never the same for two.
fn route_key(
    routes: &[Route],
    parent: Option<&Route>,
    ordinal: usize,
    matchers: &[Matcher],
    receiver: &str,
) -> String {
    let listed: Vec<String> = matchers.iter().map(Matcher::to_string).collect();
    let own = format!("{{{}}}@{receiver}", listed.join(","));
    let plain = match parent {
        Some(parent) => format!("{}/{own}", parent.key),
        None => own,
    };
    if routes.iter().any(|route| route.key == plain) {
        format!("{plain}#{ordinal}")
    } else {
        plain
    }
}

fn stated_severity(matchers: &[Matcher]) -> Option<Severity> {
    matchers
        .iter()
        .filter_map(Matcher::exact)
        .find(|(label, _)| *label == SEVERITY)
        .map(|(label, value)| Severity::of(&BTreeMap::from([(label.to_owned(), value.to_owned())])))
}

fn group_by(labels: &[Text]) -> Result<GroupBy, Problem> {
    if let Some(all) = labels.iter().find(|label| label.value == ALL) {
        if labels.len() > 1 {
            return Err(Problem::at(
                all,
                "`...` groups by all labels; remove the others",
            ));
        }
        return Ok(GroupBy::All);
    }
    let mut names: Vec<String> = Vec::new();
    for label in labels {
        if label.value.is_empty() || names.contains(&label.value) {
            return Err(Problem::at(
                label,
                format!(
                    "`group_by` names `{}` twice, or nothing; remove it",
                    label.value
                ),
            ));
        }
        names.push(label.value.clone());
    }
    Ok(GroupBy::Labels(names))
}

fn matchers(texts: &[Text]) -> Result<Vec<Matcher>, Problem> {
    texts
        .iter()
        .map(|text| {
            text.value
                .parse()
                .map_err(|error: AlertError| Problem::at(text, error.to_string()))
        })
        .collect()
}

fn insert<V>(
    map: &mut BTreeMap<String, V>,
    kind: &str,
    name: &Text,
    value: V,
) -> Result<(), Problem> {
    if name.value.trim().is_empty() {
        return Err(Problem::at(
            name,
            format!("the {kind} has no name; name it"),
        ));
    }
    if map.insert(name.value.clone(), value).is_some() {
        return Err(Problem::at(
            name,
            format!("{kind} `{}` is there twice; rename one of them", name.value),
        ));
    }
    Ok(())
}

fn known<V>(map: &BTreeMap<String, V>, kind: &str, name: &Text) -> Result<(), Problem> {
    if map.contains_key(&name.value) {
        return Ok(());
    }
    let hint = match nearest(&name.value, map.keys().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "define it".to_owned(),
    };
    let shown: String = name.value.chars().take(MAX_ECHO).collect();
    Err(Problem::at(
        name,
        format!("unknown {kind} `{shown}`; {hint}"),
    ))
}

fn duration(text: &Text, least: Option<Duration>) -> Result<Duration, Problem> {
    let value = parse_duration(&text.value).map_err(|problem| Problem::at(text, problem))?;
    if least.is_some_and(|least| value < least) {
        return Err(Problem::at(
            text,
            format!("`{}` is too short; use `1s` or more", text.value),
        ));
    }
    Ok(value)
}

fn optional(text: Option<&Text>, default: Duration) -> Result<Duration, Problem> {
    text.map_or(Ok(default), |text| duration(text, None))
}

fn at_least_a_second(text: Option<&Text>, default: Duration) -> Result<Duration, Problem> {
    text.map_or(Ok(default), |text| duration(text, Some(SECOND)))
}

fn texts(spanned: &[Text]) -> Vec<String> {
    spanned.iter().map(|text| text.value.clone()).collect()
}

fn position(location: &Location) -> Option<Position> {
    (location.line() > 0).then(|| Position::new(location.line(), location.column()))
}

/// Alertmanager's word for grouping by all labels.
const ALL: &str = "...";
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const GROUP_WAIT: Duration = Duration::from_secs(30);
const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 100_000;
const MAX_ROUTES: usize = 1000;
const MAX_LEVELS: usize = 16;
const MAX_EPISODES: usize = 100;
const MAX_ECHO: usize = 64;
const DEFAULT_ALERTS: usize = 100_000;
const MAX_ALERTS: usize = 1_000_000;
