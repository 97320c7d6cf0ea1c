mod constraints;
mod report;
mod settings;
#[cfg(test)]
mod tests;
mod violation;

use std::num::NonZeroUsize;

use noops_core::{Alpha, Digest};
use serde::{Deserialize, Serialize};

pub use self::constraints::ColumnConstraints;
pub use self::report::{GateReport, GateVerdict};
pub use self::settings::GateSettings;
pub use self::violation::{Rule, Violation};
use crate::column_counts::ColumnCounts;
use crate::counts::Counts;
use crate::error::DriftError;
use crate::profile::Profile;
use crate::statistic::{TestSettings, psi};
use noops_stats::special::binomial_sf;

/// May this batch be served or trained on? Limits per column, suggested by the reference and adjustable.
///
/// A rule is violated only when the batch proves it: the rows at hand would be that bad with a probability of at most
/// alpha, for all rules of the gate together, if the limit were kept. A batch of few rows is neither passed nor failed.
/// A column that is gone or has changed type never gets here: counting it is an error that names it.
///
/// # Examples
///
/// ```
/// use noops_drift::{Counts, GateSettings, GateVerdict, Profile, ProfileSettings, QualityGate};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let celsius: Vec<f64> = (0..1_000).map(|i| f64::from(i % 35)).collect();
/// let profile = Profile::of_values("temperature", &celsius, &ProfileSettings::default())?;
/// let gate = QualityGate::suggest(&profile, &GateSettings::default())?;
///
/// let mut today = Counts::new(&profile);
/// let fahrenheit: Vec<f64> = celsius.iter().map(|t| 32.0 + 1.8 * t).collect();
/// today.observe_values(&profile, &fahrenheit)?;
///
/// let report = gate.check(&profile, &today)?;
/// assert_eq!(report.verdict(), GateVerdict::Fail);
/// println!("{}", report.violations()[0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QualityGate {
    profile: Digest,
    alpha: Alpha,
    min_rows: u64,
    columns: Vec<ColumnConstraints>,
}

impl QualityGate {
    /// Suggests limits: what the reference has, plus the tolerances of the settings.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] for a PSI limit outside 0 to 1e12.
    pub fn suggest(profile: &Profile, settings: &GateSettings) -> Result<Self, DriftError> {
        distribution_test(settings.alpha(), settings.max_psi()).validate()?;
        let columns = profile
            .columns()
            .iter()
            .map(|column| ColumnConstraints::suggest(column, settings))
            .collect();
        Ok(Self {
            profile: profile.digest(),
            alpha: settings.alpha(),
            min_rows: settings.min_rows(),
            columns,
        })
    }

    /// Replaces the limits of one column, found by its name; a column the profile does not have is ignored.
    #[must_use]
    pub fn with_column(mut self, constraints: ColumnConstraints) -> Self {
        for column in &mut self.columns {
            if column.column() == constraints.column() {
                *column = constraints.clone();
            }
        }
        self
    }

    /// Sets the error rate for all rules together.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the rows below which a batch is not judged.
    #[must_use]
    pub fn with_min_rows(mut self, min_rows: u64) -> Self {
        self.min_rows = min_rows;
        self
    }

    /// The digest of the profile this gate was made for.
    pub fn profile(&self) -> Digest {
        self.profile
    }

    /// The error rate for all rules together.
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The rows below which a batch is not judged.
    pub fn min_rows(&self) -> u64 {
        self.min_rows
    }

    /// The limits per column, in the order of the profile.
    pub fn columns(&self) -> &[ColumnConstraints] {
        &self.columns
    }

    /// The limits of the column of this name.
    pub fn column(&self, name: &str) -> Option<&ColumnConstraints> {
        self.columns.iter().find(|column| column.column() == name)
    }

    /// Judges a batch that was counted over `profile`.
    ///
    /// # Formula
    ///
    /// A rate limit is violated when the exact binomial probability of at least the observed count, at the limit, is
    /// below alpha divided by the number of rules (equivalently, when the Clopper–Pearson lower bound is above the
    /// limit). The distribution limit is the test of [`psi`] with the limit as its tolerance, over usable values.
    ///
    /// # Errors
    ///
    /// [`DriftError::ProfileMismatch`] when gate, profile and counts do not belong together,
    /// [`DriftError::MalformedCounts`], [`DriftError::InvalidSetting`] for an altered PSI limit outside 0 to 1e12.
    pub fn check(&self, profile: &Profile, counts: &Counts) -> Result<GateReport, DriftError> {
        if self.profile != profile.digest() {
            return Err(DriftError::ProfileMismatch {
                profile: profile.digest(),
                made_for: self.profile,
            });
        }
        counts.check_made_for(profile)?;
        if counts.rows() < self.min_rows || counts.rows() == 0 {
            return Ok(GateReport::new(
                GateVerdict::Undecided,
                counts.rows(),
                Vec::new(),
            ));
        }
        let rules = self
            .columns
            .iter()
            .map(ColumnConstraints::rules)
            .sum::<usize>();
        let share = match NonZeroUsize::new(rules) {
            Some(rules) => self.alpha.split(rules),
            None => self.alpha,
        };
        let mut violations = Vec::new();
        for (column, current) in profile.columns().iter().zip(counts.columns()) {
            let Some(limits) = self.column(column.name()) else {
                continue;
            };
            violations.extend(rate_violations(limits, current, share));
            violations.extend(distribution_violation(
                limits,
                column.counts(),
                current,
                share,
            )?);
        }
        let verdict = if violations.is_empty() {
            GateVerdict::Pass
        } else {
            GateVerdict::Fail
        };
        Ok(GateReport::new(verdict, counts.rows(), violations))
    }
}

fn rate_violations(
    limits: &ColumnConstraints,
    current: &ColumnCounts,
    alpha: Alpha,
) -> Vec<Violation> {
    let rows = current.rows();
    let present = current.present();
    let rules = [
        (
            Rule::Missing,
            Some(limits.max_missing()),
            current.missing(),
            rows,
        ),
        (
            Rule::NotFinite,
            limits.max_not_finite(),
            current.not_finite(),
            rows,
        ),
        (Rule::Unseen, limits.max_unseen(), current.unseen(), present),
        (
            Rule::OutOfRange,
            limits.max_out_of_range(),
            current.out_of_range(),
            present,
        ),
    ];
    let mut violations = Vec::new();
    for (rule, limit, count, rows) in rules {
        let Some(limit) = limit else { continue };
        let p_value = binomial_sf(count, rows, limit.get());
        if rows > 0 && p_value < alpha.get() {
            let observed = count as f64 / rows as f64;
            violations.push(Violation::new(
                limits.column(),
                rule,
                observed,
                limit.get(),
                rows,
                p_value,
            ));
        }
    }
    violations
}

fn distribution_violation(
    limits: &ColumnConstraints,
    reference: &ColumnCounts,
    current: &ColumnCounts,
    alpha: Alpha,
) -> Result<Option<Violation>, DriftError> {
    let Some(limit) = limits.max_psi() else {
        return Ok(None);
    };
    let outcome = psi(
        &reference.value_cells(),
        &current.value_cells(),
        &distribution_test(alpha, limit),
    )?;
    let violation = Violation::new(
        limits.column(),
        Rule::Distribution,
        outcome.statistic(),
        limit,
        outcome.n_current(),
        outcome.p_value(),
    );
    Ok(Some(violation).filter(|_| outcome.verdict().is_drift()))
}

fn distribution_test(alpha: Alpha, limit: f64) -> TestSettings {
    TestSettings::default()
        .with_alpha(alpha)
        .with_tolerance(limit)
}
