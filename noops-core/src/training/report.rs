use std::collections::BTreeMap;

use crate::digest::Digest;

/// What a command told about itself in its output.
///
/// A program in any language speaks to the loop by printing lines that begin with `noops:`; everything else it prints is log.
///
/// | Line | Meaning |
/// |---|---|
/// | `noops: step=3 value=0.25` | step 3 is done, and the measure that a sweep prunes by is 0.25 |
/// | `noops: step=3` | step 3 is done |
/// | `noops: metric auc=0.91` | a final measure |
/// | `noops: artifact=` and 64 hex digits | the artifact was put in the store under this digest (for runs on other machines) |
///
/// A later line wins over an earlier one. A line that is not understood, a number that is not finite and a name of more than 100
/// characters are skipped; at most 1,000 metrics are kept.
///
/// # Examples
///
/// ```
/// use noops_core::JobReport;
///
/// let report = JobReport::parse("loading\nnoops: step=1 value=0.7\nnoops: metric auc=0.9\nnoops: step=2 value=0.6\n");
/// assert_eq!(report.progress(), Some((2, Some(0.6))));
/// assert_eq!(report.metrics()["auc"], 0.9);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobReport {
    progress: Option<(u64, Option<f64>)>,
    metrics: BTreeMap<String, f64>,
    artifact: Option<Digest>,
}

impl JobReport {
    /// Reads all lines of a log.
    ///
    /// # Complexity
    ///
    /// Linear in the length.
    #[must_use]
    pub fn parse(log: &str) -> Self {
        let mut report = Self::default();
        for line in log.lines() {
            report.read_line(line);
        }
        report
    }

    /// Reads one line, without its end.
    pub fn read_line(&mut self, line: &str) {
        let Some(told) = line.trim().strip_prefix(PREFIX) else {
            return;
        };
        let told = told.trim();
        if let Some(metric) = told.strip_prefix("metric ") {
            self.read_metric(metric);
        } else if let Some(digest) = told.strip_prefix("artifact=") {
            if let Ok(digest) = digest.trim().parse::<Digest>() {
                self.artifact = Some(digest);
            }
        } else if told.starts_with("step=") {
            self.read_progress(told);
        }
    }

    /// The last step and its measure.
    #[must_use]
    pub fn progress(&self) -> Option<(u64, Option<f64>)> {
        self.progress
    }

    /// The final measures by name.
    #[must_use]
    pub fn metrics(&self) -> &BTreeMap<String, f64> {
        &self.metrics
    }

    /// The artifact that was put in the store.
    #[must_use]
    pub fn artifact(&self) -> Option<Digest> {
        self.artifact
    }

    fn read_metric(&mut self, metric: &str) {
        let Some((name, value)) = metric.rsplit_once('=') else {
            return;
        };
        let name = name.trim();
        let Some(value) = finite(value) else {
            return;
        };
        if name.is_empty() || name.chars().count() > MAX_NAME {
            return;
        }
        if self.metrics.len() < MAX_METRICS || self.metrics.contains_key(name) {
            self.metrics.insert(name.to_owned(), value);
        }
    }

    fn read_progress(&mut self, told: &str) {
        let mut step: Option<u64> = None;
        let mut value: Option<f64> = None;
        for word in told.split_whitespace() {
            if let Some(digits) = word.strip_prefix("step=") {
                step = digits.parse().ok();
            } else if let Some(digits) = word.strip_prefix("value=") {
                value = finite(digits);
            }
        }
        if let Some(step) = step {
            self.progress = Some((step, value));
        }
    }
}

fn finite(digits: &str) -> Option<f64> {
    let value: f64 = digits.trim().parse().ok()?;
    Some(value).filter(|value| value.is_finite())
}

const PREFIX: &str = "noops:";
const MAX_NAME: usize = 100;
const MAX_METRICS: usize = 1000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_kind_of_line_is_understood() {
        let digest = Digest::of(b"model");
        let log = format!(
            "noops: step=1 value=0.5\r\n  noops: metric a=b=2e-3\nnoops:artifact={digest}\nnoops: step=2"
        );
        let report = JobReport::parse(&log);
        assert_eq!(report.progress(), Some((2, None)));
        assert_eq!(report.metrics()["a=b"], 2e-3);
        assert_eq!(report.artifact(), Some(digest));
    }

    #[test]
    fn what_is_not_understood_is_skipped() {
        let log = "step=1\nnoops: step=-1\nnoops: step=x value=1\nnoops: metric a=NaN\nnoops: metric b=inf\n\
                   noops: metric =1\nnoops: metric c\nnoops: artifact=12\nnoops: step=99999999999999999999\nnoops:";
        assert_eq!(JobReport::parse(log), JobReport::default());
    }

    #[test]
    fn a_flood_of_metrics_is_bounded_and_known_ones_still_change() {
        let mut report = JobReport::default();
        for index in 0..5000 {
            report.read_line(&format!("noops: metric m{index}=1"));
        }
        assert_eq!(report.metrics().len(), MAX_METRICS);
        report.read_line("noops: metric m0=2");
        assert_eq!(report.metrics()["m0"], 2.0);
        report.read_line(&format!("noops: metric {}=1", "x".repeat(101)));
        assert_eq!(report.metrics().len(), MAX_METRICS);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,200}", tail in "[a-z= .0-9-]{0,40}") {
            let report = JobReport::parse(&format!("{text}\nnoops: {tail}"));
            prop_assert!(report.metrics().values().all(|value| value.is_finite()));
        }
    }
}
