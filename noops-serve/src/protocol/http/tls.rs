//! Transport security.

use std::fmt;
use std::io;
use std::sync::Arc;

use noops_core::{Error, ErrorKind};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::protocol::ClientCertificate;

/// The server's certificate, and whose clients it believes.
///
/// TLS 1.2 and 1.3 by rustls with ring.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
}

impl Tls {
    /// The server's certificate chain and its private key, as PEM. Clients show no certificate.
    ///
    /// # Errors
    ///
    /// `Invalid` when the text holds no certificate or no key, or they do not belong together.
    pub fn new(certificates: &[u8], key: &[u8]) -> Result<Self, Error> {
        Self::build(certificates, key, WebPkiClientVerifier::no_client_auth())
    }

    /// As [`new`](Self::new), and every client must show a certificate that one of these authorities has signed. Rules name it by
    /// its digest: see [`ClientCertificate`].
    ///
    /// # Errors
    ///
    /// `Invalid` for what [`new`](Self::new) refuses, and when the text holds no usable authority.
    pub fn with_client_authorities(
        certificates: &[u8],
        key: &[u8],
        authorities: &[u8],
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for authority in parse(authorities, "authority")? {
            roots.add(authority).map_err(|error| {
                invalid("an authority is no usable certificate").caused_by(error)
            })?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = verifier
            .build()
            .map_err(|error| invalid("the authorities cannot be used").caused_by(error))?;
        Self::build(certificates, key, verifier)
    }

    fn build(
        certificates: &[u8],
        key: &[u8],
        verifier: Arc<dyn ClientCertVerifier>,
    ) -> Result<Self, Error> {
        let chain = parse(certificates, "certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| invalid("the text holds no private key in PEM").caused_by(error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid("no version of the protocol is left").caused_by(error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|error| {
                invalid("the certificate and the key do not belong together").caused_by(error)
            })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// The stream of a client, and the certificate that it has proved to hold.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, Option<ClientCertificate>)> {
        let stream = self.acceptor.accept(stream).await?;
        let (_, session) = stream.get_ref();
        let leaf = session.peer_certificates().and_then(<[_]>::first);
        let certificate = leaf.map(|leaf| ClientCertificate::of_der(leaf));
        Ok((stream, certificate))
    }
}

/// Never shows the key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

fn parse(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| {
        invalid("the text is no PEM")
            .with("of", what)
            .caused_by(error)
    })?;
    if found.is_empty() {
        return Err(invalid("the text holds no certificate in PEM").with("of", what));
    }
    Ok(found)
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "prepare TLS", message)
}

#[cfg(test)]
mod tests;
