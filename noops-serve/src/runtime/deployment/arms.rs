//! The models of a deployment, and which of them a unit gets.

use std::sync::Arc;

use noops_canary::{Arm, Assignment, Salt, WeightedAssignment, bucket};
use noops_core::{Digest, Share};

use crate::runtime::exposure::AnsweredBy;
use crate::runtime::request::{Answer, Forced, Prediction};
use crate::runtime::served::ServedModel;

/// One consistent set of models: what a request pins.
#[derive(Clone, Debug)]
pub(super) struct Arms {
    pub(super) champion: Arc<ServedModel>,
    pub(super) challengers: Vec<Arc<ServedModel>>,
    pub(super) split: Option<Split>,
    pub(super) shadows: Vec<Shadow>,
    pub(super) fallback: Option<Fallback>,
}

#[derive(Clone, Debug)]
pub(super) enum Split {
    One(Assignment),
    Many {
        assignment: WeightedAssignment,
        /// Of the champion and of every challenger.
        shares: Vec<Share>,
    },
}

/// A model that is shown a part of the requests and answers none.
#[derive(Clone, Debug)]
pub(super) struct Shadow {
    pub(super) model: Arc<ServedModel>,
    salt: Salt,
    sample: Share,
}

/// What answers where the models cannot.
#[derive(Clone, Debug)]
pub enum Fallback {
    /// The same numbers always.
    Constant(Constant),
    /// Another model, which reads the same rows by a contract of its own.
    Model(Arc<ServedModel>),
}

/// Numbers that are given as an answer.
#[derive(Clone, Debug)]
pub struct Constant {
    scores: Arc<[f32]>,
    digest: Digest,
}

impl Fallback {
    /// The same numbers always.
    #[must_use]
    pub fn constant(scores: &[f32]) -> Self {
        Self::Constant(Constant::new(scores))
    }
}

impl Constant {
    /// Numbers to be given as an answer.
    #[must_use]
    pub fn new(scores: &[f32]) -> Self {
        Self {
            scores: scores.into(),
            digest: Digest::of_json(&scores),
        }
    }

    /// The answer for one row.
    pub(crate) fn prediction(&self) -> Prediction {
        Prediction {
            answer: Answer::Constant(self.scores.clone()),
            version: self.digest,
            answered_by: AnsweredBy::Fallback,
        }
    }
}

/// The arm of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AssignedRow {
    /// Which challenger; `None` for the champion.
    pub(super) challenger: Option<usize>,
    pub(super) share: Share,
    pub(super) in_analysis: bool,
}

impl AssignedRow {
    pub(super) const TO_CHAMPION: Self = Self {
        challenger: None,
        share: Share::ZERO,
        in_analysis: true,
    };

    pub(super) fn arm(self) -> Arm {
        match self.challenger {
            Some(_) => Arm::Challenger,
            None => Arm::Champion,
        }
    }
}

impl Arms {
    pub(super) fn of(champion: Arc<ServedModel>) -> Self {
        Self {
            champion,
            challengers: Vec::new(),
            split: None,
            shadows: Vec::new(),
            fallback: None,
        }
    }

    pub(super) fn crowned(&self, champion: Arc<ServedModel>) -> Self {
        Self {
            champion,
            ..self.withdrawn()
        }
    }

    pub(super) fn withdrawn(&self) -> Self {
        Self {
            challengers: Vec::new(),
            split: None,
            ..self.clone()
        }
    }

    pub(super) fn challenged(&self, model: Arc<ServedModel>, assignment: Assignment) -> Self {
        Self {
            challengers: vec![model],
            split: Some(Split::One(assignment)),
            ..self.clone()
        }
    }

    pub(super) fn challenged_by_many(
        &self,
        models: Vec<Arc<ServedModel>>,
        assignment: WeightedAssignment,
    ) -> Self {
        Self {
            challengers: models,
            split: Some(Split::Many {
                shares: assignment.shares(),
                assignment,
            }),
            ..self.clone()
        }
    }

    pub(super) fn shadowed(&self, model: Arc<ServedModel>, salt: Salt, sample: Share) -> Self {
        let mut arms = self.clone();
        arms.shadows
            .retain(|shadow| shadow.model.digest() != model.digest());
        arms.shadows.push(Shadow {
            model,
            salt,
            sample,
        });
        arms
    }

    /// The challengers' shares together.
    pub(super) fn share(&self) -> Share {
        match &self.split {
            None => Share::ZERO,
            Some(Split::One(assignment)) => assignment.share(),
            Some(Split::Many { shares, .. }) => {
                let champion = shares.first().copied().unwrap_or(Share::FULL);
                Share::from_ppm(Share::FULL.ppm() - champion.ppm()).unwrap_or(Share::ZERO)
            }
        }
    }

    pub(super) fn assign(&self, unit: &str, forced: Option<Forced>) -> AssignedRow {
        let assigned = match &self.split {
            None => AssignedRow::TO_CHAMPION,
            Some(Split::One(assignment)) => {
                let assigned = assignment.assign(unit);
                AssignedRow {
                    challenger: (assigned.arm() == Arm::Challenger).then_some(0),
                    share: assignment.share(),
                    in_analysis: assigned.in_analysis(),
                }
            }
            Some(Split::Many { assignment, shares }) => {
                let assigned = assignment.assign(unit);
                let challenger = assigned.arm().checked_sub(1);
                let own = challenger.and_then(|_| shares.get(assigned.arm()).copied());
                AssignedRow {
                    challenger,
                    share: own.unwrap_or_else(|| self.share()),
                    in_analysis: !assigned.is_overridden(),
                }
            }
        };
        match forced {
            None => assigned,
            #[cfg(feature = "http")]
            Some(Forced::Version(version)) => AssignedRow {
                challenger: self
                    .challengers
                    .iter()
                    .position(|model| model.digest() == version),
                in_analysis: false,
                ..assigned
            },
            Some(Forced::Arm(Arm::Champion)) => AssignedRow {
                challenger: None,
                in_analysis: false,
                ..assigned
            },
            Some(Forced::Arm(Arm::Challenger)) => AssignedRow {
                challenger: (!self.challengers.is_empty())
                    .then_some(assigned.challenger.unwrap_or(0)),
                in_analysis: false,
                ..assigned
            },
        }
    }
}

impl Shadow {
    pub(super) fn sees(&self, request: &str) -> bool {
        self.sample == Share::FULL || bucket(&self.salt, request) < self.sample.ppm()
    }
}
