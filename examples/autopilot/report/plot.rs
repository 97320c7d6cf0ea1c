//! Small SVG building blocks. Colours are left to the style sheet: a series is named by a class.
//!
//! Every element is closed explicitly, since an SVG element without an end tag swallows what follows it.

use maud::{Markup, html};

use super::scale::Tick;

/// The box a chart is drawn in, in view box units: its size and the margins around the plotted area.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    width: f64,
    height: f64,
    left: f64,
}

impl Frame {
    pub(super) fn new(width: f64, height: f64) -> Frame {
        Frame {
            width,
            height,
            left: LEFT,
        }
    }

    /// A frame with margins around a plotted area of the given height.
    pub(super) fn around(width: f64, plotted_height: f64) -> Frame {
        Frame::new(width, TOP + plotted_height + BOTTOM)
    }

    /// Leaves more or less room for the labels of the left axis.
    #[must_use]
    pub(super) fn with_left_margin(mut self, left: f64) -> Frame {
        self.left = left;
        self
    }

    /// The plotted area from left to right.
    pub(super) fn xs(&self) -> (f64, f64) {
        (self.left, self.width - RIGHT)
    }

    /// The plotted area from bottom to top, as values grow.
    pub(super) fn ys(&self) -> (f64, f64) {
        (self.height - BOTTOM, TOP)
    }

    /// The finished picture. On a narrow screen it stays wide enough to read and scrolls inside its own box.
    pub(super) fn svg(&self, label: &str, content: &Markup) -> Markup {
        let view_box = format!("0 0 {} {}", px(self.width), px(self.height));
        let style = format!("min-width:{}px", px(LEAST_ZOOM * self.width));
        html! {
            div.plot tabindex="0" {
                svg viewBox=(view_box) style=(style) role="img" aria-label=(label) { (content) }
            }
        }
    }

    /// A picture that says why there is nothing to see.
    pub(super) fn empty(&self, label: &str, message: &str) -> Markup {
        let x = px(self.width / 2.0);
        let y = px(self.height / 2.0);
        let text = html! {
            text.nothing x=(x) y=(y) text-anchor="middle" { (message) }
        };
        self.svg(label, &text)
    }

    /// Grid lines with labels to the left, and what they measure above them.
    pub(super) fn left_axis(&self, title: &str, ticks: &[Tick]) -> Markup {
        let (left, right) = self.xs();
        html! {
            g.axis {
                text.measure x=(px(left)) y=(px(TOP - 12.0)) { (title) }
                @for tick in ticks {
                    line.grid x1=(px(left)) x2=(px(right)) y1=(px(tick.at)) y2=(px(tick.at)) {}
                    text x=(px(left - 8.0)) y=(px(tick.at + 4.0)) text-anchor="end" { (tick.label) }
                }
            }
        }
    }

    /// The base line with labelled ticks under it.
    pub(super) fn bottom_axis(&self, ticks: &[Tick]) -> Markup {
        let (left, right) = self.xs();
        let (bottom, _) = self.ys();
        html! {
            g.axis {
                line.base x1=(px(left)) x2=(px(right)) y1=(px(bottom)) y2=(px(bottom)) {}
                @for tick in ticks {
                    line.base x1=(px(tick.at)) x2=(px(tick.at)) y1=(px(bottom)) y2=(px(bottom + 5.0)) {}
                    text x=(px(tick.at)) y=(px(bottom + 20.0)) text-anchor="middle" { (tick.label) }
                }
            }
        }
    }

    /// A dashed horizontal line with its meaning written on it.
    pub(super) fn threshold(&self, y: f64, meaning: &str) -> Markup {
        let (left, right) = self.xs();
        html! {
            line.threshold x1=(px(left)) x2=(px(right)) y1=(px(y)) y2=(px(y)) {}
            text.threshold x=(px(right)) y=(px(y - 5.0)) text-anchor="end" { (meaning) }
        }
    }

