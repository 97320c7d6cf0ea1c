//! How messages leave and enter a connection.

use std::marker::PhantomData;

use prost::Message;
use prost::bytes::Buf;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use super::convert;
use super::wire;

/// Protocol buffers, checked before they are decoded; a malformed message is the client's fault and answered as such.
///
/// Byte fields of a decoded message share the memory in which the message arrived.
#[derive(Debug)]
pub(super) struct MessageCodec<T, U>(PhantomData<fn(T) -> U>);

impl<T, U> Default for MessageCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for MessageCodec<T, U>
where
    T: Message + 'static,
    U: Message + Default + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = MessageEncoder<T>;
    type Decoder = MessageDecoder<U>;

    fn encoder(&mut self) -> MessageEncoder<T> {
        MessageEncoder(PhantomData)
    }

    fn decoder(&mut self) -> MessageDecoder<U> {
        MessageDecoder(PhantomData)
    }
}

#[derive(Debug)]
pub(super) struct MessageEncoder<T>(PhantomData<fn(T)>);

impl<T: Message> Encoder for MessageEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.reserve(item.encoded_len());
        item.encode(target)
            .map_err(|error| Status::internal(format!("cannot encode the answer: {error}")))
    }
}

#[derive(Debug)]
pub(super) struct MessageDecoder<U>(PhantomData<fn() -> U>);

impl<U: Message + Default> Decoder for MessageDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let bytes = source.copy_to_bytes(source.remaining());
        wire::check(&bytes)
            .and_then(|()| U::decode(bytes).map_err(|error| wire::malformed(&error)))
            .map(Some)
            .map_err(convert::status)
    }
}
