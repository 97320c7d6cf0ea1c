#[cfg(feature = "burn")]
use noops_core::Executor;
use proptest::prelude::*;

use super::*;
use crate::model::mlp::{Activation, Embedding, Layer, Mlp, Standardisation};

fn model() -> Mlp {
    let ramp = |count: usize| {
        (0..count)
            .map(|i| i as f32 / 8.0 - 1.0)
            .collect::<Vec<f32>>()
    };
    let hidden = Layer::new(4, 3, ramp(12))
        .unwrap()
        .with_bias(ramp(3))
        .unwrap();
    let output = Layer::new(3, 2, ramp(6))
        .unwrap()
        .with_activation(Activation::Softmax);
    let hidden = hidden.with_activation(Activation::LeakyRelu { slope: 0.25 });
    let model = Mlp::new(vec![hidden, output]).unwrap();
    let model = model
        .with_embeddings(vec![Embedding::new(2, ramp(6)).unwrap()])
        .unwrap();
    let scaling = Standardisation::new(vec![0.1, 0.2], vec![3.0, 4.0]).unwrap();
    model.with_standardisation(scaling).unwrap()
}

/// A file of a header as written and of some bytes behind it.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(data);
    file
}

fn kind(bytes: &[u8]) -> ErrorKind {
    Weights::from_safetensors(bytes).unwrap_err().kind()
}

#[test]
fn what_is_written_to_safetensors_is_read_again() {
    let bytes = model().to_weights().unwrap().to_safetensors().unwrap();
    assert_eq!(Mlp::from_safetensors(&bytes).unwrap(), model());
}

#[test]
fn a_file_of_the_reference_implementation_is_read() {
    // safetensors.numpy.save({"a": np.array([[1.5, -2.0]], np.float16), "n": np.array([3], np.int64)}, metadata={"k": "v"})
    let header = r#"{"__metadata__":{"k":"v"},"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"a":{"dtype":"F16","shape":[1,2],"data_offsets":[8,12]}}"#;
    let weights =
        Weights::from_safetensors(&file(header, &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0x3e, 0, 0xc0]))
            .unwrap();
    assert_eq!(
        weights.tensor("a"),
        Some(&NamedTensor::new(vec![1, 2], vec![1.5, -2.0]).unwrap())
    );
    assert_eq!(weights.tensors().count(), 1, "whole numbers are left out");
    assert_eq!(weights.metadata()["k"], "v");
}

#[test]
fn a_header_that_lies_is_corrupt() {
    let tensor = |shape: &str, offsets: &str| {
        format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    let lies = [
        tensor("[1]", "[0,8]"),
        tensor("[1]", "[4,8]"),
        tensor("[1]", "[4,0]"),
        tensor("[9223372036854775807,9223372036854775807]", "[0,4]"),
        tensor("[18446744073709551616]", "[0,4]"),
        tensor("[-1]", "[0,4]"),
        tensor("[1]", "[0,18446744073709551615]"),
        tensor("[1]", "[0,4],\"dtype\":\"F16\""),
        tensor("[2]", "[0,4]"),
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.to_owned(),
        r#"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.to_owned(),
        "{}".to_owned(),
        "[".repeat(100_000),
        format!("{{\"a\":{}", "[".repeat(100_000)),
    ];
    for header in lies {
        assert_eq!(
            kind(&file(&header, &[0; 4])),
            ErrorKind::Corrupt,
            "{header:.80}"
        );
    }
    assert_eq!(kind(&u64::MAX.to_le_bytes()), ErrorKind::Corrupt);
    assert_eq!(kind(&[]), ErrorKind::Corrupt);
    let odd = r#"{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}"#;
    assert_eq!(
        kind(&file(odd, &[0; 4])),
        ErrorKind::Invalid,
        "well formed, but not supported"
    );
}

#[test]
fn every_truncated_file_is_corrupt() {
    let bytes = model().to_weights().unwrap().to_safetensors().unwrap();
    for length in 0..bytes.len() {
        assert_eq!(kind(&bytes[..length]), ErrorKind::Corrupt, "{length} bytes");
    }
}

#[test]
fn weights_that_are_not_finite_are_refused() {
    for bad in [f32::NAN, f32::INFINITY] {
        let mut weights = model().to_weights().unwrap();
        weights.insert(
            "layers.1.bias",
            NamedTensor::new(vec![2], vec![0.0, bad]).unwrap(),
        );
        let error = Mlp::from_safetensors(&weights.to_safetensors().unwrap()).unwrap_err();
        assert!(error.to_string().contains("not finite"), "{error}");
        assert!(
            error.to_string().contains("layers.1"),
            "names the layer: {error}"
        );
    }
}

#[test]
fn a_shape_without_values_ends_at_once() {
    let huge = usize::MAX;
    for (shape, layout) in [
        ([0, huge], WeightLayout::OutputsByInputs),
        ([huge, 0], WeightLayout::InputsByOutputs),
    ] {
        let mut weights = Weights::new();
        weights.insert(
            "a.weight",
            NamedTensor::new(shape.to_vec(), vec![]).unwrap(),
        );
        let description = MlpDescription::new(vec![LayerDescription::new("a", Activation::Relu)]);
        assert!(Mlp::from_weights(&weights, &description.with_layout(layout)).is_err());
    }
}

#[test]
fn the_layout_is_told_by_shapes_that_chain() {
    let tensor = |shape: [usize; 2]| {
        NamedTensor::new(shape.to_vec(), vec![0.5; shape[0] * shape[1]]).unwrap()
    };
    let mut burn = Weights::new();
    let mut torch = Weights::new();
    for (name, inputs, outputs) in [("net.2", 5, 7), ("net.10", 7, 1), ("net.0", 3, 5)] {
        burn.insert(format!("{name}.weight"), tensor([inputs, outputs]));
        torch.insert(format!("{name}.weight"), tensor([outputs, inputs]));
    }
    let infer =
        |weights: &Weights| MlpDescription::infer(weights, Activation::Relu, Activation::Sigmoid);
    for (weights, layout) in [
        (&burn, WeightLayout::InputsByOutputs),
        (&torch, WeightLayout::OutputsByInputs),
    ] {
        let description = infer(weights).unwrap();
        assert_eq!(description.layout(), layout);
        let names: Vec<&str> = description
            .layers()
            .iter()
            .map(LayerDescription::name)
            .collect();
        assert_eq!(names, ["net.0", "net.2", "net.10"], "as people count");
        let model = Mlp::from_weights(weights, &description).unwrap();
        assert_eq!((model.numbers(), model.outputs()), (3, 1));
        assert_eq!(model.layers()[2].activation(), Activation::Sigmoid);
        let error = Mlp::from_safetensors(&weights.to_safetensors().unwrap()).unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Invalid,
            "activations are never guessed"
        );
    }
    let mut square = Weights::new();
    square.insert("a.weight", tensor([4, 4]));
    assert!(infer(&square).unwrap_err().to_string().contains("square"));
    burn.insert(
        "norm.gamma",
        NamedTensor::new(vec![5], vec![1.0; 5]).unwrap(),
    );
    assert!(
        infer(&burn).unwrap_err().to_string().contains("norm.gamma"),
        "no tensor is left out silently"
    );
    assert!(infer(&Weights::new()).is_err());
}

