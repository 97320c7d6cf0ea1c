//! Labels that come late or never, compared at equal age.

pub use self::kaplan_meier::{Followed, KaplanMeier, SurvivalStep};
pub use self::late::LateLabels;
pub use self::matured::{LabelledExposure, Matured, Maturity};
pub use self::settings::LateLabelSettings;
pub use self::strata::{ArmCounts, ArrivalStrata, ArrivalStratum};

mod kaplan_meier;
mod late;
mod matured;
mod settings;
mod strata;
