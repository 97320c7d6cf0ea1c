//! Perceptrons of named tensors, and back.

use std::collections::BTreeSet;

use noops_core::Error;

use super::{
    EmbeddingDescription, LayerDescription, MlpDescription, NamedTensor, WeightLayout, Weights,
    invalid,
};
use crate::model::mlp::{Embedding, Layer, Mlp};

impl Mlp {
    /// Builds a perceptron of named tensors.
    ///
    /// # Errors
    ///
    /// When a tensor is missing, has another shape than a layer has, or holds numbers that are not finite.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_serve::model::mlp::{Activation, Mlp};
    /// use noops_serve::model::weights::{LayerDescription, MlpDescription, NamedTensor, Weights};
    ///
    /// let mut weights = Weights::new();
    /// weights.insert("head.weight", NamedTensor::new(vec![3, 1], vec![0.1, 0.2, 0.3])?);
    /// let description = MlpDescription::new(vec![LayerDescription::new("head", Activation::Sigmoid)]);
    /// let model = Mlp::from_weights(&weights, &description)?;
    /// assert_eq!((model.numbers(), model.outputs()), (3, 1));
    /// # Ok::<(), noops_core::Error>(())
    /// ```
    pub fn from_weights(weights: &Weights, description: &MlpDescription) -> Result<Self, Error> {
        let layers = description.layers().iter();
        let layers: Result<_, _> = layers
            .map(|layer| layer_of(weights, layer, description.layout()))
            .collect();
        let tables = description.embeddings().iter();
        let tables: Result<_, _> = tables.map(|table| embedding_of(weights, table)).collect();
        let model = Self::new(layers?)?.with_embeddings(tables?)?;
        match description.standardisation() {
            Some(standardisation) => model.with_standardisation(standardisation.clone()),
            None => Ok(model),
        }
    }

    /// Loads a perceptron of a safetensors file that describes itself.
    ///
    /// # Errors
    ///
    /// `Corrupt` for malformed bytes; `Invalid` for a file that does not describe itself, which
    /// [`from_weights`](Self::from_weights) loads with a description.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_described(&Weights::from_safetensors(bytes)?)
    }

    /// Loads a perceptron of a burnpack file that describes itself.
    ///
    /// # Errors
    ///
    /// As [`from_safetensors`](Self::from_safetensors).
    #[cfg(feature = "burn")]
    pub fn from_burnpack(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_described(&Weights::from_burnpack(bytes)?)
    }

    /// The tensors and the description of this perceptron, for a file that describes itself: layers `layers.0`, `layers.1`, … and
    /// tables `embeddings.0`, …
    ///
    /// # Errors
    ///
    /// When the description cannot be written.
    pub fn to_weights(&self) -> Result<Weights, Error> {
        let mut weights = Weights::new();
        let mut layers = Vec::new();
        for (index, layer) in self.layers().iter().enumerate() {
            let name = format!("layers.{index}");
            let shape = vec![layer.inputs(), layer.outputs()];
            weights.insert(
                format!("{name}.weight"),
                NamedTensor::new(shape, layer.weight().to_vec())?,
            );
            let bias = NamedTensor::new(vec![layer.outputs()], layer.bias().to_vec())?;
            weights.insert(format!("{name}.bias"), bias);
            layers.push(LayerDescription::new(name, layer.activation()));
        }
        let mut tables = Vec::new();
        for (index, table) in self.embeddings().iter().enumerate() {
            let name = format!("embeddings.{index}");
            let rows = table.table().len().checked_div(table.width()).unwrap_or(0);
            let tensor = NamedTensor::new(vec![rows, table.width()], table.table().to_vec())?;
            weights.insert(format!("{name}.weight"), tensor);
            tables.push(EmbeddingDescription::new(name));
        }
        let mut description = MlpDescription::new(layers).with_embeddings(tables);
        if let Some(standardisation) = self.standardisation() {
            description = description.with_standardisation(standardisation.clone());
        }
        let text = serde_json::to_string(&description)
            .map_err(|error| invalid("the description cannot be written").caused_by(error))?;
        Ok(weights.with_metadata(MlpDescription::KEY, text))
    }

    fn from_described(weights: &Weights) -> Result<Self, Error> {
        let description = MlpDescription::carried_by(weights)?.ok_or_else(|| {
            let names: Vec<&str> = weights.tensors().map(|(name, _)| name).take(SHOWN).collect();
            invalid("the file does not say which layers and activations its tensors make, give a description")
                .with("key", MlpDescription::KEY)
                .with("tensors", names.join(", "))
        })?;
        // A layer that is named a million times would be copied as often; what a file can ask for is bounded by its own size.
        let mut named = BTreeSet::new();
        let layers = description.layers().iter().map(LayerDescription::name);
        let tables = description
            .embeddings()
            .iter()
            .map(EmbeddingDescription::name);
        if let Some(twice) = layers.chain(tables).find(|name| !named.insert(*name)) {
            return Err(
                invalid("the description of the file uses one tensor for two layers")
                    .with("layer", twice),
            );
        }
        Self::from_weights(weights, &description)
    }
}

fn layer_of(
    weights: &Weights,
    described: &LayerDescription,
    layout: WeightLayout,
) -> Result<Layer, Error> {
    let name = format!("{}.weight", described.name());
    let tensor = matrix(weights, &name)?;
    let sizes = layout
        .sizes(tensor.shape())
        .ok_or_else(|| no_matrix(&name, tensor))?;
    let values = tensor.values().to_vec();
    let layer = match layout {
        WeightLayout::InputsByOutputs => Layer::new(sizes.inputs, sizes.outputs, values),
        WeightLayout::OutputsByInputs => Layer::transposed(sizes.inputs, sizes.outputs, values),
    };
    let within = |error: Error| error.with("layer", described.name());
    let layer = layer
        .map_err(within)?
        .with_activation(described.activation());
    match weights.tensor(&format!("{}.bias", described.name())) {
        Some(bias) => layer.with_bias(bias.values().to_vec()).map_err(within),
        None => Ok(layer),
    }
}

fn embedding_of(weights: &Weights, described: &EmbeddingDescription) -> Result<Embedding, Error> {
    let name = format!("{}.weight", described.name());
    let tensor = matrix(weights, &name)?;
    let &[_, width] = tensor.shape() else {
        return Err(no_matrix(&name, tensor));
    };
    let embedding = Embedding::new(width, tensor.values().to_vec());
    embedding.map_err(|error| error.with("embedding", described.name()))
}

fn matrix<'a>(weights: &'a Weights, name: &str) -> Result<&'a NamedTensor, Error> {
    weights.tensor(name).ok_or_else(|| {
        invalid("the file has no tensor of the name that the description gives")
            .with("tensor", name)
    })
}

fn no_matrix(name: &str, tensor: &NamedTensor) -> Error {
    let error = invalid("a weight is not a matrix");
    error
        .with("tensor", name)
        .with("shape", format!("{:?}", tensor.shape()))
}

/// Names that an error shows: enough to recognise the file.
const SHOWN: usize = 8;
