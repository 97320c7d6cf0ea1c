use crate::digest::Digest;
use crate::name::Alias;
use crate::registry::AliasTarget;

/// Something in MLflow that is not as we left it: somebody wrote there without us.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForeignWrite {
    /// An alias was pointed elsewhere.
    AliasMoved {
        /// The alias, which may be a name that only MLflow allows.
        alias: String,
        /// Where it points by its history.
        recorded: Option<Digest>,
        /// MLflow's number of the version it points at there.
        found: u64,
    },
    /// An alias was taken away, perhaps because the version it pointed at was deleted.
    AliasRemoved {
        /// The alias.
        alias: Alias,
        /// Where it points by its history.
        recorded: Digest,
    },
    /// A version of ours was deleted in MLflow, or is deleted while an alias points at it.
    VersionDeleted {
        /// Its number.
        number: u64,
        /// Its digest.
        digest: Digest,
    },
    /// A tag of ours was changed or removed.
    TagsChanged {
        /// The tag, or the first of those that belong together.
        tag: String,
        /// The version whose tag it is; `None` for a tag of the model.
        version: Option<u64>,
    },
    /// A version that was not registered here: made in MLflow, or left behind by a registration that was cut off.
    UnknownVersion {
        /// Its number.
        number: u64,
    },
    /// A move of ours that another one replaced at the same time, because a lease ended while its holder was acting.
    MoveLost {
        /// The alias.
        alias: Alias,
        /// Where it was moved to.
        target: AliasTarget,
    },
}

impl ForeignWrite {
    /// The alias it is about.
    #[must_use]
    pub fn alias(&self) -> Option<&str> {
        match self {
            Self::AliasMoved { alias, .. } => Some(alias),
            Self::AliasRemoved { alias, .. } | Self::MoveLost { alias, .. } => Some(alias.as_str()),
            Self::VersionDeleted { .. }
            | Self::TagsChanged { .. }
            | Self::UnknownVersion { .. } => None,
        }
    }

    /// MLflow's number of the version it is about.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        match self {
            Self::AliasMoved { found, .. } => Some(*found),
            Self::VersionDeleted { number, .. } | Self::UnknownVersion { number } => Some(*number),
            Self::TagsChanged { version, .. } => *version,
            Self::AliasRemoved { .. } | Self::MoveLost { .. } => None,
        }
    }
}
