use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::report::{FourFifthsVerdict, GroupImpact};
use super::selection::Selection;
use crate::error::CanaryError;

/// What the four-fifths rule asks for.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::fairness::FourFifthsSettings;
///
/// let settings = FourFifthsSettings::default().with_minimum_rows(50).with_fragile_people(2);
/// assert_eq!((settings.threshold(), settings.fragile_people()), (0.8, 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FourFifthsSettings {
    threshold: f64,
    alpha: Alpha,
    minimum_rows: u64,
    minimum_expected: f64,
    fragile_people: u64,
}

impl FourFifthsSettings {
    /// Sets the ratio below which impact is adverse. Default 0.8.
    #[must_use]
    pub fn with_threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// Sets the error rate of all tests together. Default 5 %.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the rows below which a group is reported but neither judged nor taken as the reference. Default 30.
    #[must_use]
    pub fn with_minimum_rows(mut self, minimum_rows: u64) -> Self {
        self.minimum_rows = minimum_rows;
        self
    }

    /// Sets the least count that must be expected, of selected and of not selected, in the group and in the reference (Cochran's rule). Default 5.
    #[must_use]
    pub fn with_minimum_expected(mut self, minimum_expected: f64) -> Self {
        self.minimum_expected = minimum_expected;
        self
    }

    /// Sets how many people of the group, decided the other way, may not be enough to bring the ratio to the other side of the threshold. Default 1.
    #[must_use]
    pub fn with_fragile_people(mut self, fragile_people: u64) -> Self {
        self.fragile_people = fragile_people;
        self
    }

    /// The ratio below which impact is adverse.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The error rate of all tests together.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The rows below which a group is not judged.
    #[must_use]
    pub fn minimum_rows(&self) -> u64 {
        self.minimum_rows
    }

    /// The least count that must be expected.
    #[must_use]
    pub fn minimum_expected(&self) -> f64 {
        self.minimum_expected
    }

    /// How many people may not be enough to change the side.
    #[must_use]
    pub fn fragile_people(&self) -> u64 {
        self.fragile_people
    }

    pub(super) fn check(&self) -> Result<(), CanaryError> {
        let refuse = |name, value, allowed| {
            Err(CanaryError::Setting {
                name,
                value,
                allowed,
            })
        };
        if !(self.threshold > 0.0 && self.threshold <= 1.0) {
            return refuse("threshold", self.threshold, "above 0 and at most 1");
        }
        if !(self.minimum_expected >= 0.0 && self.minimum_expected.is_finite()) {
            let value = self.minimum_expected;
            return refuse("minimum_expected", value, "of at least 0");
        }
        Ok(())
    }

    pub(super) fn judges(&self, selection: &Selection) -> bool {
        selection.rows() >= self.minimum_rows.max(1)
    }

    /// Whether `selected` of the group would reach the threshold. Products instead of quotients, so that exactly four fifths are four fifths.
    fn reaches(&self, reference: &Selection, selected: u64, rows: u64) -> bool {
        let group = selected as f64 * reference.rows() as f64;
        let bar = self.threshold * (reference.selected() as f64 * rows as f64);
        group >= bar * (1.0 - ROUNDING)
    }

    /// How many of the group must be decided the other way to change the side; more than the group has where none suffice.
    pub(super) fn people(&self, reference: &Selection, group: &Selection) -> Option<u64> {
        if reference.selected() == 0 || std::ptr::eq(reference, group) {
            return None;
        }
        let bar = self.threshold * reference.rate()? * group.rows() as f64;
        // The least number that reaches the bar, whichever way the product was rounded.
        let mut least = (bar.ceil() as u64).saturating_sub(1);
        for _ in 0..2 {
            if !self.reaches(reference, least, group.rows()) {
                least = least.saturating_add(1);
            }
        }
        if group.selected() < least {
            Some(least - group.selected())
        } else {
            Some(group.selected() - least).and_then(|spare| spare.checked_add(1))
        }
    }

    pub(super) fn verdict(&self, impact: &GroupImpact) -> FourFifthsVerdict {
        if impact.is_reference {
            return FourFifthsVerdict::Fair;
        }
        let enough = impact
            .expected
            .is_some_and(|expected| expected >= self.minimum_expected)
            && impact
                .people_to_change
                .is_none_or(|people| people > self.fragile_people);
        let significant = impact
            .adjusted_p_value
            .is_some_and(|p_value| p_value <= self.alpha.get());
        let short = impact
            .ratio
            .map(|ratio| ratio < self.threshold * (1.0 - ROUNDING));
        match short {
            Some(true) if enough && significant => FourFifthsVerdict::Adverse,
            Some(false) if enough => FourFifthsVerdict::Fair,
            _ => FourFifthsVerdict::TooFew,
        }
    }
}

impl Default for FourFifthsSettings {
    fn default() -> Self {
        Self {
            threshold: 0.8,
            alpha: Alpha::FIVE_PERCENT,
            minimum_rows: 30,
            minimum_expected: 5.0,
            fragile_people: 1,
        }
    }
}

/// More than the products of counts are rounded by.
const ROUNDING: f64 = 1e-14;
