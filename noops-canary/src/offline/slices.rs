use std::collections::BTreeMap;

use noops_core::Alpha;
use noops_stats::{benjamini_hochberg, holm};
use serde::{Deserialize, Serialize};

use super::OfflineVerdict;
use super::check::check_length;
use super::comparison::{OfflineComparison, compare_losses};
use crate::batch::settings::Margin;
use crate::error::CanaryError;

/// What is kept below `alpha` over all slices when harm is claimed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SliceCorrection {
    /// The chance of any slice called inferior that is not, whatever the dependence of slices (Holm).
    #[default]
    Holm,
    /// The expected share of wrong ones among the slices called inferior, for slices that do not share blocks (Benjamini and Hochberg).
    BenjaminiHochberg,
}

/// How slices are compared.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::SliceSettings;
///
/// assert_eq!(SliceSettings::default().with_minimum_rows(50).minimum_rows(), 50);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SliceSettings {
    minimum_rows: u64,
    alpha: Alpha,
    correction: SliceCorrection,
}

impl SliceSettings {
    /// Sets the rows below which a slice stays undecided. Default 100.
    #[must_use]
    pub fn with_minimum_rows(mut self, minimum_rows: u64) -> Self {
        self.minimum_rows = minimum_rows;
        self
    }

    /// Sets the error rate: of each slice's non-inferiority, and of all claims of harm together. Default 5 %.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets what is kept below `alpha` over all claims of harm. Default: Holm.
    #[must_use]
    pub fn with_correction(mut self, correction: SliceCorrection) -> Self {
        self.correction = correction;
        self
    }

    /// The rows below which a slice stays undecided.
    #[must_use]
    pub fn minimum_rows(&self) -> u64 {
        self.minimum_rows
    }

    /// The error rate.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// What is kept below `alpha` over all claims of harm.
    #[must_use]
    pub fn correction(&self) -> SliceCorrection {
        self.correction
    }
}

impl Default for SliceSettings {
    fn default() -> Self {
        Self {
            minimum_rows: 100,
            alpha: Alpha::FIVE_PERCENT,
            correction: SliceCorrection::Holm,
        }
    }
}

/// One slice: a candidate against the champion on its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceComparison {
    slice: String,
    comparison: OfflineComparison,
    enough_rows: bool,
    adjusted_p_value: f64,
    verdict: OfflineVerdict,
}

impl SliceComparison {
    /// The value that the rows share.
    #[must_use]
    pub fn slice(&self) -> &str {
        &self.slice
    }

    /// The comparison on its rows alone, without correction.
    #[must_use]
    pub fn comparison(&self) -> &OfflineComparison {
        &self.comparison
    }

    /// Whether it has the minimum of rows.
    #[must_use]
    pub fn enough_rows(&self) -> bool {
        self.enough_rows
    }

    /// The p-value of "worse than the margin", corrected for the number of slices; 1 for a slice that is left out.
    #[must_use]
    pub fn adjusted_p_value(&self) -> f64 {
        self.adjusted_p_value
    }

    /// The verdict: harm only after correction, non-inferiority without.
    #[must_use]
    pub fn verdict(&self) -> OfflineVerdict {
        self.verdict
    }

    /// By how much the candidate is worse than the champion.
    fn harm(&self) -> f64 {
        self.comparison.direction().harm_sign() * self.comparison.mean_difference()
    }
}

/// All slices of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceReport {
    slices: Vec<SliceComparison>,
    settings: SliceSettings,
}

