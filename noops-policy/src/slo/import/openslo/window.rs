use jiff::civil::{DateTime, Weekday};

use super::super::ImportError;
use super::super::fields::Fields;
use super::super::imported::refused;
use super::super::shorthand::Shorthand;
use crate::slo::{CalendarUnit, Window};

/// The time window of an SLO; 30 rolling days where it has none.
pub(super) fn read(spec: &Fields<'_>) -> Result<Window, ImportError> {
    let items = spec.list("timeWindow")?;
    let (path, node) = match items.as_slice() {
        [] => {
            return Window::rolling(std::time::Duration::from_secs(30 * 86_400))
                .map_err(|error| refused(spec, &error));
        }
        [(path, node)] => (path, node),
        _ => {
            return Err(spec.refuse("timeWindow", "has several items; OpenSLO allows one"));
        }
    };
    let window = Fields::of(
        spec.source(),
        path,
        node,
        &["duration", "isRolling", "calendar"],
    )?;
    let text = window.required_text("duration")?;
    let length = Shorthand::read(text).ok_or_else(|| {
        window.refuse(
            "duration",
            &format!("is `{text}`; write a number and one of `m`, `h`, `d`, `w`, `M`, `Q`, `Y`"),
        )
    })?;
    let calendar = window.map("calendar", &["startTime", "timeZone"])?;
    match (calendar, window.boolean("isRolling")?) {
        (None, Some(true) | None) => rolling(&window, length),
        (Some(calendar), Some(false) | None) => aligned(&window, &calendar, text, length),
        (None, Some(false)) => Err(window.refuse(
            "isRolling",
            "is `false`, and there is no `calendar`; add one",
        )),
        (Some(_), Some(true)) => Err(window.refuse(
            "calendar",
            "stands beside `isRolling: true`; keep one of them",
        )),
    }
}

fn rolling(window: &Fields<'_>, length: Shorthand) -> Result<Window, ImportError> {
    let length = length.fixed().ok_or_else(|| {
        window.refuse(
            "duration",
            "is in months, whose length varies, and the window rolls; write days, or add a `calendar`",
        )
    })?;
    Window::rolling(length).map_err(|error| refused(window, &error))
}

fn aligned(
    window: &Fields<'_>,
    calendar: &Fields<'_>,
    text: &str,
    length: Shorthand,
) -> Result<Window, ImportError> {
    let unit = unit(length).ok_or_else(|| {
        window.refuse(
            "duration",
            &format!("is `{text}`; a calendar window is `1d`, `1w`, `1M`, `1Q` or `1Y`"),
        )
    })?;
    let start_text = calendar.required_text("startTime")?;
    let start = start_text.parse::<DateTime>().map_err(|_| {
        calendar.refuse(
            "startTime",
            &format!("is `{start_text}`; write a date and time such as `2026-01-01 00:00:00`"),
        )
    })?;
    if !begins(unit, start) {
        return Err(calendar.refuse(
            "startTime",
            &format!(
                "is `{start_text}`, where no window of `{text}` begins; begin at midnight, and {}",
                natural_start(unit)
            ),
        ));
    }
    Window::calendar(unit, calendar.required_text("timeZone")?)
        .map_err(|error| calendar.refuse("timeZone", &format!("is refused: {error}")))
}

fn unit(length: Shorthand) -> Option<CalendarUnit> {
    match length {
        Shorthand::Months(1) => Some(CalendarUnit::Month),
        Shorthand::Months(3) => Some(CalendarUnit::Quarter),
        Shorthand::Months(12) => Some(CalendarUnit::Year),
        Shorthand::Months(_) => None,
        Shorthand::Fixed(duration) => match duration.as_secs() {
            86_400 => Some(CalendarUnit::Day),
            604_800 => Some(CalendarUnit::Week),
            _ => None,
        },
    }
}

/// Whether a window of this unit begins at `start`. The year itself does not matter: windows repeat.
fn begins(unit: CalendarUnit, start: DateTime) -> bool {
    let midnight = start.time() == jiff::civil::Time::midnight();
    midnight
        && match unit {
            CalendarUnit::Day => true,
            CalendarUnit::Week => start.weekday() == Weekday::Monday,
            CalendarUnit::Month => start.day() == 1,
            CalendarUnit::Quarter => start.day() == 1 && matches!(start.month(), 1 | 4 | 7 | 10),
            CalendarUnit::Year => start.day() == 1 && start.month() == 1,
        }
}

fn natural_start(unit: CalendarUnit) -> &'static str {
    match unit {
        CalendarUnit::Day => "on any day",
        CalendarUnit::Week => "on a Monday",
        CalendarUnit::Month => "on the first of a month",
        CalendarUnit::Quarter => "on the first of January, April, July or October",
        CalendarUnit::Year => "on the first of January",
    }
}
