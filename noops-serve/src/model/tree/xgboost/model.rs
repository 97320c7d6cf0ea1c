//! A booster.

use noops_core::Error;

use super::document::Document;
use super::objective::Objective;
use super::tree;
use crate::model::tree::builder::{ForestBuilder, corrupt, unsupported};
use crate::model::tree::executor::TreeModel;

/// Reads the document that `save_model` writes.
pub(super) fn read(document: &Document) -> Result<TreeModel, Error> {
    let learner = document.field("learner")?;
    let parameters = learner.field("learner_model_param")?;
    let objective = Objective::of(learner.field("objective")?.text("name")?)?;
    let classes = parameters.count("num_class")?;
    let outputs = classes.max(parameters.count("num_target")?).max(1);
    let booster = learner.field("gradient_booster")?;
    let (trees, drops) = match booster.text("name")? {
        "gbtree" => (booster.field("model")?, None),
        "dart" => {
            let drops = booster.numbers("weight_drop")?;
            (booster.field("gbtree")?.field("model")?, Some(drops))
        }
        other => return Err(unsupported("the booster is not supported").with("booster", other)),
    };
    let mut builder = ForestBuilder::new(parameters.count("num_feature")?, outputs)?
        .with_transform(objective.transform);
    builder = builder.with_base(base(parameters, objective, outputs)?)?;
    let output_of = trees.integers("tree_info")?;
    let trees = trees.list("trees")?;
    if output_of.len() != trees.len()
        || drops
            .as_ref()
            .is_some_and(|drops| drops.len() != trees.len())
    {
        return Err(corrupt("each tree must have a group and a weight").with("trees", trees.len()));
    }
    for (index, (document, &output)) in trees.iter().zip(&output_of).enumerate() {
        let weight = match &drops {
            Some(drops) => drops.get(index).copied().unwrap_or(1.0),
            None => 1.0,
        };
        // An output out of range is refused with the tree.
        let output = usize::try_from(output).unwrap_or(usize::MAX);
        let nodes = tree::nodes(document, output, weight);
        builder.tree(nodes.map_err(|error| error.with("tree", index))?)?;
    }
    let model = TreeModel::new(builder.build()?);
    match learner.find("feature_names") {
        Some(Document::List(names)) if !names.is_empty() => {
            model.with_feature_names(names.iter().map(name).collect::<Result<_, _>>()?)
        }
        _ => Ok(model),
    }
}

/// The margins that rows start from: one base score for all outputs or one each, which newer versions write as a list in a text.
fn base(parameters: &Document, objective: Objective, outputs: usize) -> Result<Vec<f64>, Error> {
    let text = parameters.text("base_score")?;
    let malformed = || corrupt("the base score is not a number").with("base score", text);
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    let scores = inner
        .split(',')
        .map(|score| score.trim().parse::<f32>().map(f64::from));
    let scores: Vec<f64> = scores.collect::<Result<_, _>>().map_err(|_| malformed())?;
    let margins = scores.iter().map(|&score| objective.margin(score));
    let margins: Vec<f64> = margins.collect::<Result<_, _>>()?;
    match margins.as_slice() {
        [margin] => Ok(vec![*margin; outputs]),
        _ => Ok(margins),
    }
}

fn name(document: &Document) -> Result<String, Error> {
    match document {
        Document::Text(name) => Ok(name.clone()),
        _ => Err(corrupt("a feature name is not a text")),
    }
}
