use std::collections::BTreeSet;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::{FlightClient, FlightDescriptor};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::filter::filter_record_batch;
use futures_util::stream;
use futures_util::{FutureExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::json;
use tonic::Code;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use super::pulled::pulled;
use super::rows::{Key, corrupt, keys};
use super::settings::{Columns, FeastSettings};
use crate::error::{Error, ErrorKind};
use crate::features::instant::instant;
use crate::features::{FeatureView, ViewFeature};
use crate::http;
use crate::secret::{Secret, SecretName, Secrets, with_secret};

/// The offline server, asked for the rows behind one feature view.
pub(super) struct OfflineServer {
    channel: Channel,
    secret: Option<(Arc<dyn Secrets>, SecretName)>,
    data_source: String,
    columns: Columns,
    timeout: Duration,
    limit: usize,
}

impl OfflineServer {
    /// Connects when it is first asked.
    pub(super) fn new(settings: &FeastSettings, data_source: String) -> Result<Self, Error> {
        let refuse = |message: &str| Error::new(ErrorKind::Invalid, "open a client", message);
        let address = settings.offline();
        let plain = ["grpc://", "grpc+tcp://", "http://"]
            .iter()
            .find_map(|scheme| address.strip_prefix(scheme));
        let encrypted = ["grpc+tls://", "https://"]
            .iter()
            .find_map(|scheme| address.strip_prefix(scheme));
        let (scheme, rest) = match (plain, encrypted) {
            (Some(rest), _) => ("http", rest),
            (None, Some(rest)) => ("https", rest),
            (None, None) => {
                return Err(refuse(
                    "the offline address must be grpc://host:port or grpc+tls://host:port",
                ));
            }
        };
        if rest.is_empty() {
            return Err(refuse("the offline address has no host"));
        }
        // The text is not repeated before it is known to hold no password.
        if rest.contains('@') {
            return Err(refuse(
                "the offline address carries a credential: pass it as a secret",
            ));
        }
        let unusable = |source: tonic::transport::Error| {
            refuse("the offline address cannot be used")
                .with("address", address)
                .caused_by(source)
        };
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{rest}"))
            .map_err(unusable)?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_max_header_list_size(MAX_HEADERS);
        if scheme == "https" {
            let tls = ClientTlsConfig::new().with_native_roots();
            endpoint = endpoint.tls_config(tls).map_err(unusable)?;
        }
        Ok(Self {
            channel: endpoint.connect_lazy(),
            secret: settings.secret.clone(),
            data_source,
            columns: settings.columns.clone(),
            timeout: settings.offline_timeout,
            limit: settings.offline_limit,
        })
    }

    /// Every row with an event up to an instant, as a push would take them, batch by batch; of some entities only, if they are given.
    pub(super) async fn rows(
        &self,
        view: &FeatureView,
        until: Timestamp,
        of: Option<&BTreeSet<Key>>,
    ) -> Result<Vec<RecordBatch>, Error> {
        let reading = async {
            match &self.secret {
                None => self.pull(view, until, of, None).await,
                Some((secrets, name)) => {
                    with_secret(secrets.as_ref(), name, move |secret| {
                        self.pull(view, until, of, Some(secret))
                    })
                    .await
                }
            }
        };
        let read = tokio::time::timeout(self.timeout, reading).await;
        read.unwrap_or_else(|source| {
            let message = "the offline server did not answer in time";
            Err(self
                .error(ErrorKind::Unavailable, message)
                .caused_by(source))
        })
    }

    async fn pull(
        &self,
        view: &FeatureView,
        until: Timestamp,
        of: Option<&BTreeSet<Key>>,
        secret: Option<Secret>,
    ) -> Result<Vec<RecordBatch>, Error> {
        let names = |columns: &[ViewFeature]| -> Vec<String> {
            columns.iter().map(|column| column.name.clone()).collect()
        };
        let until = until.min(instant(END_MICROSECOND, PULL)?);
        let command = json!({
            "api": "pull_all_from_table_or_query",
            "data_source_name": self.data_source,
            "join_key_columns": names(view.keys()),
            "feature_name_columns": names(view.features()),
            "timestamp_field": self.columns.event,
            "created_timestamp_column": self.columns.known,
            "start_date": iso(instant(FIRST_MICROSECOND, PULL)?),
            "end_date": iso(until),
        });
        // The server wants a table with every request, and ignores one of this shape.
        let nothing = Schema::new(vec![Field::new("key", DataType::Utf8, true)]);
        let descriptor = FlightDescriptor::new_cmd(command.to_string());
        let request = FlightDataEncoderBuilder::new()
            .with_schema(Arc::new(nothing))
            .with_flight_descriptor(Some(descriptor))
            .build(stream::iter(Vec::<Result<RecordBatch, FlightError>>::new()));
        let service =
            FlightServiceClient::new(self.channel.clone()).max_decoding_message_size(self.limit);
        let mut client = FlightClient::new_from_inner(service);
        if let Some(secret) = &secret {
            let bearer = format!("Bearer {}", secret.expose());
            client.add_header("authorization", &bearer).map_err(|_| {
                // The cause would repeat the secret.
                self.error(
                    ErrorKind::Invalid,
                    "the secret cannot be a header: it has odd characters",
                )
            })?;
        }
        let answer = client
            .do_exchange(request)
            .await
            .map_err(|source| self.failed(source, secret.as_ref()))?;
        self.receive(view, of, answer, secret.as_ref()).await
    }

    /// The rows of an answer, as far as memory is meant for them.
    async fn receive(
        &self,
        view: &FeatureView,
        of: Option<&BTreeSet<Key>>,
        mut answer: FlightRecordBatchStream,
        secret: Option<&Secret>,
    ) -> Result<Vec<RecordBatch>, Error> {
        let mut read: Vec<RecordBatch> = Vec::new();
        let mut kept = 0_usize;
        loop {
            // Arrow panics on a batch that says of its buffers what is not so.
            let next = AssertUnwindSafe(answer.try_next()).catch_unwind().await;
            let next = next.map_err(|_| {
                let message = "the answer holds a batch that contradicts itself: is this the address of another server?";
                self.error(ErrorKind::Corrupt, message)
            })?;
            let Some(batch) = next.map_err(|source| self.failed(source, secret))? else {
                return Ok(read);
            };
            // Columns of nulls have rows without bytes. Those of ours have a time each.
            if batch.num_rows() > self.limit / LEAST_ROW {
                return Err(self.too_large());
            }
            let batch = pulled(view, &self.columns, &batch)?;
            let batch = match of {
                None => batch,
                Some(of) => only(view, &batch, of)?,
            };
            if batch.num_rows() > 0 {
                kept = kept.saturating_add(bytes(&batch));
                if kept > self.limit {
                    return Err(self.too_large());
                }
                read.push(batch);
            }
        }
    }

    /// What an error of Arrow Flight means. Whatever an exception of Feast says is cut: it ends in pages of traceback.
    fn failed(&self, source: FlightError, secret: Option<&Secret>) -> Error {
        let status = match source {
            FlightError::Tonic(status) => status,
            source => {
                let message =
                    "the answer is not one of arrow flight: is this the address of another server?";
                return self.error(ErrorKind::Invalid, message).caused_by(source);
            }
        };
        let said = http::excerpt(status.message().as_bytes(), secret);
        let (kind, message) = match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => (
                ErrorKind::Unauthorised,
                "the offline server refuses this credential",
            ),
            Code::ResourceExhausted => (
                ErrorKind::Overloaded,
                "the offline server asks for fewer requests",
            ),
            Code::OutOfRange => return self.too_large(),
            // A Python `KeyError`.
            Code::NotFound => (
                ErrorKind::Invalid,
                "the data source has no such column; make the definitions agree",
            ),
            Code::Unimplemented => (
                ErrorKind::Invalid,
                "the server does not know the call: is this the address of another server?",
            ),
            _ if said.contains("DataSourceObjectNotFoundException") => {
                (ErrorKind::NotFound, "feast has no such data source")
            }
            _ if status.message().contains("AssertionError") => (
                ErrorKind::Invalid,
                "feast cannot read this data source; name the batch source behind a push source",
            ),
            _ => (ErrorKind::Unavailable, "the offline server failed"),
        };
        let error = self.error(kind, message);
        if kind == ErrorKind::Unauthorised {
            return error;
        }
        error.with("answer", said)
    }

    fn too_large(&self) -> Error {
        let message = "the answer is larger than the offline limit of the settings";
        self.error(ErrorKind::Invalid, message)
            .with("limit", self.limit)
    }

    fn error(&self, kind: ErrorKind, message: &str) -> Error {
        Error::new(kind, PULL, message).with("data source", &self.data_source)
    }
}

