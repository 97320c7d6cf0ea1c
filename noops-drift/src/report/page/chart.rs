use maud::{Markup, html};

use super::bars::{Bar, bars};
use crate::report::column::ColumnDrift;
use crate::report::words::{one_line, percent};

/// The shares of both sides, a line for every bin or category.
pub(super) fn render(column: &ColumnDrift) -> Markup {
    let bars = bars(column.cells());
    let largest = bars
        .iter()
        .map(|bar| bar.reference.max(bar.current))
        .fold(0.0, f64::max);
    if largest <= 0.0 {
        return html! { p.caption { "There is no usable value on either side." } };
    }
    let height = LINE * bars.len() as f64 + BELOW;
    let view_box = format!("0 0 {} {}", px(WIDTH), px(height));
    let label = format!(
        "Shares of the values of {} in the reference and now",
        one_line(column.column())
    );
    html! {
        ul.legend {
            li { span class="swatch reference" {} "reference" }
            li { span class="swatch current" {} "current" }
        }
        div.plot {
            svg viewBox=(view_box) role="img" aria-label=(label) {
                @for (place, bar) in bars.iter().enumerate() {
                    (line(bar, LINE * place as f64, largest))
                }
                line.base x1=(px(LEFT)) x2=(px(LEFT)) y1="0" y2=(px(height - BELOW)) {}
            }
        }
    }
}

fn line(bar: &Bar, top: f64, largest: f64) -> Markup {
    let label = one_line(&bar.label);
    let told = format!(
        "{label}: {} of the reference, {} now",
        percent(bar.reference),
        percent(bar.current)
    );
    html! {
        g {
            title { (told) }
            rect.hover x="0" y=(px(top)) width=(px(WIDTH)) height=(px(LINE)) {}
            text x=(px(LEFT - 8.0)) y=(px(top + 19.0)) text-anchor="end" { (shortened(&label)) }
            (share("reference", bar.reference, top + 3.0, largest))
            (share("current", bar.current, top + 15.0, largest))
        }
    }
}

fn share(series: &str, share: f64, top: f64, largest: f64) -> Markup {
    let length = (RIGHT - LEFT) * (share / largest);
    html! {
        rect class=(format!("bar {series}")) x=(px(LEFT)) y=(px(top)) width=(px(length)) height=(px(THICK)) {}
        text.share x=(px(LEFT + length + 5.0)) y=(px(top + 9.0)) { (percent(share)) }
    }
}

/// What fits beside the bars; the whole is in the title.
fn shortened(label: &str) -> String {
    if label.chars().count() <= LONGEST_LABEL {
        return label.to_owned();
    }
    let mut short: String = label.chars().take(LONGEST_LABEL - 1).collect();
    short.push('…');
    short
}

/// A coordinate: a tenth of a unit is finer than any screen, and nothing but a finite number may enter the picture.
fn px(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.1}")
    } else {
        "0".to_owned()
    }
}

const WIDTH: f64 = 480.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 420.0;
const LINE: f64 = 30.0;
const THICK: f64 = 10.0;
const BELOW: f64 = 2.0;
const LONGEST_LABEL: usize = 21;

#[cfg(test)]
mod tests {
    use super::{px, shortened};

    #[test]
    fn long_labels_are_cut_between_letters() {
        assert_eq!(shortened("Graz"), "Graz");
        let cut = shortened(&"ö".repeat(50));
        assert_eq!(cut.chars().count(), 21);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn only_numbers_enter_the_picture() {
        assert_eq!(px(f64::NAN), "0");
        assert_eq!(px(f64::INFINITY), "0");
        assert_eq!(px(12.34), "12.3");
    }
}
