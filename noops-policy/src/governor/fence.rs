use std::fmt;

use noops_core::FencingToken;
use serde::{Deserialize, Serialize};

/// The actuator's side of fencing: it remembers the greatest token and turns away every smaller one.
///
/// A lease is not a lock: a leader that was paused past its end believes that it still leads. Keep one guard beside each thing
/// that actions change, and store it there; the clock plays no part.
///
/// # Examples
///
/// ```
/// use noops_core::FencingToken;
/// use noops_policy::governor::FenceGuard;
///
/// let mut guard = FenceGuard::default();
/// let (paused, next) = (FencingToken::new(7), FencingToken::new(8));
/// guard.admit(paused)?;
/// guard.admit(next)?;
/// let refused = guard.admit(paused).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "fencing token `7` is older than `8`; stop, and acquire the lease again"
/// );
/// # Ok::<(), noops_policy::governor::Fenced>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FenceGuard {
    newest: FencingToken,
}

impl FenceGuard {
    /// Lets a token pass that is as great as every one seen, and remembers it.
    ///
    /// # Errors
    ///
    /// [`Fenced`] for a smaller token; nothing is changed.
    pub fn admit(&mut self, token: FencingToken) -> Result<(), Fenced> {
        self.check(token)?;
        self.newest = token;
        Ok(())
    }

    /// Says what [`FenceGuard::admit`] would, and remembers nothing.
    ///
    /// # Errors
    ///
    /// [`Fenced`] for a token smaller than one seen.
    pub fn check(&self, token: FencingToken) -> Result<(), Fenced> {
        if token < self.newest {
            return Err(Fenced {
                token,
                newest: self.newest,
            });
        }
        Ok(())
    }

    /// The greatest token seen.
    pub fn newest(&self) -> FencingToken {
        self.newest
    }

    pub(super) fn is_unused(&self) -> bool {
        self.newest.is_none()
    }
}

/// A token that is older than one seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fenced {
    token: FencingToken,
    newest: FencingToken,
}

impl Fenced {
    /// The token that was refused.
    pub fn token(&self) -> FencingToken {
        self.token
    }

    /// The greatest token seen.
    pub fn newest(&self) -> FencingToken {
        self.newest
    }
}

impl fmt::Display for Fenced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "fencing token `{}` is older than `{}`; stop, and acquire the lease again",
            self.token, self.newest
        )
    }
}

impl std::error::Error for Fenced {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // A leader may be paused between any two of its acts and wake up long after others have led.
        #[test]
        fn paused_leaders_never_act_after_their_successor(
            acts in prop::collection::vec(0_u64..6, 1..80)
        ) {
            let mut guard = FenceGuard::default();
            let mut acted: Vec<u64> = Vec::new();
            for leader in acts {
                let before = guard;
                match guard.admit(FencingToken::new(leader)) {
                    Ok(()) => {
                        prop_assert!(acted.iter().all(|earlier| *earlier <= leader));
                        acted.push(leader);
                    }
                    Err(fenced) => {
                        prop_assert!(acted.iter().any(|earlier| *earlier > leader));
                        prop_assert_eq!(fenced.newest(), before.newest());
                        prop_assert_eq!(guard, before);
                    }
                }
                let json = serde_json::to_string(&guard).unwrap();
                prop_assert_eq!(serde_json::from_str::<FenceGuard>(&json).unwrap(), guard);
            }
        }
    }
}
