//! What the metadata of a call says.

use std::time::Duration;

use tonic::codegen::http::{Extensions, HeaderMap};

use crate::protocol::access::{Arrival, ClientCertificate, Credentials};
use crate::protocol::error::ProtocolError;

/// The deadline, arm and trace of a call.
///
/// # Errors
///
/// Refuses a `grpc-timeout` that is none: taking it for no deadline at all would keep a client waiting that never meant to.
pub(super) fn arrival(headers: &HeaderMap) -> Result<Arrival, ProtocolError> {
    Ok(Arrival {
        deadline_in: headers
            .get("grpc-timeout")
            .map(|value| timeout(value.as_bytes()))
            .transpose()?,
        arm: text(headers, "noops-arm"),
        traceparent: text(headers, "traceparent"),
    })
}

/// The bearer token of a call, and the certificate that the transport has verified.
pub(super) fn credentials(headers: &HeaderMap, extensions: &Extensions) -> Credentials {
    let authorization = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let bearer = authorization
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim().to_owned());
    let certificate = extensions.get::<ClientCertificate>();
    Credentials {
        bearer,
        certificate_subject: certificate.map(|certificate| certificate.subject().to_owned()),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

/// At most eight digits and a unit.
fn timeout(value: &[u8]) -> Result<Duration, ProtocolError> {
    parse_timeout(value).ok_or_else(|| {
        ProtocolError::invalid(
            "`grpc-timeout` is malformed; send up to eight digits and one of H, M, S, m, u and n",
        )
    })
}

fn parse_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = digits.iter().map(|digit| u64::from(digit - b'0'));
    let count = digits.fold(0_u64, |count, digit| count * 10 + digit);
    match unit {
        b'H' => Some(Duration::from_secs(count * 3600)),
        b'M' => Some(Duration::from_secs(count * 60)),
        b'S' => Some(Duration::from_secs(count)),
        b'm' => Some(Duration::from_millis(count)),
        b'u' => Some(Duration::from_micros(count)),
        b'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = tonic::codegen::http::HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        pairs.collect()
    }

    #[test]
    fn a_timeout_is_up_to_eight_digits_and_a_unit() {
        let of = |value: &str| parse_timeout(value.as_bytes());
        assert_eq!(of("1H"), Some(Duration::from_secs(3600)));
        assert_eq!(of("2M"), Some(Duration::from_secs(120)));
        assert_eq!(of("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(of("15m"), Some(Duration::from_millis(15)));
        assert_eq!(of("0u"), Some(Duration::ZERO));
        assert_eq!(of("7n"), Some(Duration::from_nanos(7)));
        for wrong in ["", "S", "1", "123456789n", "-1S", "1.5S", "1s", "1 S", "١S"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_malformed_timeout_is_not_taken_for_none() {
        assert!(arrival(&headers(&[("grpc-timeout", "soon")])).is_err());
        assert_eq!(arrival(&headers(&[])), Ok(Arrival::default()));
    }

    #[test]
    fn only_a_bearer_token_is_one() {
        let bearer = |value: &str| {
            credentials(&headers(&[("authorization", value)]), &Extensions::new()).bearer
        };
        assert_eq!(bearer("Bearer abc"), Some("abc".to_owned()));
        assert_eq!(bearer("bearer abc"), Some("abc".to_owned()));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearer"), None);
    }

    #[test]
    fn a_certificate_comes_from_the_transport_and_never_from_a_header() {
        let forged = headers(&[("certificate-subject", "x"), ("certificate_subject", "x")]);
        let mut extensions = Extensions::new();
        assert_eq!(credentials(&forged, &extensions), Credentials::default());
        let certificate = ClientCertificate::of_der(b"der");
        extensions.insert(certificate.clone());
        let subject = credentials(&forged, &extensions).certificate_subject;
        assert_eq!(subject.as_deref(), Some(certificate.subject()));
    }
}
