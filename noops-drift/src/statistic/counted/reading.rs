use crate::statistic::comparison::Method;

/// How a divergence is read out as the statistic of a method.
pub(super) struct Reading {
    pub(super) method: Method,
    pub(super) scale: StatisticScale,
    pub(super) over: Over,
}

/// The cells that the reported statistic is summed over; the test always joins thin ones.
#[derive(Clone, Copy)]
pub(super) enum Over {
    /// As they were handed in: the textbook value.
    Given,
    /// As they are tested.
    Tested,
}

/// What the statistic is in terms of the divergence D.
#[derive(Clone, Copy)]
pub(super) enum StatisticScale {
    /// D times a factor.
    Multiple(f64),
    /// The square root of D times a factor.
    Root(f64),
}

impl StatisticScale {
    pub(super) fn statistic(self, divergence: f64) -> f64 {
        match self {
            Self::Multiple(factor) => divergence * factor,
            Self::Root(factor) => (divergence * factor).sqrt(),
        }
    }

    pub(super) fn divergence(self, statistic: f64) -> f64 {
        match self {
            Self::Multiple(factor) => statistic / factor,
            Self::Root(factor) => statistic * statistic / factor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StatisticScale;

    #[test]
    fn reading_there_and_back_is_the_identity() {
        for scale in [StatisticScale::Multiple(3.0), StatisticScale::Root(0.4)] {
            let back = scale.divergence(scale.statistic(0.7));
            assert!((back - 0.7).abs() < 1e-15, "{back}");
        }
    }
}
