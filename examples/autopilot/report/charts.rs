//! The charts of the report, each a finished picture.

use maud::{Markup, html};

use super::calendar::{Calendar, day_number};
use super::format::{DASH, fixed, grouped, month, percent};
use super::plot::{Frame, Marker, area, bars, line, markers};
use super::scale::{Scale, Tick, Unit, extent};
use super::{Day, Mark, Month, Pair, Timeline};

/// The Brier score of each month for both arms.
pub(super) fn monthly_brier(months: &[Month]) -> Markup {
    monthly(months, "Brier score by month", "Brier score", |month| {
        &month.brier
    })
}

/// The area under the ROC curve of each month for both arms.
pub(super) fn monthly_auc(months: &[Month]) -> Markup {
    monthly(months, "AUC by month", "AUC", |month| &month.auc)
}

/// The worst feature's and the score's population stability index by day, quarantined days shaded.
pub(super) fn drift(timeline: &Timeline) -> Markup {
    let frame = Frame::new(WIDE, 300.0);
    let label = "Population stability index by day";
    let measured = timeline
        .days
        .iter()
        .flat_map(|day| [day.worst_psi, day.score_psi])
        .flatten();
    let Some((_, highest)) = extent(measured) else {
        return frame.empty(label, "No drift was measured.");
    };
    let calendar = Calendar::covering(timeline, frame.xs());
    let ys = Scale::log(PSI_FLOOR, 1.3 * highest.max(PSI_LARGE), frame.ys());
    let content = html! {
        (frame.bands(&quarantines(&timeline.days, &calendar), "quarantined"))
        (frame.left_axis("PSI, log scale", &ys.ticks(5, Unit::Plain)))
        (frame.bottom_axis(&calendar.ticks()))
        (frame.threshold(ys.at(PSI_LARGE), "0.25, by custom a large shift"))
        (line(points(&timeline.days, &calendar, &ys, |day| day.worst_psi), "worst"))
        (line(points(&timeline.days, &calendar, &ys, |day| day.score_psi), "score"))
        (frame.hovers(&day_texts(&timeline.days, &calendar)))
    };
    frame.svg(label, &content)
}

/// The share of the features that had drifted, by day.
pub(super) fn drifted_features(timeline: &Timeline) -> Markup {
    let frame = Frame::new(WIDE, 170.0);
    let label = "Share of drifted features by day";
    let shares: Vec<(&Day, f64)> = timeline
        .days
        .iter()
        .filter_map(|day| {
            let share = day.drifted_share.filter(|share| share.is_finite())?;
            Some((day, share))
        })
        .collect();
    if shares.is_empty() {
        return frame.empty(label, "No feature was tested for drift.");
    }
    let calendar = Calendar::covering(timeline, frame.xs());
    let ys = Scale::linear(0.0, 1.0, frame.ys());
    let tops: Vec<(f64, f64, f64)> = shares
        .iter()
        .map(|(day, share)| {
            let (start, end) = calendar.day(day.date);
            (start, end, ys.at(*share))
        })
        .collect();
    let content = html! {
        (frame.bands(&quarantines(&timeline.days, &calendar), "quarantined"))
        (frame.left_axis("drifted features", &ys.ticks(3, Unit::Percent)))
        (bars(&tops, ys.at(0.0), "worst"))
        (frame.bottom_axis(&calendar.ticks()))
        (frame.hovers(&day_texts(&timeline.days, &calendar)))
    };
    frame.svg(label, &content)
}

