use crate::statistic::comparison::VISIBLE_POWER;
use noops_stats::SortedSample;

/// The sizes of two samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) reference: u64,
    pub(crate) current: u64,
}

impl Sizes {
    pub(crate) fn of(reference: &SortedSample, current: &SortedSample) -> Self {
        Self {
            reference: reference.len() as u64,
            current: current.len() as u64,
        }
    }

    /// Whether a sample is empty or all values of both are one and the same.
    pub(crate) fn nothing_to_compare(reference: &SortedSample, current: &SortedSample) -> bool {
        let ends = |sample: &SortedSample| {
            let values = sample.values();
            values.first().copied().zip(values.last().copied())
        };
        match (ends(reference), ends(current)) {
            (Some((low, high)), Some(other)) => low == high && other == (low, high),
            _ => true,
        }
    }

    /// nm / (n + m), at which rate a difference of two means settles.
    pub(crate) fn effective(&self) -> f64 {
        let n = self.reference as f64;
        let m = self.current as f64;
        n * (m / (n + m).max(1.0))
    }

    /// The difference of two probabilities that exceeds `critical` at least four times in five; nothing above 1.
    ///
    /// By Hoeffding's inequality the difference of two shares of rows falls short of the difference of their
    /// probabilities by t with probability exp(−2 t² nm/(n + m)) at most.
    pub(crate) fn visible_from(&self, critical: Option<f64>) -> Option<f64> {
        let margin = (-(1.0 - VISIBLE_POWER).ln() / (2.0 * self.effective())).sqrt();
        critical
            .map(|critical| critical + margin)
            .filter(|visible| *visible <= 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Sizes;
    use noops_stats::SortedSample;

    #[test]
    fn one_value_in_both_is_nothing_to_compare() {
        let [empty, one, two, both] =
            [&[][..], &[1.0, 1.0], &[2.0], &[1.0, 2.0]].map(SortedSample::new);
        assert!(Sizes::nothing_to_compare(&empty, &both));
        assert!(Sizes::nothing_to_compare(&both, &empty));
        assert!(Sizes::nothing_to_compare(&one, &one));
        assert!(!Sizes::nothing_to_compare(&one, &two));
        assert!(!Sizes::nothing_to_compare(&one, &both));
        assert!(!Sizes::nothing_to_compare(&both, &both));
    }

    #[test]
    fn few_rows_see_nothing() {
        let sizes = Sizes {
            reference: 1,
            current: 1,
        };
        assert_eq!(sizes.effective(), 0.5);
        assert_eq!(sizes.visible_from(Some(0.0)), None);
        assert_eq!(sizes.visible_from(None), None);
    }
}
