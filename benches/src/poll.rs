use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The output of a future that never waits, without a runtime that would be measured too; `None` when it does wait.
///
/// ```
/// use noops_benches::poll_once;
///
/// assert_eq!(poll_once(async { 7 }), Some(7));
/// assert_eq!(poll_once(std::future::pending::<u8>()), None);
/// ```
pub fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
