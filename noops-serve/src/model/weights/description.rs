use std::collections::BTreeMap;

use noops_core::Error;
use serde::{Deserialize, Serialize};

use super::{NamedTensor, Weights, invalid};
use crate::model::mlp::{Activation, Standardisation};

/// How the tensors of a file make a multi-layer perceptron: what a file of weights alone does not say.
///
/// A file says it itself under the key [`KEY`](Self::KEY) of its metadata, as JSON. Otherwise the layers can be
/// [inferred](Self::infer) of the names and shapes of the tensors, but the activations must be told.
///
/// # Examples
///
/// ```
/// use noops_serve::model::mlp::Activation;
/// use noops_serve::model::weights::{MlpDescription, WeightLayout};
///
/// let description: MlpDescription = serde_json::from_str(
///     r#"{"layout": "outputs_by_inputs", "layers": [{"name": "fc1", "activation": "relu"}, {"name": "fc2", "activation": "sigmoid"}]}"#,
/// )?;
/// assert_eq!(description.layout(), WeightLayout::OutputsByInputs);
/// assert_eq!(description.layers().len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpDescription {
    layers: Vec<LayerDescription>,
    #[serde(default)]
    layout: WeightLayout,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standardisation: Option<Standardisation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    embeddings: Vec<EmbeddingDescription>,
}

impl MlpDescription {
    /// The key of the metadata under which a file describes itself.
    pub const KEY: &str = "noops.mlp";

    /// A description of layers from the first to the last, with weights as burn keeps them.
    #[must_use]
    pub fn new(layers: Vec<LayerDescription>) -> Self {
        Self {
            layers,
            layout: WeightLayout::default(),
            standardisation: None,
            embeddings: Vec::new(),
        }
    }

    /// With weights that lie another way.
    #[must_use]
    pub fn with_layout(mut self, layout: WeightLayout) -> Self {
        self.layout = layout;
        self
    }

    /// With the scaling that the numbers had in training.
    #[must_use]
    pub fn with_standardisation(mut self, standardisation: Standardisation) -> Self {
        self.standardisation = Some(standardisation);
        self
    }

    /// With the tables of the category columns, in the contract's order.
    #[must_use]
    pub fn with_embeddings(mut self, embeddings: Vec<EmbeddingDescription>) -> Self {
        self.embeddings = embeddings;
        self
    }

    /// The description that a file carries; `None` where it carries none.
    ///
    /// # Errors
    ///
    /// When what the file carries is no description.
    pub fn carried_by(weights: &Weights) -> Result<Option<Self>, Error> {
        let text = weights.metadata().get(Self::KEY);
        let parsed = text.map(|text| serde_json::from_str(text)).transpose();
        parsed.map_err(|error| {
            let message = "the file describes itself in a way that is not understood";
            invalid(message).with("key", Self::KEY).caused_by(error)
        })
    }

    /// A description of the layers that a file seems to have: every matrix `NAME.weight`, in the natural order of the names, which
    /// counts `fc2` before `fc10`. The way in which the weights lie is the one in which each layer has the inputs that the one before
    /// has outputs, and as many outputs as `NAME.bias`.
    ///
    /// # Errors
    ///
    /// When there are no layers, when a tensor belongs to none, when they fit neither way, and when they fit both ways, as square matrices do: then somebody must say.
    pub fn infer(weights: &Weights, hidden: Activation, last: Activation) -> Result<Self, Error> {
        let mut found: BTreeMap<Vec<Piece>, (&str, &NamedTensor)> = BTreeMap::new();
        for (name, tensor) in weights.tensors() {
            if let Some(layer) = name.strip_suffix(".weight")
                && tensor.shape().len() == 2
            {
                found.insert(pieces(layer), (layer, tensor));
            }
        }
        let used = |name: &str| {
            let layer = name.strip_suffix(".weight").or(name.strip_suffix(".bias"));
            layer.is_some_and(|layer| found.contains_key(&pieces(layer)))
        };
        if let Some((name, _)) = weights.tensors().find(|(name, _)| !used(name)) {
            let error = invalid("a tensor belongs to no dense layer, describe the model");
            return Err(error.with("tensor", name));
        }
        let one = chains(weights, &found, WeightLayout::InputsByOutputs);
        let other = chains(weights, &found, WeightLayout::OutputsByInputs);
        let layout = match (one, other) {
            (true, false) => WeightLayout::InputsByOutputs,
            (false, true) => WeightLayout::OutputsByInputs,
            (true, true) => {
                return Err(invalid(
                    "all matrices are square, so their layout must be described",
                ));
            }
            (false, false) => {
                let names: Vec<&str> = found.values().map(|(name, _)| *name).collect();
                let error = invalid("the matrices make no chain of layers, describe the model");
                return Err(error.with("matrices", names.join(", ")));
            }
        };
        let count = found.len();
        let layers = found.values().zip(1..).map(|((name, _), place)| {
            LayerDescription::new(*name, if place == count { last } else { hidden })
        });
        Ok(Self::new(layers.collect()).with_layout(layout))
    }

