//! Bundles and statements from somebody with bad intentions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::model_signing::path::check;
use crate::model_signing::statement::Statement;

#[test]
fn a_flipped_bit_anywhere_never_verifies_as_other_content() {
    let key = key();
    let bundle = sign_artifact(Digest::of(b"weights"), "model", &key).unwrap();
    let expected = bundle.verify(key.public_key()).unwrap();
    let bytes = bundle.to_bytes();
    for at in 0..bytes.len() {
        for mask in [0x01, 0x20] {
            let mut changed = bytes.clone();
            changed[at] ^= mask;
            if let Ok(manifest) =
                Bundle::from_bytes(&changed).and_then(|bundle| bundle.verify(key.public_key()))
            {
                assert_eq!(manifest, expected, "byte {at} ^ {mask:#x}");
            }
        }
    }
}

#[test]
fn a_flipped_bit_of_payload_or_signature_is_refused() {
    let bundle = sign_artifact(Digest::of(b"weights"), "model", &key()).unwrap();
    let value: Value = serde_json::from_slice(&bundle.to_bytes()).unwrap();
    for pointer in ["/dsseEnvelope/payload", "/dsseEnvelope/signatures/0/sig"] {
        let original = STANDARD
            .decode(value.pointer(pointer).unwrap().as_str().unwrap())
            .unwrap();
        for at in 0..original.len() {
            let mut changed = original.clone();
            changed[at] ^= 1 << (at % 8);
            let mut value = value.clone();
            *value.pointer_mut(pointer).unwrap() = json!(STANDARD.encode(changed));
            let bundle = Bundle::from_bytes(value.to_string().as_bytes()).unwrap();
            assert_eq!(
                refused(&bundle).0,
                ErrorKind::Corrupt,
                "{pointer} byte {at}"
            );
        }
    }
}

#[test]
fn a_hostile_path_is_refused_before_a_file_is_opened() {
    for name in [
        "/etc/passwd",
        "../weights.bin",
        "a/../../b",
        "./a",
        "a//b",
        "",
        ".",
        "..",
        "C:/a",
        "a\\b",
        "a\0b",
        "a/",
    ] {
        let bundle = sealed(|statement| {
            let resource = statement["predicate"]["resources"][0].clone();
            let resources = statement["predicate"]["resources"].as_array_mut().unwrap();
            resources.push(resource);
            resources[1]["name"] = json!(name);
            let digest = Digest::of(b"weights");
            let both = [&digest.as_bytes()[..], digest.as_bytes()].concat();
            statement["subject"][0]["digest"]["sha256"] = json!(Digest::of(&both).to_string());
        });
        let scratch = Scratch::new();
        let signature = scratch.0.join("model.sig");
        fs::write(&signature, bundle.to_bytes()).unwrap();
        // The directory does not exist: had it been opened, the error would say so.
        let nowhere = scratch.0.join("nowhere");
        let error = verify_directory(&nowhere, key().public_key(), &signature).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{name:?}: {error}");
        assert!(
            error.to_string().contains("a path in the signed statement"),
            "{error}"
        );

        let bundle = sealed(|statement| {
            statement["predicate"]["serialization"]["ignore_paths"] = json!([name]);
        });
        assert_eq!(refused(&bundle).0, ErrorKind::Corrupt, "{name:?}");
    }
}

