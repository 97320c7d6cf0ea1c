use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;

use super::*;

// Made by `testdata/tls/make`; they protect nothing.
const AUTHORITY: &[u8] = include_bytes!("../../../../testdata/tls/authority.pem");
const SERVER: &[u8] = include_bytes!("../../../../testdata/tls/server.pem");
const SERVER_KEY: &[u8] = include_bytes!("../../../../testdata/tls/server.key");
const CLIENT: &[u8] = include_bytes!("../../../../testdata/tls/client.pem");
const CLIENT_KEY: &[u8] = include_bytes!("../../../../testdata/tls/client.key");

fn client(certificate: Option<(&[u8], &[u8])>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(AUTHORITY).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match certificate {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder
            .with_client_auth_cert(
                parse(chain, "client").unwrap(),
                PrivateKeyDer::from_pem_slice(key).unwrap(),
            )
            .unwrap(),
    };
    TlsConnector::from(Arc::new(config))
}

async fn shake_hands(tls: &Tls, client: TlsConnector) -> io::Result<Option<ClientCertificate>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let dial = async {
        let stream = TcpStream::connect(address).await?;
        client
            .connect(ServerName::try_from("localhost").unwrap(), stream)
            .await
    };
    let answer = async {
        let (stream, _) = listener.accept().await?;
        tls.accept(stream).await
    };
    let (_, accepted) = tokio::join!(dial, answer);
    accepted.map(|(_, certificate)| certificate)
}

#[tokio::test]
async fn a_client_needs_no_certificate_unless_asked() {
    let tls = Tls::new(SERVER, SERVER_KEY).unwrap();
    assert_eq!(shake_hands(&tls, client(None)).await.unwrap(), None);
}

#[tokio::test]
async fn a_client_is_known_by_the_digest_of_its_certificate() {
    let tls = Tls::with_client_authorities(SERVER, SERVER_KEY, AUTHORITY).unwrap();
    let known = shake_hands(&tls, client(Some((CLIENT, CLIENT_KEY))))
        .await
        .unwrap()
        .unwrap();
    let der = CertificateDer::from_pem_slice(CLIENT).unwrap();
    assert_eq!(known, ClientCertificate::of_der(&der));
    assert!(shake_hands(&tls, client(None)).await.is_err(), "none shown");
    // The authority did not sign itself for this: the server's own chain is of it, a stranger's is not.
    let strangers = Tls::with_client_authorities(SERVER, SERVER_KEY, SERVER).unwrap();
    assert!(
        shake_hands(&strangers, client(Some((CLIENT, CLIENT_KEY))))
            .await
            .is_err()
    );
}

#[test]
fn text_that_is_no_certificate_is_refused() {
    for (certificate, key) in [
        (&b""[..], SERVER_KEY),
        (b"-----BEGIN CERTIFICATE-----\nnonsense", SERVER_KEY),
        (SERVER, &b""[..]),
        (SERVER, CLIENT_KEY),
        (SERVER_KEY, SERVER_KEY),
    ] {
        let error = Tls::new(certificate, key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert!(Tls::with_client_authorities(SERVER, SERVER_KEY, b"").is_err());
}
