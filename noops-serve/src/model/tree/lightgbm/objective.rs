//! What an objective does to sums.

use noops_core::Error;

use crate::model::tree::builder::{corrupt, unsupported};
use crate::model::tree::transform::PostTransform;

/// The transformation of an objective line, such as `binary sigmoid:1`.
pub(super) fn transform(line: &str) -> Result<PostTransform, Error> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next().unwrap_or("custom");
    let settings: Vec<&str> = words.collect();
    let slope = || -> Result<f64, Error> {
        let text = settings
            .iter()
            .find_map(|word| word.strip_prefix("sigmoid:"))
            .unwrap_or("1");
        let slope = text
            .parse()
            .ok()
            .filter(|slope: &f64| slope.is_finite() && *slope > 0.0);
        slope.ok_or_else(|| {
            corrupt("the sigmoid of the objective is not a positive number").with("sigmoid", text)
        })
    };
    Ok(match name {
        "binary" | "multiclassova" => PostTransform::Logistic { slope: slope()? },
        "cross_entropy" | "xentropy" => PostTransform::Logistic { slope: 1.0 },
        "cross_entropy_lambda" | "xentlambda" => PostTransform::Softplus,
        "multiclass" => PostTransform::Softmax,
        "poisson" | "gamma" | "tweedie" => PostTransform::Exponential,
        "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" => {
            if settings.contains(&"sqrt") {
                PostTransform::SignedSquare
            } else {
                PostTransform::None
            }
        }
        "lambdarank" | "rank_xendcg" | "custom" => PostTransform::None,
        other => return Err(unsupported("the objective is not supported").with("objective", other)),
    })
}
