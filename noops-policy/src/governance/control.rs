use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::GovernanceError;

/// Whose control it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Framework {
    /// Regulation (EU) 2024/1689, the Artificial Intelligence Act.
    EuAiAct,
    /// The Artificial Intelligence Risk Management Framework of NIST.
    NistAiRmf,
    /// ISO/IEC 42001, the management system for artificial intelligence.
    #[serde(rename = "iso-42001")]
    Iso42001,
    /// A control of the house.
    Custom,
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EuAiAct => "EU AI Act",
            Self::NistAiRmf => "NIST AI RMF",
            Self::Iso42001 => "ISO/IEC 42001",
            Self::Custom => "custom",
        })
    }
}

/// Whether a control may be left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Necessity {
    /// It is reported while nothing serves it.
    Mandatory,
    /// It may be left open.
    Voluntary,
}

/// Something that somebody must be able to show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "RawControl")]
pub struct Control {
    framework: Framework,
    id: String,
    title: String,
    necessity: Necessity,
}

impl Control {
    /// Checks the id and the title.
    ///
    /// # Errors
    ///
    /// [`GovernanceError::Control`] for an empty id or title.
    pub fn new(
        framework: Framework,
        id: &str,
        title: &str,
        necessity: Necessity,
    ) -> Result<Self, GovernanceError> {
        for (field, text) in [("id", id), ("title", title)] {
            if text.trim().is_empty() {
                return Err(GovernanceError::Control {
                    problem: format!("its `{field}` is empty; write one"),
                });
            }
        }
        Ok(Self::known(framework, id, title, necessity))
    }

    /// A control of the catalogue, whose texts are there.
    pub(super) fn known(framework: Framework, id: &str, title: &str, necessity: Necessity) -> Self {
        Self {
            framework,
            id: id.to_owned(),
            title: title.to_owned(),
            necessity,
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn framework(&self) -> Framework {
        self.framework
    }

    /// What its framework calls it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is about, in few words.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether it may be left open.
    #[must_use]
    pub fn necessity(&self) -> Necessity {
        self.necessity
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.framework, self.id)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawControl {
    framework: Framework,
    id: String,
    title: String,
    necessity: Necessity,
}

impl TryFrom<RawControl> for Control {
    type Error = GovernanceError;

    fn try_from(raw: RawControl) -> Result<Self, GovernanceError> {
        Self::new(raw.framework, &raw.id, &raw.title, raw.necessity)
    }
}
