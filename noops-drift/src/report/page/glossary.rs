use maud::{Markup, html};

/// What every number on the page means.
pub(super) fn render() -> Markup {
    html! {
        section.card {
            h2 { "What the numbers mean" }
            dl {
                @for (name, meaning) in ENTRIES {
                    dt { (name) }
                    dd { (meaning) }
                }
            }
        }
    }
}

const ENTRIES: [(&str, &str); 18] = [
    (
        "Verdict",
        "Drift: the values have moved by more than the tolerated PSI, or the rate of nulls, non-finite numbers or unlisted categories has changed, beyond chance. No drift: nothing of the kind was seen, and a shift that matters would most likely have shown. Undecided: there are too few rows to tell.",
    ),
    (
        "p-value",
        "How often data that have not drifted would look at least this different. A p-value is no measure of how far the data have moved; the statistic is. In the first table it is corrected for the number of columns, in the tables of the columns it belongs to that one test.",
    ),
    (
        "Critical",
        "The statistic beyond which its own test calls drift, at these numbers of rows.",
    ),
    (
        "PSI",
        "Population stability index: how differently the values are spread over the bins, 0 for equal shares. It decides the verdict, with a tolerance.",
    ),
    (
        "Jensen–Shannon",
        "A distance of the two spreads from 0 to 1 (base 2), the square root of the divergence.",
    ),
    (
        "Hellinger",
        "A distance from 0 to 1 that weighs rare cells heavily.",
    ),
    (
        "Total variation",
        "The share of rows that would have to move to another cell for both sides to be equal, from 0 to 1.",
    ),
    (
        "Kullback–Leibler",
        "How surprised, per row and in nats, somebody is who expects the reference and meets the current data.",
    ),
    (
        "Chi-square",
        "The test that both sides are samples of one distribution, with its degrees of freedom (df). It grows with the rows.",
    ),
    (
        "Kolmogorov–Smirnov",
        "The largest difference between the shares of values up to any point. From counts it is only known to lie between two numbers.",
    ),
    (
        "Kuiper",
        "The largest difference upwards plus the largest downwards: as sensitive in the tails as in the middle.",
    ),
    (
        "Cramér–von Mises",
        "The squared difference of the same shares, added up over all values.",
    ),
    (
        "Anderson–Darling",
        "The same, with more weight for the tails.",
    ),
    (
        "Mann–Whitney",
        "Whether current values tend to be larger or smaller: the probability that one exceeds a reference value, one half without drift.",
    ),
    (
        "Wasserstein",
        "How far values have to be moved on average to turn one side into the other, in the unit of the column.",
    ),
    (
        "Energy distance",
        "A distance of the two distributions along the axis, 0 only for equal ones.",
    ),
    (
        "Null, NaN, infinite",
        "Shares of all rows. They are tested on their own and are not in the statistics, but for the infinite values in those that only look at the order.",
    ),
    (
        "Not listed, outside the range",
        "Shares of the usable values: categories that the profile does not list, and numbers below the smallest or above the largest of the reference.",
    ),
];
