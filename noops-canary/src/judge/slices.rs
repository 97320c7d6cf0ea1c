use serde::{Deserialize, Serialize};

use super::measure::Measure;
use super::metric_spec::MetricSpec;
use super::observation::SliceValue;
use super::spec::JudgeSpec;
use super::state;
use crate::assignment::Arm;
use crate::error::CanaryError;

/// What has been seen in every slice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Slices {
    slices: Vec<Slice>,
}

/// What has been seen in one slice, of the metrics that come with every request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Slice {
    column: usize,
    value: String,
    measures: Vec<Measure>,
}

impl Slices {
    pub(super) fn value(
        &mut self,
        spec: &JudgeSpec,
        column: &str,
        value: &str,
    ) -> Result<SliceValue, CanaryError> {
        let Some(column) = spec.slices().iter().position(|name| name == column) else {
            return Err(CanaryError::Specification {
                part: format!("slice column `{column}`"),
                reason: "is not in the specification; add it to `slices`".to_owned(),
            });
        };
        let known = self.slices.iter();
        let known = known
            .zip(0_u32..)
            .find(|(slice, _)| slice.column == column && slice.value == value);
        if let Some((_, place)) = known {
            return Ok(SliceValue(place));
        }
        let of_column = self.slices.iter().filter(|slice| slice.column == column);
        if of_column.count() >= MOST_VALUES {
            return Ok(SliceValue::BEYOND);
        }
        let measures = per_request(spec)
            .map(Measure::new)
            .collect::<Result<_, _>>()?;
        let place = u32::try_from(self.slices.len()).unwrap_or(u32::MAX);
        self.slices.push(Slice {
            column,
            value: value.to_owned(),
            measures,
        });
        Ok(SliceValue(place))
    }

    pub(super) fn check(&self, values: &[SliceValue]) -> Result<(), CanaryError> {
        let known = |value: &SliceValue| {
            *value == SliceValue::BEYOND || (value.0 as usize) < self.slices.len()
        };
        let refuse = |reason| {
            Err(CanaryError::Input {
                input: "slices",
                reason,
            })
        };
        if !values.iter().all(known) {
            return refuse(
                "holds a slice that this judge does not know; ask it with `slice_value`",
            );
        }
        // Counted twice, one request would be evidence twice.
        let mut rest = values;
        while let [value, others @ ..] = rest {
            if *value != SliceValue::BEYOND && others.contains(value) {
                return refuse("names a slice twice; name each once");
            }
            rest = others;
        }
        Ok(())
    }

    #[inline]
    pub(super) fn judge(
        &mut self,
        value: SliceValue,
        arm: Arm,
        theta: f64,
        values: &[Option<f64>],
    ) {
        if let Some(slice) = self.slices.get_mut(value.0 as usize) {
            for (measure, value) in slice.measures.iter_mut().zip(values) {
                if let Some(value) = value {
                    measure.add(arm, theta, *value);
                }
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slice> {
        self.slices.iter()
    }

    /// Whether these are slices of such a specification.
    pub(super) fn fit(&self, spec: &JudgeSpec) -> bool {
        self.slices.iter().all(|slice| {
            slice.column < spec.slices().len()
                && slice.measures.len() == per_request(spec).count()
                && slice
                    .measures
                    .iter()
                    .zip(per_request(spec))
                    .all(|(measure, metric)| state::fits(measure, metric))
        })
    }
}

impl Slice {
    /// The column, by its place in the specification.
    pub(super) fn column(&self) -> usize {
        self.column
    }

    pub(super) fn value(&self) -> &str {
        &self.value
    }

    /// Each metric that comes with every request, with what has been seen of it here.
    pub(super) fn metrics<'a>(
        &'a self,
        spec: &'a JudgeSpec,
    ) -> impl Iterator<Item = (&'a MetricSpec, &'a Measure)> {
        per_request(spec).zip(&self.measures)
    }
}

fn per_request(spec: &JudgeSpec) -> impl Iterator<Item = &MetricSpec> {
    spec.metrics()
        .iter()
        .filter(|metric| metric.is_per_request())
}

const MOST_VALUES: usize = 64;
