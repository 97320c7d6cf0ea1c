//! Both models on the same requests, only the champion's answer served.

pub use self::agreement::AgreementRate;
pub use self::comparison::ShadowComparison;
pub use self::discordance::DiscordantPairs;
pub use self::divergence::ScoreDivergence;
pub use self::loss::{PairedLoss, PairedSettings};
pub use self::pair::{Correctness, LostAnswer, ShadowAnswer, ShadowResponse};
pub use self::ratio::{RatioEvidence, RatioSettings};
pub use self::sample_size::{pairs_needed, requests_needed_unpaired};
pub use self::settings::ShadowSettings;

mod agreement;
mod comparison;
mod discordance;
mod divergence;
mod loss;
mod pair;
mod ratio;
mod sample_size;
mod settings;