impl SliceReport {
    /// The slices by name.
    #[must_use]
    pub fn slices(&self) -> &[SliceComparison] {
        &self.slices
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> SliceSettings {
        self.settings
    }

    /// The slice with enough rows where the candidate's estimate is worst; `None` if no slice has enough.
    ///
    /// The worst of many estimates is worse than its truth: this says where to look, not how bad it is.
    #[must_use]
    pub fn worst(&self) -> Option<&SliceComparison> {
        self.slices
            .iter()
            .filter(|slice| slice.enough_rows)
            .max_by(|a, b| a.harm().total_cmp(&b.harm()))
    }

    /// Inferior if a slice is, non-inferior if there are slices and all of them are, undecided otherwise.
    #[must_use]
    pub fn verdict(&self) -> OfflineVerdict {
        let all =
            |verdict: OfflineVerdict| self.slices.iter().all(|slice| slice.verdict == verdict);
        let inferior = |slice: &SliceComparison| slice.verdict == OfflineVerdict::Inferior;
        if self.slices.iter().any(inferior) {
            OfflineVerdict::Inferior
        } else if !self.slices.is_empty() && all(OfflineVerdict::NonInferior) {
            OfflineVerdict::NonInferior
        } else {
            OfflineVerdict::Undecided
        }
    }
}

/// Compares a candidate with the champion in every slice of the rows.
///
/// `slices` names the slice of each row, `blocks` says which rows fall together, as for [`compare_losses`].
///
/// # Error rates
///
/// Harm: the p-values of "worse than the margin" of all slices with enough rows are corrected together. Non-inferiority of *all* slices needs no
/// correction (all must pass: an intersection-union test); it is a weak claim about any one slice picked afterwards.
///
/// # Numerical notes
///
/// Slices are left out for their number of rows alone, which does not depend on the models. A slice that is left out, or has fewer than
/// five effective blocks, is undecided, never passed. Harm is claimed by the corrected p-value only.
///
/// # Errors
///
/// As for [`compare_losses`], and [`CanaryError::Length`] unless each row has a slice.
///
/// # Complexity
///
/// O(n log n).
///
/// # Examples
///
/// ```
/// use noops_canary::offline::{OfflineVerdict, SliceSettings, compare_slices};
/// use noops_canary::{Direction, batch::Margin};
///
/// let slices: Vec<&str> = (0..400).map(|row| if row % 2 == 0 { "north" } else { "south" }).collect();
/// let blocks: Vec<u64> = (0..400).collect();
/// let champion = vec![1.0; 400];
/// let candidate: Vec<f64> = (0..400).map(|row| 1.0 + f64::from(row % 2) + 0.1 * f64::from(row % 5)).collect();
/// let margin = Margin::new(Direction::LowerIsBetter, 0.5)?;
/// let report = compare_slices(&champion, &candidate, &blocks, &slices, margin, &SliceSettings::default())?;
/// assert_eq!(report.worst().map(|slice| slice.slice()), Some("south"));
/// assert_eq!(report.verdict(), OfflineVerdict::Inferior);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn compare_slices<S: AsRef<str>>(
    champion_losses: &[f64],
    candidate_losses: &[f64],
    blocks: &[u64],
    slices: &[S],
    margin: Margin,
    settings: &SliceSettings,
) -> Result<SliceReport, CanaryError> {
    // The whole first, so that an error counts its row in the columns passed.
    compare_losses(
        champion_losses,
        candidate_losses,
        blocks,
        margin,
        settings.alpha,
    )?;
    check_length("slices", champion_losses.len(), slices.len())?;
    let mut rows_of: BTreeMap<&str, Rows> = BTreeMap::new();
    let rows = champion_losses.iter().zip(candidate_losses).zip(blocks);
    for (((champion, candidate), block), slice) in rows.zip(slices) {
        let rows = rows_of.entry(slice.as_ref()).or_default();
        rows.champion.push(*champion);
        rows.candidate.push(*candidate);
        rows.blocks.push(*block);
    }
    let mut compared = Vec::with_capacity(rows_of.len());
    for (slice, rows) in rows_of {
        let comparison = compare_losses(
            &rows.champion,
            &rows.candidate,
            &rows.blocks,
            margin,
            settings.alpha,
        )?;
        compared.push(SliceComparison {
            slice: slice.to_owned(),
            enough_rows: comparison.n() >= settings.minimum_rows,
            comparison,
            adjusted_p_value: 1.0,
            verdict: OfflineVerdict::Undecided,
        });
    }
    adjust(&mut compared, settings);
    Ok(SliceReport {
        slices: compared,
        settings: *settings,
    })
}

