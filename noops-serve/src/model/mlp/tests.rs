use noops_core::{Batch, Column, conformance};
use proptest::prelude::*;

use super::*;

/// Numbers that look random, in -1..1, and are the same every time.
pub(crate) fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

pub(crate) fn network(widths: &[usize], hidden: Activation, last: Activation, seed: u64) -> Mlp {
    let pairs = widths.iter().zip(widths.iter().skip(1)).enumerate();
    let layers = pairs.map(|(index, (inputs, outputs))| {
        let seed = seed + 10 * index as u64;
        let spread = (2.0 / *inputs as f32).sqrt();
        let weight = noise(seed, inputs * outputs)
            .iter()
            .map(|x| x * spread)
            .collect();
        let activation = if index + 2 == widths.len() {
            last
        } else {
            hidden
        };
        let layer = Layer::new(*inputs, *outputs, weight).unwrap();
        layer
            .with_bias(noise(seed + 1, *outputs))
            .unwrap()
            .with_activation(activation)
    });
    Mlp::new(layers.collect()).unwrap()
}

pub(crate) fn rows(count: usize, width: usize, seed: u64) -> Batch {
    let column = |column: usize| Column::Number(noise(seed + column as u64, count));
    Batch::new((0..width).map(column).collect()).unwrap()
}

/// The same in double precision, one operation after the other.
fn naive(model: &Mlp, row: &[f32]) -> Vec<f64> {
    let mut values: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
    for layer in model.layers() {
        let sums = (0..layer.outputs()).map(|output| {
            let weights = layer.weight().iter().skip(output).step_by(layer.outputs());
            let products = weights
                .zip(&values)
                .map(|(weight, x)| f64::from(*weight) * x);
            products.sum::<f64>() + f64::from(layer.bias()[output])
        });
        values = activated(layer.activation(), sums.collect());
    }
    values
}

fn activated(activation: Activation, values: Vec<f64>) -> Vec<f64> {
    let total: f64 = values.iter().map(|x| x.exp()).sum();
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let one = |x: f64| match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu { slope } => {
            if x < 0.0 {
                x * f64::from(slope)
            } else {
                x
            }
        }
        Activation::Gelu => x * 0.5 * (1.0 + libm::erf(x / 2.0_f64.sqrt())),
        Activation::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
            x * 0.5 * (1.0 + inner.tanh())
        }
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => sigmoid(x),
        Activation::Silu => x * sigmoid(x),
        Activation::Softmax => x.exp() / total,
    };
    values.into_iter().map(one).collect()
}

const ALL: [Activation; 9] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.1 },
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Silu,
    Activation::Softmax,
];

