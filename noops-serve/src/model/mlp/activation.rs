use fearless_simd::{Simd, prelude::*};
use serde::{Deserialize, Serialize};

use super::elementary::{erf, exp, sigmoid, tanh};

/// What a layer does with its sums.
///
/// The functions are computed by polynomials, eight or sixteen lanes at a time. Their error against the exact function is at most 2e-7
/// relative for `tanh` and the sigmoid, and at most 4e-7 of the larger of 1 and the argument for the others. NaN stays NaN through all of
/// them, so that a poisoned row is seen at the end.
///
/// # Examples
///
/// ```
/// use noops_serve::model::mlp::Activation;
///
/// let activation: Activation = serde_json::from_str(r#"{"leaky_relu":{"slope":0.1}}"#)?;
/// assert_eq!(activation, Activation::LeakyRelu { slope: 0.1 });
/// assert_eq!(serde_json::to_string(&Activation::Relu)?, r#""relu""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// The sum itself.
    #[default]
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `x` where it is positive, and `slope · x` elsewhere.
    LeakyRelu {
        /// The factor of negative sums.
        slope: f32,
    },
    /// `x / 2 · (1 + erf(x / √2))`, the exact form of Hendrycks and Gimpel.
    Gelu,
    /// `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`, its approximation.
    GeluTanh,
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x · sigmoid(x)`, also known as swish.
    Silu,
    /// `exp(xᵢ) / Σ exp(xⱼ)` over the outputs of a row; on a last layer only.
    Softmax,
}

impl Activation {
    /// Applies itself to rows of `stride` values, of which the first `width` mean something.
    // Without the attributes a closure may become a function of its own, which lacks the wide registers.
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(self, simd: S, rows: &mut [f32], stride: usize, width: usize) {
        let zero = S::f32s::splat(simd, 0.0);
        let rows = Rows {
            values: rows,
            stride,
            width,
        };
        match self {
            Self::Identity => {}
            // NaN is not less than anything and passes.
            Self::Relu => rows.each(
                simd,
                #[inline(always)]
                |x| x.simd_lt(zero).select(zero, x),
            ),
            Self::LeakyRelu { slope } => rows.each(
                simd,
                #[inline(always)]
                |x| x.simd_lt(zero).select(x * slope, x),
            ),
            Self::Gelu => rows.each(
                simd,
                #[inline(always)]
                |x| x * 0.5 * (erf::<S>(simd, x * std::f32::consts::FRAC_1_SQRT_2) + 1.0),
            ),
            Self::GeluTanh => rows.each(
                simd,
                #[inline(always)]
                |x| {
                    let inner = (x * x * x * 0.044_715 + x) * SQRT_2_OVER_PI;
                    x * 0.5 * (tanh::<S>(simd, inner) + 1.0)
                },
            ),
            Self::Tanh => rows.each(
                simd,
                #[inline(always)]
                |x| tanh::<S>(simd, x),
            ),
            Self::Sigmoid => rows.each(
                simd,
                #[inline(always)]
                |x| sigmoid::<S>(simd, x),
            ),
            Self::Silu => rows.each(
                simd,
                #[inline(always)]
                |x| x * sigmoid::<S>(simd, x),
            ),
            Self::Softmax => rows.softmax(simd),
        }
    }
}

/// Rows of `stride` values, of which the first `width` mean something.
struct Rows<'a> {
    values: &'a mut [f32],
    stride: usize,
    width: usize,
}

impl Rows<'_> {
    #[inline(always)]
    fn each<S: Simd>(self, simd: S, function: impl Fn(S::f32s) -> S::f32s) {
        let vectors = self.width.next_multiple_of(S::f32s::LEN);
        // Few of the vectors of a row mean something after a last layer of one output, and all of them after most others.
        let (chunk, meant) = if vectors == self.stride {
            (self.values.len(), self.values.len())
        } else {
            (self.stride, vectors)
        };
        for row in self.values.chunks_exact_mut(chunk.max(1)) {
            let row = row.get_mut(..meant).unwrap_or_default();
            for chunk in row.chunks_exact_mut(S::f32s::LEN) {
                function(S::f32s::from_slice(simd, chunk)).store_slice(chunk);
            }
        }
    }

    #[inline(always)]
    fn softmax<S: Simd>(self, simd: S) {
        for row in self.values.chunks_exact_mut(self.stride.max(1)) {
            let meant = row.get(..self.width).unwrap_or_default();
            // A NaN is lost here, and comes back below as the exponential of itself.
            let mut largest = f32::NEG_INFINITY;
            for x in meant {
                largest = largest.max(*x);
            }
            for chunk in row.chunks_exact_mut(S::f32s::LEN) {
                let x = S::f32s::from_slice(simd, chunk);
                exp::<S>(simd, x - largest).store_slice(chunk);
            }
            let mut total = 0.0;
            for x in row.get(..self.width).unwrap_or_default() {
                total += x;
            }
            for chunk in row.chunks_exact_mut(S::f32s::LEN) {
                (S::f32s::from_slice(simd, chunk) / total).store_slice(chunk);
            }
        }
    }
}

const SQRT_2_OVER_PI: f32 = 0.797_884_6;
