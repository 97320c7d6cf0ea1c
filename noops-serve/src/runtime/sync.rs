//! The locks of the prediction path, for which model checkers stand in: `loom` tries every interleaving of small programs,
//! `shuttle` many random ones of large programs.

#[cfg(not(all(test, any(loom, shuttle))))]
use std::sync::{Mutex as Inner, MutexGuard, PoisonError};

#[cfg(all(test, loom))]
use loom::sync::{Mutex as Inner, MutexGuard};
#[cfg(all(test, shuttle, not(loom)))]
use shuttle::sync::{Mutex as Inner, MutexGuard};

/// A mutex without poisoning: what it guards is whole at every point where it could be left.
#[derive(Debug)]
pub(crate) struct Mutex<T>(Inner<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Inner::new(value))
    }

    #[cfg(not(all(test, any(loom, shuttle))))]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(all(test, any(loom, shuttle)))]
    #[expect(
        clippy::unwrap_used,
        reason = "model checking stops at the first panic"
    )]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}
