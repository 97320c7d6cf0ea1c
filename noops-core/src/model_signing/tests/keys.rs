//! Keys.

use super::*;

#[test]
fn keys_are_read_as_pkcs8_and_sec1_with_or_without_parameters() {
    // `openssl ecparam -name prime256v1 -genkey` writes the first block.
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    for pem in [
        RFC_6979_PKCS8.to_owned(),
        RFC_6979_SEC1.to_owned(),
        format!("{parameters}{RFC_6979_SEC1}"),
        RFC_6979_SEC1.replace('\n', "\r\n"),
        key().to_pem().unwrap().to_string(),
    ] {
        let key = SigningKey::from_pem(&pem).unwrap();
        // hashlib.sha256 of the PEM that `cryptography` writes for this key.
        assert_eq!(key.public_key().hint(), RFC_6979_HINT);
    }
}

#[test]
fn what_is_no_key_of_the_curve_is_refused() {
    for pem in [
        "",
        "-----BEGIN PRIVATE KEY-----",
        P384_PRIVATE,
        RFC_6979_HINT,
    ] {
        assert_eq!(
            SigningKey::from_pem(pem).unwrap_err().kind(),
            ErrorKind::Invalid,
            "{pem}"
        );
    }
    for pem in [
        "",
        "-----BEGIN PUBLIC KEY-----",
        P384_PUBLIC,
        RFC_6979_PKCS8,
    ] {
        assert_eq!(
            VerifyingKey::from_pem(pem).unwrap_err().kind(),
            ErrorKind::Invalid,
            "{pem}"
        );
    }
    let missing = SigningKey::from_pem_file("/nonexistent/key.pem").unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[test]
fn a_private_key_is_not_printed() {
    let key = key();
    let printed = format!("{key:?} {key:#?}");
    assert!(printed.contains(RFC_6979_HINT));
    // The scalar, as text and as the decimal bytes that a derived Debug would print.
    assert!(!printed.to_lowercase().contains("c9afa9d8") && !printed.contains("201, 175, 169"));
}

#[test]
fn two_generated_keys_differ() {
    let (one, other) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
    );
    assert_ne!(one.public_key(), other.public_key());
}

#[test]
fn another_key_is_refused_with_and_without_a_hint() {
    let bundle = sealed(|_| {});
    let other = SigningKey::generate().unwrap();
    let error = bundle.verify(other.public_key()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let mut value: Value = serde_json::from_slice(&bundle.to_bytes()).unwrap();
    value["verificationMaterial"]["publicKey"] = json!({});
    let without_hint = Bundle::from_bytes(value.to_string().as_bytes()).unwrap();
    assert!(without_hint.verify(key().public_key()).is_ok());
    let error = without_hint.verify(other.public_key()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