/// Every decision on a lane of its kind.
pub(super) fn decisions(timeline: &Timeline) -> Markup {
    let label = "Decisions by kind over time";
    let lanes = lanes(&timeline.marks);
    if lanes.is_empty() {
        return Frame::new(WIDE, 140.0).empty(label, "No decision was taken.");
    }
    let frame = Frame::around(WIDE, LANE * lanes.len() as f64).with_left_margin(130.0);
    let calendar = Calendar::covering(timeline, frame.xs());
    let (_, top) = frame.ys();
    let mut ticks: Vec<Tick> = Vec::new();
    let mut dots: Vec<Marker> = Vec::new();
    for (index, action) in lanes.iter().enumerate() {
        let y = top + LANE * (index as f64 + 0.5);
        let marks = timeline.marks.iter().filter(|mark| mark.action == *action);
        let before = dots.len();
        dots.extend(marks.map(|mark| Marker {
            x: calendar.instant(mark.at),
            y,
            series: series_of(action),
            title: told(mark),
        }));
        ticks.push(Tick {
            at: y,
            label: format!("{action} · {}", dots.len() - before),
        });
    }
    let content = html! {
        (frame.left_axis("", &ticks))
        (frame.bottom_axis(&calendar.ticks()))
        (markers(&dots))
    };
    frame.svg(label, &content)
}

/// The challenger's share of the live answers by day, with promotions and rollbacks.
pub(super) fn traffic(timeline: &Timeline) -> Markup {
    let frame = Frame::new(WIDE, 240.0);
    let label = "The challenger's share of live answers by day";
    if timeline.days.is_empty() {
        return frame.empty(label, "No day was replayed.");
    }
    let calendar = Calendar::covering(timeline, frame.xs());
    let shares = timeline.days.iter().map(|day| day.challenger_share);
    let highest = extent(shares).map_or(0.0, |(_, high)| high);
    let ys = Scale::linear(0.0, (1.1 * highest).clamp(0.1, 1.0), frame.ys());
    let outline = steps(&timeline.days, &calendar, &ys);
    let content = html! {
        (frame.left_axis("challenger's share of live answers", &ys.ticks(4, Unit::Percent)))
        (area(&outline, ys.at(0.0), "challenger"))
        (frame.bottom_axis(&calendar.ticks()))
        (frame.events(&events(&timeline.marks, &calendar, &["promote", "rollback"])))
    };
    frame.svg(label, &content)
}

/// The Brier score of both arms over the trailing fortnight, with promotions.
pub(super) fn rolling_brier(timeline: &Timeline) -> Markup {
    let frame = Frame::new(WIDE, 300.0);
    let label = "Brier score over the trailing 14 days";
    let curves: Vec<(&Arm, Vec<Option<f64>>)> = ARMS
        .iter()
        .map(|arm| (arm, trailing_mean(&timeline.days, arm.of)))
        .collect();
    let values: Vec<f64> = curves
        .iter()
        .flat_map(|(_, curve)| curve.iter().copied().flatten())
        .collect();
    if values.is_empty() {
        return frame.empty(label, "No day was scored.");
    }
    let calendar = Calendar::covering(timeline, frame.xs());
    let ys = Scale::around(values, frame.ys());
    let content = html! {
        (frame.left_axis("Brier score, trailing 14 days", &ys.ticks(6, Unit::Plain)))
        (frame.bottom_axis(&calendar.ticks()))
        (frame.events(&events(&timeline.marks, &calendar, &["promote"])))
        @for (arm, curve) in &curves {
            (line(
                timeline.days.iter().zip(curve).map(|(day, value)| {
                    value.map(|value| (calendar.noon(day.date), ys.at(value)))
                }),
                arm.series,
            ))
        }
    };
    frame.svg(label, &content)
}

/// The class that colours an action; actions without a colour of their own share one.
pub(super) fn series_of(action: &str) -> &'static str {
    ACTIONS
        .into_iter()
        .find(|known| *known == action)
        .unwrap_or("other")
}

