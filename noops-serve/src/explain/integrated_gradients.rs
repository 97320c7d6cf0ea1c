//! The gradient of a burn module, added up on the way from a baseline.

use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use noops_core::{Batch, Error, ErrorKind};

use super::model::{check_background, refuse};
use super::{Explanation, Method};

/// How an integral becomes a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quadrature {
    /// Five points of Gauss and Legendre in each panel: the fewest evaluations where the model is smooth.
    #[default]
    GaussLegendre,
    /// The ends of each panel, which the next, finer sum uses again.
    Trapezoid,
}

/// Integrated gradients of what burn can differentiate (Sundararajan, Taly and Yan, 2017).
///
/// For a row x and a baseline x′, feature i gets `(xᵢ − x′ᵢ) ∫₀¹ ∂f/∂xᵢ (x′ + α (x − x′)) dα`. The attributions add up to
/// `f(x) − f(x′)` but for the error of the integration: the panels are doubled until the completeness gap is within the tolerance
/// or the budget is spent. Ask [`completeness_gap`](Explanation::completeness_gap) which.
///
/// Every column has an attribution. A category has no gradient: codes stay those of the row all the way, and get zero.
///
/// # Examples
///
/// ```
/// use burn::module::Module;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, activation::tanh};
/// use noops_core::{Batch, Column};
/// use noops_serve::explain::IntegratedGradients;
///
/// let device = Device::flex();
/// let linear = LinearConfig::new(2, 1).init(&device);
/// let row = Batch::new(vec![Column::Number(vec![0.3]), Column::Number(vec![-1.0])])?;
/// let zero = Batch::new(vec![Column::Number(vec![0.0]), Column::Number(vec![0.0])])?;
/// let explained = IntegratedGradients::default()
///     .explain(&linear, &device, |linear: &Linear, numbers, _| tanh(linear.forward(numbers)), &row, &zero)?;
/// assert!(explained[0].completeness_gap() < 1e-3);
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct IntegratedGradients {
    quadrature: Quadrature,
    tolerance: f64,
    budget: NonZeroU64,
    output: usize,
}

impl Default for IntegratedGradients {
    /// The first output, to within 0.001 in its unit, with at most 4096 points on the path.
    fn default() -> Self {
        Self {
            quadrature: Quadrature::GaussLegendre,
            tolerance: 1e-3,
            budget: NonZeroU64::MIN.saturating_add(4095),
            output: 0,
        }
    }
}

impl IntegratedGradients {
    /// Sums the integral another way.
    #[must_use]
    pub fn with_quadrature(mut self, quadrature: Quadrature) -> Self {
        self.quadrature = quadrature;
        self
    }

    /// Refines until the completeness gap is at most this, in the model's unit. Rounding in single precision is a floor; with a
    /// negative number or NaN the budget is spent.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Takes at most so many gradients for each row explained.
    #[must_use]
    pub fn with_budget(mut self, evaluations: NonZeroU64) -> Self {
        self.budget = evaluations;
        self
    }

    /// Explains another output of the module.
    #[must_use]
    pub fn with_output(mut self, output: usize) -> Self {
        self.output = output;
        self
    }

    /// Explains every row against a baseline of one row.
    ///
    /// `forward` goes from the numbers `[rows, numeric columns]` and the codes of each other column `[rows, 1]` to
    /// `[rows, outputs]`, and must not let a row's outputs depend on other rows. Give the module for inference, `module.valid()`;
    /// it lives on `device`, and its weights are constants here.
    ///
    /// # Errors
    ///
    /// Refuses a baseline that is not one row of the rows' columns, missing numbers, rows without any number, a budget below the
    /// first sum, an output that the module does not have or that does not depend on the numbers, and outputs and gradients that
    /// are not finite. A module that panics, as burn's do when shapes do not fit, is an error too.
    ///
    /// # Complexity
    ///
    /// Two evaluations, and of gradients less than twice those of the last sum.
    pub fn explain<M: Module>(
        &self,
        module: &M,
        device: &Device,
        forward: impl Fn(&M, Tensor<2>, Vec<Tensor<2, Int>>) -> Tensor<2>,
        rows: &Batch,
        baseline: &Batch,
    ) -> Result<Vec<Explanation>, Error> {
        check_background(rows, baseline)?;
        if baseline.rows() != 1 {
            return Err(refuse("the baseline must be one row").with("rows", baseline.rows()));
        }
        let finite = |batch: &Batch| batch.numbers().iter().all(|number| number.is_finite());
        if !finite(rows) || !finite(baseline) {
            return Err(refuse("a missing number has no gradient: impute it first"));
        }
        if rows.number_columns() == 0 {
            return Err(refuse("there is no number to take a gradient by"));
        }
        let field = Field {
            forward: |numbers, codes| forward(module, numbers, codes),
            device,
            output: self.output,
        };
        let each = (0..rows.rows()).map(|row| {
            let row = rows.take(&[row]);
            let path = Path::new(&row, baseline);
            self.explain_row(&field, &path, &row)
        });
        each.collect()
    }

