//! Feast, asked without an adapter.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::{FlightClient, FlightDescriptor};
use futures_util::{TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use tonic::transport::Endpoint;

use crate::http::{HttpBody, HttpClient, Method};
use crate::test_server;

/// The two servers of the script.
pub(super) struct Plain {
    online: String,
    offline: String,
}

impl Plain {
    pub(super) fn find() -> Option<Self> {
        Some(Self {
            online: test_server::url("NOOPS_FEAST_URL")?,
            offline: test_server::url("NOOPS_FEAST_FLIGHT")?,
        })
    }

    pub(super) fn online(&self) -> &str {
        &self.online
    }

    pub(super) fn offline(&self) -> &str {
        &self.offline
    }

    /// The status and the body that a posted document is answered with.
    pub(super) async fn post(&self, path: &str, body: &Value) -> (u16, Vec<u8>) {
        let client = HttpClient::new(&self.online).unwrap();
        let body = HttpBody::Json(body);
        let answer = client
            .request("test", Method::POST, &[path], &[], body)
            .await
            .unwrap();
        (answer.status(), answer.into_body())
    }

    /// Value, status and event time of a driver's `conv_rate`.
    pub(super) async fn serve(&self, view: &str, driver: i64) -> (Value, String, String) {
        let feature = format!("{view}:conv_rate");
        let body = json!({ "features": [feature], "entities": { "driver_id": [driver] } });
        let (status, answer) = self.post("get-online-features", &body).await;
        assert_eq!(status, 200);
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let names = answer["metadata"]["feature_names"].as_array().unwrap();
        let place = names.iter().position(|name| name == "conv_rate").unwrap();
        let column = &answer["results"][place];
        let text = |name: &str| column[name][0].as_str().unwrap().to_owned();
        (
            column["values"][0].clone(),
            text("statuses"),
            text("event_timestamps"),
        )
    }

    /// Pushes one row online, whatever is there.
    pub(super) async fn push(&self, driver: i64, event: &str, rate: Value, trips: Value) {
        let body = json!({
            "push_source_name": "driver_push",
            "to": "online",
            "df": {
                "driver_id": [driver],
                "event_timestamp": [event],
                "created": [event],
                "conv_rate": [rate],
                "trips": [trips],
            },
        });
        let (status, _) = self.post("push", &body).await;
        assert_eq!(status, 200);
    }

    /// The rows of a training set as Feast makes it: driver and `conv_rate`.
    pub(super) async fn historical(
        &self,
        view: &str,
        rows: &[(i64, Timestamp)],
    ) -> Vec<(i64, Option<f64>)> {
        let drivers: ArrayRef =
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0)));
        let times = rows.iter().map(|row| row.1.as_microsecond());
        let times: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"));
        let entities =
            RecordBatch::try_from_iter([("driver_id", drivers), ("event_timestamp", times)])
                .unwrap();
        let command = json!({
            "api": "get_historical_features",
            "command_id": "plain",
            "feature_view_names": [view],
            "feature_refs": [format!("{view}:conv_rate"), format!("{view}:trips")],
            "project": "noops",
            "full_feature_names": false,
            "name_aliases": [null],
        });
        let request = FlightDataEncoderBuilder::new()
            .with_flight_descriptor(Some(FlightDescriptor::new_cmd(command.to_string())))
            .build(stream::iter([Ok(entities)]));
        let address = self.offline.replace("grpc://", "http://");
        let channel = Endpoint::from_shared(address).unwrap().connect_lazy();
        let answer = FlightClient::new(channel)
            .do_exchange(request)
            .await
            .unwrap();
        let batches: Vec<RecordBatch> = answer.try_collect().await.unwrap();
        let mut answered: Vec<(i64, Option<f64>)> = Vec::new();
        // A column without a row has no type either.
        for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
            let drivers = batch.column_by_name("driver_id").unwrap();
            let rates = batch.column_by_name("conv_rate").unwrap();
            let rates = rates.as_primitive::<Float64Type>();
            let drivers = drivers.as_primitive::<Int64Type>().values();
            answered.extend(drivers.iter().copied().zip(rates.iter()));
        }
        answered
    }
}
