//! What the head of a request says.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, header};

use super::reply::HEADER_LENGTH;
use crate::protocol::{Arrival, ClientCertificate, Credentials, ProtocolError, Service, Verb};

/// Whether the client may do that.
pub(super) fn authorise(
    service: &Service,
    request: &Request,
    verb: Verb,
    model: Option<&str>,
) -> Result<(), ProtocolError> {
    service.authorise(&credentials(request), verb, model)
}

fn credentials(request: &Request) -> Credentials {
    let certificate = request.extensions().get::<ClientCertificate>();
    Credentials {
        bearer: bearer(request.headers()).map(str::to_owned),
        certificate_subject: certificate.map(|certificate| certificate.subject().to_owned()),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, header::AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

/// How the request arrived; never a longer wait than `longest`.
pub(super) fn arrival(headers: &HeaderMap, longest: Duration) -> Result<Arrival, ProtocolError> {
    let wait = number(headers, "noops-timeout-ms")?.map(Duration::from_millis);
    let owned = |name| text(headers, name).map(str::to_owned);
    Ok(Arrival {
        deadline_in: Some(wait.map_or(longest, |wait| wait.min(longest))),
        arm: owned("noops-arm"),
        traceparent: owned("traceparent"),
    })
}

/// How long the JSON of the body is, where bytes follow it.
pub(super) fn header_length(headers: &HeaderMap) -> Result<Option<usize>, ProtocolError> {
    let length = number(headers, HEADER_LENGTH.as_str())?;
    // A length beyond the address space is beyond any body too, and is refused as such.
    Ok(length.map(|length| usize::try_from(length).unwrap_or(usize::MAX)))
}

fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, ProtocolError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let digits = value
        .to_str()
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(ProtocolError::invalid(format!(
            "the header `{name}` is no whole number"
        ))),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const LONGEST: Duration = Duration::from_secs(60);

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_arrival_holds_what_the_headers_say() {
        let sent = headers(&[
            ("noops-arm", "challenger"),
            ("noops-timeout-ms", "250"),
            ("traceparent", "00-aa-bb-01"),
        ]);
        let arrival = arrival(&sent, LONGEST).unwrap();
        assert_eq!(arrival.arm.as_deref(), Some("challenger"));
        assert_eq!(arrival.deadline_in, Some(Duration::from_millis(250)));
        assert_eq!(arrival.traceparent.as_deref(), Some("00-aa-bb-01"));
    }

    #[test]
    fn nobody_waits_longer_than_the_server_allows() {
        for sent in [
            headers(&[]),
            headers(&[("noops-timeout-ms", "18446744073709551615")]),
        ] {
            assert_eq!(arrival(&sent, LONGEST).unwrap().deadline_in, Some(LONGEST));
        }
        for wrong in ["soon", "-1", "+1", "1.5", "", "99999999999999999999"] {
            assert!(
                arrival(&headers(&[("noops-timeout-ms", wrong)]), LONGEST).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_bearer_is_read_whatever_the_case_of_its_scheme() {
        for (sent, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc", Some("abc")),
            ("Basic abc", None),
            ("abc", None),
        ] {
            assert_eq!(
                bearer(&headers(&[("authorization", sent)])),
                token,
                "{sent}"
            );
        }
    }
}
