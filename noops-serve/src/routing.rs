//! Several models for one question: a cheap one first, rules that choose one, and a check that may veto.
//!
//! A [`Router`] answers each row of a request and says who did. A [`Deployment`] is one; a [`Cascade`] asks a cheap model first and a
//! larger one where the first is unsure; a [`RuleRouter`] chooses a model by the features of the row; a [`Guarded`] router puts a
//! fallback in the place of answers that a safety check vetoes. They nest, since each is made of routers.
//!
//! Nothing here spawns a task, and dropping a call loses nothing but its own answer.

mod budget;
mod cascade;
mod condition;
mod confidence;
mod counts;
mod features;
mod guard;
mod guarded;
mod join;
mod routed;
mod rule_router;
mod target;
#[cfg(not(any(loom, shuttle)))]
#[cfg(test)]
mod testing;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use noops_core::Error;

pub use self::budget::EscalationBudget;
pub use self::cascade::Cascade;
pub use self::condition::{Condition, Rule};
pub use self::confidence::{Confidence, Escalation};
pub use self::counts::RoutingCounts;
pub use self::features::RowFeatures;
pub use self::guard::{Guard, GuardCheck, Judged, Verdict};
pub use self::guarded::{Guarded, Substitute};
pub use self::routed::{Routed, RoutedRow, Unescalated, Veto, VetoCause};
pub use self::rule_router::RuleRouter;
pub use self::target::Target;
use crate::runtime::{Deployment, Request};

/// Answers the rows of a request by one of several models.
///
/// # Contract
///
/// * `route` MUST answer with one row per row of the request, in order.
/// * Dropping the future MUST lose nothing but its own answer.
/// * `features` MUST name what a request's values without names are read as.
#[async_trait]
pub trait Router: Debug + Send + Sync + 'static {
    /// Answers each row of a request and says who did.
    ///
    /// # Errors
    ///
    /// Fails as a whole only when the rows cannot be read; everything else is an answer or a refusal of the single row.
    async fn route(&self, request: &Request) -> Result<Routed, Error>;

    /// The features that a request's values without names are read as, in order.
    fn features(&self) -> Arc<[String]>;
}

#[async_trait]
impl Router for Deployment {
    async fn route(&self, request: &Request) -> Result<Routed, Error> {
        Ok(Routed::of(self.predict(request).await?))
    }

    fn features(&self) -> Arc<[String]> {
        self.champion().contract().names()
    }
}
