//! Waiting for several answers at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What each future came to, in order. They go on together on the task that waits.
pub(super) async fn join<'a, T>(futures: Vec<Boxed<'a, T>>) -> Vec<T> {
    let mut pending: Vec<Result<T, Boxed<'a, T>>> = futures.into_iter().map(Err).collect();
    poll_fn(|context| {
        let mut ready = true;
        for slot in &mut pending {
            if let Err(future) = slot {
                match future.as_mut().poll(context) {
                    Poll::Ready(answer) => *slot = Ok(answer),
                    Poll::Pending => ready = false,
                }
            }
        }
        match ready {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    pending.into_iter().filter_map(Result::ok).collect()
}

#[cfg(not(any(loom, shuttle)))]
#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_keep_their_order_however_they_come() {
        let (say, hear) = tokio::sync::oneshot::channel();
        let waits = async move { hear.await.unwrap() };
        let speaks = async move {
            say.send(1).unwrap();
            2
        };
        let answers = join(vec![Box::pin(waits), Box::pin(speaks)]).await;
        assert_eq!(answers, [1, 2]);
        assert!(join::<u8>(Vec::new()).await.is_empty());
    }
}
