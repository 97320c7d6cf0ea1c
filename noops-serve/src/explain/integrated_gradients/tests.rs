use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::activation::{relu, tanh};
use noops_core::Column;

use super::*;

fn linear(weights: &[f32]) -> Linear {
    let shape = [weights.len(), 1];
    let weight = Tensor::<2>::from_data(TensorData::new(weights.to_vec(), shape), &Device::flex());
    Linear {
        weight: Param::initialized(1_u64.into(), weight),
        bias: None,
    }
}

fn row(numbers: &[f32]) -> Batch {
    Batch::new(numbers.iter().map(|&x| Column::Number(vec![x])).collect()).unwrap()
}

fn values(explanation: &Explanation) -> Vec<f64> {
    let parts = explanation.attributions().iter();
    parts.map(|part| part.value()).collect()
}

/// Explains a function of two numbers against zero.
fn explain(
    method: &IntegratedGradients,
    function: impl Fn(Tensor<2>) -> Tensor<2>,
    numbers: &[f32],
) -> Result<Explanation, Error> {
    let forward = |_: &Linear, numbers: Tensor<2>, _: Vec<Tensor<2, Int>>| function(numbers);
    let zero = vec![0.0; numbers.len()];
    let module = linear(&[1.0]);
    let explained = method.explain(
        &module,
        &Device::flex(),
        forward,
        &row(numbers),
        &row(&zero),
    )?;
    Ok(explained.into_iter().next().unwrap())
}

fn column(numbers: &Tensor<2>, index: usize) -> Tensor<2> {
    numbers.clone().narrow(1, index, 1)
}

/// Spends the budget, to see where it leads.
fn spending(quadrature: Quadrature, budget: u64) -> IntegratedGradients {
    IntegratedGradients::default()
        .with_quadrature(quadrature)
        .with_tolerance(-1.0)
        .with_budget(NonZeroU64::new(budget).unwrap())
}

#[test]
fn of_a_linear_module_they_are_weight_times_step() {
    let forward = |module: &Linear, numbers, _: Vec<Tensor<2, Int>>| module.forward(numbers);
    let rows = Batch::new(vec![
        Column::Number(vec![1.0, 3.0]),
        Column::Number(vec![2.0, -4.0]),
    ])
    .unwrap();
    let explained = IntegratedGradients::default()
        .explain(
            &linear(&[0.5, -2.0]),
            &Device::flex(),
            forward,
            &rows,
            &row(&[1.0, 1.0]),
        )
        .unwrap();
    for (explained, expected) in explained.iter().zip([[0.0, -2.0], [1.0, 10.0]]) {
        for (found, expected) in values(explained).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{explained:?}");
        }
        assert_eq!(explained.base_value(), -1.5);
        assert_eq!(explained.evaluations(), 2 + 5, "the first sum is enough");
    }
}

#[test]
fn polynomials_are_integrated_as_calculus_does() {
    // f = x³ y: along (2α, 3α), ∫ 3x²y dα · 2 = 3·4·3·2/4 = 18 and ∫ x³ dα · 3 = 8·3/4 = 6.
    let function = |x: Tensor<2>| column(&x, 0).powi_scalar(3) * column(&x, 1);
    for quadrature in [Quadrature::GaussLegendre, Quadrature::Trapezoid] {
        let method = IntegratedGradients::default().with_quadrature(quadrature);
        let explained = explain(&method, function, &[2.0, 3.0]).unwrap();
        let found = values(&explained);
        assert!(
            (found[0] - 18.0).abs() < 1e-3 && (found[1] - 6.0).abs() < 1e-3,
            "{found:?}"
        );
        assert!(explained.completeness_gap() <= 1e-3);
    }
}

#[test]
fn more_panels_close_the_gap() {
    let function = |x: Tensor<2>| tanh(column(&x, 0) * 4.0) * relu(column(&x, 1) - 0.37);
    let gap = |quadrature, budget| {
        let explained = explain(&spending(quadrature, budget), function, &[1.0, 1.0]).unwrap();
        explained.completeness_gap()
    };
    for quadrature in [Quadrature::GaussLegendre, Quadrature::Trapezoid] {
        let (coarse, fine) = (gap(quadrature, 10), gap(quadrature, 4000));
        assert!(fine < coarse / 10.0, "{quadrature:?}: {coarse} and {fine}");
        assert!(fine < 1e-3, "{quadrature:?}: {fine}");
    }
}

#[test]
fn it_stops_when_the_gap_is_closed_and_says_when_it_is_not() {
    let jump = |x: Tensor<2>| (relu(column(&x, 0) - 0.5) - relu(column(&x, 0) - 0.5001)) * 1e4;
    let poor = explain(&IntegratedGradients::default(), jump, &[1.0, 1.0]).unwrap();
    assert!(poor.completeness_gap() > 1e-3, "{poor:?}");
    assert!(poor.evaluations() <= 2 + 4096);
    let smooth = |x: Tensor<2>| tanh(column(&x, 0)) + column(&x, 1);
    let good = explain(&IntegratedGradients::default(), smooth, &[1.0, 1.0]).unwrap();
    assert!(
        good.completeness_gap() <= 1e-3 && good.evaluations() < 20,
        "{good:?}"
    );
}

#[test]
fn categories_stay_as_they_are() {
    let batch = |x: f32, code: u32| {
        Batch::new(vec![Column::Category(vec![code]), Column::Number(vec![x])]).unwrap()
    };
    let forward = |_: &Linear, numbers: Tensor<2>, codes: Vec<Tensor<2, Int>>| {
        codes
            .into_iter()
            .fold(numbers, |product, codes| product * codes.float())
    };
    let explained = IntegratedGradients::default()
        .explain(
            &linear(&[1.0]),
            &Device::flex(),
            forward,
            &batch(2.0, 3),
            &batch(1.0, 7),
        )
        .unwrap();
    assert_eq!(
        (explained[0].base_value(), explained[0].prediction()),
        (3.0, 6.0)
    );
    assert_eq!(explained[0].attributions()[0].value(), 0.0);
    assert!((explained[0].attributions()[1].value() - 3.0).abs() < 1e-6);
}

#[test]
fn what_has_no_gradient_is_refused() {
    let method = IntegratedGradients::default();
    let sum = |x: Tensor<2>| x.sum_dim(1);
    let why = |result: Result<Explanation, Error>| result.unwrap_err().to_string();
    assert!(why(explain(&method, sum, &[f32::NAN, 1.0])).contains("missing"));
    let constant = |x: Tensor<2>| Tensor::<2>::ones([x.dims()[0], 1], &Device::flex());
    assert!(why(explain(&method, constant, &[1.0])).contains("does not depend"));
    assert!(why(explain(&method, |x| column(&x, 7), &[1.0])).contains("panicked"));
    let other = method.clone().with_output(1);
    assert!(why(explain(&other, sum, &[1.0])).contains("no such output"));
    assert!(why(explain(&method, |x| x.log(), &[1.0])).contains("not finite"));
    let small = method.clone().with_budget(NonZeroU64::MIN);
    assert!(why(explain(&small, sum, &[1.0])).contains("budget"));
    let forward = |module: &Linear, numbers, _: Vec<Tensor<2, Int>>| module.forward(numbers);
    let two = row(&[1.0]).take(&[0, 0]);
    let refused = method.explain(
        &linear(&[1.0]),
        &Device::flex(),
        forward,
        &row(&[1.0]),
        &two,
    );
    assert!(refused.unwrap_err().to_string().contains("one row"));
}