    fn explain_row<F>(
        &self,
        field: &Field<'_, F>,
        path: &Path<'_>,
        row: &Batch,
    ) -> Result<Explanation, Error>
    where
        F: Fn(Tensor<2>, Vec<Tensor<2, Int>>) -> Tensor<2>,
    {
        let ends = field.values(path, &[0.0, 1.0])?;
        let (base, prediction) = match ends.as_slice() {
            [base, prediction] => (*base, *prediction),
            _ => return Err(refuse("the module did not give one row of outputs a row")),
        };
        let mut sum = Sum::new(self.quadrature, path.steps.len());
        let mut evaluations = 2_u64;
        let mut panels = 1_u64;
        loop {
            let points = sum.points(panels);
            evaluations = evaluations.saturating_add(points.len() as u64);
            if evaluations.saturating_sub(2) > self.budget.get() {
                return Err(refuse("the budget does not cover the first sum")
                    .with("budget", self.budget)
                    .with("points", points.len()));
            }
            sum.refine(panels, &field.gradients(path, &points)?, &points);
            let explanation = Explanation::new(
                Method::IntegratedGradients,
                base,
                prediction,
                by_column(row, sum.integrals(), &path.steps),
                evaluations,
            );
            panels = panels.saturating_mul(2);
            let next = evaluations
                .saturating_sub(2)
                .saturating_add(sum.points_of(panels));
            if explanation.completeness_gap() <= self.tolerance || next > self.budget.get() {
                return Ok(explanation);
            }
        }
    }
}

/// The straight way from the baseline to a row.
struct Path<'a> {
    baseline: &'a [f32],
    codes: &'a [u32],
    steps: Vec<f64>,
}

impl<'a> Path<'a> {
    fn new(row: &'a Batch, baseline: &'a Batch) -> Self {
        let both = row.numbers().iter().zip(baseline.numbers());
        Self {
            baseline: baseline.numbers(),
            codes: row.codes(),
            steps: both
                .map(|(x, from)| f64::from(*x) - f64::from(*from))
                .collect(),
        }
    }

    fn numbers(&self, points: &[f64]) -> Vec<f32> {
        let at = |point: f64| {
            let both = self.baseline.iter().zip(&self.steps);
            both.map(move |(from, step)| (f64::from(*from) + point * step) as f32)
        };
        points.iter().flat_map(|&point| at(point)).collect()
    }
}

/// A module as a function of its numbers.
struct Field<'a, F> {
    forward: F,
    device: &'a Device,
    output: usize,
}

impl<F: Fn(Tensor<2>, Vec<Tensor<2, Int>>) -> Tensor<2>> Field<'_, F> {
    /// The output at points of a path.
    fn values(&self, path: &Path<'_>, points: &[f64]) -> Result<Vec<f64>, Error> {
        guarded(|| {
            let numbers = self.numbers(path, points);
            let output = self.output(numbers, path, points.len())?;
            read(output)
        })
    }

    /// The gradients at points of a path, one behind the other.
    fn gradients(&self, path: &Path<'_>, points: &[f64]) -> Result<Vec<f64>, Error> {
        let mut gradients = Vec::with_capacity(points.len() * path.steps.len());
        for points in points.chunks(POINTS_AT_ONCE) {
            gradients.extend(guarded(|| {
                let numbers = self.numbers(path, points).autodiff().require_grad();
                let output = self.output(numbers.clone(), path, points.len())?.sum();
                if !output.is_tracked() {
                    return Err(refuse("the output does not depend on the numbers"));
                }
                let gradient = numbers.grad(&output.backward());
                read(gradient.ok_or_else(|| refuse("the output does not depend on the numbers"))?)
            })?);
        }
        Ok(gradients)
    }

    fn numbers(&self, path: &Path<'_>, points: &[f64]) -> Tensor<2> {
        let shape = [points.len(), path.steps.len()];
        Tensor::from_data(TensorData::new(path.numbers(points), shape), self.device)
    }

    /// The explained output of every row, `[rows, 1]`.
    fn output(&self, numbers: Tensor<2>, path: &Path<'_>, rows: usize) -> Result<Tensor<2>, Error> {
        let codes = path.codes.iter().map(|&code| {
            let codes = vec![i32::try_from(code).unwrap_or(0); rows];
            Tensor::from_data(TensorData::new(codes, [rows, 1]), self.device)
        });
        let output = (self.forward)(numbers, codes.collect());
        let [found, width] = output.dims();
        if found != rows || self.output >= width {
            return Err(refuse("the module has no such output for every row")
                .with("output", self.output)
                .with("outputs", width)
                .with("rows", found));
        }
        Ok(output.narrow(1, self.output, 1))
    }
}

