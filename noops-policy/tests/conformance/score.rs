use std::collections::BTreeMap;

use super::skip;
use super::vector::Vector;

/// What became of the vectors, suite by suite.
pub(crate) struct Score {
    name: &'static str,
    suites: BTreeMap<String, Tally>,
    skipped: BTreeMap<&'static str, usize>,
    misses: Vec<String>,
    /// Misses that are no known deviations, and deviations that are no misses.
    surprises: Vec<String>,
}

#[derive(Default)]
struct Tally {
    passed: usize,
    counted: usize,
    skipped: usize,
}

impl Score {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            suites: BTreeMap::new(),
            skipped: BTreeMap::new(),
            misses: Vec::new(),
            surprises: Vec::new(),
        }
    }

    pub(crate) fn skip(&mut self, suite: &str, reason: &'static str) {
        self.tally(suite).skipped += 1;
        *self.skipped.entry(reason).or_default() += 1;
    }

    pub(crate) fn count(&mut self, vector: &Vector, outcome: Result<(), String>) {
        let tally = self.tally(vector.suite());
        tally.counted += 1;
        tally.passed += usize::from(outcome.is_ok());
        let source = &vector.expression;
        match (outcome, skip::deviation(self.name, vector)) {
            (Ok(()), None) => {}
            (Err(miss), Some(reason)) => {
                self.misses
                    .push(format!("{}: `{source}` {miss} ({reason})", vector.path));
            }
            (Err(miss), None) => {
                let miss = format!("{}: `{source}` {miss}", vector.path);
                self.surprises.push(miss.clone());
                self.misses.push(miss);
            }
            (Ok(()), Some(_)) => self.surprises.push(format!(
                "{}: is listed as a deviation and is none",
                vector.path
            )),
        }
    }

    /// Prints every suite and every miss, then demands a share of passes among at least so many vectors.
    #[expect(clippy::print_stdout, reason = "a score is there to be read")]
    pub(crate) fn assert_share(&self, min_share: f64, min_counted: usize) {
        let name = self.name;
        for (suite, tally) in &self.suites {
            println!(
                "{name}: {suite}: {} of {}, {} skipped",
                tally.passed, tally.counted, tally.skipped
            );
        }
        for (reason, count) in &self.skipped {
            println!("{name}: {count} skipped: {reason}");
        }
        for miss in &self.misses {
            println!("{name}: miss: {miss}");
        }
        let counted: usize = self.suites.values().map(|tally| tally.counted).sum();
        let passed = counted - self.misses.len();
        println!("{name}: {passed} of {counted}");
        assert!(
            counted >= min_counted,
            "{name}: only {counted} vectors counted, expected {min_counted} or more"
        );
        assert!(
            self.surprises.is_empty(),
            "{name}: not as listed: {:#?}",
            self.surprises
        );
        assert!(
            passed as f64 >= min_share * counted as f64,
            "{name}: {passed} of {counted} vectors passed, expected a share of {min_share}"
        );
    }

    fn tally(&mut self, suite: &str) -> &mut Tally {
        self.suites.entry(suite.to_owned()).or_default()
    }
}
