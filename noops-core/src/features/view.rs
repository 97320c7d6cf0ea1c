use std::time::Duration;

use arrow_schema::{DataType, Field, Schema, TimeUnit};
use serde::{Deserialize, Serialize};

use super::{EVENT_TIME, KNOWN_AT};
use crate::digest::Digest;

/// The type of a feature's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureType {
    /// Arrow `Float64`.
    Number,
    /// Arrow `Int64`.
    Integer,
    /// Arrow `Utf8`.
    Text,
    /// Arrow `Boolean`.
    Flag,
}

impl FeatureType {
    /// The Arrow type that values of this type have in every frame.
    #[must_use]
    pub fn data_type(self) -> DataType {
        match self {
            Self::Number => DataType::Float64,
            Self::Integer => DataType::Int64,
            Self::Text => DataType::Utf8,
            Self::Flag => DataType::Boolean,
        }
    }
}

/// One feature of a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewFeature {
    /// The name of its column.
    pub name: String,
    /// The type of its values.
    pub kind: FeatureType,
    /// The unit of its values.
    pub unit: Option<String>,
}

/// The definition of a set of features: of what, computed how, valid for how long, and whose.
///
/// Reading one refuses fields that it does not know: a misspelt `ttl` must not pass for none.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::{FeatureType, FeatureView};
///
/// let view = FeatureView::new("driver-hourly", "trips finished within the hour")
///     .with_key("driver", FeatureType::Integer)
///     .with_feature("trips", FeatureType::Integer)
///     .with_ttl(Duration::from_secs(3600))
///     .with_owner("dispatch");
/// let longer = view.clone().with_ttl(Duration::from_secs(7200));
/// assert_ne!(view.version(), longer.version());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureView {
    name: String,
    definition: String,
    keys: Vec<ViewFeature>,
    features: Vec<ViewFeature>,
    ttl: Option<Duration>,
    owner: Option<String>,
}

impl FeatureView {
    /// A view with a definition: any text that changes when the meaning of a feature changes.
    #[must_use]
    pub fn new(name: impl Into<String>, definition: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            definition: definition.into(),
            keys: Vec::new(),
            features: Vec::new(),
            ttl: None,
            owner: None,
        }
    }

    /// Adds a column that, with the other keys, tells entities apart.
    #[must_use]
    pub fn with_key(mut self, name: impl Into<String>, kind: FeatureType) -> Self {
        self.keys.push(ViewFeature {
            name: name.into(),
            kind,
            unit: None,
        });
        self
    }

    /// Adds a feature.
    #[must_use]
    pub fn with_feature(mut self, name: impl Into<String>, kind: FeatureType) -> Self {
        self.features.push(ViewFeature {
            name: name.into(),
            kind,
            unit: None,
        });
        self
    }

    /// Adds a feature with a unit.
    #[must_use]
    pub fn with_feature_in(
        mut self,
        name: impl Into<String>,
        kind: FeatureType,
        unit: impl Into<String>,
    ) -> Self {
        self.features.push(ViewFeature {
            name: name.into(),
            kind,
            unit: Some(unit.into()),
        });
        self
    }

    /// How old a value may be: used while t - event time <= TTL. Without one, values never become too old.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Who answers for the view.
    #[must_use]
    pub fn with_owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the features mean.
    #[must_use]
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// The columns that tell entities apart.
    #[must_use]
    pub fn keys(&self) -> &[ViewFeature] {
        &self.keys
    }

    /// The features, in the order of their columns.
    #[must_use]
    pub fn features(&self) -> &[ViewFeature] {
        &self.features
    }

    /// How old a value may be.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// Who answers for the view.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// The version: the digest of the whole definition.
    #[must_use]
    pub fn version(&self) -> Digest {
        Digest::of_json(self)
    }

    /// The Arrow schema of the rows that are pushed: keys, [`EVENT_TIME`], [`KNOWN_AT`], features.
    #[must_use]
    pub fn row_schema(&self) -> Schema {
        let instant = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let mut fields: Vec<Field> = Vec::new();
        fields.extend(
            self.keys
                .iter()
                .map(|key| Field::new(&key.name, key.kind.data_type(), false)),
        );
        fields.push(Field::new(EVENT_TIME, instant(), false));
        fields.push(Field::new(KNOWN_AT, instant(), false));
        fields.extend(self.features.iter().map(ViewFeature::field));
        Schema::new(fields)
    }

    /// The Arrow schema of the answers: the features, nullable.
    #[must_use]
    pub fn answer_schema(&self) -> Schema {
        Schema::new(
            self.features
                .iter()
                .map(ViewFeature::field)
                .collect::<Vec<_>>(),
        )
    }
}

impl ViewFeature {
    fn field(&self) -> Field {
        Field::new(&self.name, self.kind.data_type(), true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_is_refused_and_not_left_out() {
        let view = FeatureView::new("driver", "trips")
            .with_key("driver", FeatureType::Integer)
            .with_feature("trips", FeatureType::Integer)
            .with_ttl(Duration::from_secs(60));
        let json = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<FeatureView>(&json).unwrap(), view);
        for (field, misspelt) in [("\"ttl\"", "\"tll\""), ("\"unit\"", "\"units\"")] {
            let wrong = json.replace(field, misspelt);
            assert_ne!(wrong, json);
            assert!(serde_json::from_str::<FeatureView>(&wrong).is_err());
        }
    }
}
