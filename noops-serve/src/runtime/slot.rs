//! Where a caller waits for its answer.

use std::task::{Context, Poll, Waker};

use super::sync::Mutex;

/// One answer on its way from whoever runs a batch to the caller who waits. The first answer counts, and a caller who has gone
/// hears none.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
enum State<T> {
    Waiting(Option<Waker>),
    Answered(T),
    /// The answer was taken, or nobody wants it any more.
    Closed,
}

impl<T> Slot<T> {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State::Waiting(None)),
        }
    }

    /// Leaves the answer and wakes the caller. Without effect when there was one before, or nobody waits any more.
    pub(crate) fn answer(&self, value: T) {
        let mut state = self.state.lock();
        if let State::Waiting(waker) = &mut *state {
            let waker = waker.take();
            *state = State::Answered(value);
            // Whoever is woken may look at once, perhaps on this very thread.
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// Takes the answer, or has the caller woken when it comes. After it was taken there is none.
    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Option<T>> {
        let mut state = self.state.lock();
        match &mut *state {
            State::Waiting(waker) => {
                if waker
                    .as_ref()
                    .is_none_or(|known| !known.will_wake(context.waker()))
                {
                    *waker = Some(context.waker().clone());
                }
                Poll::Pending
            }
            State::Answered(_) | State::Closed => {
                match std::mem::replace(&mut *state, State::Closed) {
                    State::Answered(value) => Poll::Ready(Some(value)),
                    State::Waiting(_) | State::Closed => Poll::Ready(None),
                }
            }
        }
    }

    /// The caller goes: what it waited for need not be done.
    pub(crate) fn close(&self) {
        *self.state.lock() = State::Closed;
    }

    /// Whether the caller has gone.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(*self.state.lock(), State::Closed)
    }
}

#[cfg(not(any(loom, shuttle)))]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_answer_counts_and_is_taken_once() {
        let slot = Slot::new();
        let context = Context::from_waker(Waker::noop());
        assert!(slot.poll(&context).is_pending());
        slot.answer(1);
        slot.answer(2);
        assert_eq!(slot.poll(&context), Poll::Ready(Some(1)));
        assert_eq!(slot.poll(&context), Poll::Ready(None));
    }

    #[test]
    fn a_caller_who_has_gone_hears_nothing() {
        let slot = Slot::new();
        slot.close();
        assert!(slot.is_closed());
        slot.answer(1);
        assert_eq!(
            slot.poll(&Context::from_waker(Waker::noop())),
            Poll::Ready(None)
        );
    }
}
