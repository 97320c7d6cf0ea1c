pub use self::mcnemar::{PairedResult, SequentialMcNemar};
pub use self::settings::PairSettings;
pub use self::sign::SequentialSign;

mod mcnemar;
mod settings;
mod sign;

#[cfg(test)]
mod tests;
