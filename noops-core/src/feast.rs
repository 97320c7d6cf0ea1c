//! A running Feast as the feature source.

mod frame;
mod offline;
mod online;
mod progress;
mod pulled;
mod push;
mod rows;
mod settings;
mod values;

pub use settings::FeastSettings;

use std::collections::BTreeSet;
use std::time::Duration;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::{Error, ErrorKind};
use crate::features::{
    AsOfIndex, FeatureFrame, FeatureHistory, FeatureSource, FeatureType, FeatureView, Freshness,
    Knowledge, OnlineFeatures, Pushed,
};
use crate::trainer::TimeSpan;

use offline::OfflineServer;
use online::{Answered, OnlineServer};
use progress::Progress;
use push::Candidates;
use rows::{Key, keys, normalised};
use settings::Columns;

/// Features of a running Feast: `feast serve` for serving and pushing, `feast serve_offline` for training.
///
/// Feast answers differently from what its definitions say, and differently online and offline. This asks it for the rows it holds and
/// decides by itself which of them counts, with the same join for training and serving:
///
/// | Feast                                                                | This                                                   |
/// |----------------------------------------------------------------------|--------------------------------------------------------|
/// | trains on values that were backfilled later                          | reads the rows with the time they became known, joins them itself |
/// | loses training rows that are outside the TTL, and doubles            | answers each with its status                           |
/// | serves values however old they are                                   | applies the TTL of the view                            |
/// | overwrites with older events that are pushed                         | looks first, and sends what is newer                   |
/// | answers a feature that it does not have with "internal error"        | `Invalid`, with the feature, when connecting           |
/// | says that it took rows which it drops                                | reads back what it pushed                              |
/// | rounds large integers beside a null                                  | refuses them                                           |
///
/// What remains, because Feast cannot do better:
///
/// * Online, Feast holds one row of each entity, to the second, and not when it learned of it. An event time is rounded down to the
///   second, so that a value may be found too old up to a second early. A cell whose row lies after the time asked for is
///   [`CellStatus::Error`](crate::CellStatus::Error). A push of a row with the second of the held one and other values is refused as
///   [`Conflict`](ErrorKind::Conflict): neither is known to be newer.
/// * Between looking and pushing another writer may push. Only one should.
/// * Feast does not write the rows of a push at once. Should it fail between them, some are there: `push` answers with an error, and pushing
///   the same rows again finishes it.
/// * What is pushed goes to the online store alone, where an older row leaves no history; training sees it once the pipeline behind Feast has
///   written it to the data source. Until then serving and training differ.
/// * Offline, Feast does not tell NaN from null, and gives rows that are alike in both times in no certain order.
/// * Each call of `as_of` reads the data source from its beginning, the year 1678 at the earliest, to the last time asked for; rows
///   of other entities are dropped as they arrive. For large sources, give the files behind them to a source that reads files.
/// * Freshness is that of what was pushed through this, kept in the [`StateStore`](crate::StateStore) of the settings under
///   `feast/` and the name of the feature view.
///
/// Keys are integers or texts. The columns of the view are those of the data source and of the feature view alike.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
/// use std::time::Duration;
/// use noops_core::arrow_array::{Int64Array, RecordBatch};
/// use noops_core::{
///     Clock, FeastFeatures, FeastSettings, FeatureType, FeatureView, InMemoryStates, OnlineFeatures, SystemClock,
/// };
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let view = FeatureView::new("driver_hourly", "trips within the hour")
///     .with_key("driver_id", FeatureType::Integer)
///     .with_feature("trips", FeatureType::Integer)
///     .with_ttl(Duration::from_secs(3600));
/// let states = Arc::new(InMemoryStates::new());
/// let settings = FeastSettings::new("http://feast:6566", "grpc://feast:8815", states).with_data_source("driver_stats");
/// let features = FeastFeatures::connect(settings, view).await?;
///
/// let drivers = RecordBatch::try_from_iter([("driver_id", Arc::new(Int64Array::from(vec![1])) as _)])?;
/// let frame = features.online(&drivers, SystemClock.now(), Duration::from_millis(50)).await?;
/// println!("{:?}", frame.status(0, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FeastFeatures {
    view: FeatureView,
    online: OnlineServer,
    offline: OfflineServer,
    push_source: String,
    columns: Columns,
    progress: Progress,
}

impl FeastFeatures {
    /// Connects to the online server and asks it for every feature of the view once. The offline server is connected to when it is
    /// first asked.
    ///
    /// # Errors
    ///
    /// `Invalid` when a server's address is none, when the view has no key, no feature, two columns of one name or a key that is neither
    /// integer nor text, and when Feast lacks a feature of it, which is named; `NotFound` when Feast has no such feature view; `Corrupt` when the
    /// answer is not one of Feast; `Unauthorised`; `Unavailable`.
    pub async fn connect(settings: FeastSettings, view: FeatureView) -> Result<Self, Error> {
        AsOfIndex::new(view.clone())?;
        let refuse = |message: &str| {
            Error::new(ErrorKind::Invalid, CONNECT, message).with("view", view.name())
        };
        if view.keys().is_empty() || view.features().is_empty() {
            return Err(refuse("the view needs a key and a feature"));
        }
        let is_usable =
            |kind: FeatureType| matches!(kind, FeatureType::Integer | FeatureType::Text);
        if let Some(key) = view.keys().iter().find(|key| !is_usable(key.kind)) {
            let message = "feast tells entities apart by integers and texts only";
            return Err(refuse(message).with("key", &key.name));
        }
        let named = |name: &Option<String>| name.clone().unwrap_or_else(|| view.name().to_owned());
        let feature_view = named(&settings.feature_view);
        let push_source = named(&settings.push_source);
        let data_source = named(&settings.data_source);
        let features = Self {
            online: OnlineServer::new(&settings, feature_view)?,
            offline: OfflineServer::new(&settings, data_source)?,
            progress: Progress::new(settings.states.clone(), &named(&settings.feature_view)),
            push_source,
            columns: settings.columns.clone(),
            view,
        };
        features.probe(settings.timeout).await?;
        Ok(features)
    }