#[test]
fn every_activation_is_what_its_formula_says() {
    for activation in ALL {
        // A softmax only comes last.
        let hidden = if activation == Activation::Softmax {
            Activation::Relu
        } else {
            activation
        };
        let mut model = network(&[5, 33, 7], hidden, activation, 3);
        let batch = rows(37, 5, 9);
        let scores = model.run(&batch).unwrap();
        for (row, found) in batch.numbers().chunks(5).zip(scores.iter()) {
            for (found, expected) in found.iter().zip(naive(&model, row)) {
                let error = (f64::from(*found) - expected).abs();
                assert!(
                    error < 2e-6 * expected.abs().max(1.0),
                    "{activation:?}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn the_contract_of_an_executor_is_kept() {
    for activation in ALL {
        let mut model = network(&[3, 20, 5], Activation::Silu, activation, 8);
        conformance::executor::all(&mut model, &rows(45, 3, 1));
    }
}

#[test]
fn no_batch_size_changes_a_bit() {
    let mut model = network(&[32, 64, 64, 1], Activation::Relu, Activation::Sigmoid, 1);
    let batch = rows(203, 32, 2);
    let together = model.run(&batch).unwrap();
    for size in [1, 2, 3, 4, 5, 7, 31, 32, 33, 64, 100, 202] {
        let indices: Vec<usize> = (0..size).map(|row| row * 31 % 203).collect();
        let scores = model.run(&batch.take(&indices)).unwrap();
        for (row, found) in indices.iter().zip(scores.iter()) {
            assert_eq!(found, together.row(*row).unwrap(), "row {row} among {size}");
        }
    }
}

#[test]
fn processors_with_other_vectors_differ_by_rounding_only() {
    let mut best = network(&[32, 64, 64, 1], Activation::Tanh, Activation::Identity, 1);
    let batch = rows(20, 32, 2);
    let expected = best.run(&batch).unwrap();
    #[cfg(target_arch = "x86_64")]
    let levels = [Level::baseline()]
        .into_iter()
        .chain(Level::new().as_avx2().map(Level::Avx2));
    #[cfg(not(target_arch = "x86_64"))]
    let levels = [Level::baseline()];
    for level in levels {
        let parts = (best.layers().to_vec(), best.model.inputs.clone());
        let mut other = Mlp::of(Model::at_level(parts.0, parts.1, 1, level));
        conformance::executor::all(&mut other, &batch);
        let scores = other.run(&batch).unwrap();
        for (found, expected) in scores.values().iter().zip(expected.values()) {
            assert!(
                (found - expected).abs() < 2e-6,
                "{level:?}: {found} {expected}"
            );
        }
    }
}

#[cfg(feature = "burn")]
#[test]
fn the_same_as_burn() {
    use burn::tensor::{Device, Tensor, TensorData, activation};

    let device = Device::flex();
    let mut worst = 0.0_f32;
    for seed in 0..20 {
        let mut model = network(
            &[32, 64, 64, 1],
            Activation::Relu,
            Activation::Sigmoid,
            100 * seed,
        );
        let batch = rows(64, 32, seed);
        let mut values =
            Tensor::<2>::from_data(TensorData::new(batch.numbers().to_vec(), [64, 32]), &device);
        for layer in model.layers() {
            let (inputs, outputs) = (layer.inputs(), layer.outputs());
            let data = TensorData::new(layer.weight().to_vec(), [inputs, outputs]);
            let bias = TensorData::new(layer.bias().to_vec(), [1, outputs]);
            let sums = values.matmul(Tensor::from_data(data, &device));
            let sums = sums + Tensor::<2>::from_data(bias, &device);
            values = match layer.activation() {
                Activation::Relu => activation::relu(sums),
                _ => activation::sigmoid(sums),
            };
        }
        let expected = values
            .try_into_data()
            .unwrap()
            .try_into_vec::<f32>()
            .unwrap();
        let scores = model.run(&batch).unwrap();
        for (found, expected) in scores.values().iter().zip(&expected) {
            worst = worst.max((found - expected).abs());
        }
    }
    assert!(worst < 1e-6, "probabilities differ by {worst:e}");
}

#[test]
fn codes_become_vectors_and_numbers_are_standardised() {
    // Two numbers and a category of two values as a vector of two.
    let layer = Layer::new(
        4,
        4,
        (0..16).map(|i| f32::from(u8::from(i % 5 == 0))).collect(),
    );
    let table = vec![0.0, 0.5, 10.0, 11.0, 20.0, 21.0];
    let model = Mlp::new(vec![layer.unwrap()]).unwrap();
    let model = model
        .with_embeddings(vec![Embedding::new(2, table).unwrap()])
        .unwrap();
    let scaling = Standardisation::new(vec![1.0, 2.0], vec![2.0, 4.0]).unwrap();
    let mut model = model.with_standardisation(scaling).unwrap();
    assert_eq!((model.numbers(), model.outputs()), (2, 4));
    let numbers = |x: f32| Column::Number(vec![x; 4]);
    let codes = Column::Category(vec![0, 1, 2, 9]);
    let batch = Batch::new(vec![numbers(5.0), codes, numbers(10.0)]).unwrap();
    conformance::executor::all(&mut model, &batch);
    let scores = model.run(&batch).unwrap();
    let expected = [
        [2.0, 2.0, 0.0, 0.5],
        [2.0, 2.0, 10.0, 11.0],
        [2.0, 2.0, 20.0, 21.0],
        [2.0, 2.0, 0.0, 0.5],
    ];
    assert_eq!(
        scores.values(),
        expected.as_flattened(),
        "an unknown code is the first row"
    );
    let other = Batch::new(vec![numbers(5.0), numbers(10.0)]).unwrap();
    assert!(model.run(&other).is_err(), "a column is missing");
}

#[test]
fn a_poisoned_row_is_seen_and_stays_alone() {
    for activation in ALL {
        let hidden = if activation == Activation::Softmax {
            Activation::Relu
        } else {
            activation
        };
        for outputs in [1, 5] {
            let mut model = network(&[2, 70, outputs], hidden, activation, 5);
            let batch = |bad: f32| {
                Batch::new(vec![
                    Column::Number(vec![0.5, bad, -0.5]),
                    Column::Number(vec![1.0; 3]),
                ])
                .unwrap()
            };
            let good = model.run(&batch(0.0)).unwrap();
            let scores = model.run(&batch(f32::NAN)).unwrap();
            assert!(
                scores.row(1).unwrap().iter().all(|score| score.is_nan()),
                "{activation:?}"
            );
            assert_eq!(scores.row(0), good.row(0));
            assert_eq!(scores.row(2), good.row(2));
        }
    }
}

#[test]
fn an_infinity_in_the_padding_poisons_nothing() {
    // The first layer's sums overflow below zero, which relu turns into zero: the answer is the second layer's bias.
    let first = Layer::new(1, 3, vec![-f32::MAX; 3])
        .unwrap()
        .with_activation(Activation::Relu);
    let second = Layer::new(3, 1, vec![1.0; 3])
        .unwrap()
        .with_bias(vec![0.5])
        .unwrap();
    let mut model = Mlp::new(vec![first, second]).unwrap();
    let batch = Batch::new(vec![Column::Number(vec![f32::MAX])]).unwrap();
    assert_eq!(model.run(&batch).unwrap().values(), [0.5]);
}

#[test]
fn layers_that_do_not_fit_are_refused() {
    let layer = |inputs: usize, outputs: usize| {
        Layer::new(inputs, outputs, vec![0.5; inputs * outputs]).unwrap()
    };
    assert!(Mlp::new(vec![]).is_err());
    assert!(Mlp::new(vec![layer(2, 3), layer(2, 1)]).is_err());
    assert!(
        Mlp::new(vec![
            layer(2, 3).with_activation(Activation::Softmax),
            layer(3, 1)
        ])
        .is_err()
    );
    let model = Mlp::new(vec![layer(2, 3)]).unwrap();
    let wide = Embedding::new(3, vec![0.0; 3]).unwrap();
    assert!(model.clone().with_embeddings(vec![wide]).is_err());
    let scaling = Standardisation::new(vec![0.0], vec![1.0]).unwrap();
    assert!(model.with_standardisation(scaling).is_err());
    assert!(Standardisation::new(vec![0.0], vec![]).is_err());
    assert!(Standardisation::new(vec![f32::NAN], vec![1.0]).is_err());
    assert!(Embedding::new(0, vec![]).is_err());
    assert!(Embedding::new(2, vec![0.0; 3]).is_err());
}

#[test]
fn a_replica_shares_the_weights_and_answers_alike() {
    let mut model = network(&[4, 8, 2], Activation::Tanh, Activation::Softmax, 4);
    let batch = rows(9, 4, 6);
    let mut replica = model.replica().unwrap();
    assert_eq!(Arc::strong_count(&model.model), 2);
    assert_eq!(replica.run(&batch).unwrap(), model.run(&batch).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_shape_is_what_the_naive_loops_say(
        widths in prop::collection::vec(1_usize..140, 2..5),
        count in 1_usize..12,
        seed in 0_u64..1_000,
    ) {
        let mut model = network(&widths, Activation::Relu, Activation::Identity, seed);
        let batch = rows(count, widths[0], seed + 7);
        let scores = model.run(&batch).unwrap();
        prop_assert_eq!(scores.rows(), count);
        for (row, found) in batch.numbers().chunks(widths[0]).zip(scores.iter()) {
            let expected = naive(&model, row);
            prop_assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                prop_assert!((f64::from(*found) - expected).abs() < 2e-5, "{} {}", found, expected);
            }
        }
    }
}