    /// Shades stretches of the horizontal axis over the full height.
    pub(super) fn bands(&self, stretches: &[(f64, f64)], meaning: &str) -> Markup {
        let (bottom, top) = self.ys();
        html! {
            @for (start, end) in stretches {
                rect.band x=(px(*start)) y=(px(top)) width=(px((end - start).max(1.0))) height=(px(bottom - top)) {
                    title { (meaning) }
                }
            }
        }
    }

    /// Full-height invisible columns that show a text to a pointer that rests on them.
    pub(super) fn hovers(&self, columns: &[(f64, f64, String)]) -> Markup {
        let (bottom, top) = self.ys();
        html! {
            @for (start, end, text) in columns {
                rect.hover x=(px(*start)) y=(px(top)) width=(px((end - start).max(0.0))) height=(px(bottom - top)) {
                    title { (text) }
                }
            }
        }
    }

    /// Full-height lines with a marker on top, for events; only `x` of each marker counts.
    pub(super) fn events(&self, markers: &[Marker]) -> Markup {
        let (bottom, top) = self.ys();
        html! {
            @for marker in markers {
                g class=(format!("event {}", marker.series)) {
                    title { (marker.title) }
                    line x1=(px(marker.x)) x2=(px(marker.x)) y1=(px(top)) y2=(px(bottom)) {}
                    circle cx=(px(marker.x)) cy=(px(top)) r="4" {}
                }
            }
        }
    }
}

/// A point with a series to colour it and a text to explain it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Marker {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) series: &'static str,
    pub(super) title: String,
}

/// A line through the points, broken where one is missing; a point between two gaps is a dot.
pub(super) fn line(
    points: impl IntoIterator<Item = Option<(f64, f64)>>,
    series: &'static str,
) -> Markup {
    let mut path = String::new();
    let mut drawing = false;
    for point in points {
        match point.filter(|(x, y)| x.is_finite() && y.is_finite()) {
            Some((x, y)) => {
                let (command, end) = if drawing { ("L", "") } else { ("M", "h0") };
                path.push_str(&format!("{command}{} {}{end}", px(x), px(y)));
                drawing = true;
            }
            None => drawing = false,
        }
    }
    html! {
        @if !path.is_empty() {
            path class=(format!("line {series}")) d=(path) {}
        }
    }
}

/// The area between the points and a base line.
pub(super) fn area(points: &[(f64, f64)], base: f64, series: &'static str) -> Markup {
    let mut path = String::new();
    if let (Some((first, _)), Some((last, _))) = (points.first(), points.last()) {
        path.push_str(&format!("M{} {}", px(*first), px(base)));
        for (x, y) in points {
            path.push_str(&format!("L{} {}", px(*x), px(*y)));
        }
        path.push_str(&format!("L{} {}Z", px(*last), px(base)));
    }
    html! {
        @if !path.is_empty() {
            path class=(format!("area {series}")) d=(path) {}
        }
    }
}

/// Bars from a base line, each given by its left, its right and the height it reaches.
pub(super) fn bars(tops: &[(f64, f64, f64)], base: f64, series: &'static str) -> Markup {
    html! {
        @for (left, right, top) in tops {
            rect class=(format!("bar {series}"))
                x=(px(*left)) y=(px(top.min(base)))
                width=(px((right - left).max(0.5))) height=(px((base - top).abs())) {}
        }
    }
}

/// Dots, each with its explanation.
pub(super) fn markers(markers: &[Marker]) -> Markup {
    html! {
        @for marker in markers {
            circle class=(format!("dot {}", marker.series)) cx=(px(marker.x)) cy=(px(marker.y)) r="5" {
                title { (marker.title) }
            }
        }
    }
}

/// Which colour means what: pairs of a series and its meaning.
pub(super) fn legend(entries: &[(&str, &str)]) -> Markup {
    html! {
        ul.legend {
            @for (series, meaning) in entries {
                li { span class=(format!("swatch {series}")) {} (meaning) }
            }
        }
    }
}

/// A coordinate: a tenth of a unit is finer than any screen, and nothing but a finite number may enter the picture.
fn px(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.1}")
    } else {
        "0".to_owned()
    }
}

const LEFT: f64 = 56.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 32.0;
/// Below this scale the labels are too small to read.
const LEAST_ZOOM: f64 = 0.8;

