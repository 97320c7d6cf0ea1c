//! Support vector machines.

use noops_core::Error;

use super::labels::{Labels, largest};
use super::transform::{Second, Transform, logistic};
use super::{Inputs, Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::value::{Data, Tensor};

/// How alike a row and a support vector are.
#[derive(Clone, Copy)]
enum Kernel {
    Linear,
    Polynomial {
        gamma: f32,
        offset: f32,
        degree: f32,
    },
    Radial {
        gamma: f32,
    },
    Sigmoid {
        gamma: f32,
        offset: f32,
    },
}

impl Kernel {
    fn of(node: &Node<'_>) -> Result<Self, Error> {
        let params = node.floats("kernel_params")?;
        let kind = node.text("kernel_type")?.unwrap_or("LINEAR");
        Ok(match (kind, params) {
            ("LINEAR", _) => Self::Linear,
            ("POLY", &[gamma, offset, degree, ..]) => Self::Polynomial {
                gamma,
                offset,
                degree,
            },
            ("RBF", &[gamma, ..]) => Self::Radial { gamma },
            ("SIGMOID", &[gamma, offset, ..]) => Self::Sigmoid { gamma, offset },
            ("POLY" | "RBF" | "SIGMOID", _) => {
                return Err(node.wrong("kernel_params", "is too short"));
            }
            _ => return Err(node.wrong("kernel_type", "is unknown")),
        })
    }

    fn apply(self, row: &[f32], vector: &[f32]) -> f32 {
        let pairs = || row.iter().zip(vector);
        let dot = || pairs().map(|(a, b)| a * b).sum::<f32>();
        match self {
            Self::Linear => dot(),
            Self::Polynomial {
                gamma,
                offset,
                degree,
            } => (gamma * dot() + offset).powf(degree),
            Self::Radial { gamma } => {
                let squared: f32 = pairs().map(|(a, b)| (a - b) * (a - b)).sum();
                (-gamma * squared).exp()
            }
            Self::Sigmoid { gamma, offset } => (gamma * dot() + offset).tanh(),
        }
    }
}

/// Vectors of one length, and the kernel they are compared with.
struct Vectors {
    kernel: Kernel,
    values: Vec<f32>,
    features: usize,
}

impl Vectors {
    fn new(node: &Node<'_>, kernel: Kernel, values: &[f32], count: usize) -> Result<Self, Error> {
        let whole = count > 0 && !values.is_empty() && values.len().is_multiple_of(count);
        if !whole {
            return Err(node.wrong("support_vectors", "does not hold whole vectors"));
        }
        Ok(Self {
            kernel,
            values: values.to_vec(),
            features: values.len() / count,
        })
    }

    /// For each row, what the kernel makes of it and of each vector.
    fn compare(&self, inputs: &Inputs<'_>) -> Result<Vec<Vec<f32>>, Error> {
        let input = inputs.at(0)?;
        let (_, columns) = input.matrix()?;
        if columns != self.features {
            return Err(failed("the model has another number of features")
                .with("features", self.features)
                .with("columns", columns));
        }
        let rows = input.singles()?;
        let compared = rows.chunks_exact(columns).map(|row| {
            let vectors = self.values.chunks_exact(columns);
            vectors
                .map(|vector| self.kernel.apply(row, vector))
                .collect()
        });
        Ok(compared.collect())
    }
}

pub(super) fn regressor(node: &Node<'_>) -> Result<Run, Error> {
    let coefficients = node.floats("coefficients")?.to_vec();
    let rho = node.floats("rho")?.first().copied();
    let rho = rho.ok_or_else(|| node.wrong("rho", "is missing"))?;
    let one_class = node.flag("one_class", false)?;
    let supports = usize::try_from(node.int("n_supports")?.unwrap_or(0));
    let supports = supports.map_err(|_| node.wrong("n_supports", "is negative"))?;
    // Without support vectors, the coefficients are the only vector of a linear model.
    let (vectors, weights) = if supports == 0 {
        (
            Vectors::new(node, Kernel::Linear, &coefficients, 1)?,
            vec![1.0],
        )
    } else {
        let vectors = node.floats("support_vectors")?;
        (
            Vectors::new(node, Kernel::of(node)?, vectors, supports)?,
            coefficients,
        )
    };
    if weights.len() != supports.max(1) {
        return Err(node.wrong(
            "coefficients",
            "has another length than there are support vectors",
        ));
    }
    Ok(one(move |inputs| {
        let compared = vectors.compare(inputs)?;
        let scores = compared.iter().map(|kernels| {
            let sum: f32 = kernels
                .iter()
                .zip(&weights)
                .map(|(kernel, weight)| kernel * weight)
                .sum();
            let score = sum + rho;
            match one_class {
                true if score > 0.0 => 1.0,
                true => -1.0,
                false => score,
            }
        });
        let scores: Vec<f32> = scores.collect();
        Tensor::new(vec![scores.len(), 1], Data::F32(scores))
    }))
}

/// One classifier per pair of classes.
struct Pairs {
    /// The support vectors of each class, as a range among all.
    ranges: Vec<std::ops::Range<usize>>,
    /// For each class but one, a coefficient per support vector.
    coefficients: Vec<Vec<f32>>,
    rho: Vec<f32>,
    /// Platt's `a` and `b` for each pair; empty where the scores are not made probabilities.
    platt: Vec<(f32, f32)>,
}

impl Pairs {
    fn of(
        node: &Node<'_>,
        classes: usize,
        counts: &[usize],
        vectors: usize,
    ) -> Result<Self, Error> {
        let mut start = 0;
        let ranges = counts.iter().map(|count| {
            let range = start..start + count;
            start = range.end;
            range
        });
        let ranges: Vec<_> = ranges.collect();
        let coefficients: Vec<Vec<f32>> = node
            .floats("coefficients")?
            .chunks(vectors)
            .map(<[f32]>::to_vec)
            .collect();
        let whole = coefficients.iter().all(|row| row.len() == vectors);
        if ranges.len() != classes || coefficients.len() + 1 < classes || !whole {
            return Err(node.wrong(
                "coefficients",
                "does not fit the classes and their support vectors",
            ));
        }
        let pairs = classes * (classes - 1) / 2;
        let rho = node.floats("rho")?.to_vec();
        let (a, b) = (node.floats("prob_a")?, node.floats("prob_b")?);
        if rho.len() < pairs || a.len() != b.len() || !a.is_empty() && a.len() < pairs {
            return Err(node.wrong(
                "rho",
                "or `prob_a` or `prob_b` has not one value per pair of classes",
            ));
        }
        let platt = a.iter().copied().zip(b.iter().copied()).collect();
        Ok(Self {
            ranges,
            coefficients,
            rho,
            platt,
        })
    }

    /// The score of every pair, and how many pairs each class has won.
    fn scores(&self, kernels: &[f32]) -> (Vec<f32>, Vec<u32>) {
        let classes = self.ranges.len();
        let mut votes = vec![0; classes];
        let mut scores = Vec::with_capacity(self.rho.len());
        let mut rho = self.rho.iter();
        for (first, left) in self.ranges.iter().enumerate() {
            for (second, right) in self.ranges.iter().enumerate().skip(first + 1) {
                let sum = self.part(second - 1, left, kernels)
                    + self.part(first, right, kernels)
                    + rho.next().copied().map_or(0.0, f64::from);
                scores.push(sum as f32);
                let winner = if sum > 0.0 { first } else { second };
                votes
                    .get_mut(winner)
                    .into_iter()
                    .for_each(|votes| *votes += 1);
            }
        }
        (scores, votes)
    }

    fn part(&self, row: usize, vectors: &std::ops::Range<usize>, kernels: &[f32]) -> f64 {
        let weights = self
            .coefficients
            .get(row)
            .and_then(|row| row.get(vectors.clone()));
        let kernels = kernels.get(vectors.clone()).unwrap_or_default();
        let products = weights.unwrap_or_default().iter().zip(kernels);
        products
            .map(|(weight, kernel)| f64::from(weight * kernel))
            .sum()
    }

    /// A probability for each class: Platt's for each pair, coupled as in libsvm.
    fn probabilities(&self, scores: &[f32]) -> Vec<f32> {
        let classes = self.ranges.len();
        let mut pairwise = vec![vec![0.0_f32; classes]; classes];
        let mut pairs = scores.iter().zip(&self.platt);
        for first in 0..classes {
            for second in first + 1..classes {
                let Some((score, (a, b))) = pairs.next() else {
                    continue;
                };
                let p = 1.0 - logistic(score * a + b);
                let p = p.clamp(1e-7, 1.0 - 1e-7);
                set(&mut pairwise, first, second, p);
                set(&mut pairwise, second, first, 1.0 - p);
            }
        }
        coupled(&pairwise)
    }
}

fn at(matrix: &[Vec<f32>], row: usize, column: usize) -> f32 {
    matrix
        .get(row)
        .and_then(|row| row.get(column))
        .copied()
        .unwrap_or(0.0)
}

fn set(matrix: &mut [Vec<f32>], row: usize, column: usize, value: f32) {
    let cell = matrix.get_mut(row).and_then(|row| row.get_mut(column));
    cell.into_iter().for_each(|cell| *cell = value);
}

/// The second method of Wu, Lin and Weng, "Probability Estimates for Multi-class Classification by Pairwise Coupling" (2004), in
/// single precision and with libsvm's stopping rule.
fn coupled(pairwise: &[Vec<f32>]) -> Vec<f32> {
    let classes = pairwise.len();
    let mut q = vec![vec![0.0_f32; classes]; classes];
    for row in 0..classes {
        let mut diagonal = 0.0;
        for column in (0..classes).filter(|&column| column != row) {
            let lost = at(pairwise, column, row);
            diagonal += lost * lost;
            set(&mut q, row, column, -lost * at(pairwise, row, column));
        }
        set(&mut q, row, row, diagonal);
    }
    let mut p = vec![1.0 / classes as f32; classes];
    let most_error = 0.005 / classes as f32;
    for _ in 0..100 {
        let dot = |row: &Vec<f32>, p: &[f32]| row.iter().zip(p).map(|(q, p)| q * p).sum::<f32>();
        let mut qp: Vec<f32> = q.iter().map(|row| dot(row, &p)).collect();
        let mut pqp: f32 = p.iter().zip(&qp).map(|(p, qp)| p * qp).sum();
        let error = qp.iter().map(|qp| (qp - pqp).abs()).fold(0.0, f32::max);
        if error < most_error {
            break;
        }
        for (index, row) in q.iter().enumerate() {
            let (Some(own), Some(&diagonal)) = (qp.get(index).copied(), row.get(index)) else {
                continue;
            };
            let step = (pqp - own) / diagonal;
            p.get_mut(index).into_iter().for_each(|p| *p += step);
            pqp = (pqp + step * (step * diagonal + 2.0 * own)) / (1.0 + step) / (1.0 + step);
            for ((qp, p), q) in qp.iter_mut().zip(p.iter_mut()).zip(row) {
                *qp = (*qp + step * q) / (1.0 + step);
                *p /= 1.0 + step;
            }
        }
    }
    p
}

pub(super) fn classifier(node: &Node<'_>) -> Result<Run, Error> {
    let labels = Labels::of(node, "classlabels_ints")?;
    let counts = node
        .ints("vectors_per_class")?
        .iter()
        .map(|&count| usize::try_from(count));
    let counts = counts.collect::<Result<Vec<usize>, _>>();
    let counts = counts.map_err(|_| node.wrong("vectors_per_class", "is negative"))?;
    let vectors = counts
        .iter()
        .try_fold(0_usize, |sum, &count| sum.checked_add(count));
    match vectors
        .filter(|&vectors| vectors <= node.floats("support_vectors").map_or(0, <[f32]>::len))
    {
        None => Err(node.wrong("vectors_per_class", "counts more vectors than there are")),
        Some(0) => liblinear(node, labels),
        Some(_) if labels.len() < 2 => Err(node.wrong("classlabels_ints", "names a single class")),
        Some(vectors) => pairwise(node, labels, &counts, vectors),
    }
}

/// One vector per class, which ONNX Runtime shifts by the first `rho`.
fn liblinear(node: &Node<'_>, labels: Labels) -> Result<Run, Error> {
    let classes = labels.len();
    let vectors = Vectors::new(node, Kernel::Linear, node.floats("coefficients")?, classes)?;
    let rho = node.floats("rho")?.first().copied();
    let rho = rho.ok_or_else(|| node.wrong("rho", "is missing"))?;
    let transform = Transform::of(node)?;
    Ok(Box::new(move |inputs| {
        let mut rows = vectors.compare(inputs)?;
        let (mut best, mut out) = (Vec::new(), Vec::new());
        for row in &mut rows {
            row.iter_mut().for_each(|score| *score += rho);
            best.push(largest(row.iter().copied()));
            transform.write(row, Second::Never, &mut out);
        }
        Ok(vec![
            labels.pick(&best)?,
            Tensor::new(vec![rows.len(), classes], Data::F32(out))?,
        ])
    }))
}

fn pairwise(
    node: &Node<'_>,
    labels: Labels,
    counts: &[usize],
    supports: usize,
) -> Result<Run, Error> {
    let classes = labels.len();
    let pairs = Pairs::of(node, classes, counts, supports)?;
    let vectors = Vectors::new(
        node,
        Kernel::of(node)?,
        node.floats("support_vectors")?,
        supports,
    )?;
    let transform = Transform::of(node)?;
    let likely = !pairs.platt.is_empty();
    let second = match transform {
        Transform::None => Second::Margin,
        _ => Second::Complement,
    };
    if classes == 2 && !likely && transform == Transform::Probit {
        return Err(node.wrong(
            "post_transform",
            "has no meaning for a single score of two classes",
        ));
    }
    let width = if likely {
        classes
    } else {
        (classes * (classes - 1) / 2).max(2)
    };
    Ok(Box::new(move |inputs| {
        let rows = vectors.compare(inputs)?;
        let (mut best, mut out) = (Vec::new(), Vec::new());
        for kernels in &rows {
            let (mut scores, votes) = pairs.scores(kernels);
            best.push(largest(votes.into_iter().map(|votes| votes as f32)));
            if likely {
                transform.write(&mut pairs.probabilities(&scores), Second::Never, &mut out);
            } else {
                transform.write(&mut scores, second, &mut out);
            }
        }
        Ok(vec![
            labels.pick(&best)?,
            Tensor::new(vec![rows.len(), width], Data::F32(out))?,
        ])
    }))
}
