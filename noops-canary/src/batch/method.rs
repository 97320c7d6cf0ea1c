use serde::{Deserialize, Serialize};

/// A test of fixed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// Welch's t-test.
    Welch,
    /// The paired t-test.
    PairedT,
    /// Mann and Whitney's test, exact.
    MannWhitneyExact,
    /// Mann and Whitney's test by the normal law, corrected for ties and continuity.
    MannWhitney,
    /// Brunner and Munzel's test.
    BrunnerMunzel,
    /// Wilcoxon's signed-rank test, exact.
    WilcoxonExact,
    /// Wilcoxon's signed-rank test by the normal law, corrected for ties and continuity.
    Wilcoxon,
    /// The score test of two proportions.
    TwoProportions,
    /// Fisher's exact test.
    Fisher,
    /// McNemar's test, exact.
    McNemarExact,
    /// McNemar's test by the chi-square law, corrected for continuity.
    McNemar,
    /// The two-sample Kolmogorov–Smirnov test, exact.
    KolmogorovSmirnovExact,
    /// The two-sample Kolmogorov–Smirnov test by its limit law.
    KolmogorovSmirnov,
    /// A permutation test.
    Permutation,
    /// The bootstrap.
    Bootstrap,
    /// Pearson's chi-square test of independence.
    ChiSquare,
    /// Cochran, Mantel and Haenszel's test of stratified two-by-two tables.
    MantelHaenszel,
    /// DeLong, DeLong and Clarke-Pearson's test of two correlated areas under the ROC curve.
    DeLong,
}

impl Method {
    /// The name of the test.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Welch => "Welch's t-test",
            Self::PairedT => "paired t-test",
            Self::MannWhitneyExact => "Mann-Whitney test, exact",
            Self::MannWhitney => "Mann-Whitney test",
            Self::BrunnerMunzel => "Brunner-Munzel test",
            Self::WilcoxonExact => "Wilcoxon signed-rank test, exact",
            Self::Wilcoxon => "Wilcoxon signed-rank test",
            Self::TwoProportions => "two-proportion score test",
            Self::Fisher => "Fisher's exact test",
            Self::McNemarExact => "McNemar's test, exact",
            Self::McNemar => "McNemar's test",
            Self::KolmogorovSmirnovExact => "Kolmogorov-Smirnov test, exact",
            Self::KolmogorovSmirnov => "Kolmogorov-Smirnov test",
            Self::Permutation => "permutation test",
            Self::Bootstrap => "bootstrap",
            Self::ChiSquare => "chi-square test",
            Self::MantelHaenszel => "Cochran-Mantel-Haenszel test",
            Self::DeLong => "DeLong's test",
        }
    }
}
