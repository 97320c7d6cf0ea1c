//! Two samples, value by value: sorted once, walked together, and the exact laws of their ranks and gaps.

mod gaps;
mod kolmogorov_smirnov;
mod path_law;
mod rank_sums;
mod sorted;
mod walk;

pub use self::gaps::{Gaps, ratio};
pub use self::kolmogorov_smirnov::{KolmogorovSmirnov, equal_sizes_kept};
pub use self::path_law::{MAX_CELLS, PathLaw};
pub use self::rank_sums::{RankSums, StudentisedRanks, rank_sum_law};
pub use self::sorted::{SortedSample, key_of, value_of};
pub use self::walk::{Step, walk};
