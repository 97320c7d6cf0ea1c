use super::metric::Metric;

/// The expected calibration error over ten bins of equal count, equal predictions never being split.
pub(super) fn calibration_error(predicted: &[f64], labels: &[bool]) -> Metric {
    let n = predicted.len();
    let mut rows: Vec<(f64, bool)> = predicted
        .iter()
        .copied()
        .zip(labels.iter().copied())
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut error = 0.0;
    let mut bin = Bin::default();
    let (mut seen, mut filled) = (0_usize, 1_usize);
    for ties in rows.chunk_by(|a, b| a.0 == b.0) {
        ties.iter().for_each(|row| bin.add(*row));
        seen += ties.len();
        if seen.saturating_mul(BINS) >= filled.saturating_mul(n) {
            error += bin.gap();
            bin = Bin::default();
            filled = seen.saturating_mul(BINS) / n.max(1) + 1;
        }
    }
    // The last bin is always closed: seen = n there.
    Metric::new(error / n.max(1) as f64, None, n, 1.0)
}

#[derive(Default)]
struct Bin {
    predicted: f64,
    positive: f64,
}

impl Bin {
    fn add(&mut self, (predicted, label): (f64, bool)) {
        self.predicted += predicted;
        self.positive += f64::from(u8::from(label));
    }

    /// The distance between predicted and observed positives, as a count.
    fn gap(&self) -> f64 {
        (self.predicted - self.positive).abs()
    }
}

const BINS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_definition() {
        // numpy: p = (arange(20) + .5) / 20, y = arange(20) % 3 == 0,
        // (abs(p.reshape(10, 2).mean(1) - y.reshape(10, 2).mean(1)) / 10).sum()
        let predicted: Vec<f64> = (0..20).map(|i| (f64::from(i) + 0.5) / 20.0).collect();
        let labels: Vec<bool> = (0..20).map(|i| i % 3 == 0).collect();
        let error = calibration_error(&predicted, &labels);
        assert!((error.value() - 0.35).abs() < 1e-12, "{error:?}");
    }

    #[test]
    fn equal_predictions_are_one_bin_in_any_order() {
        let labels: Vec<bool> = (0..100).map(|i| i < 30).collect();
        let error = calibration_error(&[0.3; 100], &labels);
        assert!(error.value() < 1e-12, "{error:?}");
    }

    #[test]
    fn fewer_rows_than_bins_are_one_bin_each() {
        let error = calibration_error(&[0.2, 0.9], &[false, true]);
        assert!((error.value() - 0.15).abs() < 1e-12, "{error:?}");
    }
}