fn monthly(months: &[Month], label: &str, title: &str, score: fn(&Month) -> &Pair) -> Markup {
    let frame = Frame::new(HALF, 300.0);
    let numbers = months.iter().map(|month| f64::from(month.month));
    let Some((first, last)) = extent(numbers) else {
        return frame.empty(label, "No month was scored.");
    };
    let xs = Scale::linear(first - 0.6, last + 0.6, frame.xs());
    let values = months.iter().flat_map(|month| {
        let pair = score(month);
        [pair.frozen, pair.autopilot]
    });
    let ys = Scale::around(values, frame.ys());
    let ticks: Vec<Tick> = months
        .iter()
        .map(|entry| Tick {
            at: xs.at(f64::from(entry.month)),
            label: month(entry.month),
        })
        .collect();
    let dots_of = |arm: &Arm| -> Vec<Marker> {
        months
            .iter()
            .filter(|month| (arm.of)(score(month)).is_finite())
            .map(|entry| Marker {
                x: xs.at(f64::from(entry.month)),
                y: ys.at((arm.of)(score(entry))),
                series: arm.series,
                title: format!(
                    "{}, {}: {} over {} labels",
                    month(entry.month),
                    arm.name,
                    fixed((arm.of)(score(entry)), 4),
                    grouped(entry.n)
                ),
            })
            .collect()
    };
    let content = html! {
        (frame.left_axis(title, &ys.ticks(6, Unit::Plain)))
        (frame.bottom_axis(&ticks))
        @for arm in &ARMS {
            @let dots = dots_of(arm);
            (line(dots.iter().map(|dot| Some((dot.x, dot.y))), arm.series))
            (markers(&dots))
        }
    };
    frame.svg(label, &content)
}

/// A daily value at noon, where it was measured.
fn points(
    days: &[Day],
    calendar: &Calendar,
    ys: &Scale,
    value: fn(&Day) -> Option<f64>,
) -> Vec<Option<(f64, f64)>> {
    days.iter()
        .map(|day| {
            value(day)
                .filter(|value| value.is_finite())
                .map(|value| (calendar.noon(day.date), ys.at(value)))
        })
        .collect()
}

/// For each day the mean of a score over the 14 days that end with it, weighted by labels.
fn trailing_mean(days: &[Day], of: fn(&Pair) -> f64) -> Vec<Option<f64>> {
    let scored: Vec<(f64, f64, f64)> = days
        .iter()
        .filter_map(|day| {
            let value = of(day.brier.as_ref()?);
            (value.is_finite() && day.labels > 0)
                .then(|| (day_number(day.date), value, day.labels as f64))
        })
        .collect();
    days.iter()
        .map(|day| {
            let end = day_number(day.date);
            let (sum, weight) = scored
                .iter()
                .filter(|(number, _, _)| *number <= end && *number > end - WINDOW_DAYS)
                .fold((0.0_f64, 0.0_f64), |(sum, weight), (_, value, labels)| {
                    (sum + labels * value, weight + labels)
                });
            (weight > 0.0).then(|| sum / weight)
        })
        .collect()
}

/// The outline of the daily shares as steps, down to zero over days that are missing.
fn steps(days: &[Day], calendar: &Calendar, ys: &Scale) -> Vec<(f64, f64)> {
    let base = ys.at(0.0);
    let mut outline: Vec<(f64, f64)> = Vec::new();
    for day in days {
        let (start, end) = calendar.day(day.date);
        let reached = outline.last().map_or(start, |(x, _)| *x);
        if start > reached + TOUCHING {
            outline.push((reached, base));
            outline.push((start, base));
        }
        let y = ys.at(day.challenger_share);
        outline.push((start, y));
        outline.push((end, y));
    }
    outline
}

/// The stretches of consecutive quarantined days.
fn quarantines(days: &[Day], calendar: &Calendar) -> Vec<(f64, f64)> {
    let mut stretches: Vec<(f64, f64)> = Vec::new();
    for day in days.iter().filter(|day| day.quarantined) {
        let (start, end) = calendar.day(day.date);
        match stretches.last_mut() {
            Some(stretch) if start <= stretch.1 + TOUCHING => stretch.1 = end.max(stretch.1),
            _ => stretches.push((start, end)),
        }
    }
    stretches
}

