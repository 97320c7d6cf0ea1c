/// A refusal at a byte of the source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CelError {
    pub(crate) at: usize,
    pub(crate) problem: String,
}

impl CelError {
    pub(crate) fn new(at: usize, problem: impl Into<String>) -> Self {
        Self {
            at,
            problem: problem.into(),
        }
    }
}
