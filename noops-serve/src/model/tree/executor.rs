//! A tree ensemble as a model that can be served.

use noops_core::{Batch, Error, ErrorKind, Executor, Scores};

use super::ensemble::{Forest, Scratch};
use super::{lightgbm, xgboost};

/// A [`Forest`] with the names of what it reads and writes; replicas share the trees.
///
/// Columns of a batch are the model's features in order. The code of a category is its place among the contract's categories, so
/// that these must be listed in the order of the codes that the model was trained on.
///
/// # Examples
///
/// ```
/// use noops_core::{Batch, Column, Executor};
/// use noops_serve::model::tree::TreeModel;
///
/// let text = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nobjective=regression\nfeature_names=age\n\n\
///     Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=40.5\ndecision_type=2\nleft_child=-1\nright_child=-2\n\
///     leaf_value=1.5 2.5\n\nend of trees\n";
/// let mut model = TreeModel::from_lightgbm_text(text.as_bytes())?;
/// assert_eq!(model.feature_names(), ["age"]);
/// let batch = Batch::new(vec![Column::Number(vec![30.0, 50.0])])?;
/// assert_eq!(model.run(&batch)?.values(), [1.5, 2.5]);
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TreeModel {
    forest: Forest,
    feature_names: std::sync::Arc<[String]>,
    output_names: std::sync::Arc<[String]>,
    dense: Vec<f32>,
    scratch: Scratch,
}

impl TreeModel {
    /// A forest whose features and outputs have no names.
    #[must_use]
    pub fn new(forest: Forest) -> Self {
        Self {
            forest,
            feature_names: Vec::new().into(),
            output_names: Vec::new().into(),
            dense: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// Reads what XGBoost's `Booster.save_model("….json")` writes. Scores are what `Booster.predict` gives with its defaults: all
    /// rounds, and the objective's transformation.
    ///
    /// Boosters `gbtree` and `dart` are read, with numeric and categorical splits. Trees with vector leaves and the linear booster
    /// are refused.
    ///
    /// # Errors
    ///
    /// `Corrupt` for malformed bytes, `Invalid` for a booster or objective that is not supported.
    ///
    /// # Complexity
    ///
    /// Linear in the bytes.
    pub fn from_xgboost_json(bytes: &[u8]) -> Result<Self, Error> {
        xgboost::from_json(bytes)
    }

    /// Reads what XGBoost's `Booster.save_model("….ubj")` writes, as [`from_xgboost_json`](Self::from_xgboost_json) does.
    ///
    /// # Errors
    ///
    /// As [`from_xgboost_json`](Self::from_xgboost_json).
    ///
    /// # Complexity
    ///
    /// Linear in the bytes.
    pub fn from_xgboost_ubj(bytes: &[u8]) -> Result<Self, Error> {
        xgboost::from_ubj(bytes)
    }

    /// Reads what LightGBM's `Booster.save_model` writes. Scores are what `Booster.predict` gives with its defaults.
    ///
    /// Linear trees are refused.
    ///
    /// # Errors
    ///
    /// `Corrupt` for malformed bytes, `Invalid` for linear trees and for an objective that is not supported.
    ///
    /// # Complexity
    ///
    /// Linear in the bytes.
    pub fn from_lightgbm_text(bytes: &[u8]) -> Result<Self, Error> {
        lightgbm::from_text(bytes)
    }

    /// Names the features.
    ///
    /// # Errors
    ///
    /// `Corrupt` unless there is one name per feature.
    pub fn with_feature_names(mut self, names: Vec<String>) -> Result<Self, Error> {
        one_each("features", names.len(), self.features())?;
        self.feature_names = names.into();
        Ok(self)
    }

    /// Names the outputs.
    ///
    /// # Errors
    ///
    /// `Corrupt` unless there is one name per output.
    pub fn with_output_names(mut self, names: Vec<String>) -> Result<Self, Error> {
        one_each("outputs", names.len(), self.outputs())?;
        self.output_names = names.into();
        Ok(self)
    }

    /// The trees.
    #[must_use]
    pub fn forest(&self) -> &Forest {
        &self.forest
    }

    /// How many columns a row has.
    #[must_use]
    pub fn features(&self) -> usize {
        self.forest.features()
    }

    /// The names of the features, in order; empty where the model has none.
    #[must_use]
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// How many scores a row gets.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.forest.outputs()
    }

    /// The names of the outputs, in order; empty where the model has none.
    #[must_use]
    pub fn output_names(&self) -> &[String] {
        &self.output_names
    }
}

impl Executor for TreeModel {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        let (width, features) = (batch.kinds().len(), self.forest.features());
        let outputs = self.forest.outputs();
        if batch.rows() == 0 {
            return Scores::new(outputs, Vec::new());
        }
        if width != features {
            return Err(Error::new(
                ErrorKind::Invalid,
                "run a tree ensemble",
                "the batch has other columns than the model has features; check the contract",
            )
            .with("columns", width)
            .with("features", features));
        }
        let rows = batch.dense(&mut self.dense);
        let mut scores = Vec::with_capacity(batch.rows().saturating_mul(outputs));
        self.forest
            .score_with(rows, width, &mut self.scratch, &mut scores)?;
        Scores::new(outputs, scores)
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(self.clone()))
    }
}

fn one_each(what: &'static str, names: usize, expected: usize) -> Result<(), Error> {
    if names == expected {
        return Ok(());
    }
    Err(super::builder::corrupt("there must be one name each")
        .with("of", what)
        .with("names", names)
        .with("expected", expected))
}

#[cfg(test)]
mod tests;
