//! Scales: from a value to a place on the page, and the ticks that explain it.

/// Maps a range of values onto a range of view box units. Never yields a number that is not finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    spacing: Spacing,
    low: f64,
    high: f64,
    units: (f64, f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spacing {
    Linear,
    Log,
}

impl Scale {
    /// Equal differences are equally far apart. A range that is empty or not finite is replaced by one that can be drawn.
    pub(super) fn linear(low: f64, high: f64, units: (f64, f64)) -> Scale {
        let (low, high) = drawable(low, high);
        Scale {
            spacing: Spacing::Linear,
            low,
            high,
            units,
        }
    }

    /// A linear scale that covers the finite values with some air around them.
    pub(super) fn around(values: impl IntoIterator<Item = f64>, units: (f64, f64)) -> Scale {
        let (low, high) = extent(values).map_or((0.0, 1.0), |(low, high)| drawable(low, high));
        let air = 0.08 * (high - low);
        Scale::linear(low - air, high + air, units)
    }

    /// Equal ratios are equally far apart; what is at or below `low` is drawn at `low`.
    pub(super) fn log(low: f64, high: f64, units: (f64, f64)) -> Scale {
        let low = if low.is_finite() && low > 0.0 {
            low.clamp(1.0 / LARGEST, LARGEST)
        } else {
            LOG_FLOOR
        };
        let high = if high.is_finite() && high > low {
            high.clamp(2.0 * low, 1000.0 * LARGEST)
        } else {
            10.0 * low
        };
        Scale {
            spacing: Spacing::Log,
            low,
            high,
            units,
        }
    }

    /// Where a value is drawn; values outside the range are drawn at its edge.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = match self.spacing {
            Spacing::Linear => (value - self.low) / (self.high - self.low),
            Spacing::Log => (value.max(self.low) / self.low).ln() / (self.high / self.low).ln(),
        };
        let share = if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0)
        };
        let (start, end) = self.units;
        start + share * (end - start)
    }

    /// The values at both ends.
    pub(super) fn range(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// About so many labelled ticks at round values inside the range.
    pub(super) fn ticks(&self, about: u32, unit: Unit) -> Vec<Tick> {
        let (factor, suffix) = match unit {
            Unit::Plain => (1.0, ""),
            Unit::Percent => (100.0, "%"),
        };
        let (low, high) = (factor * self.low, factor * self.high);
        let marks = match self.spacing {
            Spacing::Linear => linear_marks(low, high, about),
            Spacing::Log => log_marks(low, high),
        };
        marks
            .into_iter()
            .map(|(value, decimals)| Tick {
                at: self.at(value / factor),
                label: format!("{value:.decimals$}{suffix}"),
            })
            .collect()
    }
}

/// How the values of a scale are written on its axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Plain,
    Percent,
}

/// A labelled place on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// The least and the greatest of the finite values.
pub(super) fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold(None, |range, value| match range {
            None => Some((value, value)),
            Some((low, high)) => Some((value.min(low), value.max(high))),
        })
}

/// The range itself if it can be drawn, otherwise one around it.
fn drawable(low: f64, high: f64) -> (f64, f64) {
    if !low.is_finite() || !high.is_finite() {
        return (0.0, 1.0);
    }
    let low = low.clamp(-LARGEST, LARGEST);
    let high = high.clamp(-LARGEST, LARGEST);
    let (low, high) = (low.min(high), low.max(high));
    let size = low.abs().max(high.abs());
    if high - low > 1e-9 * size {
        return (low, high);
    }
    let air = if size > 0.0 { 0.05 * size } else { 0.5 };
    (low - air, high + air)
}

/// Multiples of 1, 2 or 5 times a power of ten, each with the decimals that write it exactly.
fn linear_marks(low: f64, high: f64, about: u32) -> Vec<(f64, usize)> {
    let step = round_step((high - low) / f64::from(about.max(1)));
    let decimals = decimals(step);
    let first = (low / step).ceil();
    let mut marks = Vec::new();
    for index in 0..MOST_TICKS {
        let value = (first + f64::from(index)) * step;
        if value > high + 1e-9 * step {
            break;
        }
        marks.push((value, decimals));
    }
    marks
}

/// Powers of ten; with few of them in the range, also 2 and 5 times each.
fn log_marks(low: f64, high: f64) -> Vec<(f64, usize)> {
    let leads: &[f64] = if high / low > 2000.0 {
        &[1.0]
    } else {
        &[1.0_f64, 2.0, 5.0]
    };
    let mut power = 10f64.powf(low.log10().floor());
    let mut marks = Vec::new();
    for _ in 0..MOST_TICKS {
        if power > high * (1.0 + 1e-9) {
            break;
        }
        for lead in leads {
            let value = lead * power;
            if value >= low * (1.0 - 1e-9) && value <= high * (1.0 + 1e-9) {
                marks.push((value, decimals(value)));
            }
        }
        power *= 10.0;
    }
    marks
}

