use crate::profile::Binning;
use crate::report::cells::ColumnCells;
use crate::report::rates::rate;
use crate::report::words::{grouped, number};

/// The shares that one line of a chart compares.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) reference: f64,
    pub(super) current: f64,
}

/// The bars of a column: bins in their order, or categories with the most frequent first, then those without a name.
pub(super) fn bars(cells: &ColumnCells) -> Vec<Bar> {
    let counts = cells.reference().bins().iter().zip(cells.current().bins());
    let pairs: Vec<Pair> = counts
        .map(|(reference, current)| Pair {
            reference: *reference,
            current: *current,
        })
        .collect();
    let mut labelled = match cells.binning() {
        Binning::Number { edges, .. } => intervals(edges, &pairs),
        Binning::Category { categories } => frequent(categories, &pairs),
    };
    let unseen = Pair {
        reference: cells.reference().unseen(),
        current: cells.current().unseen(),
    };
    if unseen.either() > 0 {
        labelled.push(("not listed".to_owned(), unseen));
    }
    let (n, m) = (cells.reference().present(), cells.current().present());
    labelled
        .into_iter()
        .map(|(label, pair)| Bar {
            label,
            reference: rate(pair.reference, n),
            current: rate(pair.current, m),
        })
        .collect()
}

/// Rows of both sides.
#[derive(Clone, Copy, Default)]
struct Pair {
    reference: u64,
    current: u64,
}

impl Pair {
    fn either(self) -> u64 {
        self.reference.saturating_add(self.current)
    }

    fn total(pairs: &[Pair]) -> Pair {
        pairs.iter().fold(Pair::default(), |sum, pair| Pair {
            reference: sum.reference.saturating_add(pair.reference),
            current: sum.current.saturating_add(pair.current),
        })
    }
}

/// Joins neighbouring bins evenly until at most [`MOST_INTERVALS`] are left.
fn intervals(edges: &[f64], pairs: &[Pair]) -> Vec<(String, Pair)> {
    let width = pairs.len().div_ceil(MOST_INTERVALS).max(1);
    pairs
        .chunks(width)
        .enumerate()
        .map(|(place, chunk)| {
            let first = place.saturating_mul(width);
            let last = first.saturating_add(chunk.len()).saturating_sub(1);
            let low = first.checked_sub(1).and_then(|before| edges.get(before));
            let label = match (low, edges.get(last)) {
                (None, None) => "all numbers".to_owned(),
                (None, Some(high)) => format!("up to {}", edge(*high)),
                (Some(low), Some(high)) => format!("{} to {}", edge(*low), edge(*high)),
                (Some(low), None) => format!("above {}", edge(*low)),
            };
            (label, Pair::total(chunk))
        })
        .collect()
}

/// Keeps the [`MOST_CATEGORIES`] most frequent of both sides together, and one bar for the rest.
fn frequent(categories: &[String], pairs: &[Pair]) -> Vec<(String, Pair)> {
    let mut ranked: Vec<(&str, Pair)> = categories
        .iter()
        .map(String::as_str)
        .zip(pairs.iter().copied())
        .collect();
    // Stable, so equal counts stay in the order of their names.
    ranked.sort_by_key(|(_, pair)| std::cmp::Reverse(pair.either()));
    let mut labelled: Vec<(String, Pair)> = ranked
        .iter()
        .take(MOST_CATEGORIES)
        .map(|(name, pair)| ((*name).to_owned(), *pair))
        .collect();
    let rest: Vec<Pair> = ranked
        .iter()
        .skip(MOST_CATEGORIES)
        .map(|(_, pair)| *pair)
        .collect();
    if !rest.is_empty() {
        let others = rest.len() as u64;
        let noun = if others == 1 {
            "1 other".to_owned()
        } else {
            format!("{} others", grouped(others))
        };
        labelled.push((noun, Pair::total(&rest)));
    }
    labelled
}

/// Whole numbers in full, since edges of identifiers and times differ in their last digits.
fn edge(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < EXACT_INTEGERS {
        format!("{:.0}", value + 0.0)
    } else {
        let short = value.to_string();
        if short.len() <= LONGEST_EDGE {
            short
        } else {
            number(value)
        }
    }
}

const MOST_INTERVALS: usize = 40;
const MOST_CATEGORIES: usize = 20;
const EXACT_INTEGERS: f64 = 1e15;
const LONGEST_EDGE: usize = 8;

#[cfg(test)]
mod tests {
    use super::{Pair, edge, frequent, intervals};

    fn pairs(many: u64) -> Vec<Pair> {
        (0..many)
            .map(|cell| Pair {
                reference: cell,
                current: 1,
            })
            .collect()
    }

    #[test]
    fn bins_are_labelled_by_their_edges() {
        let labels: Vec<String> = intervals(&[1.0, 2.5], &pairs(3))
            .into_iter()
            .map(|(label, _)| label)
            .collect();
        assert_eq!(labels, ["up to 1", "1 to 2.5", "above 2.5"]);
        let only = intervals(&[], &pairs(1));
        assert_eq!(only.first().map(|bar| bar.0.as_str()), Some("all numbers"));
    }

    #[test]
    fn many_bins_share_bars_and_lose_no_row() {
        let edges: Vec<f64> = (0..255).map(f64::from).collect();
        let joined = intervals(&edges, &pairs(256));
        assert!(joined.len() <= 40);
        let rows: u64 = joined.iter().map(|(_, pair)| pair.reference).sum();
        assert_eq!(rows, (0..256).sum::<u64>());
        assert_eq!(joined.first().map(|bar| bar.0.as_str()), Some("up to 6"));
        assert_eq!(joined.get(1).map(|bar| bar.0.as_str()), Some("6 to 13"));
        assert!(joined.last().is_some_and(|bar| bar.0.starts_with("above ")));
    }

    #[test]
    fn rare_categories_share_the_last_bar() {
        let names: Vec<String> = (0..30).map(|name| format!("c{name:02}")).collect();
        let bars = frequent(&names, &pairs(30));
        assert_eq!(bars.len(), 21);
        assert_eq!(bars.first().map(|bar| bar.0.as_str()), Some("c29"));
        assert_eq!(
            bars.last().map(|bar| (bar.0.as_str(), bar.1.reference)),
            Some(("10 others", 45))
        );
        assert_eq!(frequent(&names[..20], &pairs(20)).len(), 20);
    }

    #[test]
    fn edges_are_short_and_times_are_whole() {
        assert_eq!(edge(1_700_000_050.0), "1700000050");
        assert_eq!(edge(0.25), "0.25");
        assert_eq!(edge(0.123_456_789_012), "0.123");
        assert_eq!(edge(-1e300), "-1.0e300");
    }
}
