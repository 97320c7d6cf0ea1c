//! What a server and its models say of themselves.

use super::super::generated::inference::model_metadata_response::TensorMetadata as TensorMessage;
use super::super::generated::inference::repository_index_response::ModelIndex;
use super::super::generated::inference::{
    InferBatchStatistics, InferStatistics, ModelMetadataResponse,
    ModelStatistics as StatisticsMessage, ModelStatisticsResponse, RepositoryIndexResponse,
    ServerMetadataResponse, StatisticDuration,
};
use crate::protocol::metadata::{ModelMetadata, ServerMetadata, TensorMetadata};
use crate::protocol::repository::RepositoryEntry;
use crate::protocol::statistics::{BatchStatistics, DurationCount, ModelStatistics};

pub(in super::super) fn server_metadata(server: ServerMetadata) -> ServerMetadataResponse {
    ServerMetadataResponse {
        name: server.name,
        version: server.version,
        extensions: server.extensions,
    }
}

pub(in super::super) fn model_metadata(model: ModelMetadata) -> ModelMetadataResponse {
    ModelMetadataResponse {
        name: model.name,
        versions: model.versions,
        platform: model.platform,
        inputs: model.inputs.into_iter().map(tensor).collect(),
        outputs: model.outputs.into_iter().map(tensor).collect(),
    }
}

pub(in super::super) fn model_statistics(
    statistics: Vec<ModelStatistics>,
) -> ModelStatisticsResponse {
    ModelStatisticsResponse {
        model_stats: statistics.into_iter().map(version_statistics).collect(),
    }
}

pub(in super::super) fn repository_index(entries: Vec<RepositoryEntry>) -> RepositoryIndexResponse {
    let models = entries.into_iter().map(|entry| ModelIndex {
        name: entry.name,
        version: entry.version,
        state: entry.state.name().to_owned(),
        reason: entry.reason,
    });
    RepositoryIndexResponse {
        models: models.collect(),
    }
}

fn tensor(tensor: TensorMetadata) -> TensorMessage {
    TensorMessage {
        name: tensor.name,
        datatype: tensor.datatype.name().to_owned(),
        shape: tensor.shape,
    }
}

fn version_statistics(version: ModelStatistics) -> StatisticsMessage {
    let inference = version.inference;
    StatisticsMessage {
        name: version.name,
        version: version.version,
        last_inference: version.last_inference_ms,
        inference_count: version.inference_count,
        execution_count: version.execution_count,
        inference_stats: Some(InferStatistics {
            success: duration(inference.success),
            fail: duration(inference.fail),
            queue: duration(inference.queue),
            compute_input: duration(inference.compute_input),
            compute_infer: duration(inference.compute_infer),
            compute_output: duration(inference.compute_output),
            // There is no cache of answers: nothing was ever hit, and nothing missed.
            cache_hit: duration(DurationCount::default()),
            cache_miss: duration(DurationCount::default()),
        }),
        batch_stats: version.batches.into_iter().map(batch).collect(),
    }
}

fn batch(batch: BatchStatistics) -> InferBatchStatistics {
    InferBatchStatistics {
        batch_size: batch.batch_size,
        compute_input: duration(batch.compute_input),
        compute_infer: duration(batch.compute_infer),
        compute_output: duration(batch.compute_output),
    }
}

fn duration(duration: DurationCount) -> Option<StatisticDuration> {
    Some(StatisticDuration {
        count: duration.count,
        ns: duration.ns,
    })
}
