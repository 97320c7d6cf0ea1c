use std::time::Duration;

use criterion::Criterion;

/// The settings of every benchmark, overridden by the arguments of the command line.
#[must_use]
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args()
}