impl fmt::Debug for OfflineServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfflineServer")
            .field("data_source", &self.data_source)
            .field("columns", &self.columns)
            .field("secret", &self.secret.as_ref().map(|(_, name)| name))
            .field("timeout", &self.timeout)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// The rows of some entities.
fn only(view: &FeatureView, batch: &RecordBatch, of: &BTreeSet<Key>) -> Result<RecordBatch, Error> {
    let wanted: Vec<bool> = keys(view, batch)?
        .iter()
        .map(|key| of.contains(key))
        .collect();
    filter_record_batch(batch, &BooleanArray::from(wanted)).map_err(|source| corrupt(source, PULL))
}

/// The bytes that the rows of a batch stand for, whatever they share with others.
fn bytes(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter();
    let sizes = columns.map(|column| column.to_data().get_slice_memory_size());
    // A type of which Arrow cannot tell is none of ours.
    sizes.fold(0, |sum: usize, size| {
        sum.saturating_add(size.unwrap_or(usize::MAX))
    })
}

/// An instant as Python reads it, older versions of which do not take the `Z`.
fn iso(at: Timestamp) -> String {
    let text = format!("{at:.6}");
    format!("{}+00:00", text.strip_suffix('Z').unwrap_or(&text))
}

const PULL: &str = "read the rows behind a feast view";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// An exception of Feast comes with pages of traceback in a header, more than is taken otherwise.
const MAX_HEADERS: u32 = 1 << 20;
/// The bytes of a time.
const LEAST_ROW: usize = 8;
/// Feast computes with 64 bits of nanoseconds, and fails on times outside.
const FIRST_MICROSECOND: i64 = -9_214_560_000_000_000;
/// One past the last that `push` takes: the end of a span is outside.
const END_MICROSECOND: i64 = 9_223_286_400_000_000;

#[cfg(test)]
mod tests;
