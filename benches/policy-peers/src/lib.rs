//! The package of a benchmark; see `benches/gate`.
