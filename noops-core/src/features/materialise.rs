//! Bringing the online features up to date with their history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FeatureHistory, OnlineFeatures, Pushed};
use crate::error::{Error, ErrorKind};
use crate::trainer::TimeSpan;

/// What a materialisation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Materialised {
    /// Everything known before this moment was in already; `None` when nothing was.
    pub from: Option<Timestamp>,
    /// Everything known before this moment is in now.
    pub until: Timestamp,
    /// What came of the rows in between.
    pub pushed: Pushed,
}

/// Pushes what became known since the watermark and before `until`, then moves the watermark there.
///
/// Safe to repeat and safe to cut off: a run that ends between the push and the watermark is repeated by the next, and pushing a
/// row again changes nothing. A run up to a moment that is already in does nothing. Two runs at once are harmless too.
///
/// The history hands out all rows of the span at once. Where those are more than memory holds, or than
/// `ParquetSettings` allow, go in steps: call this with one `until` after the other.
///
/// `until` must not lie beyond the moment up to which the history is complete: a row that becomes known before `until`, but
/// reaches the history after this call, is not looked for again.
///
/// # Errors
///
/// `Invalid` when the two sides do not have the same version of the view; otherwise what either side fails with. The watermark
/// only moves when all rows are in.
///
/// # Examples
///
/// ```
/// use noops_core::{FeatureType, FeatureView, InMemoryFeatures, Timestamp, materialise};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), noops_core::Error> {
/// let view = FeatureView::new("driver", "trips so far")
///     .with_key("driver", FeatureType::Integer)
///     .with_feature("trips", FeatureType::Integer);
/// let (history, online) = (InMemoryFeatures::new(view.clone()), InMemoryFeatures::new(view));
/// let done = materialise(&history, &online, Timestamp::UNIX_EPOCH).await?;
/// assert_eq!(done.pushed.newest, 0);
/// # Ok(())
/// # }
/// ```
pub async fn materialise(
    from: &dyn FeatureHistory,
    to: &dyn OnlineFeatures,
    until: Timestamp,
) -> Result<Materialised, Error> {
    let (source, target) = (from.view(), to.view());
    if source.version() != target.version() {
        let message = "the history and the online features have different definitions of the view; \
                       materialise into a fresh view of the same definition";
        return Err(Error::new(ErrorKind::Invalid, MATERIALISE, message)
            .with(
                "history",
                format_args!("{} {}", source.name(), source.version().short()),
            )
            .with(
                "online",
                format_args!("{} {}", target.name(), target.version().short()),
            ));
    }
    let watermark = to.freshness().await?.watermark;
    let mut done = Materialised {
        from: watermark,
        until,
        pushed: Pushed::default(),
    };
    let start = watermark.unwrap_or(Timestamp::MIN);
    if start >= until {
        done.until = start;
        return Ok(done);
    }
    let span = TimeSpan { from: start, until };
    for rows in from.known_within(span).await? {
        let pushed = to.push(&rows).await?;
        done.pushed.newest = done.pushed.newest.saturating_add(pushed.newest);
        done.pushed.older = done.pushed.older.saturating_add(pushed.older);
        done.pushed.repeated = done.pushed.repeated.saturating_add(pushed.repeated);
    }
    match to.advance(until).await {
        // Somebody else materialised further meanwhile, and what they did includes this.
        Err(error) if error.kind() == ErrorKind::Conflict => {
            match to.freshness().await?.watermark {
                Some(watermark) if watermark >= until => done.until = watermark,
                _ => return Err(error),
            }
        }
        advanced => advanced?,
    }
    Ok(done)
}

const MATERIALISE: &str = "materialise features";

#[cfg(test)]
mod tests;