/// What was measured on each day, as text over the day's column.
fn day_texts(days: &[Day], calendar: &Calendar) -> Vec<(f64, f64, String)> {
    let score = |value: Option<f64>| value.map_or(DASH.to_owned(), |value| fixed(value, 3));
    let share = |value: Option<f64>| value.map_or(DASH.to_owned(), |value| percent(value, 1));
    days.iter()
        .map(|day| {
            let (start, end) = calendar.day(day.date);
            let text = format!(
                "{}{}\nworst PSI {}\nscore PSI {}\ndrifted features {}\nlate flights {}",
                day.date,
                if day.quarantined { ", quarantined" } else { "" },
                score(day.worst_psi),
                score(day.score_psi),
                share(day.drifted_share),
                share(day.late_rate),
            );
            (start, end, text)
        })
        .collect()
}

/// The actions that occur: the known ones in their usual order, then the others by name.
fn lanes(marks: &[Mark]) -> Vec<&str> {
    let mut lanes: Vec<&str> = ACTIONS
        .into_iter()
        .filter(|action| marks.iter().any(|mark| mark.action == *action))
        .collect();
    let mut others: Vec<&str> = marks
        .iter()
        .map(|mark| mark.action.as_str())
        .filter(|action| !ACTIONS.contains(action))
        .collect();
    others.sort_unstable();
    others.dedup();
    lanes.extend(others);
    lanes
}

fn events(marks: &[Mark], calendar: &Calendar, actions: &[&str]) -> Vec<Marker> {
    marks
        .iter()
        .filter(|mark| actions.contains(&mark.action.as_str()))
        .map(|mark| Marker {
            x: calendar.instant(mark.at),
            y: 0.0,
            series: series_of(&mark.action),
            title: told(mark),
        })
        .collect()
}

fn told(mark: &Mark) -> String {
    format!(
        "{} {} {}\n{}",
        mark.at.strftime("%Y-%m-%d %H:%M"),
        mark.action,
        mark.subject,
        mark.why
    )
}

/// One of the two models that are compared.
#[derive(Clone, Copy, Debug)]
struct Arm {
    series: &'static str,
    name: &'static str,
    of: fn(&Pair) -> f64,
}

/// The autopilot is drawn last, on top.
static ARMS: [Arm; 2] = [
    Arm {
        series: "frozen",
        name: "frozen January model",
        of: |pair| pair.frozen,
    },
    Arm {
        series: "autopilot",
        name: "autopilot",
        of: |pair| pair.autopilot,
    },
];

