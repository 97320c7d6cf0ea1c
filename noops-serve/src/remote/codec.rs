//! Requests and answers of the protocol over REST, as a client writes and reads them.

mod elements;
mod request;
mod response;

pub(super) use elements::half;
pub(super) use request::{EncodedRequest, Wire, encode};
pub(super) use response::decode;

/// The header that tells where the JSON ends and the binary tensors begin.
pub(super) const HEADER_LENGTH: &str = "inference-header-content-length";
/// The parameter with the number of a tensor's bytes behind the JSON.
const BINARY_SIZE: &str = "binary_data_size";

#[cfg(test)]
mod tests;