    /// Asks for an entity that need not exist: the names of its features must.
    async fn probe(&self, timeout: Duration) -> Result<(), Error> {
        let nobody: Key = self
            .view
            .keys()
            .iter()
            .map(|key| match key.kind {
                FeatureType::Text => rows::KeyPart::Text(String::new()),
                FeatureType::Integer | FeatureType::Number | FeatureType::Flag => {
                    rows::KeyPart::Integer(0)
                }
            })
            .collect();
        let answered = self.online.read(&self.view, &[nobody], timeout).await?;
        drop(answered);
        Ok(())
    }

    async fn held(&self, keys: &[Key]) -> Result<Vec<Answered>, Error> {
        self.online.read(&self.view, keys, Duration::MAX).await
    }
}

#[async_trait]
impl FeatureSource for FeastFeatures {
    fn view(&self) -> &FeatureView {
        &self.view
    }

    async fn as_of(
        &self,
        entities: &RecordBatch,
        times: &[Timestamp],
        knowledge: Knowledge,
    ) -> Result<FeatureFrame, Error> {
        let mut index = AsOfIndex::new(self.view.clone())?;
        // What is refused is refused before anything is read.
        let empty = index.as_of(entities, times, knowledge)?;
        let Some(last) = times.iter().max() else {
            return Ok(empty);
        };
        let asked: BTreeSet<Key> = keys(&self.view, entities)?.into_iter().collect();
        let batches = self.offline.rows(&self.view, *last, Some(&asked)).await?;
        for batch in &batches {
            index.insert(batch)?;
        }
        index.as_of(entities, times, knowledge)
    }
}

#[async_trait]
impl OnlineFeatures for FeastFeatures {
    fn view(&self) -> &FeatureView {
        &self.view
    }

    async fn online(
        &self,
        entities: &RecordBatch,
        now: Timestamp,
        deadline: Duration,
    ) -> Result<FeatureFrame, Error> {
        if deadline.is_zero() {
            let message = "the deadline leaves no time to answer";
            return Err(Error::new(ErrorKind::Overloaded, READ, message)
                .with("feature view", self.online.feature_view()));
        }
        let times = vec![now; entities.num_rows()];
        let index = AsOfIndex::new(self.view.clone())?;
        let empty = index.as_of(entities, &times, Knowledge::AtRowTime)?;
        // Feast fails when it is asked for nobody.
        if times.is_empty() {
            return Ok(empty);
        }
        let keys = keys(&self.view, entities)?;
        let answered = self.online.read(&self.view, &keys, deadline).await?;
        frame::frame(&self.view, keys.len(), now, &answered)
    }

    async fn push(&self, rows: &RecordBatch) -> Result<Pushed, Error> {
        // Repeated within the push, and older than another row of it.
        let mut index = AsOfIndex::new(self.view.clone())?;
        let mut pushed = index.push(rows)?;
        let candidates = Candidates::new(&self.view, normalised(&self.view, rows)?)?;
        let keys = candidates.keys();
        if keys.is_empty() {
            return Ok(pushed);
        }
        let held = self.held(&keys).await?;
        let decision = candidates.decide(&self.view, &held)?;
        if !decision.send.is_empty() {
            let columns = candidates.frame(&self.view, &decision.send, &self.columns)?;
            self.online.push(&self.push_source, columns).await?;
            let sent: Vec<Key> = decision
                .send
                .iter()
                .filter_map(|number| keys.get(*number).cloned())
                .collect();
            let held = self.held(&sent).await?;
            candidates.verify(&self.view, &decision.send, &held)?;
        }
        let (event, known) = candidates.newest_times()?;
        self.progress.pushed(event, known).await?;
        pushed.newest = decision.send.len() as u64;
        pushed.older = pushed.older.saturating_add(decision.older);
        pushed.repeated = pushed.repeated.saturating_add(decision.repeated);
        Ok(pushed)
    }

    async fn advance(&self, watermark: Timestamp) -> Result<(), Error> {
        self.progress.advance(watermark).await
    }

    async fn freshness(&self) -> Result<Freshness, Error> {
        self.progress.read().await
    }
}

#[async_trait]
impl FeatureHistory for FeastFeatures {
    fn view(&self) -> &FeatureView {
        &self.view
    }

    async fn known_within(&self, span: TimeSpan) -> Result<Vec<RecordBatch>, Error> {
        let batches = self.offline.rows(&self.view, Timestamp::MAX, None).await?;
        let mut known: Vec<RecordBatch> = Vec::new();
        for batch in &batches {
            let mut index = AsOfIndex::new(self.view.clone())?;
            index.insert(batch)?;
            known.extend(index.known_within(span)?);
        }
        Ok(known)
    }
}

const CONNECT: &str = "connect to feast";
const READ: &str = "read features from feast";

#[cfg(test)]
mod tests;
