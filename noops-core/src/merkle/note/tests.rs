use proptest::prelude::*;

use super::*;

/// The example of C2SP `signed-note`, section "Format": two paragraphs.
const QUASIMODO: &str = "Ognuno sta solo sul cuor della terra\n\
    trafitto da un raggio di sole:\n\
    \n\
    ed è subito sera.\n\
    \n\
    — quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

#[test]
fn the_last_empty_line_ends_the_text() {
    let note = SignedNote::parse(QUASIMODO.as_bytes()).unwrap();
    assert!(note.text().ends_with("\n\ned è subito sera.\n"));
    let [signature] = note.signatures() else {
        panic!("one signature");
    };
    assert_eq!(signature.name(), "quasimodo.example/salvatore");
    assert_eq!(signature.key_id(), 0x367b_a04b);
    assert_eq!(signature.bytes().len(), 64);
    assert_eq!(note.to_string(), QUASIMODO);
}

#[test]
fn a_note_that_breaks_the_format_is_refused() {
    let signature = "— a AAAAAAA=\n";
    assert!(SignedNote::parse(format!("text\n\n{signature}").as_bytes()).is_ok());
    for note in [
        String::new(),
        "\n\n".into(),
        "text\n".into(),
        "text\n\n".into(),
        signature.into(),
        format!("text\n{signature}"),
        format!("text\r\n\n{signature}"),
        format!("te\u{0}xt\n\n{signature}"),
        format!("te\txt\n\n{signature}"),
        format!("text\n\n{signature}\n"),
        format!("text\n\n{}", signature.trim_end()),
        format!("text\n\n{signature}more\n"),
        format!(
            "text\n\n{signature}{}\n",
            signature.trim_end().replace('—', "-")
        ),
        "text\n\n— a\n".into(),
        "text\n\n— a \n".into(),
        "text\n\n—  AAAAAAA=\n".into(),
        "text\n\n— a+b AAAAAAA=\n".into(),
        "text\n\n— a\u{2003}b AAAAAAA=\n".into(),
        "text\n\n— a AAAAAAA\n".into(),
        "text\n\n— a AAAAAAB=\n".into(),
        "text\n\n— a AAAAAAA= \n".into(),
        "text\n\n— a AAAA_AA=\n".into(),
        // An identifier and nothing behind it, and not even that.
        "text\n\n— a AAAAAA==\n".into(),
        "text\n\n— a AAAA\n".into(),
        format!("text\n\n{}", signature.repeat(101)),
        format!("{}\n\n{signature}", "x".repeat(1 << 20)),
    ] {
        let error = SignedNote::parse(note.as_bytes()).unwrap_err();
        assert!(
            error.to_string().starts_with("this is no signed note: "),
            "{note:.80}"
        );
    }
    assert!(SignedNote::parse(b"te\xff\n\n\xe2\x80\x94 a AAAAAAA=\n").is_err());
}

#[test]
fn the_limits_can_be_reached() {
    let signature = "— a AAAAAAA=\n";
    let many = format!("text\n\n{}", signature.repeat(100));
    assert_eq!(
        SignedNote::parse(many.as_bytes()).unwrap().to_string(),
        many
    );

    let text = "x".repeat((1 << 20) - 2 - signature.len());
    let long = format!("{text}\n\n{signature}");
    assert_eq!(long.len(), 1 << 20);
    assert_eq!(
        SignedNote::parse(long.as_bytes()).unwrap().to_string(),
        long
    );
    assert!(SignedNote::parse(format!("x{long}").as_bytes()).is_err());
}

#[test]
fn a_key_signs_once() {
    let note = SignedNote::parse(QUASIMODO.as_bytes()).unwrap();
    let other = NoteSignature::new("other".into(), [1, 2, 3, 4], vec![5]);
    let again = NoteSignature::new("other".into(), [1, 2, 3, 4], vec![6]);
    let renewed = NoteSignature::new("other".into(), [1, 2, 3, 5], vec![6]);
    let note = note.with_signature(other).unwrap();
    let note = note.with_signature(again.clone()).unwrap();
    let note = note.with_signature(renewed.clone()).unwrap();
    assert_eq!(note.signatures().len(), 3);
    assert_eq!(note.signatures()[1..], [again, renewed]);
}

proptest! {
    #[test]
    fn reading_undoes_writing(
        text in "([^\\x00-\\x1f]{0,12}\n){1,6}",
        names in prop::collection::vec("[a-z./é]{1,9}", 1..5),
        signature in prop::collection::vec(any::<u8>(), 1..200),
        key_id: [u8; 4],
    ) {
        let signatures = names.into_iter().map(|name| NoteSignature::new(name, key_id, signature.clone())).collect();
        let note = SignedNote::new(text, signatures).unwrap();
        prop_assert_eq!(SignedNote::parse(note.to_string().as_bytes()), Ok(note));
    }

    #[test]
    fn any_bytes_are_survived_and_what_is_read_is_written_the_same(
        at in 0..QUASIMODO.len(),
        bytes in prop::collection::vec(any::<u8>(), 0..6),
        removed in 0usize..6,
    ) {
        let mut note = QUASIMODO.as_bytes().to_vec();
        let end = (at + removed).min(note.len());
        drop(note.splice(at..end, bytes.iter().copied()));
        if let Ok(parsed) = SignedNote::parse(&note) {
            prop_assert_eq!(parsed.to_string().into_bytes(), note);
        }
        prop_assert!(SignedNote::parse(&bytes).is_err());
    }
}
