//! What an objective does to margins.

use noops_core::Error;

use crate::model::tree::builder::{corrupt, unsupported};
use crate::model::tree::transform::PostTransform;

/// The link of an objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Identity,
    /// The base score is a probability.
    Logit,
    /// The base score is a positive mean.
    Log,
}

/// An objective as far as predicting goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Objective {
    pub(super) link: Link,
    pub(super) transform: PostTransform,
}

impl Objective {
    /// The objective of this name, as `Booster.predict` treats it.
    pub(super) fn of(name: &str) -> Result<Self, Error> {
        let logistic = PostTransform::Logistic { slope: 1.0 };
        let (link, transform) = match name {
            "reg:squarederror"
            | "reg:linear"
            | "reg:squaredlogerror"
            | "reg:pseudohubererror"
            | "reg:absoluteerror"
            | "reg:quantileerror"
            | "reg:expectileerror"
            | "rank:pairwise"
            | "rank:ndcg"
            | "rank:map" => (Link::Identity, PostTransform::None),
            "reg:logistic" | "binary:logistic" => (Link::Logit, logistic),
            "binary:logitraw" => (Link::Identity, PostTransform::None),
            "binary:hinge" => (Link::Identity, PostTransform::Step),
            "multi:softprob" => (Link::Identity, PostTransform::Softmax),
            "multi:softmax" => (Link::Identity, PostTransform::Largest),
            "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => {
                (Link::Log, PostTransform::Exponential)
            }
            other => {
                return Err(unsupported("the objective is not supported").with("objective", other));
            }
        };
        Ok(Self { link, transform })
    }

    /// The margin of a base score.
    pub(super) fn margin(self, base: f64) -> Result<f64, Error> {
        let margin = match self.link {
            Link::Identity => base,
            Link::Logit => -(1.0 / base - 1.0).ln(),
            Link::Log => base.ln(),
        };
        if margin.is_finite() {
            // XGBoost keeps margins in single precision.
            return Ok(f64::from(margin as f32));
        }
        Err(corrupt("the base score is out of the range of its objective").with("base score", base))
    }
}