/// The least of 1, 2, 5 and 10 times a power of ten that is not below `rough`.
fn round_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let lead = [1.0_f64, 2.0, 5.0]
        .into_iter()
        .find(|lead| rough <= lead * power * (1.0 + 1e-9))
        .unwrap_or(10.0);
    lead * power
}

/// The decimals needed to write 1, 2 or 5 times a power of ten.
fn decimals(step: f64) -> usize {
    let leading = -(step.log10() + 1e-9).floor();
    (0..=12)
        .find(|decimals: &u8| f64::from(*decimals) >= leading)
        .map_or(12, usize::from)
}

/// Beyond this a value is drawn at the edge, so that no difference overflows.
const LARGEST: f64 = 1e12;
/// Stands in for the low end of a log scale that has none above zero.
const LOG_FLOOR: f64 = 1e-3;
/// Bounds the ticks of one axis whatever the range is.
const MOST_TICKS: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn labels(scale: Scale, about: u32, unit: Unit, expected: &[&str]) {
        let labels: Vec<String> = scale
            .ticks(about, unit)
            .into_iter()
            .map(|tick| tick.label)
            .collect();
        assert_eq!(labels, expected);
    }

    #[test]
    fn ticks_are_round() {
        let units = (0.0, 100.0);
        labels(
            Scale::linear(0.0, 1.0, units),
            5,
            Unit::Plain,
            &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"],
        );
        labels(
            Scale::linear(0.131, 0.158, units),
            5,
            Unit::Plain,
            &["0.14", "0.15"],
        );
        labels(
            Scale::linear(0.0, 0.1, units),
            5,
            Unit::Percent,
            &["0%", "2%", "4%", "6%", "8%", "10%"],
        );
        labels(
            Scale::log(0.01, 1.0, units),
            5,
            Unit::Plain,
            &["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"],
        );
        labels(
            Scale::log(0.01, 100.0, units),
            5,
            Unit::Plain,
            &["0.01", "0.1", "1", "10", "100"],
        );
    }

    #[test]
    fn ticks_are_inside_the_range() {
        let ranges = [
            (0.0, 0.0),
            (0.13, 0.13),
            (-3.0, 7.0),
            (1e-9, 2e-9),
            (f64::NAN, 1.0),
            (0.0, f64::INFINITY),
            (-1e300, 1e300),
            (5.0, -5.0),
        ];
        for (low, high) in ranges {
            for scale in [
                Scale::linear(low, high, (0.0, 100.0)),
                Scale::log(low, high, (0.0, 100.0)),
            ] {
                let (from, to) = scale.range();
                assert!(from.is_finite() && to.is_finite() && from < to);
                let ticks = scale.ticks(5, Unit::Plain);
                assert!(ticks.len() <= 3 * MOST_TICKS as usize);
                assert!(ticks.iter().all(|tick| (0.0..=100.0).contains(&tick.at)));
                assert!(ticks.is_sorted_by(|left, right| left.at < right.at));
            }
        }
    }

    #[test]
    fn a_usual_range_has_about_as_many_ticks_as_asked() {
        for exponent in -6..6 {
            for width in [1.0, 1.7, 2.4, 4.9, 8.8] {
                let high = width * 10f64.powi(exponent);
                let ticks = Scale::linear(0.0, high, (0.0, 100.0)).ticks(5, Unit::Plain);
                assert!((3..=6).contains(&ticks.len()), "{high}: {}", ticks.len());
            }
        }
    }

    #[test]
    fn places_follow_the_values() {
        let scale = Scale::linear(0.0, 10.0, (100.0, 0.0));
        assert_eq!(scale.at(0.0), 100.0);
        assert_eq!(scale.at(2.5), 75.0);
        assert_eq!(scale.at(11.0), 0.0);
        let log = Scale::log(0.01, 100.0, (0.0, 100.0));
        assert!((log.at(1.0) - 50.0).abs() < 1e-9);
        assert_eq!(log.at(0.0), 0.0);
    }

    #[test]
    fn places_are_finite_for_any_value() {
        let values = [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            -f64::MAX,
        ];
        for value in values {
            assert!(Scale::linear(0.0, 1.0, (0.0, 9.0)).at(value).is_finite());
            assert!(Scale::log(0.1, 1.0, (0.0, 9.0)).at(value).is_finite());
        }
    }

    #[test]
    fn a_scale_around_values_covers_them_and_ignores_nan() {
        let scale = Scale::around([0.2, f64::NAN, 0.1], (0.0, 1.0));
        let (low, high) = scale.range();
        assert!(low < 0.1 && high > 0.2 && high < 0.3);
        assert_eq!(extent([f64::NAN]), None);
    }
}
