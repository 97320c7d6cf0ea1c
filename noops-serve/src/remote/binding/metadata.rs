//! What a server says of itself and of a model.

use noops_core::{Error, ErrorKind};
use serde::{Deserialize, Deserializer};

use crate::protocol::DataType;
use crate::remote::channel::CONNECT;

/// The tensors of a model.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::remote) struct ModelDescription {
    #[serde(default)]
    pub(super) inputs: Vec<TensorDescription>,
    #[serde(default)]
    pub(super) outputs: Vec<TensorDescription>,
}

/// One tensor of a model.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct TensorDescription {
    pub(super) name: String,
    #[serde(deserialize_with = "datatype")]
    pub(super) datatype: DataType,
    pub(super) shape: Vec<i64>,
}

#[derive(Deserialize)]
struct ServerDescription {
    #[serde(default)]
    extensions: Vec<String>,
}

/// The extensions in a server's metadata.
pub(in crate::remote) fn extensions(body: &[u8]) -> Result<Vec<String>, Error> {
    let server: ServerDescription = read(body)?;
    Ok(server.extensions)
}

/// The tensors in a model's metadata.
pub(in crate::remote) fn model(body: &[u8]) -> Result<ModelDescription, Error> {
    read(body)
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| {
        let message =
            "the metadata is not that of the protocol: is this the address of another server?";
        Error::new(ErrorKind::Invalid, CONNECT, message).caused_by(error)
    })
}

fn datatype<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DataType, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(serde::de::Error::custom)
}
