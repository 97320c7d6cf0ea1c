use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};

use super::batch;
use crate::profile::ProfileSettings;
use crate::report::{DriftReport, DriftSettings};
use crate::testing::{Draws as _, SplitMix64};

fn page(reference: RecordBatch, current: RecordBatch) -> String {
    DriftReport::of_frames(
        &[reference],
        &[current],
        &ProfileSettings::default(),
        &DriftSettings::default(),
    )
    .unwrap()
    .to_html()
}

#[test]
fn the_page_needs_nothing_from_outside() {
    let mut random = SplitMix64(71);
    let reference = batch(&mut random, 3, 4_000, 0.0, 10);
    let current = batch(&mut random, 3, 3_000, 1.5, 10);
    let page = page(reference, current);
    for forbidden in [
        "http:", "https:", "<script", "<link", "<img", "@import", "url(",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("1 of 3 columns drifted. The worst: `column-0` drifted: PSI "));
    assert_eq!(page.matches("<svg ").count(), 3);
    assert_eq!(page.matches("</svg>").count(), 3);
    assert!(page.contains("Mann–Whitney") && page.contains("Energy distance"));
}

#[test]
fn the_worst_column_is_the_first() {
    let mut random = SplitMix64(72);
    let mut frame = |shift: f64| {
        let [calm, moved] = [0.0, shift].map(|shift| {
            let values: Vec<f64> = (0..500).map(|_| random.bell() + shift).collect();
            let array: ArrayRef = Arc::new(Float64Array::from(values));
            array
        });
        RecordBatch::try_from_iter([("calm", calm), ("moved", moved)]).unwrap()
    };
    let (reference, current) = (frame(0.0), frame(2.0));
    let page = page(reference, current);
    let place = |anchor: &str| page.find(anchor).unwrap();
    let first = place("id=\"column-0\"");
    let second = place("id=\"column-1\"");
    let (worst, rest) = page.split_at(second);
    assert!(first < second);
    assert!(worst[first..].contains("<span class=\"subject\">moved</span>"));
    assert!(rest.contains("<span class=\"subject\">calm</span>"));
}

#[test]
fn hostile_names_are_shown_and_not_run() {
    let name = "</title><script>alert('x')</script>\"onload=\"";
    let words = |rows: usize| {
        let words: Vec<String> = (0..rows)
            .map(|row| format!("<img src=x onerror=y>{}\n&\"", row % 3))
            .collect();
        let words: ArrayRef = Arc::new(StringArray::from(words));
        RecordBatch::try_from_iter([(name, words)]).unwrap()
    };
    let page = page(words(90), words(60));
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("\"onload="));
    assert!(page.contains("&lt;script&gt;") && page.contains("&lt;img src=x"));
}

#[test]
fn many_categories_share_a_bar() {
    let words = |rows: usize| {
        let words: Vec<String> = (0..rows).map(|row| format!("w{}", row % 60)).collect();
        let words: ArrayRef = Arc::new(StringArray::from(words));
        RecordBatch::try_from_iter([("word", words)]).unwrap()
    };
    let page = page(words(600), words(300));
    assert!(page.contains("40 others"));
    assert_eq!(page.matches("class=\"bar reference\"").count(), 21);
}

#[test]
fn nothing_to_show_is_said() {
    let nothing: ArrayRef = Arc::new(Float64Array::from(vec![None::<f64>; 5]));
    let frame = RecordBatch::try_from_iter([("x", nothing)]).unwrap();
    let page = page(frame.clone(), frame.slice(0, 0));
    assert!(page.contains("There is no usable value on either side."));
    assert!(page.contains("None of 1 column drifted. 1 is without enough rows to tell."));
    // The name of a rate is the only place where the word may stand.
    assert_eq!(page.matches("<td>NaN</td>").count(), 1);
    assert_eq!(page.matches(">NaN<").count(), 1);
}

#[test]
fn extreme_numbers_leave_the_page_whole() {
    let values = |values: Vec<f64>| {
        let array: ArrayRef = Arc::new(Float64Array::from(values));
        RecordBatch::try_from_iter([("x", array)]).unwrap()
    };
    let page = page(
        values(vec![f64::MAX, f64::MIN, 0.0, -0.0, 5e-324, f64::NAN]),
        values(vec![f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 1.0]),
    );
    assert!(page.ends_with("</html>"));
    for coordinate in ["=\"NaN", "=\"inf", "=\"-inf"] {
        assert!(!page.contains(coordinate), "{coordinate}");
    }
}
