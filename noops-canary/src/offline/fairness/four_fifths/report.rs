use serde::{Deserialize, Serialize};

use super::selection::Selection;
use super::settings::FourFifthsSettings;
use crate::batch::outcome::TestOutcome;

/// What the four-fifths rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FourFifthsVerdict {
    /// Selected significantly and robustly less than the threshold allows.
    Adverse,
    /// At the threshold or above, with enough people to tell.
    Fair,
    /// Not enough people, or not enough evidence, to tell.
    TooFew,
}

/// The four-fifths rule applied to every group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FourFifthsReport {
    pub(super) groups: Vec<GroupImpact>,
    pub(super) judged: u64,
    pub(super) settings: FourFifthsSettings,
}

impl FourFifthsReport {
    /// Adverse if any group is; fair if all groups that are judged are, and there are two; else too few.
    ///
    /// Groups below the minimum of rows are reported, not judged: look at them in [`groups`](Self::groups).
    #[must_use]
    pub fn verdict(&self) -> FourFifthsVerdict {
        let judged = || {
            let minimum = self.settings.minimum_rows().max(1);
            self.groups
                .iter()
                .filter(move |group| group.selection.rows() >= minimum)
        };
        if judged().any(|group| group.verdict == FourFifthsVerdict::Adverse) {
            FourFifthsVerdict::Adverse
        } else if judged().count() >= 2
            && judged().all(|group| group.verdict == FourFifthsVerdict::Fair)
        {
            FourFifthsVerdict::Fair
        } else {
            FourFifthsVerdict::TooFew
        }
    }

    /// The groups, in the order they were given.
    #[must_use]
    pub fn groups(&self) -> &[GroupImpact] {
        &self.groups
    }

    /// The groups with the minimum of rows.
    #[must_use]
    pub fn judged(&self) -> u64 {
        self.judged
    }

    /// What was asked for.
    #[must_use]
    pub fn settings(&self) -> FourFifthsSettings {
        self.settings
    }
}

/// One group against the group selected most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupImpact {
    pub(super) selection: Selection,
    pub(super) is_reference: bool,
    pub(super) ratio: Option<f64>,
    pub(super) expected: Option<f64>,
    pub(super) people_to_change: Option<u64>,
    pub(super) test: Option<TestOutcome>,
    pub(super) adjusted_p_value: Option<f64>,
    pub(super) verdict: FourFifthsVerdict,
}

impl GroupImpact {
    /// How many of the group were selected.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Whether this is the group selected most, the first of equals.
    #[must_use]
    pub fn is_reference(&self) -> bool {
        self.is_reference
    }

    /// Its selection rate over that of the reference; `None` for a group that is not judged, and where nobody was selected.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        self.ratio
    }

    /// The least count expected in the table of group and reference if selection did not depend on the group; `None` for a group that is not judged.
    #[must_use]
    pub fn expected(&self) -> Option<f64> {
        self.expected
    }

    /// How many people of the group, decided the other way, would bring the ratio to the other side of the threshold; `None` for the reference, where
    /// nobody was selected, and where all of them would not.
    #[must_use]
    pub fn people_to_change(&self) -> Option<u64> {
        self.people_to_change
    }

    /// The test against the reference, which stands for the champion in it; `None` for the reference itself and for a group that is not judged.
    #[must_use]
    pub fn test(&self) -> Option<&TestOutcome> {
        self.test.as_ref()
    }

    /// The p-value of that test, corrected for all pairs of judged groups.
    #[must_use]
    pub fn adjusted_p_value(&self) -> Option<f64> {
        self.adjusted_p_value
    }

    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> FourFifthsVerdict {
        self.verdict
    }
}
