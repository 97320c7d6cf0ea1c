use jiff::SignedDuration;

use crate::label::Label;

/// What became of a label that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelOutcome {
    /// It is the first label of a prediction.
    Joined {
        /// How long after the prediction it became known; negative when two clocks disagree.
        delay: SignedDuration,
    },
    /// There is no prediction yet: it is kept until one comes, or none can come any more.
    Waiting,
    /// The same value is known already. If this one became known earlier, that time counts from now on.
    Duplicate,
    /// Another value is known already.
    Conflict {
        /// The one that counts: of the two the one known earlier, unless the other has been drained before.
        kept: Label,
        /// The one that does not.
        refused: Label,
    },
    /// It became known after the horizon, or was delivered after the row had been drained without a label.
    TooLate,
    /// The request is not in the sample.
    NotSampled,
    /// It has an empty or overlong id, or is larger than all that may be held.
    Refused,
}
