//! What the reference tool and the standards published.

use super::*;

#[test]
fn a_signature_of_the_reference_tool_over_a_directory_is_accepted() {
    let key = VerifyingKey::from_pem_file(fixture("public.pem")).unwrap();
    let signed = verify_directory(&fixture("model"), &key, &fixture("model/model.sig")).unwrap();
    assert_eq!(signed.model_name(), "model");
    let names: Vec<&str> = signed.resources().iter().map(Resource::name).collect();
    assert_eq!(
        names,
        ["empty", "sub/config.json", "sub-a", "sub.b", "weights.bin"]
    );
    assert_eq!(signed.resources()[4].digest(), Digest::of(b"weights"));
    // The hint that the reference wrote into the bundle.
    assert_eq!(
        signed.key_hint(),
        "4035bc9c8567acb63fa63453e4885a88bf8c0515f4f4745bf7e5bd2db79bc7d5"
    );
}

#[test]
fn a_signature_of_the_reference_tool_over_a_file_is_accepted_as_an_artifact() {
    let key = VerifyingKey::from_pem_file(fixture("public.pem")).unwrap();
    let bundle = Bundle::from_bytes(&fs::read(fixture("artifact.sig")).unwrap()).unwrap();
    let digest = Digest::of(&fs::read(fixture("artifact.bin")).unwrap());
    assert!(verify_artifact(digest, "artifact.bin", &key, &bundle).is_ok());
}

#[test]
fn the_order_is_that_of_the_reference_tool() {
    // `sub/config.json` comes before `sub-a`: by component, although `-` is less than `/`.
    let scratch = Scratch::new();
    let signed = sign_directory(&scratch.model(), &key(), &scratch.0.join("s.sig")).unwrap();
    let names: Vec<&str> = signed.resources().iter().map(Resource::name).collect();
    assert_eq!(names, ["sub/config.json", "sub-a", "sub.b", "weights.bin"]);
}

#[test]
fn the_root_digest_is_that_of_the_reference_tool() {
    let key = VerifyingKey::from_pem_file(fixture("public.pem")).unwrap();
    let bundle = Bundle::from_bytes(&fs::read(fixture("model/model.sig")).unwrap()).unwrap();
    // base64 -d of the payload of testdata/model_signing/model/model.sig, .subject[0].digest.sha256
    let published = "7337c7aaeebea6b074bfca34250207c873a274732c1c6c82a68185df733ae8f3";
    assert_eq!(bundle.verify(&key).unwrap().digest().to_string(), published);
}

#[test]
fn the_signature_is_that_of_rfc_6979() {
    // Appendix A.2.5, SHA-256, message "sample", as DER.
    let published = "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
                     022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
    let signature = key().sign(b"sample").unwrap();
    let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, published);
}
