use std::time::Duration;

/// The smallest time, in microseconds, that a share of the calls did not exceed.
///
/// ```
/// use std::time::Duration;
/// use noops_benches::microseconds;
///
/// let sorted: Vec<Duration> = (1..=4).map(Duration::from_micros).collect();
/// assert_eq!(microseconds(&sorted, 0.5), Some(2.0));
/// ```
#[must_use]
pub fn microseconds(sorted: &[Duration], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    let found = sorted.get(rank.saturating_sub(1))?;
    Some(found.as_nanos() as f64 / 1000.0)
}