/// The integrals, sum by sum.
struct Sum {
    quadrature: Quadrature,
    integrals: Vec<f64>,
}

impl Sum {
    fn new(quadrature: Quadrature, features: usize) -> Self {
        Self {
            quadrature,
            integrals: vec![0.0; features],
        }
    }

    fn integrals(&self) -> &[f64] {
        &self.integrals
    }

    /// How many points a sum over so many panels adds.
    fn points_of(&self, panels: u64) -> u64 {
        match self.quadrature {
            Quadrature::GaussLegendre => panels.saturating_mul(NODES.len() as u64),
            Quadrature::Trapezoid if panels == 1 => 2,
            Quadrature::Trapezoid => panels / 2,
        }
    }

    /// The points that a sum over so many panels adds.
    fn points(&self, panels: u64) -> Vec<f64> {
        let count = panels as f64;
        match self.quadrature {
            Quadrature::GaussLegendre => (0..panels)
                .flat_map(|panel| {
                    let middle = panel as f64 + 0.5;
                    NODES.map(move |(node, _)| (middle + node / 2.0) / count)
                })
                .collect(),
            Quadrature::Trapezoid if panels == 1 => vec![0.0, 1.0],
            // The middles of the panels before.
            Quadrature::Trapezoid => (0..panels / 2)
                .map(|panel| (2.0 * panel as f64 + 1.0) / count)
                .collect(),
        }
    }

    fn refine(&mut self, panels: u64, gradients: &[f64], points: &[f64]) {
        let width = self.integrals.len();
        let share = 1.0 / panels as f64;
        // A finer sum replaces the points of Gauss and keeps those of the trapezoids, at half their weight.
        let (kept, weights): (f64, &[f64]) = match self.quadrature {
            Quadrature::GaussLegendre => (0.0, &NODES.map(|(_, weight)| weight / 2.0)),
            Quadrature::Trapezoid if panels == 1 => (0.0, &[0.5]),
            Quadrature::Trapezoid => (0.5, &[1.0]),
        };
        self.integrals.iter_mut().for_each(|value| *value *= kept);
        let rows = gradients.chunks(width.max(1)).take(points.len());
        for (row, weight) in rows.zip(weights.iter().cycle()) {
            for (sum, gradient) in self.integrals.iter_mut().zip(row) {
                *sum += gradient * weight * share;
            }
        }
    }
}

/// An attribution for every column: the integral times the step for numbers, nothing for codes.
fn by_column(row: &Batch, integrals: &[f64], steps: &[f64]) -> Vec<(f64, Option<f64>)> {
    let mut parts = integrals.iter().zip(steps).map(|(sum, step)| sum * step);
    let value = |kind: &noops_core::ColumnKind| match kind {
        noops_core::ColumnKind::Number => parts.next().unwrap_or(0.0),
        noops_core::ColumnKind::Category => 0.0,
    };
    row.kinds()
        .iter()
        .map(value)
        .map(|value| (value, None))
        .collect()
}

fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>, Error> {
    let failed = |error: String| Error::new(ErrorKind::Unavailable, "run a burn module", error);
    let data = tensor
        .try_into_data()
        .map_err(|error| failed(format!("{error:?}")))?;
    let values = data
        .try_into_vec::<f32>()
        .map_err(|error| failed(format!("{error:?}")))?;
    if let Some(value) = values.iter().find(|value| !value.is_finite()) {
        return Err(refuse("the module gave what is not finite").with("value", value));
    }
    Ok(values.into_iter().map(f64::from).collect())
}

/// Burn checks shapes by panicking.
fn guarded<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(refuse("the module panicked: its shapes may be others")))
}

/// Nodes and weights of Gauss and Legendre on −1 to 1 (`numpy.polynomial.legendre.leggauss(5)`).
const NODES: [(f64, f64); 5] = [
    (-0.906_179_845_938_664, 0.236_926_885_056_189_08),
    (-0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
    (0.0, 0.568_888_888_888_888_9),
    (0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
    (0.906_179_845_938_664, 0.236_926_885_056_189_08),
];

/// A batch of points that burn works on together.
const POINTS_AT_ONCE: usize = 256;

#[cfg(test)]
mod tests;
