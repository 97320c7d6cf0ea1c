use std::collections::BTreeSet;

use super::Stop;
use super::error::{EvaluationError, EvaluationErrorKind};

/// The parts of an expression that have no value so far, until another part decides or none does.
#[derive(Debug, Default)]
pub(super) struct Pending {
    unknown: BTreeSet<usize>,
    error: Option<EvaluationError>,
}

impl Pending {
    /// Remembers a part without a value.
    ///
    /// # Errors
    ///
    /// The stop itself when nothing may absorb it: the fuel is spent.
    pub(super) fn add(&mut self, stop: Stop) -> Result<(), Stop> {
        match stop {
            Stop::Unknown(variables) => self.unknown.extend(variables),
            Stop::Error(error) if error.kind() == EvaluationErrorKind::OutOfFuel => {
                return Err(Stop::Error(error));
            }
            Stop::Error(error) => {
                self.error.get_or_insert(error);
            }
        }
        Ok(())
    }

    /// # Errors
    ///
    /// When a part had no value. Unknown comes before an error: what becomes known may yet decide.
    pub(super) fn settle(self) -> Result<(), Stop> {
        if !self.unknown.is_empty() {
            return Err(Stop::Unknown(self.unknown));
        }
        match self.error {
            Some(error) => Err(Stop::Error(error)),
            None => Ok(()),
        }
    }
}
