use std::sync::Arc;

use jiff::Timestamp;

use crate::error::{Error, ErrorKind};
use crate::features::Freshness;
use crate::lease::FencingToken;
use crate::state::StateStore;

/// How far a view has come, kept outside of Feast, which keeps nothing of it that can be asked for.
#[derive(Debug)]
pub(super) struct Progress {
    states: Arc<dyn StateStore>,
    key: String,
}

impl Progress {
    pub(super) fn new(states: Arc<dyn StateStore>, feature_view: &str) -> Self {
        Self {
            states,
            key: format!("feast/{feature_view}"),
        }
    }

    pub(super) async fn read(&self) -> Result<Freshness, Error> {
        let (_, freshness) = self.load().await?;
        Ok(freshness)
    }

    /// Moves the watermark, forwards only.
    pub(super) async fn advance(&self, watermark: Timestamp) -> Result<(), Error> {
        self.change(|mut freshness| {
            if let Some(reached) = freshness.watermark.filter(|reached| *reached > watermark) {
                let message = "a watermark does not move back";
                return Err(Error::new(ErrorKind::Conflict, ADVANCE, message)
                    .with("reached", reached)
                    .with("asked", watermark));
            }
            freshness.watermark = Some(watermark);
            Ok(freshness)
        })
        .await
    }

    /// Remembers what was pushed.
    pub(super) async fn pushed(
        &self,
        event: Option<Timestamp>,
        known: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.change(|mut freshness| {
            freshness.newest_event = freshness.newest_event.max(event);
            freshness.newest_known = freshness.newest_known.max(known);
            Ok(freshness)
        })
        .await
    }

    async fn change<F>(&self, change: F) -> Result<(), Error>
    where
        F: Fn(Freshness) -> Result<Freshness, Error> + Send + Sync,
    {
        let mut attempts = 0_u32;
        loop {
            let (generation, before) = self.load().await?;
            let after = change(before)?;
            if after == before {
                return Ok(());
            }
            let bytes = serde_json::to_vec(&after).map_err(|source| {
                let message = "it cannot be written as JSON";
                self.error(ErrorKind::Invalid, message).caused_by(source)
            })?;
            let saved = self
                .states
                .save(&self.key, generation, &bytes, FencingToken::NONE)
                .await;
            attempts = attempts.saturating_add(1);
            match saved {
                // Another process was faster; what it saved is not lost.
                Err(error) if error.kind() == ErrorKind::Conflict && attempts < ATTEMPTS => {}
                done => return done,
            }
        }
    }

    async fn load(&self) -> Result<(u64, Freshness), Error> {
        let Some(snapshot) = self.states.load(&self.key).await? else {
            return Ok((0, Freshness::default()));
        };
        let freshness = serde_json::from_slice(&snapshot.bytes).map_err(|source| {
            let message =
                "the state under this key is of something else; choose another state store";
            self.error(ErrorKind::Corrupt, message).caused_by(source)
        })?;
        Ok((snapshot.generation, freshness))
    }

    fn error(&self, kind: ErrorKind, message: &str) -> Error {
        Error::new(kind, "keep the freshness of features", message).with("key", &self.key)
    }
}

const ADVANCE: &str = "advance the watermark";
/// How often others may be faster.
const ATTEMPTS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::InMemoryStates;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn progress_goes_forwards_only_and_survives_the_process() {
        let states: Arc<dyn StateStore> = Arc::new(InMemoryStates::new());
        let progress = Progress::new(Arc::clone(&states), "v");
        assert_eq!(progress.read().await.unwrap(), Freshness::default());
        progress.advance(at(10)).await.unwrap();
        progress.advance(at(10)).await.unwrap();
        let error = progress.advance(at(9)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        progress.pushed(Some(at(5)), Some(at(6))).await.unwrap();
        progress.pushed(Some(at(4)), Some(at(7))).await.unwrap();

        let later = Progress::new(Arc::clone(&states), "v")
            .read()
            .await
            .unwrap();
        assert_eq!(later.watermark, Some(at(10)));
        assert_eq!(later.newest_event, Some(at(5)));
        assert_eq!(later.newest_known, Some(at(7)));
        let other = Progress::new(states, "w").read().await.unwrap();
        assert_eq!(other, Freshness::default());
    }

    #[tokio::test]
    async fn writers_at_once_lose_nothing() {
        let states: Arc<dyn StateStore> = Arc::new(InMemoryStates::new());
        let tasks: Vec<_> = (1..9)
            .map(|second| {
                let progress = Progress::new(Arc::clone(&states), "v");
                tokio::spawn(async move {
                    progress
                        .pushed(Some(at(second)), Some(at(100 - second)))
                        .await
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let freshness = Progress::new(states, "v").read().await.unwrap();
        assert_eq!(freshness.newest_event, Some(at(8)));
        assert_eq!(freshness.newest_known, Some(at(99)));
    }

    #[tokio::test]
    async fn foreign_bytes_are_corrupt() {
        let states: Arc<dyn StateStore> = Arc::new(InMemoryStates::new());
        states
            .save("feast/v", 0, b"\xff{", FencingToken::NONE)
            .await
            .unwrap();
        let error = Progress::new(states, "v").read().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}
