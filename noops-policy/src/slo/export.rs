mod error;
mod prometheus;
mod promql;
mod yaml;

pub use self::error::ExportError;
pub use self::prometheus::{CounterArithmetic, PrometheusRules};

#[cfg(test)]
mod tests;
