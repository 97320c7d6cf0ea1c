use super::random::Random;
use super::rows::Rows;

/// A pooled sample, projected on one direction: the order of the rows, and the steps from each to the next.
pub(super) struct Projection {
    order: Vec<usize>,
    steps: Vec<f64>,
}

impl Projection {
    pub(super) fn of(pooled: &Rows, direction: &[f64]) -> Self {
        let mut values: Vec<(usize, f64)> = pooled
            .iter()
            .map(|row| dot(row, direction))
            .enumerate()
            .collect();
        values.sort_by(|a, b| a.1.total_cmp(&b.1));
        let steps = values
            .windows(2)
            .map(|pair| match pair {
                [(_, lower), (_, upper)] => upper - lower,
                _ => 0.0,
            })
            .collect();
        Self {
            order: values.into_iter().map(|(row, _)| row).collect(),
            steps,
        }
    }

    /// The area between the two empirical distribution functions.
    pub(super) fn wasserstein(&self, is_reference: &[bool]) -> f64 {
        let n = is_reference.iter().filter(|is| **is).count() as f64;
        let m = is_reference.len() as f64 - n;
        let (up, down) = (1.0 / n, 1.0 / m);
        let (mut below_reference, mut below_current) = (0_u32, 0_u32);
        let mut area = 0.0;
        for (row, step) in self.order.iter().zip(&self.steps) {
            if is_reference.get(*row).copied().unwrap_or(false) {
                below_reference += 1;
            } else {
                below_current += 1;
            }
            // From counts and not from a running difference, which would not come back to exactly 0.
            area +=
                (f64::from(below_reference) * up - f64::from(below_current) * down).abs() * step;
        }
        area
    }
}

/// A uniformly random unit vector.
pub(super) fn direction(width: usize, random: &mut Random) -> Vec<f64> {
    loop {
        let vector: Vec<f64> = (0..width).map(|_| random.normal()).collect();
        let norm = dot(&vector, &vector).sqrt();
        // Almost surely at the first attempt; an empty vector has no direction.
        if norm > 0.0 || width == 0 {
            return vector.iter().map(|x| x / norm).collect();
        }
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
