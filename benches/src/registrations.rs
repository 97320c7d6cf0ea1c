use std::error::Error;

use noops_core::{
    Alias, AliasMove, Contract, Digest, Feature, FeatureRule, FencingToken, ModelName,
    ModelRegistry, OutputRule, Registration, Timestamp,
};

/// Version `number` of a model of 32 numbers, with what a training leaves behind.
///
/// # Errors
///
/// None for any number; the names and ranges in it are legal.
pub fn registration(model: &ModelName, number: u64) -> Result<Registration, Box<dyn Error>> {
    let rules = (0..FEATURES).map(|feature| {
        FeatureRule::strict(Feature::number_between(format!("x{feature:02}"), 0.0, 1.0))
    });
    let contract = Contract::new(rules, OutputRule::probability())?;
    let digest = Digest::of(&number.to_le_bytes());
    let mut registration =
        Registration::new(model.clone(), digest, contract, Timestamp::UNIX_EPOCH);
    for (name, value) in [("auc", 0.74), ("brier", 0.15), ("log-loss", 0.46)] {
        registration.metrics.insert(name.to_owned(), value);
    }
    for (name, value) in [("trees", "400"), ("depth", "6"), ("rate", "0.05")] {
        let (name, value) = (name.to_owned(), value.to_owned());
        registration.parameters.insert(name, value);
    }
    registration.lineage.training_run = format!("run-{number}");
    registration.lineage.code_revision = "4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned();
    registration.lineage.dataset = Some(Digest::of(b"rows"));
    Ok(registration)
}

/// Registers `versions` versions and moves the alias `champion` as often, from one to the next. Returns their digests in order.
///
/// # Errors
///
/// What the registry answers.
pub async fn fill_registry(
    registry: &dyn ModelRegistry,
    model: &ModelName,
    versions: u64,
) -> Result<Vec<Digest>, Box<dyn Error>> {
    let mut digests: Vec<Digest> = Vec::new();
    for number in 1..=versions {
        let registered = registry.register(registration(model, number)?).await?;
        let change = AliasMove {
            alias: Alias::champion(),
            from: digests.last().copied(),
            to: Some(registered.digest()),
            at: Timestamp::from_second(i64::try_from(number)?)?,
            token: FencingToken::NONE,
        };
        registry.move_alias(model, &change).await?;
        digests.push(registered.digest());
    }
    Ok(digests)
}

const FEATURES: usize = 32;

#[cfg(test)]
mod tests {
    use noops_core::InMemoryRegistry;

    use super::*;
    use crate::poll_once;

    #[test]
    fn a_filled_registry_has_every_version_and_every_move() {
        let registry = InMemoryRegistry::new();
        let model: ModelName = "bench".parse().unwrap();
        let digests = poll_once(fill_registry(&registry, &model, 5))
            .unwrap()
            .unwrap();
        let versions = poll_once(registry.versions(&model)).unwrap().unwrap();
        let moves = poll_once(registry.alias_history(&model, &Alias::champion()))
            .unwrap()
            .unwrap();
        assert_eq!((digests.len(), versions.len(), moves.len()), (5, 5, 5));
    }
}
