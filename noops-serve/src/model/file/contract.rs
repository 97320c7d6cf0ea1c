//! What a file says of its inputs and outputs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use noops_core::{
    Batch, Column, ColumnKind, Contract, Error, Executor, Feature, FeatureKind, FeatureRule,
    OutputRule, Remedy,
};

use super::{Model, invalid};
use crate::model::onnx_ml::OnnxMlModel;

/// The contract that a file implies; `None` where it leaves something open.
pub(super) fn implied(model: &Model) -> Result<Option<Contract>, Error> {
    let Some(columns) = numbers(model) else {
        return Ok(None);
    };
    if columns > MOST_COLUMNS {
        return Err(
            invalid("the file has more columns than a contract is made up for")
                .with("columns", columns)
                .with("most", MOST_COLUMNS),
        );
    }
    let shown = match model {
        Model::Tree(model) => Shown {
            width: model.outputs(),
            missing: Remedy::Allow,
        },
        Model::Mlp(model) => Shown {
            width: model.outputs(),
            missing: Remedy::Reject,
        },
        Model::Classical(model) => probed(model.replica(), columns)?,
        Model::Network { executor, .. } => probed(executor.replica(), columns)?,
    };
    let rules = feature_names(model, columns).into_iter().map(|name| {
        let rule = FeatureRule::strict(Feature::number(name));
        rule.with_missing(shown.missing)
    });
    Contract::new(rules, OutputRule::numbers(shown.width)?).map(Some)
}

/// Whether a contract of the host's fits a file.
pub(super) fn check(model: &Model, contract: &Contract) -> Result<(), Error> {
    let given: Vec<&str> = contract
        .rules()
        .iter()
        .map(|rule| rule.feature().name())
        .collect();
    if let Some(columns) = numbers(model)
        && columns != given.len()
    {
        return Err(
            invalid("the contract has another number of features than the file")
                .with("contract", given.len())
                .with("file", columns),
        );
    }
    if let Model::Mlp(model) = model {
        let categories = contract
            .rules()
            .iter()
            .filter(|rule| matches!(rule.feature().kind(), FeatureKind::Category { .. }))
            .count();
        if (given.len() - categories, categories) != (model.numbers(), model.embeddings().len()) {
            return Err(
                invalid("the contract has other numbers and categories than the file")
                    .with("numbers in the file", model.numbers())
                    .with("categories in the file", model.embeddings().len()),
            );
        }
    }
    let wanted = own_names(model);
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let mut pairs = wanted.iter().zip(&given);
    let Some((ours, theirs)) = pairs.find(|(ours, theirs)| ours != theirs) else {
        return Ok(());
    };
    // Other names are the host's affair; the same ones in another order are a mistake that no score would show.
    if sorted(&wanted) != sorted(&given) {
        return Ok(());
    }
    let message = "the contract has the file's features in another order, put them in the file's";
    Err(invalid(message).with("file", ours).with("contract", theirs))
}

fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

/// Whether some input takes texts.
pub(super) fn reads_text(model: &OnnxMlModel) -> bool {
    let inputs = model.inputs();
    inputs
        .iter()
        .any(|input| input.kind() == ColumnKind::Category)
}

/// How many columns there are, where all are known and all are numbers.
fn numbers(model: &Model) -> Option<usize> {
    match model {
        Model::Tree(model) => Some(model.features()),
        Model::Mlp(model) => model.embeddings().is_empty().then(|| model.numbers()),
        Model::Classical(model) if reads_text(model) => None,
        Model::Classical(model) => {
            let mut widths = model.inputs().into_iter().map(|input| input.width());
            widths.try_fold(0_usize, |sum, width| sum.checked_add(width?))
        }
        Model::Network { columns, .. } => Some(*columns),
    }
}

/// The names that the file has for its features; none where it has none.
fn own_names(model: &Model) -> Vec<String> {
    match model {
        Model::Tree(model) => model.feature_names().to_vec(),
        Model::Classical(model) => {
            let inputs = model.inputs();
            // The name of a whole matrix names no feature.
            let each = inputs.iter().all(|input| input.width() == Some(1));
            let names = inputs.iter().filter(|_| each && inputs.len() > 1);
            names.map(|input| input.name().to_owned()).collect()
        }
        Model::Mlp(_) | Model::Network { .. } => Vec::new(),
    }
}

fn feature_names(model: &Model, columns: usize) -> Vec<String> {
    let own = own_names(model);
    if own.len() == columns {
        return own;
    }
    (0..columns).map(|column| format!("f{column}")).collect()
}

/// What a run shows of the output: how wide it is, and what a row without values does to it.
struct Shown {
    width: usize,
    missing: Remedy,
}

fn probed(executor: Option<Box<dyn Executor>>, columns: usize) -> Result<Shown, Error> {
    let mut executor =
        executor.ok_or_else(|| invalid("the model cannot be run beside itself to look at it"))?;
    let mut run = |value: f32| {
        let batch = Batch::new(vec![Column::Number(vec![value]); columns])?;
        // A library may panic on what its loader let through.
        let ran = catch_unwind(AssertUnwindSafe(|| executor.run(&batch)));
        ran.unwrap_or_else(|_| Err(invalid("the model panics on a row of zeros")))
    };
    let width = run(0.0)?.width();
    let survives = run(f32::NAN).is_ok_and(|scores| {
        let mut values = scores.values().iter();
        values.all(|value| value.is_finite())
    });
    let missing = if survives {
        Remedy::Allow
    } else {
        Remedy::Reject
    };
    Ok(Shown { width, missing })
}

/// The most columns that a contract is made up for: what a file may claim in a few bytes.
const MOST_COLUMNS: usize = 1 << 16;
