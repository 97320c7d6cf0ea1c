//! The models of the command line.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use noops_canary::Salt;
use noops_core::{Contract, ModelName, Share};
use noops_serve::Runtime;

use crate::Arguments;
use crate::failure::{Failure, fail};
use crate::file::{Files, name_of};

/// Puts all models of the command line into service, and says what each is.
pub(crate) fn deploy(
    runtime: &Runtime,
    files: &Files,
    arguments: &Arguments,
) -> Result<Vec<String>, Failure> {
    let line_up = LineUp {
        files,
        arguments,
        contract: arguments
            .contract
            .as_deref()
            .map(read_contract)
            .transpose()?,
    };
    let mut lines = Vec::new();
    let mut taken = BTreeSet::new();
    let mut put = |name: ModelName, deployment, line: String| -> Result<(), Failure> {
        if !taken.insert(name.clone()) {
            return Err(fail(format!(
                "two models are called `{name}`; give one of them another name with `--name NAME=FILE`"
            )));
        }
        lines.push(format!("{name} ({line})"));
        Ok(runtime.deploy(name, Arc::new(deployment))?)
    };
    for path in line_up.single_models() {
        let name = line_up.name(path)?;
        let opened = files.open(path, &name, 1, line_up.contract.as_ref())?;
        let told = opened.told();
        put(name, files.deployment(opened.model), told)?;
    }
    if let Some(champion) = &arguments.champion {
        let name = line_up.name(champion)?;
        let (deployment, line) = line_up.contest(champion, &name)?;
        put(name, deployment, line)?;
    }
    Ok(lines)
}

struct LineUp<'a> {
    files: &'a Files,
    arguments: &'a Arguments,
    contract: Option<Contract>,
}

impl LineUp<'_> {
    /// The files that make a deployment each: also those that only have a name.
    fn single_models(&self) -> Vec<&Path> {
        let Arguments {
            models,
            champion,
            challengers,
            shadows,
            names,
            ..
        } = self.arguments;
        let contest = champion.iter().chain(challengers).chain(shadows);
        let given: BTreeSet<_> = models.iter().chain(contest).collect();
        let only_named = names.iter().map(|named| &named.file);
        let only_named = only_named.filter(|file| !given.contains(file));
        let all = models.iter().chain(only_named);
        all.map(AsRef::as_ref).collect()
    }

    fn name(&self, path: &Path) -> Result<ModelName, Failure> {
        let mut names = self.arguments.names.iter();
        match names.find(|named| named.file == path) {
            Some(named) => Ok(named.name.clone()),
            None => name_of(path),
        }
    }

    /// A champion with its challengers and shadows.
    fn contest(
        &self,
        champion: &Path,
        name: &ModelName,
    ) -> Result<(noops_serve::Deployment, String), Failure> {
        let mut numbers = 1..;
        let mut open = |path: &Path| {
            let number = numbers.next().unwrap_or_default();
            self.files.open(path, name, number, self.contract.as_ref())
        };
        let first = open(champion)?;
        let mut told = vec![first.told()];
        let deployment = self.files.deployment(first.model);
        let shares = &self.arguments.shares;
        if shares.len() != self.arguments.challengers.len() {
            return Err(fail(format!(
                "there are {} challengers and {} shares; give `--share` once for each `--challenger`",
                self.arguments.challengers.len(),
                shares.len()
            )));
        }
        let mut challengers = Vec::new();
        for (path, share) in self.arguments.challengers.iter().zip(shares) {
            let opened = open(path)?;
            told.push(format!(
                "challenger with {} %: {}",
                share.ratio() * 100.0,
                opened.told()
            ));
            challengers.push((opened.model, *share));
        }
        if !challengers.is_empty() {
            deployment.challenge_with_many(challengers, Salt::new(name.as_str()))?;
        }
        for path in &self.arguments.shadows {
            let opened = open(path)?;
            told.push(format!("shadow: {}", opened.told()));
            deployment.shadow(opened.model, Share::FULL);
        }
        Ok((deployment, told.join(", ")))
    }
}

fn read_contract(path: &Path) -> Result<Contract, Failure> {
    let text = std::fs::read(path)
        .map_err(|error| fail(format!("cannot read `{}`: {error}", path.display())))?;
    serde_json::from_slice(&text)
        .map_err(|error| fail(format!("`{}` is no contract: {error}", path.display())))
}
