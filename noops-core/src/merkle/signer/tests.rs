use proptest::prelude::*;

use super::*;

// The keys and notes of the examples of golang.org/x/mod/sumdb/note (ExampleSign, ExampleSign_add_signatures). Ed25519 is
// deterministic, so that signing gives the very bytes that Go printed.
const PETER_PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n";

// Go's second key is made from 32 zero bytes.
const ENOCH_SECRET: &str =
    "PRIVATE+KEY+EnochRoot+af0cfe78+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const ENOCH_LINE: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=";

fn peter() -> NoteSigner {
    NoteSigner::from_secret_text(PETER_SECRET).unwrap()
}

#[test]
fn signatures_are_the_bytes_that_go_makes() {
    let peter = peter();
    assert_eq!(peter.sign(TEXT).to_string(), PETER_LINE);
    assert_eq!(peter.verifier().to_string(), PETER_PUBLIC);
    assert_eq!(peter.to_secret_text().as_str(), PETER_SECRET);
    let enoch = NoteSigner::from_secret_text(ENOCH_SECRET).unwrap();
    assert_eq!(enoch.sign(TEXT).to_string(), ENOCH_LINE);

    let note = SignedNote::new(TEXT, vec![peter.sign(TEXT)])
        .and_then(|note| note.with_signature(enoch.sign(TEXT)))
        .unwrap();
    assert_eq!(
        note.to_string(),
        format!("{TEXT}\n{PETER_LINE}\n{ENOCH_LINE}\n")
    );
}

#[test]
fn a_note_that_go_signed_verifies() {
    let peter = NoteVerifier::parse(PETER_PUBLIC).unwrap();
    let note = SignedNote::parse(format!("{TEXT}\n{PETER_LINE}\n").as_bytes()).unwrap();
    assert_eq!(peter.verify(&note), Ok(()));
    assert_eq!(
        (peter.name(), peter.key_id()),
        ("PeterNeumann", 0xc74f_20a3)
    );
}

#[test]
fn a_note_without_a_signature_by_the_key_is_refused() {
    let enoch = NoteSigner::from_secret_text(ENOCH_SECRET)
        .unwrap()
        .verifier();
    let note = SignedNote::parse(format!("{TEXT}\n{PETER_LINE}\n").as_bytes()).unwrap();
    let key = "EnochRoot+af0cfe78".to_owned();
    assert_eq!(enoch.verify(&note), Err(MerkleError::NotSigned { key }));
}

#[test]
fn one_false_signature_by_the_key_spoils_a_note() {
    let peter = peter();
    let other = peter.sign("other\n").to_string();
    let note = format!("{TEXT}\n{PETER_LINE}\n{other}\n");
    let note = SignedNote::parse(note.as_bytes()).unwrap();
    let key = "PeterNeumann+c74f20a3".to_owned();
    assert_eq!(
        peter.verifier().verify(&note),
        Err(MerkleError::SignatureMismatch { key })
    );
}

#[test]
fn a_signature_of_another_length_is_refused() {
    let peter = peter().verifier();
    let id = peter.key_id().to_be_bytes();
    for length in [1, 63, 65, 72] {
        let signature = NoteSignature::new("PeterNeumann".into(), id, vec![0; length]);
        let note = SignedNote::new(TEXT, vec![signature]).unwrap();
        assert!(peter.verify(&note).is_err(), "{length}");
    }
}

#[test]
fn a_key_with_any_part_missing_or_changed_is_refused() {
    // As TestNewVerifier and TestNewSigner of Go do.
    for whole in [PETER_PUBLIC, PETER_SECRET] {
        let read = |text: &str| {
            if whole == PETER_PUBLIC {
                NoteVerifier::parse(text).is_ok()
            } else {
                NoteSigner::from_secret_text(text).is_ok()
            }
        };
        assert!(read(whole));
        for start in 0..=whole.len() {
            for end in start..=whole.len() {
                assert_eq!(read(&whole[start..end]), (start, end) == (0, whole.len()));
            }
        }
        for at in 0..whole.len() {
            let mut bytes = whole.as_bytes().to_vec();
            bytes[at] += 1;
            assert!(!read(&String::from_utf8(bytes).unwrap()), "{at}");
        }
    }
    for text in [
        // Wrong length and unknown kind, each with the identifier that fits.
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(NoteVerifier::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_secret_is_not_printed() {
    let printed = format!("{:?}", peter());
    assert!(printed.contains("PeterNeumann"));
    assert!(!printed.contains("AYEKFALVFGyNhPJEMzD1QIDr"), "{printed}");
    let refused = NoteSigner::from_secret_text(&PETER_SECRET.replace("c74f", "c74e"));
    let refused = format!("{:?}", refused.unwrap_err());
    assert!(!refused.contains("AYEKFALVFGyNhPJEMzD1QIDr"), "{refused}");
}

#[test]
fn two_keys_are_not_the_same() {
    let first = NoteSigner::generate("a").unwrap();
    let second = NoteSigner::generate("a").unwrap();
    assert_ne!(first.verifier(), second.verifier());
    let again = NoteSigner::from_secret_text(&first.to_secret_text()).unwrap();
    assert_eq!(first.verifier(), again.verifier());
    for name in ["", "a b", "a+b", "a\nb", &"a".repeat(1025)] {
        assert!(NoteSigner::generate(name).is_err(), "{name:?}");
    }
}

proptest! {
    #[test]
    fn any_bit_that_flips_in_a_note_is_found(bit in 0..(TEXT.len() + 2 + PETER_LINE.len()) * 8) {
        let verifier = NoteVerifier::parse(PETER_PUBLIC).unwrap();
        let mut bytes = format!("{TEXT}\n{PETER_LINE}\n").into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(note) = SignedNote::parse(&bytes) {
            prop_assert!(verifier.verify(&note).is_err());
        }
    }

    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        prop_assert!(NoteVerifier::parse(&text).is_err());
        let secret = format!("PRIVATE+KEY+{text}");
        prop_assert!(NoteSigner::from_secret_text(&secret).is_err());
    }
}
