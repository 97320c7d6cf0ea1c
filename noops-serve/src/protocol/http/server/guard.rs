//! A stream whose first bytes were looked at, and whose reader may not stall.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// The version of HTTP that the first bytes begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

/// The first bytes of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct First {
    bytes: [u8; PREFACE.len()],
    filled: usize,
    given: usize,
}

impl First {
    pub(super) fn version(&self) -> Version {
        match self.seen() == PREFACE {
            true => Version::Http2,
            false => Version::Http1,
        }
    }

    fn seen(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    fn left(&self) -> &[u8] {
        self.seen().get(self.given..).unwrap_or_default()
    }
}

/// Reads until it is clear which version a client speaks: as many bytes as the preface of HTTP/2 shares with what came.
pub(super) async fn sniff(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<First> {
    let mut first = First {
        bytes: [0; PREFACE.len()],
        filled: 0,
        given: 0,
    };
    while first.filled < PREFACE.len() && PREFACE.starts_with(first.seen()) {
        let free = first.bytes.get_mut(first.filled..).unwrap_or_default();
        let read = stream.read(free).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        first.filled = first.filled.saturating_add(read);
    }
    Ok(first)
}

/// The stream with its first bytes put back; a write that waits longer than `longest` for the client to read fails.
#[derive(Debug)]
pub(super) struct Guarded<S> {
    stream: S,
    first: First,
    longest: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, first: First, longest: Duration) -> Self {
        Self {
            stream,
            first,
            longest,
            stalled: None,
        }
    }

    /// What a write came to, or that it has waited too long.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let longest = self.longest;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.first.left();
        if left.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let given = left.len().min(buffer.remaining());
        buffer.put_slice(left.get(..given).unwrap_or_default());
        self.first.given = self.first.given.saturating_add(given);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch(context, shut)
    }
}

/// How HTTP/2 begins (RFC 9113, 3.4). All of it is waited for: a client that stalls within it is not yet anybody's.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    async fn sniffed(pieces: &[&[u8]]) -> (Version, Vec<u8>) {
        let (mut client, mut server) = duplex(1);
        let pieces: Vec<u8> = pieces.concat();
        let writer = tokio::spawn(async move { client.write_all(&pieces).await });
        let first = sniff(&mut server).await.unwrap();
        let version = first.version();
        let mut guarded = Guarded::new(server, first, Duration::from_secs(1));
        let mut everything = Vec::new();
        guarded.read_to_end(&mut everything).await.unwrap();
        writer.await.unwrap().unwrap();
        (version, everything)
    }

    #[tokio::test]
    async fn the_first_bytes_tell_the_version_and_are_not_lost() {
        let preface: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        assert_eq!(
            sniffed(&[preface]).await,
            (Version::Http2, preface.to_vec())
        );
        for request in [
            &b"POST / HTTP/1.1"[..],
            b"PUT",
            b"GET",
            b"PRX",
            b"PRI * HTTP/1.1",
            b"\0",
        ] {
            assert_eq!(
                sniffed(&[request]).await,
                (Version::Http1, request.to_vec())
            );
        }
    }

    #[tokio::test]
    async fn a_client_that_says_nothing_whole_is_no_client() {
        for silence in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n"] {
            let (mut client, mut server) = duplex(64);
            client.write_all(silence).await.unwrap();
            drop(client);
            assert!(sniff(&mut server).await.is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_cut_off() {
        let (mut client, mut server) = duplex(4);
        client.write_all(b"GET").await.unwrap();
        let first = sniff(&mut server).await.unwrap();
        let mut guarded = Guarded::new(server, first, Duration::from_secs(5));
        let error = guarded.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
