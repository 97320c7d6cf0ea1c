//! Where the registry says the champion is.

use jiff::Timestamp;
use noops_core::{Alias, AliasMove, Digest, Error, FencingToken, ModelRegistry};

use super::settings::ControlSettings;

/// Makes the champion alias point at a version, if it does not already. It must point at `from`: a move by somebody else is a
/// `Conflict`, and is not overwritten.
pub(super) async fn point_champion(
    registry: &dyn ModelRegistry,
    settings: &ControlSettings,
    from: Option<Digest>,
    to: Digest,
    at: Timestamp,
    token: FencingToken,
) -> Result<(), Error> {
    if champion_alias(registry, settings).await? == Some(to) {
        return Ok(());
    }
    let change = AliasMove {
        alias: Alias::champion(),
        from,
        to: Some(to),
        at,
        token,
    };
    registry.move_alias(&settings.model, &change).await?;
    Ok(())
}

/// Where the champion alias points.
pub(super) async fn champion_alias(
    registry: &dyn ModelRegistry,
    settings: &ControlSettings,
) -> Result<Option<Digest>, Error> {
    let history = registry
        .alias_history(&settings.model, &Alias::champion())
        .await?;
    Ok(history.last().and_then(|target| target.digest))
}
