//! How many replicas a load needs, and what it may cost.
//!
//! [`KnativeScaler`] and [`KubernetesScaler`] are the formulas of Knative's pod autoscaler and of Kubernetes' horizontal pod
//! autoscaler. An [`Autoscaler`] runs one of them between bounds, keeps a warm pool, stays under a cost cap and a memory ceiling,
//! and says what bound it. Nothing here reads a clock or starts a replica: time comes in as an argument, decisions come out.

mod activation;
mod autoscaler;
mod cost;
mod decision;
mod knative;
mod kubernetes;
mod limits;
mod peak;
mod window;

pub use self::activation::Activations;
pub use self::autoscaler::{Autoscaler, Recommender};
pub use self::cost::CostCap;
pub use self::decision::{ScaleDecision, ScaleReason};
pub use self::knative::{KnativeRecommendation, KnativeScaler, KnativeSettings};
pub use self::kubernetes::{
    KubernetesScaler, KubernetesSettings, ScalingPolicy, ScalingRules, SelectPolicy,
};
pub use self::limits::{MemoryCeiling, ScaleLimits};
