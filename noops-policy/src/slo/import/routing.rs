use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the alerts of an objective are called, and the labels and annotations that route them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AlertRouting {
    name: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    page: Route,
    ticket: Route,
}

impl AlertRouting {
    /// Names the alerts.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the labels of every alert.
    #[must_use]
    pub fn with_labels(mut self, labels: BTreeMap<String, String>) -> Self {
        self.labels = labels;
        self
    }

    /// Sets the annotations of every alert.
    #[must_use]
    pub fn with_annotations(mut self, annotations: BTreeMap<String, String>) -> Self {
        self.annotations = annotations;
        self
    }

    /// Sets what is special about pages.
    #[must_use]
    pub fn with_page(mut self, page: Route) -> Self {
        self.page = page;
        self
    }

    /// Sets what is special about tickets.
    #[must_use]
    pub fn with_ticket(mut self, ticket: Route) -> Self {
        self.ticket = ticket;
        self
    }

    /// The name of the alerts, where one is given.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The labels of every alert.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    /// The annotations of every alert.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// What is special about pages.
    pub fn page(&self) -> &Route {
        &self.page
    }

    /// What is special about tickets.
    pub fn ticket(&self) -> &Route {
        &self.ticket
    }
}

/// What is special about the alerts of one severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Route {
    /// There are no alerts of this severity.
    Disabled,
    /// The alerts carry these labels and annotations beside those of every alert, which they override.
    Enabled {
        /// The labels.
        labels: BTreeMap<String, String>,
        /// The annotations.
        annotations: BTreeMap<String, String>,
    },
}

impl Default for Route {
    fn default() -> Self {
        Self::Enabled {
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
        }
    }
}