#[test]
fn a_signature_over_one_file_does_not_pass_for_a_directory_nor_the_reverse() {
    let scratch = Scratch::new();
    let signature = scratch.0.join("model.sig");
    let digest = Digest::of(b"weights");
    let bundle = sign_artifact(digest, "model", &key()).unwrap();
    fs::write(&signature, bundle.to_bytes()).unwrap();
    let error = verify_directory(&scratch.model(), key().public_key(), &signature).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let directory = sealed(|_| {});
    let error = verify_artifact(digest, "model", key().public_key(), &directory).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_statement_that_contradicts_itself_is_refused() {
    type Change = fn(&mut Value);
    let cases: [(ErrorKind, &str, Change); 13] = [
        (ErrorKind::Corrupt, "contradicts", |s| {
            s["subject"][0]["digest"]["sha256"] = json!(Digest::of(b"x").to_string())
        }),
        (ErrorKind::Corrupt, "contradicts", |s| {
            s["subject"][0]["digest"] = json!({ "sha512": "00" })
        }),
        (ErrorKind::Corrupt, "one subject", |s| {
            s["subject"] = json!([])
        }),
        (ErrorKind::Corrupt, "one subject", |s| {
            let subject = s["subject"][0].clone();
            s["subject"].as_array_mut().unwrap().push(subject);
        }),
        (ErrorKind::Corrupt, "twice", |s| {
            let resource = s["predicate"]["resources"][0].clone();
            s["predicate"]["resources"]
                .as_array_mut()
                .unwrap()
                .push(resource);
        }),
        (ErrorKind::Corrupt, "no file", |s| {
            s["predicate"]["resources"] = json!([])
        }),
        (ErrorKind::Corrupt, "64 hex", |s| {
            s["predicate"]["resources"][0]["digest"] = json!("00")
        }),
        (ErrorKind::Corrupt, "in-toto", |s| {
            s["_type"] = json!("https://in-toto.io/Statement/v0.1")
        }),
        (ErrorKind::Corrupt, "malformed", |s| *s = json!([])),
        (ErrorKind::Invalid, "hash type", |s| {
            s["predicate"]["resources"][0]["algorithm"] = json!("blake3")
        }),
        (ErrorKind::Invalid, "hash type", |s| {
            s["predicate"]["serialization"]["hash_type"] = json!("md5")
        }),
        (ErrorKind::Invalid, "method", |s| {
            s["predicate"]["serialization"]["method"] = json!("shards")
        }),
        (ErrorKind::Invalid, "predicate type", |s| {
            s["predicateType"] = json!("https://model_signing/Digests/v0.1")
        }),
    ];
    assert!(sealed(|_| {}).verify(key().public_key()).is_ok());
    for (kind, text, change) in cases {
        let (found, message) = refused(&sealed(change));
        assert_eq!(found, kind, "{message}");
        assert!(message.contains(text), "{message}");
    }
}

#[test]
fn a_field_added_by_a_later_format_is_ignored() {
    let bundle =
        sealed(|statement| statement["predicate"]["card"] = json!({ "author": "somebody" }));
    assert!(bundle.verify(key().public_key()).is_ok());
}

#[test]
fn a_bundle_of_another_form_is_refused() {
    type Change = fn(&mut Value);
    let cases: [(ErrorKind, &str, Change); 9] = [
        (ErrorKind::Corrupt, "media type", |b| {
            b["mediaType"] = json!("application/json")
        }),
        (ErrorKind::Corrupt, "payload type", |b| {
            b["dsseEnvelope"]["payloadType"] = json!("text/plain")
        }),
        (ErrorKind::Corrupt, "one signature", |b| {
            b["dsseEnvelope"]["signatures"] = json!([])
        }),
        (ErrorKind::Corrupt, "one signature", |b| {
            let signature = b["dsseEnvelope"]["signatures"][0].clone();
            b["dsseEnvelope"]["signatures"]
                .as_array_mut()
                .unwrap()
                .push(signature);
        }),
        (ErrorKind::Corrupt, "base64", |b| {
            b["dsseEnvelope"]["payload"] = json!("!")
        }),
        (ErrorKind::Corrupt, "base64", |b| {
            b["dsseEnvelope"]["signatures"][0]["sig"] = json!("=")
        }),
        (ErrorKind::Corrupt, "malformed", |b| {
            *b = json!({ "mediaType": 1 })
        }),
        (ErrorKind::Corrupt, "malformed", |b| *b = json!(null)),
        (ErrorKind::Invalid, "not signed by a key", |b| {
            b["verificationMaterial"] =
                json!({ "certificate": { "rawBytes": "" }, "tlogEntries": [] });
        }),
    ];
    for (kind, text, change) in cases {
        let error = parsed(change).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn a_huge_or_deep_bundle_is_refused() {
    let huge = vec![b' '; Bundle::MAX_BYTES + 1];
    assert_eq!(
        Bundle::from_bytes(&huge).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    let deep = [b"{\"mediaType\":".to_vec(), b"[".repeat(1 << 20)].concat();
    assert_eq!(
        Bundle::from_bytes(&deep).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    // A field that is not known is skipped without recursion.
    let unknown = [b"{\"other\":".to_vec(), b"[".repeat(1 << 20)].concat();
    assert_eq!(
        Bundle::from_bytes(&unknown).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
}

#[test]
fn a_hostile_name_cannot_forge_a_line_of_a_log() {
    let bundle = sealed(|statement| {
        statement["predicate"]["resources"][0]["name"] = json!("/x\nINFO all is well")
    });
    let (_, message) = refused(&bundle);
    assert!(!message.contains('\n'), "{message}");
}

#[test]
fn an_artifact_is_bound_to_digest_and_name() {
    let digest = Digest::of(b"weights");
    let bundle = sign_artifact(digest, "model", &key()).unwrap();
    let verify = |digest, name| verify_artifact(digest, name, key().public_key(), &bundle);
    assert_eq!(
        verify(digest, "model").unwrap().resources()[0].digest(),
        digest
    );
    assert_eq!(
        verify(Digest::of(b"other"), "model").unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    assert_eq!(
        verify(digest, "other").unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    for name in ["", "a\nb", &"a".repeat(256)] {
        assert_eq!(
            sign_artifact(digest, name, &key()).unwrap_err().kind(),
            ErrorKind::Invalid
        );
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        model_name in "\\PC{0,12}",
        names in proptest::collection::btree_set("[a-zé\" ]{1,6}(/[a-z.]{1,3}x){0,2}", 1..8),
    ) {
        let statement = Statement {
            model_name,
            resources: names
                .iter()
                .map(|name| Resource::new(name.clone(), Digest::of(name.as_bytes())))
                .collect(),
            ignored_paths: vec![".git".to_owned()],
        };
        prop_assert_eq!(Statement::decode(&statement.encode()).unwrap(), statement);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Bundle::from_bytes(&bytes).is_err());
        prop_assert!(Statement::decode(&bytes).is_err());
        prop_assert!(SigningKey::from_pem(&String::from_utf8_lossy(&bytes)).is_err());
        prop_assert!(VerifyingKey::from_pem(&String::from_utf8_lossy(&bytes)).is_err());
        prop_assert!(!key().public_key().accepts(b"message", &bytes));
    }

    #[test]
    fn a_mutated_statement_is_refused_or_well_formed(
        at in 0_usize..1000,
        length in 0_usize..30,
        with in proptest::collection::vec(any::<u8>(), 0..30),
    ) {
        let mut payload = honest().to_string().into_bytes();
        let start = at % payload.len();
        let end = start.saturating_add(length).min(payload.len());
        payload.splice(start..end, with);
        if let Ok(statement) = Statement::decode(&payload) {
            prop_assert!(!statement.resources.is_empty());
            for resource in &statement.resources {
                prop_assert!(resource.name() == "." || check(resource.name()).is_ok());
            }
        }
    }

    #[test]
    fn a_mutated_bundle_is_refused_or_the_same(
        at in 0_usize..2000,
        length in 0_usize..30,
        with in proptest::collection::vec(any::<u8>(), 0..30),
    ) {
        let key = key();
        let bundle = sign_artifact(Digest::of(b"weights"), "model", &key).unwrap();
        let expected = bundle.verify(key.public_key()).unwrap();
        let mut bytes = bundle.to_bytes();
        let start = at % bytes.len();
        let end = start.saturating_add(length).min(bytes.len());
        bytes.splice(start..end, with);
        if let Ok(manifest) = Bundle::from_bytes(&bytes).and_then(|bundle| bundle.verify(key.public_key())) {
            prop_assert_eq!(manifest, expected);
        }
    }
}
