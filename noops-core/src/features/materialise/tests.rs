use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow_array::RecordBatch;
use async_trait::async_trait;

use super::*;
use crate::InMemoryFeatures;
use crate::features::fixture::{at, drivers, rows, view};
use crate::features::{FeatureFrame, FeatureView, Freshness};

/// Online features whose process dies once between the push and the watermark.
#[derive(Debug)]
struct DiesOnce {
    inner: InMemoryFeatures,
    dead: AtomicBool,
}

#[async_trait]
impl OnlineFeatures for DiesOnce {
    fn view(&self) -> &FeatureView {
        OnlineFeatures::view(&self.inner)
    }

    async fn online(
        &self,
        entities: &RecordBatch,
        now: Timestamp,
        deadline: Duration,
    ) -> Result<FeatureFrame, Error> {
        self.inner.online(entities, now, deadline).await
    }

    async fn push(&self, rows: &RecordBatch) -> Result<Pushed, Error> {
        self.inner.push(rows).await
    }

    async fn advance(&self, watermark: Timestamp) -> Result<(), Error> {
        if self.dead.swap(true, Ordering::SeqCst) {
            self.inner.advance(watermark).await
        } else {
            Err(Error::new(ErrorKind::Unavailable, "advance", "died"))
        }
    }

    async fn freshness(&self) -> Result<Freshness, Error> {
        self.inner.freshness().await
    }
}

async fn history() -> InMemoryFeatures {
    let history = InMemoryFeatures::new(view());
    let known = [
        (1, 10, 10, Some(1.0), Some("Oslo")),
        (2, 10, 12, Some(2.0), None),
        (1, 20, 25, Some(3.0), Some("Bern")),
        (2, 5, 30, Some(4.0), None),
    ];
    history.push(&rows(&known)).await.unwrap();
    history
}

async fn values(online: &dyn OnlineFeatures, now: i64) -> RecordBatch {
    let drivers = drivers(&[1, 2]);
    let frame = online.online(&drivers, at(now), Duration::from_secs(5));
    frame.await.unwrap().into_values()
}

#[tokio::test]
async fn steps_take_every_row_once() {
    let (history, online) = (history().await, InMemoryFeatures::new(view()));
    let first = materialise(&history, &online, at(25)).await.unwrap();
    assert_eq!((first.from, first.until), (None, at(25)));
    assert_eq!(first.pushed.newest, 2, "known at 25 is not before 25");
    let second = materialise(&history, &online, at(31)).await.unwrap();
    assert_eq!(second.from, Some(at(25)));
    assert_eq!((second.pushed.newest, second.pushed.older), (1, 1));
    assert_eq!(values(&online, 40).await, values(&history, 40).await);
}

#[tokio::test]
async fn what_is_in_already_is_left_alone() {
    let (history, online) = (history().await, InMemoryFeatures::new(view()));
    materialise(&history, &online, at(31)).await.unwrap();
    for until in [31, 7] {
        let again = materialise(&history, &online, at(until)).await.unwrap();
        assert_eq!(again.pushed, Pushed::default());
        assert_eq!(again.until, at(31));
    }
    let freshness = online.freshness().await.unwrap();
    assert_eq!(freshness.watermark, Some(at(31)));
}

#[tokio::test]
async fn a_crash_between_push_and_watermark_repeats_harmlessly() {
    let history = history().await;
    let online = DiesOnce {
        inner: InMemoryFeatures::new(view()),
        dead: AtomicBool::new(false),
    };
    let died = materialise(&history, &online, at(31)).await.unwrap_err();
    assert_eq!(died.kind(), ErrorKind::Unavailable);
    assert_eq!(online.freshness().await.unwrap().watermark, None);
    let before = values(&online, 40).await;
    let again = materialise(&history, &online, at(31)).await.unwrap();
    assert_eq!((again.pushed.newest, again.pushed.repeated), (0, 4));
    assert_eq!(values(&online, 40).await, before);
    assert_eq!(online.freshness().await.unwrap().watermark, Some(at(31)));
}

#[tokio::test]
async fn another_version_of_the_view_is_refused() {
    let longer = view().with_ttl(Duration::from_secs(101));
    let online = InMemoryFeatures::new(longer);
    let refused = materialise(&history().await, &online, at(31)).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(online.freshness().await.unwrap(), Freshness::default());
}