    /// The layers, from the first to the last.
    #[must_use]
    pub fn layers(&self) -> &[LayerDescription] {
        &self.layers
    }

    /// How the weights lie.
    #[must_use]
    pub fn layout(&self) -> WeightLayout {
        self.layout
    }

    /// The scaling of the numbers, if there is one.
    #[must_use]
    pub fn standardisation(&self) -> Option<&Standardisation> {
        self.standardisation.as_ref()
    }

    /// The tables of the category columns.
    #[must_use]
    pub fn embeddings(&self) -> &[EmbeddingDescription] {
        &self.embeddings
    }
}

/// A layer by the name of its tensors: `NAME.weight`, and `NAME.bias` where there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerDescription {
    name: String,
    #[serde(default)]
    activation: Activation,
}

impl LayerDescription {
    /// A layer and what it does with its sums.
    #[must_use]
    pub fn new(name: impl Into<String>, activation: Activation) -> Self {
        Self {
            name: name.into(),
            activation,
        }
    }

    /// What comes before `.weight` and `.bias`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the layer does with its sums.
    #[must_use]
    pub fn activation(&self) -> Activation {
        self.activation
    }
}

/// The table of a category column by the name of its tensor, `NAME.weight`: a row per code, the first for missing and unknown ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingDescription {
    name: String,
}

impl EmbeddingDescription {
    /// A table.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// What comes before `.weight`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// How the matrix of a layer lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightLayout {
    /// Inputs by outputs, as burn keeps it.
    #[default]
    InputsByOutputs,
    /// Outputs by inputs, as PyTorch keeps it.
    OutputsByInputs,
}

impl WeightLayout {
    /// The inputs and outputs of a matrix.
    pub(super) fn sizes(self, shape: &[usize]) -> Option<Sizes> {
        match (self, shape) {
            (Self::InputsByOutputs, &[inputs, outputs])
            | (Self::OutputsByInputs, &[outputs, inputs]) => Some(Sizes { inputs, outputs }),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

/// Whether the layers fit each other and their biases, read this way.
fn chains(
    weights: &Weights,
    found: &BTreeMap<Vec<Piece>, (&str, &NamedTensor)>,
    layout: WeightLayout,
) -> bool {
    let mut before = None;
    for (name, tensor) in found.values() {
        let Some(sizes) = layout.sizes(tensor.shape()) else {
            return false;
        };
        let bias = weights.tensor(&format!("{name}.bias"));
        let fits = bias.is_none_or(|bias| bias.shape() == [sizes.outputs]);
        if !fits || before.is_some_and(|outputs| outputs != sizes.inputs) {
            return false;
        }
        before = Some(sizes.outputs);
    }
    before.is_some()
}

/// A run of digits, or of anything else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    /// The number of digits without leading zeros orders numbers of any length; then the digits do; then the zeros tell `01` from `1`.
    Number(usize, String, usize),
    Text(String),
}

fn pieces(name: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest
            .find(|c: char| c.is_ascii_digit() != digits)
            .unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        pieces.push(if digits {
            let number = piece.trim_start_matches('0');
            Piece::Number(number.len(), number.to_owned(), piece.len())
        } else {
            Piece::Text(piece.to_owned())
        });
        rest = behind;
    }
    pieces
}
