//! Requests and answers as JSON.

mod data;
mod object;
mod request;
mod response;

pub use request::decode_request;
pub use response::encode_response;

pub(crate) use object::Object;
pub(crate) use request::{Blobs, RawRequest};
pub(crate) use response::{Form, write_response};
