//! A model to route to, and its name.

use std::sync::Arc;

use noops_core::{Error, ErrorKind, ModelName};

use super::{Routed, Router};
use crate::runtime::Request;

/// A router by its name: a stage of a cascade, where a rule leads, a safety model, or what stands in for a vetoed answer.
///
/// Rows that it answers bear its name, unless it is made of others, whose names they bear then.
#[derive(Clone, Debug)]
pub struct Target {
    name: Arc<ModelName>,
    router: Arc<dyn Router>,
}

impl Target {
    /// A router, and the name that its answers bear.
    #[must_use]
    pub fn new(name: ModelName, router: Arc<dyn Router>) -> Self {
        Self {
            name: Arc::new(name),
            router,
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &ModelName {
        &self.name
    }

    pub(super) fn features(&self) -> Arc<[String]> {
        self.router.features()
    }

    pub(super) async fn route(&self, request: &Request) -> Result<Routed, Error> {
        let mut routed = self.router.route(request).await?;
        if routed.rows.len() != request.ids().len() {
            return Err(Error::new(
                ErrorKind::Corrupt,
                "route a request",
                "a router must answer one row per row of the request",
            )
            .with("router", &self.name)
            .with("rows", request.ids().len())
            .with("answered", routed.rows.len()));
        }
        for row in &mut routed.rows {
            row.name_target(&self.name);
        }
        Ok(routed)
    }
}