#[test]
fn a_transposed_file_is_the_same_model() {
    let original = model();
    let mut weights = original.to_weights().unwrap();
    for (index, layer) in original.layers().iter().enumerate() {
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        let values = (0..outputs)
            .flat_map(|output| layer.weight().iter().skip(output).step_by(outputs).copied());
        let tensor = NamedTensor::new(vec![outputs, inputs], values.collect()).unwrap();
        weights.insert(format!("layers.{index}.weight"), tensor);
    }
    let description = MlpDescription::carried_by(&weights).unwrap().unwrap();
    let description = description.with_layout(WeightLayout::OutputsByInputs);
    assert_eq!(Mlp::from_weights(&weights, &description).unwrap(), original);
}

#[test]
fn a_description_that_is_none_is_refused() {
    for text in [
        "",
        "{}",
        "[]",
        r#"{"layers":[],"more":1}"#,
        r#"{"layers":[{"name":"a","activation":"magic"}]}"#,
    ] {
        let weights = Weights::new().with_metadata(MlpDescription::KEY, text);
        let bytes = weights.to_safetensors().unwrap();
        assert!(Mlp::from_safetensors(&bytes).is_err(), "{text}");
    }
}

#[test]
#[cfg(feature = "burn")]
fn what_is_written_to_burnpack_is_read_again() {
    let bytes = model().to_weights().unwrap().to_burnpack().unwrap();
    assert_eq!(Mlp::from_burnpack(&bytes).unwrap(), model());
    for length in 0..bytes.len() {
        let error = Weights::from_burnpack(&bytes[..length]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{length} bytes");
    }
}

#[test]
#[cfg(feature = "burn")]
fn what_a_burn_module_saves_is_read() {
    use burn::module::Module;
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::{Device, Tensor, TensorData};
    use noops_core::{Batch, Column};

    let device = Device::flex();
    let module: Vec<Linear> = vec![
        LinearConfig::new(3, 5).init(&device),
        LinearConfig::new(5, 2).init(&device),
    ];
    let bytes = module.clone().into_record().into_bytes().unwrap().to_vec();
    let weights = Weights::from_burnpack(&bytes).unwrap();
    let description =
        MlpDescription::infer(&weights, Activation::Identity, Activation::Identity).unwrap();
    assert_eq!(description.layout(), WeightLayout::InputsByOutputs);
    let mut model = Mlp::from_weights(&weights, &description).unwrap();
    let row = vec![0.5, -1.0, 2.0];
    let columns = row.iter().map(|x| Column::Number(vec![*x])).collect();
    let found = model.run(&Batch::new(columns).unwrap()).unwrap();
    let mut values = Tensor::<2>::from_data(TensorData::new(row, [1, 3]), &device);
    for layer in &module {
        values = layer.forward(values);
    }
    let expected = values
        .try_into_data()
        .unwrap()
        .try_into_vec::<f32>()
        .unwrap();
    for (found, expected) in found.values().iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_byte_that_flipped_is_no_reason_to_panic(place in 0_usize..2_000, value in any::<u8>()) {
        let mut bytes = model().to_weights().unwrap().to_safetensors().unwrap();
        let place = place % bytes.len();
        bytes[place] = value;
        let _ = Mlp::from_safetensors(&bytes);
        #[cfg(feature = "burn")]
        {
            let mut bytes = model().to_weights().unwrap().to_burnpack().unwrap();
            let place = place % bytes.len();
            bytes[place] = value;
            let _ = Mlp::from_burnpack(&bytes);
        }
    }
}