#[cfg(test)]
mod tests {
    use super::super::scale::{Scale, Unit};
    use super::*;

    fn assert_finite(svg: &str) {
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn an_empty_line_draws_nothing() {
        assert_eq!(line([], "a").into_string(), "");
        assert_eq!(line([None, None], "a").into_string(), "");
        assert_eq!(area(&[], 10.0, "a").into_string(), "");
    }

    #[test]
    fn a_line_breaks_at_a_gap() {
        let svg = line(
            [Some((0.0, 1.0)), Some((1.0, 2.0)), None, Some((3.0, 4.0))],
            "a",
        );
        assert_eq!(
            svg.into_string(),
            r#"<path class="line a" d="M0.0 1.0h0L1.0 2.0M3.0 4.0h0"></path>"#
        );
    }

    #[test]
    fn points_that_are_not_finite_are_gaps() {
        let points = [
            Some((0.0, f64::NAN)),
            Some((1.0, 2.0)),
            Some((f64::INFINITY, 2.0)),
        ];
        let svg = line(points, "a").into_string();
        assert!(svg.contains(r#"d="M1.0 2.0h0""#));
        assert_finite(&svg);
    }

    #[test]
    fn an_area_returns_to_its_base() {
        assert_eq!(
            area(&[(0.0, 1.0), (2.0, 3.0)], 9.0, "a").into_string(),
            r#"<path class="area a" d="M0.0 9.0L0.0 1.0L2.0 3.0L2.0 9.0Z"></path>"#
        );
    }

    #[test]
    fn a_constant_series_is_drawn_inside_the_frame() {
        let frame = Frame::new(400.0, 200.0);
        let ys = Scale::around([0.13, 0.13], frame.ys());
        let (bottom, top) = frame.ys();
        assert!((ys.at(0.13) - (bottom + top) / 2.0).abs() < 1e-9);
        assert_finite(
            &frame
                .left_axis("score", &ys.ticks(5, Unit::Plain))
                .into_string(),
        );
    }

    #[test]
    fn every_mark_appears_with_its_title() {
        let all: Vec<Marker> = (0..17)
            .map(|index| Marker {
                x: f64::from(index),
                y: f64::NAN,
                series: "promote",
                title: format!("mark <{index}>"),
            })
            .collect();
        let frame = Frame::new(400.0, 200.0);
        for svg in [markers(&all), frame.events(&all)] {
            let svg = svg.into_string();
            assert_eq!(svg.matches("<circle").count(), 17);
            for index in 0..17 {
                assert!(svg.contains(&format!("<title>mark &lt;{index}&gt;</title>")));
            }
            assert_finite(&svg);
        }
    }

    #[test]
    fn bars_have_no_negative_size() {
        let svg = bars(&[(3.0, 1.0, 20.0), (1.0, 2.0, f64::NAN)], 10.0, "a").into_string();
        assert!(!svg.contains("=\"-"));
        assert_eq!(svg.matches("<rect").count(), 2);
        assert_finite(&svg);
    }

    #[test]
    fn every_element_is_closed() {
        let frame = Frame::new(400.0, 200.0);
        let ticks = Scale::linear(0.0, 1.0, frame.ys()).ticks(5, Unit::Percent);
        let content = html! {
            (frame.left_axis("share", &ticks))
            (frame.bottom_axis(&ticks))
            (frame.threshold(50.0, "limit"))
            (frame.bands(&[(60.0, 70.0)], "closed"))
            (frame.hovers(&[(60.0, 70.0, "a day".to_owned())]))
            (bars(&[(60.0, 70.0, 80.0)], 90.0, "a"))
        };
        let svg = frame.svg("test", &content).into_string();
        for element in ["svg", "g", "line", "rect", "text", "title", "div"] {
            let opened = svg.matches(&format!("<{element} ")).count()
                + svg.matches(&format!("<{element}>")).count();
            let closed = svg.matches(&format!("</{element}>")).count();
            assert!(opened > 0, "{element}");
            assert_eq!(opened, closed, "{element}");
        }
    }
}
