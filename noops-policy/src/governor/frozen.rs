use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::class::Heading;

/// Since when a target is frozen, and which way it was last asked to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Frozen {
    turned: Timestamp,
    heading: Heading,
}

impl Frozen {
    pub(super) fn new(heading: Heading, at: Timestamp) -> Self {
        Self {
            turned: at,
            heading,
        }
    }

    /// When it last turned round, or was asked to.
    pub(super) fn turned(&self) -> Timestamp {
        self.turned
    }

    /// The signal still flaps if it asks for the opposite of what it last asked for.
    pub(super) fn hear(&mut self, heading: Heading, at: Timestamp) {
        if heading.undoes(self.heading) {
            *self = Self::new(heading, at);
        }
    }

    /// It turned round in another respect.
    pub(super) fn turn(&mut self, at: Timestamp) {
        self.turned = at;
    }
}