fn adjust(slices: &mut [SliceComparison], settings: &SliceSettings) {
    let p_values: Vec<f64> = slices
        .iter()
        .filter(|slice| slice.enough_rows)
        .map(|slice| slice.comparison.harm_p_value())
        .collect();
    let adjusted = match settings.correction {
        SliceCorrection::Holm => holm(&p_values),
        SliceCorrection::BenjaminiHochberg => benjamini_hochberg(&p_values),
    };
    for (slice, p_value) in slices
        .iter_mut()
        .filter(|slice| slice.enough_rows)
        .zip(adjusted)
    {
        slice.adjusted_p_value = p_value;
        slice.verdict = if p_value <= settings.alpha.get() {
            OfflineVerdict::Inferior
        } else {
            match slice.comparison.verdict() {
                OfflineVerdict::NonInferior => OfflineVerdict::NonInferior,
                _ => OfflineVerdict::Undecided,
            }
        };
    }
}

#[derive(Default)]
struct Rows {
    champion: Vec<f64>,
    candidate: Vec<f64>,
    blocks: Vec<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direction::Direction;
    use crate::simulation::Random;

    fn margin() -> Margin {
        Margin::new(Direction::LowerIsBetter, 0.2).unwrap()
    }

    /// Ten slices of 60 rows; in the last `harmed` the candidate loses more by `harm`.
    fn report(seed: u64, harmed: u64, harm: f64, settings: &SliceSettings) -> SliceReport {
        let mut random = Random::new(seed);
        let (mut champion, mut candidate, mut slices) = (Vec::new(), Vec::new(), Vec::new());
        for slice in 0..10_u64 {
            for _ in 0..60 {
                let loss = random.normal();
                champion.push(loss);
                let shift = if slice >= 10 - harmed { harm } else { 0.0 };
                candidate.push(loss + shift + 0.5 * random.normal());
                slices.push(format!("slice {slice}"));
            }
        }
        let blocks: Vec<u64> = (0..600).collect();
        compare_slices(&champion, &candidate, &blocks, &slices, margin(), settings).unwrap()
    }

    #[test]
    fn slices_just_at_the_margin_are_rarely_called_inferior() {
        let settings = SliceSettings::default().with_minimum_rows(50);
        let wrong = (0..200)
            .filter(|seed| report(*seed, 10, 0.2, &settings).verdict() == OfflineVerdict::Inferior)
            .count();
        // scipy.stats.binom.sf(20, 200, 0.05) = 0.0011
        assert!(wrong <= 20, "{wrong}");
    }

    #[test]
    fn the_harmed_slice_is_found_and_is_the_worst() {
        for correction in [SliceCorrection::Holm, SliceCorrection::BenjaminiHochberg] {
            let settings = SliceSettings::default()
                .with_minimum_rows(50)
                .with_correction(correction);
            let found = report(7, 1, 1.0, &settings);
            assert_eq!(found.worst().unwrap().slice(), "slice 9");
            assert_eq!(found.worst().unwrap().verdict(), OfflineVerdict::Inferior);
            assert_eq!(found.verdict(), OfflineVerdict::Inferior);
        }
    }

    #[test]
    fn too_few_rows_are_never_passed() {
        let found = report(7, 1, 1.0, &SliceSettings::default());
        assert_eq!(found.worst(), None);
        assert_eq!(found.verdict(), OfflineVerdict::Undecided);
        let nothing = SliceReport {
            slices: Vec::new(),
            settings: SliceSettings::default(),
        };
        assert_eq!(nothing.verdict(), OfflineVerdict::Undecided);
    }

    #[test]
    fn a_row_without_slice_is_refused() {
        let refused = compare_slices(
            &[1.0, 2.0],
            &[1.0, 2.0],
            &[0, 1],
            &["a"],
            margin(),
            &SliceSettings::default(),
        );
        assert!(refused.unwrap_err().to_string().contains("`slices`"));
    }
}
