//! Shares as they are written on a command line.

use noops_core::Share;

use crate::failure::{Failure, fail};

/// Rising shares with commas between them.
pub(crate) fn parse(text: &str) -> Result<Vec<Share>, Failure> {
    let mut shares: Vec<Share> = Vec::new();
    for part in text.split(',').map(str::trim) {
        let share = ratio(part)
            .and_then(|ratio| Share::from_ratio(ratio).ok())
            .filter(|share| (Share::ZERO < *share) && (*share < Share::FULL))
            .ok_or_else(|| {
                fail(format!(
                    "stage `{part}` of `--stages` is no share between 0 and 100 % that leaves the champion a part; write it as `5%` or `0.05`"
                ))
            })?;
        if let Some(before) = shares.last().filter(|before| **before >= share) {
            return Err(fail(format!(
                "stage `{part}` of `--stages` does not rise above the `{before}` before it; put the shares in rising order"
            )));
        }
        if shares.len() == MOST_STAGES {
            return Err(fail(format!(
                "`--stages` has more than `{MOST_STAGES}` stages; leave some out"
            )));
        }
        shares.push(share);
    }
    Ok(shares)
}

/// A number, or a number of hundredths with its sign.
pub(crate) fn ratio(text: &str) -> Option<f64> {
    match text.strip_suffix('%') {
        Some(percent) => Some(percent.trim_end().parse::<f64>().ok()? / 100.0),
        None => text.parse().ok(),
    }
}

const MOST_STAGES: usize = 50;
