use super::settings::PermutationStatistic;

impl PermutationStatistic {
    /// The statistic of two samples, candidate against champion. Reorders them.
    pub(super) fn of(self, champion: &mut [f64], candidate: &mut [f64]) -> f64 {
        match self {
            Self::MeanDifference => mean(candidate) - mean(champion),
            Self::MedianDifference => median(candidate) - median(champion),
            Self::StudentisedMeanDifference => studentised(
                mean(candidate) - mean(champion),
                error_of_mean(candidate) + error_of_mean(champion),
            ),
        }
    }

    /// The statistic of paired differences. Reorders them.
    pub(super) fn of_pairs(self, differences: &mut [f64]) -> f64 {
        match self {
            Self::MeanDifference => mean(differences),
            Self::MedianDifference => median(differences),
            Self::StudentisedMeanDifference => {
                studentised(mean(differences), error_of_mean(differences))
            }
        }
    }

    /// The difference in the metric's units.
    pub(super) fn plain(self) -> Self {
        match self {
            Self::MeanDifference | Self::StudentisedMeanDifference => Self::MeanDifference,
            Self::MedianDifference => Self::MedianDifference,
        }
    }

    /// The fewest values a side it is defined for.
    pub(super) fn needs(self) -> usize {
        match self {
            Self::MeanDifference | Self::MedianDifference => 1,
            Self::StudentisedMeanDifference => 2,
        }
    }
}

pub(in crate::batch) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The middle value, or the mean of the two. Reorders the values.
pub(in crate::batch) fn median(values: &mut [f64]) -> f64 {
    let count = values.len();
    if count == 0 {
        return 0.0;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(count / 2, f64::total_cmp);
    if count % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().max_by(f64::total_cmp);
    0.5 * (lower.unwrap_or(upper) + upper)
}

/// The squared standard error of the mean.
fn error_of_mean(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let centre = mean(values);
    let squares: f64 = values.iter().map(|x| (x - centre) * (x - centre)).sum();
    squares / (count - 1.0).max(1.0) / count.max(1.0)
}

/// A difference over its standard error; values without spread are as far out as their difference says.
fn studentised(difference: f64, squared_error: f64) -> f64 {
    if squared_error > 0.0 {
        difference / squared_error.sqrt()
    } else if difference == 0.0 {
        0.0
    } else {
        difference.signum() * f64::MAX
    }
}
