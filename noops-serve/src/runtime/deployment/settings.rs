//! How much may wait beside the path.

use noops_core::Share;

/// How much may wait beside the prediction path before it is dropped and counted, and how much of it is taken at all.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeploymentSettings {
    /// Exposure records.
    pub exposures: usize,
    /// Requests whose shadow copies wait.
    pub shadow_copies: usize,
    /// The part of the requests, by a hash of their ids, that challengers are shown when they do not answer them.
    pub shadow_sample: Share,
    /// How many rows may wait for the champion before shadow copies are dropped.
    pub shed_shadows_above: usize,
    /// Rows as they were served, with their answers.
    pub observations: usize,
    /// The part of the rows, by a hash of their ids, that is kept as it was served.
    pub observation_sample: Share,
}

impl Default for DeploymentSettings {
    fn default() -> Self {
        Self {
            exposures: 65_536,
            shadow_copies: 4_096,
            shadow_sample: Share::FULL,
            shed_shadows_above: 4_096,
            observations: 65_536,
            observation_sample: Share::ZERO,
        }
    }
}

impl DeploymentSettings {
    /// Sets how many exposure records may wait.
    #[must_use]
    pub fn with_exposures(mut self, exposures: usize) -> Self {
        self.exposures = exposures;
        self
    }

    /// Sets how many requests' shadow copies may wait.
    #[must_use]
    pub fn with_shadow_copies(mut self, shadow_copies: usize) -> Self {
        self.shadow_copies = shadow_copies;
        self
    }

    /// Sets the part of the requests that challengers are shown when they do not answer them.
    #[must_use]
    pub fn with_shadow_sample(mut self, sample: Share) -> Self {
        self.shadow_sample = sample;
        self
    }

    /// Sets how many rows may wait for the champion before shadow copies are dropped.
    #[must_use]
    pub fn with_shed_shadows_above(mut self, rows: usize) -> Self {
        self.shed_shadows_above = rows;
        self
    }

    /// Sets how many rows may wait as they were served.
    #[must_use]
    pub fn with_observations(mut self, rows: usize) -> Self {
        self.observations = rows;
        self
    }

    /// Sets the part of the rows that is kept as it was served.
    #[must_use]
    pub fn with_observation_sample(mut self, sample: Share) -> Self {
        self.observation_sample = sample;
        self
    }
}
