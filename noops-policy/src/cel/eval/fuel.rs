use super::error::{EvaluationError, EvaluationErrorKind};

/// What an evaluation may still cost, in the units of cel-go.
///
/// A constant is free; a list costs 10 and a map 30 besides their contents; each operand of `&&` and `||` costs one, and
/// so does every other node and every step of a comprehension. On top, functions pay one for ten bytes of text, rounded
/// up, and one for each element that they read or make. What a function makes is paid for before it is made, so the
/// limit bounds memory as well as time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fuel {
    limit: u64,
    left: u64,
}

impl Fuel {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, left: limit }
    }

    /// What was spent so far.
    #[cfg(test)]
    pub(crate) fn spent(&self) -> u64 {
        self.limit.saturating_sub(self.left)
    }

    /// Pays for `units` of work.
    ///
    /// # Errors
    ///
    /// When there is less left; then nothing is left.
    pub(crate) fn spend(&mut self, units: u64) -> Result<(), EvaluationError> {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(EvaluationError::new(
                    EvaluationErrorKind::OutOfFuel,
                    format!(
                        "the expression costs more than its limit of {}; make it simpler or its lists shorter",
                        self.limit
                    ),
                ))
            }
        }
    }

    /// Pays for reading or making `count` elements.
    pub(crate) fn spend_elements(&mut self, count: usize) -> Result<(), EvaluationError> {
        self.spend(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// Pays for reading or making text of `bytes` bytes: a unit for ten, rounded up.
    pub(crate) fn spend_text(&mut self, bytes: usize) -> Result<(), EvaluationError> {
        self.spend_elements(bytes.div_ceil(BYTES_PER_UNIT))
    }
}

/// A unit pays for this many bytes of text.
const BYTES_PER_UNIT: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_costs_a_tenth_of_a_unit_for_each_byte_rounded_up() {
        let mut fuel = Fuel::new(100);
        for (bytes, spent) in [(0, 0), (1, 1), (10, 2), (11, 4)] {
            fuel.spend_text(bytes).unwrap();
            assert_eq!(fuel.spent(), spent, "{bytes}");
        }
    }

    #[test]
    fn nothing_is_left_once_the_limit_is_passed() {
        let mut fuel = Fuel::new(3);
        fuel.spend(3).unwrap();
        let error = fuel.spend(1).unwrap_err();
        assert_eq!(error.kind(), EvaluationErrorKind::OutOfFuel);
        assert_eq!(fuel.spent(), 3);
        assert!(fuel.spend_elements(usize::MAX).is_err());
    }
}
