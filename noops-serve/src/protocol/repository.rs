//! The model repository extension.

use serde::Serialize;

/// One version of a model in the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepositoryEntry {
    /// The model's name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Whether it serves.
    pub state: ModelState,
    /// Why it is in that state; empty when there is nothing to say.
    pub reason: String,
}

/// Whether a version of a model serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ModelState {
    /// It serves.
    Ready,
    /// It does not.
    Unavailable,
    /// It will.
    Loading,
    /// It serves what it has accepted, and nothing new.
    Unloading,
}

impl ModelState {
    /// The protocol's name, `READY` say.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Unavailable => "UNAVAILABLE",
            Self::Loading => "LOADING",
            Self::Unloading => "UNLOADING",
        }
    }
}

/// Whether an index lists ready models only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReadyOnly {
    /// Only those that serve.
    Yes,
    /// All.
    #[default]
    No,
}
