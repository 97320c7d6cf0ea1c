//! How the leaves of many trees become one score.

/// How the weights that reach an output are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// Their sum, in the order of the trees.
    #[default]
    Sum,
    /// Their sum divided by the number of trees, or of rounds where the builder is told so.
    Average,
    /// The least of them; zero where there is none.
    Minimum,
    /// The largest of them; zero where there is none.
    Maximum,
}

/// What weights are kept and added in, which decides the last bits of a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Single precision, as XGBoost and ONNX Runtime.
    #[default]
    Single,
    /// Double precision, as LightGBM.
    Double,
}

/// A number that weights are kept in.
pub(super) trait Real: Copy + PartialOrd + Default + std::fmt::Debug {
    fn from_double(value: f64) -> Self;
    fn to_double(self) -> f64;
    fn plus(self, other: Self) -> Self;
}

impl Real for f32 {
    fn from_double(value: f64) -> Self {
        value as Self
    }

    fn to_double(self) -> f64 {
        f64::from(self)
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }
}

impl Real for f64 {
    fn from_double(value: f64) -> Self {
        value
    }

    fn to_double(self) -> f64 {
        self
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }
}
