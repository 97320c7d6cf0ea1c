//! What a file says about all trees.

use noops_core::Error;

use super::objective;
use super::sections::Section;
use crate::model::tree::builder::corrupt;
use crate::model::tree::transform::PostTransform;

/// The header of a file.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) features: usize,
    pub(super) outputs: usize,
    /// Whether the trees are averaged, as in a random forest.
    pub(super) average: bool,
    pub(super) transform: PostTransform,
    pub(super) names: Vec<String>,
}

impl Header {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let last: usize = section.number("max_feature_idx")?;
        let outputs: usize = section.number("num_tree_per_iteration")?;
        if outputs == 0 {
            return Err(corrupt("a round has no trees"));
        }
        let names = section.find("feature_names").unwrap_or_default();
        Ok(Self {
            features: last.saturating_add(1),
            outputs,
            average: section.find("average_output").is_some(),
            transform: match section.find("objective") {
                Some(objective) => objective::transform(objective)?,
                None => PostTransform::None,
            },
            names: names.split_ascii_whitespace().map(str::to_owned).collect(),
        })
    }
}
