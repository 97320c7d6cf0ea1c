use maud::{Markup, html};

use crate::column_counts::ColumnCounts;
use crate::profile::Binning;
use crate::report::column::ColumnDrift;
use crate::report::rates::rate;
use crate::report::words::{number, p_value, percent};
use crate::statistic::Comparison;

/// How many rows are no usable value, before and now.
pub(super) fn rates(column: &ColumnDrift) -> Markup {
    let (before, now) = (column.reference(), column.current());
    let unlisted = match column.cells().binning() {
        Binning::Number { .. } => (
            "outside the range",
            before.out_of_range(),
            now.out_of_range(),
        ),
        Binning::Category { .. } => ("not listed", before.unseen(), now.unseen()),
    };
    let nan = |counts: &ColumnCounts| rate(counts.nan(), counts.rows());
    let infinite = |counts: &ColumnCounts| {
        let both = counts
            .positive_infinity()
            .saturating_add(counts.negative_infinity());
        rate(both, counts.rows())
    };
    let (reference, current) = (column.cells().reference(), column.cells().current());
    let lines = [
        ("null", before.missing(), now.missing()),
        ("NaN", nan(reference), nan(current)),
        ("infinite", infinite(reference), infinite(current)),
        unlisted,
    ];
    html! {
        table.numbers {
            thead { tr { th { "Share" } th { "Reference" } th { "Current" } } }
            tbody {
                @for (what, before, now) in lines {
                    tr { td { (what) } td { (percent(before)) } td { (percent(now)) } }
                }
            }
        }
    }
}

/// Every statistic with its p-value.
pub(super) fn statistics(column: &ColumnDrift) -> Markup {
    let chi_square = column.chi_square();
    let chi_square_name = match chi_square.degrees_of_freedom() {
        Some(freedom) => format!("Chi-square, {freedom} df"),
        None => "Chi-square".to_owned(),
    };
    let mut lines = vec![
        ("PSI".to_owned(), column.psi().clone()),
        ("Jensen–Shannon".to_owned(), column.jensen_shannon()),
        ("Hellinger".to_owned(), column.hellinger()),
        ("Total variation".to_owned(), column.total_variation()),
        ("Kullback–Leibler".to_owned(), column.kullback_leibler()),
        (chi_square_name, chi_square),
    ];
    if let Some(samples) = column.samples() {
        let named = [
            ("Kolmogorov–Smirnov", Some(samples.ks())),
            ("Kuiper", Some(samples.kuiper())),
            ("Cramér–von Mises", Some(samples.cramer_von_mises())),
            ("Anderson–Darling", Some(samples.anderson_darling())),
            ("Mann–Whitney", Some(samples.mann_whitney())),
            ("Wasserstein", samples.wasserstein()),
            ("Energy distance", samples.energy()),
        ];
        lines.extend(named.into_iter().filter_map(|(name, comparison)| {
            comparison.map(|comparison| (name.to_owned(), comparison.clone()))
        }));
    }
    let bracket = column
        .binned_ks()
        .filter(|_| column.samples().is_none())
        .map(|bracket| format!("{} to {}", number(bracket.low()), number(bracket.high())));
    html! {
        table.numbers {
            thead { tr { th { "Statistic" } th { "Value" } th { "Critical" } th { "p-value" } } }
            tbody {
                @for (name, comparison) in &lines {
                    (line(name, comparison))
                }
                @if let Some(bracket) = bracket {
                    tr { td { "Kolmogorov–Smirnov, between" } td { (bracket) } td { "–" } td { "–" } }
                }
            }
        }
    }
}

fn line(name: &str, comparison: &Comparison) -> Markup {
    let critical = comparison.critical().map_or_else(|| "–".to_owned(), number);
    html! {
        tr {
            td { (name) }
            td { (number(comparison.statistic())) }
            td { (critical) }
            td { (p_value(comparison.p_value())) }
        }
    }
}
