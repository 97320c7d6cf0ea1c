use serde::{Deserialize, Serialize};

/// Which changes of the mean a detector looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Only increases.
    Up,
    /// Only decreases.
    Down,
    /// Both.
    Both,
}

impl Direction {
    pub(super) fn sees_up(self) -> bool {
        self != Self::Down
    }

    pub(super) fn sees_down(self) -> bool {
        self != Self::Up
    }
}
