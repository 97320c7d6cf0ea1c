use crate::batch::fisher_exact;
use crate::batch::outcome::TestOutcome;
use crate::batch::settings::TestSettings;
use crate::batch::{Proportion, two_proportions};
use crate::error::CanaryError;

mod report;
mod selection;
mod settings;

pub use self::report::{FourFifthsReport, FourFifthsVerdict, GroupImpact};
pub use self::selection::Selection;
pub use self::settings::FourFifthsSettings;

/// The four-fifths rule, guarded against small samples: is a group selected less than four fifths as often as the one selected most?
///
/// A group is [`Adverse`](FourFifthsVerdict::Adverse) only if its ratio is below the threshold, the difference is significant, **and** neither is a matter
/// of a few people; it is [`Fair`](FourFifthsVerdict::Fair) only if its ratio reaches the threshold with enough people to tell. All else is
/// [`TooFew`](FourFifthsVerdict::TooFew), which is no acquittal.
///
/// # Formula
///
/// The ratio of the group's selection rate to the highest rate of any judged group: below 4/5 the agencies will *generally* regard it as evidence of
/// adverse impact (Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D, 1978). The same paragraph lets larger differences be
/// none where numbers are small and the difference is not statistically significant, and smaller ones be some where they are significant, in
/// statistical and practical terms. The guard against single people is stricter than its model: Questions and Answers no. 21 (44 Fed. Reg. 11996, 1979)
/// discounts a result that one different selection would turn into a *higher* rate for the group; here it is enough that it would bring the
/// ratio to the other side of the threshold. Significance is Fisher's exact test, two-sided (the score test above 20,000 rows), with
/// Holm's correction for **all** pairs of judged groups, as the reference is chosen after the fact.
///
/// # Error rates
///
/// Where all groups have the same chance of selection, the probability of any adverse verdict is at most `alpha` (about `alpha` where the score
/// test stands in, which is no exact one).
///
/// # Numerical notes
///
/// A screening rule, no proof and no legal advice: a ratio above four fifths may be unlawful and one below justified, and which groups and
/// numbers count is a question of the guidelines and of case law. Selections must be independent. A
/// fair verdict is the rule's own, a point estimate on the right side; for evidence that the ratio is at least 0.8, ask for the lower
/// end of the interval of [`Disparity::demographic_parity_ratio`](super::Disparity::demographic_parity_ratio).
///
/// # Errors
///
/// [`CanaryError::Empty`] without groups, [`CanaryError::Setting`] for a threshold outside of (0, 1\] or expected counts that are negative or
/// not finite.
///
/// # Complexity
///
/// O(g log g) for g groups, and one exact test each.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::fairness::{
///     FourFifthsSettings, FourFifthsVerdict, Selection, four_fifths,
/// };
///
/// let selections = [Selection::new("a", 60, 100)?, Selection::new("b", 30, 100)?];
/// let report = four_fifths(&selections, &FourFifthsSettings::default())?;
/// assert_eq!(report.verdict(), FourFifthsVerdict::Adverse);
/// assert_eq!(report.groups()[1].ratio(), Some(0.5));
/// assert_eq!(report.groups()[1].people_to_change(), Some(18));
///
/// let few = [Selection::new("a", 6, 10)?, Selection::new("b", 3, 10)?];
/// let report = four_fifths(&few, &FourFifthsSettings::default())?;
/// assert_eq!(report.verdict(), FourFifthsVerdict::TooFew);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn four_fifths(
    selections: &[Selection],
    settings: &FourFifthsSettings,
) -> Result<FourFifthsReport, CanaryError> {
    settings.check()?;
    if selections.is_empty() {
        return Err(CanaryError::Empty);
    }
    let mut reference: Option<&Selection> = None;
    for selection in selections.iter().filter(|one| settings.judges(one)) {
        if reference.is_none_or(|best| selection.rate() > best.rate()) {
            reference = Some(selection);
        }
    }
    let judged = selections.iter().filter(|one| settings.judges(one)).count();
    let tests: Vec<Option<TestOutcome>> = selections
        .iter()
        .map(|selection| {
            let reference = reference.filter(|reference| !std::ptr::eq(*reference, selection))?;
            settings
                .judges(selection)
                .then(|| compare(reference, selection))?
        })
        .collect();
    let adjusted = adjust(&tests, judged.saturating_mul(judged.saturating_sub(1)) / 2);
    let groups = selections.iter().zip(tests).zip(adjusted);
    let groups = groups.map(|((selection, test), adjusted_p_value)| {
        let others = reference.filter(|_| settings.judges(selection));
        let people = others.and_then(|reference| settings.people(reference, selection));
        let mut impact = GroupImpact {
            selection: selection.clone(),
            is_reference: others.is_some_and(|reference| std::ptr::eq(reference, selection)),
            ratio: others.and_then(|reference| ratio(reference, selection)),
            expected: others.map(|reference| expected(reference, selection)),
            people_to_change: people.filter(|people| *people <= selection.rows()),
            adjusted_p_value: test.as_ref().map(|_| adjusted_p_value),
            test,
            verdict: FourFifthsVerdict::TooFew,
        };
        impact.verdict = settings.verdict(&impact);
        impact
    });
    Ok(FourFifthsReport {
        groups: groups.collect(),
        judged: judged as u64,
        settings: *settings,
    })
}

fn ratio(reference: &Selection, group: &Selection) -> Option<f64> {
    let highest = reference.rate().filter(|rate| *rate > 0.0)?;
    Some(group.rate()? / highest)
}

fn expected(reference: &Selection, group: &Selection) -> f64 {
    let rows = reference.rows() as f64 + group.rows() as f64;
    let selected = reference.selected() as f64 + group.selected() as f64;
    let smaller = reference.rows().min(group.rows()) as f64;
    smaller * selected.min(rows - selected) / rows
}

fn compare(reference: &Selection, group: &Selection) -> Option<TestOutcome> {
    let settings = TestSettings::default();
    let of = |selection: &Selection| Proportion::new(selection.selected(), selection.rows()).ok();
    let (reference, group) = (of(reference)?, of(group)?);
    if reference.trials().saturating_add(group.trials()) <= MOST_EXACT_ROWS {
        fisher_exact(reference, group, &settings).ok()
    } else {
        two_proportions(reference, group, &settings).ok()
    }
}

/// Holm's adjusted p-values in a family of `pairs` tests, of which those not made count as 1; 1 where there is no test.
fn adjust(tests: &[Option<TestOutcome>], pairs: usize) -> Vec<f64> {
    let made = tests.iter().enumerate();
    let mut ascending: Vec<(usize, f64)> = made
        .filter_map(|(index, test)| Some((index, test.as_ref()?.p_value())))
        .collect();
    ascending.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut adjusted = vec![1.0; tests.len()];
    let mut largest = 0.0_f64;
    for (rank, (index, p_value)) in ascending.into_iter().enumerate() {
        let remaining = pairs.saturating_sub(rank).max(1) as f64;
        largest = largest.max((remaining * p_value).min(1.0));
        if let Some(place) = adjusted.get_mut(index) {
            *place = largest;
        }
    }
    adjusted
}

/// Rows up to which the exact test is made, whose time grows with them; beyond, the score test is as good.
const MOST_EXACT_ROWS: u64 = 20_000;

#[cfg(test)]
mod tests;
