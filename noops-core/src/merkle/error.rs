//! What can be wrong with a tree, a proof or a note.

use std::fmt;

use super::tile::Tile;

/// A tile, a proof, a checkpoint or a signature that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MerkleError {
    /// No log of at most 2^64 - 1 entries has such a tile.
    NoSuchTile {
        /// The level asked for.
        level: u8,
        /// The index asked for.
        index: u64,
        /// The width asked for.
        width: u16,
    },
    /// No log of at most 2^64 - 1 entries has such a node.
    NoSuchNode {
        /// The level of the binary tree, leaves at 0.
        level: u8,
        /// The index asked for.
        index: u64,
    },
    /// An entry beyond the end of the log.
    IndexBeyondSize {
        /// The entry.
        index: u64,
        /// The size of the log.
        size: u64,
    },
    /// A log that would have become smaller.
    SizeShrinks {
        /// The older size.
        from: u64,
        /// The newer size.
        to: u64,
    },
    /// A tile that is needed and was not inserted, or not as wide as this.
    MissingTile(Tile),
    /// A tile of the wrong length: 32 bytes a hash are expected.
    TileLength {
        /// The tile.
        tile: Tile,
        /// The bytes found.
        bytes: usize,
    },
    /// A tile whose hashes fit neither its parent nor what was loaded before.
    TileMismatch(Tile),
    /// A proof with too many or too few hashes for its sizes.
    PathLength {
        /// The hashes a proof of these sizes has.
        expected: usize,
        /// The hashes found.
        found: usize,
    },
    /// The root that was computed is not the root that was signed.
    RootMismatch {
        /// The size of the log whose root does not fit.
        size: u64,
    },
    /// Text that is not of its format.
    Malformed {
        /// What the text should have been.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A note without a signature by this key.
    NotSigned {
        /// The name of the key and its identifier.
        key: String,
    },
    /// A signature that claims to be of this key and is not.
    SignatureMismatch {
        /// The name of the key and its identifier.
        key: String,
    },
    /// The operating system gave no random bytes for a new key.
    Randomness,
}

/// What makes a proof fail: the same type as everything else in this module.
pub type ProofError = MerkleError;

impl fmt::Display for MerkleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchTile {
                level,
                index,
                width,
            } => write!(
                f,
                "no log has a tile of width {width} at level {level}, index {index}"
            ),
            Self::NoSuchNode { level, index } => {
                write!(f, "no log has a node at level {level}, index {index}")
            }
            Self::IndexBeyondSize { index, size } => {
                write!(f, "entry {index} is beyond a log of {size} entries")
            }
            Self::SizeShrinks { from, to } => {
                write!(f, "a log of {from} entries cannot become one of {to}")
            }
            Self::MissingTile(tile) => write!(f, "`{tile}` is needed and was not loaded"),
            Self::TileLength { tile, bytes } => write!(
                f,
                "`{tile}` has {bytes} bytes instead of {}",
                tile.byte_length()
            ),
            Self::TileMismatch(tile) => {
                write!(f, "`{tile}` does not fit the rest of the tree")
            }
            Self::PathLength { expected, found } => {
                write!(
                    f,
                    "a proof of these sizes has {expected} hashes, not {found}"
                )
            }
            Self::RootMismatch { size } => write!(
                f,
                "the root computed for {size} entries is not the one that was signed"
            ),
            Self::Malformed { what, reason } => write!(f, "this is no {what}: {reason}"),
            Self::NotSigned { key } => write!(f, "the note is not signed by `{key}`"),
            Self::SignatureMismatch { key } => {
                write!(
                    f,
                    "the signature of `{key}` does not fit the text of the note"
                )
            }
            Self::Randomness => f.write_str("the operating system gave no random bytes"),
        }
    }
}

impl std::error::Error for MerkleError {}