/// From a model's birth to its end, then what happens to data and to people.
const ACTIONS: [&str; 10] = [
    "retrain",
    "register",
    "shadow",
    "ramp",
    "promote",
    "rollback",
    "reject",
    "quarantine",
    "release",
    "escalate",
];
const WIDE: f64 = 1080.0;
const HALF: f64 = 540.0;
const LANE: f64 = 30.0;
const WINDOW_DAYS: f64 = 14.0;
/// Smaller indices are drawn here.
const PSI_FLOOR: f64 = 0.001;
/// The customary threshold of a large shift.
const PSI_LARGE: f64 = 0.25;
/// Days closer than this on the page are consecutive.
const TOUCHING: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn all(months: &[Month], timeline: &Timeline) -> Vec<String> {
        vec![
            monthly_brier(months).into_string(),
            monthly_auc(months).into_string(),
            drift(timeline).into_string(),
            drifted_features(timeline).into_string(),
            decisions(timeline).into_string(),
            traffic(timeline).into_string(),
            rolling_brier(timeline).into_string(),
        ]
    }

    #[track_caller]
    fn assert_finite(charts: &[String]) {
        for chart in charts {
            assert!(!chart.contains("NaN") && !chart.contains("inf"), "{chart}");
            assert!(chart.contains("<svg") && chart.ends_with("</svg></div>"));
        }
    }

    #[test]
    fn charts_without_data_say_so() {
        let charts = all(&[], &sample::empty());
        assert_finite(&charts);
        assert!(charts.iter().all(|chart| chart.contains("No ")));
    }

    #[test]
    fn charts_of_a_year_a_day_and_no_decisions_are_finite() {
        let months = sample::report().monthly;
        assert_finite(&all(&months, &sample::timeline(366)));
        assert_finite(&all(&months[..1], &sample::timeline(1)));
        let mut quiet = sample::timeline(31);
        quiet.marks.clear();
        assert_finite(&all(&months, &quiet));
    }

    #[test]
    fn charts_of_values_that_are_not_finite_are_finite() {
        let mut months = sample::report().monthly;
        months[3].brier.autopilot = f64::NAN;
        months[4].auc.frozen = f64::INFINITY;
        let mut timeline = sample::timeline(60);
        for day in &mut timeline.days {
            day.brier = Some(Pair {
                frozen: f64::NAN,
                autopilot: f64::INFINITY,
            });
            day.worst_psi = Some(f64::INFINITY);
            day.score_psi = Some(f64::NAN);
            day.drifted_share = Some(f64::NAN);
            day.late_rate = Some(f64::NAN);
            day.challenger_share = f64::NAN;
        }
        assert_finite(&all(&months, &timeline));
    }

    #[test]
    fn every_decision_is_marked_on_the_time_line() {
        let mut timeline = sample::timeline(366);
        let at = timeline.marks[0].at;
        timeline.marks.push(sample::mark(at, "promote"));
        timeline.marks.push(sample::mark(at, "unheard-of"));
        let chart = decisions(&timeline).into_string();
        assert_eq!(chart.matches("<circle").count(), timeline.marks.len());
        for mark in &timeline.marks {
            assert!(chart.contains(&mark.subject) && chart.contains(&mark.why));
        }
        assert!(chart.contains("promote · 2"));
        assert!(chart.contains("unheard-of · 1"));
        assert_eq!(chart.matches("dot other").count(), 1);
    }

    #[test]
    fn promotions_and_rollbacks_are_marked_on_the_traffic() {
        let timeline = sample::timeline(366);
        let chart = traffic(&timeline).into_string();
        assert_eq!(chart.matches("event promote").count(), 1);
        assert_eq!(chart.matches("event rollback").count(), 1);
        let chart = rolling_brier(&timeline).into_string();
        assert_eq!(chart.matches("event promote").count(), 1);
        assert_eq!(chart.matches("event rollback").count(), 0);
    }

    #[test]
    fn a_quarantined_week_is_one_band() {
        let chart = drift(&sample::timeline(366)).into_string();
        assert_eq!(chart.matches("rect class=\"band\"").count(), 1);
        let chart = drift(&sample::timeline(50)).into_string();
        assert_eq!(chart.matches("rect class=\"band\"").count(), 0);
    }

    #[test]
    fn trailing_mean_weighs_days_by_their_labels() {
        let mut days = sample::timeline(20).days;
        for (index, day) in days.iter_mut().enumerate() {
            day.labels = if index == 19 { 300 } else { 100 };
            day.brier = Some(Pair {
                frozen: if index == 19 { 1.0 } else { 0.0 },
                autopilot: 0.5,
            });
        }
        days[0].brier = None;
        let frozen = trailing_mean(&days, |pair| pair.frozen);
        assert_eq!(frozen[0], None);
        assert_eq!(frozen[18], Some(0.0));
        // The window of the last day holds 13 days of 100 labels and itself with 300.
        assert!((frozen[19].unwrap() - 300.0 / 1600.0).abs() < 1e-12);
        let autopilot = trailing_mean(&days, |pair| pair.autopilot);
        assert!((autopilot[19].unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn traffic_falls_to_zero_over_missing_days() {
        let mut timeline = sample::timeline(10);
        timeline.days.remove(5);
        let calendar = Calendar::covering(&timeline, (0.0, 10.0));
        let ys = Scale::linear(0.0, 0.1, (100.0, 0.0));
        let outline = steps(&timeline.days, &calendar, &ys);
        let gap: Vec<f64> = outline
            .iter()
            .filter(|(_, y)| *y == 100.0)
            .map(|(x, _)| *x)
            .collect();
        assert_eq!(gap.len(), 2);
        assert!((gap[0] - 5.0).abs() < 1e-9 && (gap[1] - 6.0).abs() < 1e-9);
    }
}
