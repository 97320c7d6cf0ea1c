use noops_core::ErrorKind;

use super::*;

#[test]
fn every_kind_of_value_is_read() {
    let bytes = b"{U\x01aZU\x01b[TFN]i\x01cSU\x02hiU\x01d[$l#U\x02\0\0\0\x01\xff\xff\xff\xffU\x01ed\x3f\x80\0\0U\x01f[#U\x01D\x40\0\0\0\0\0\0\0}";
    let expected = [
        ("a", Document::Null),
        (
            "b",
            Document::List(vec![Document::Bool(true), Document::Bool(false)]),
        ),
        ("c", Document::Text("hi".into())),
        ("d", Document::Numbers(vec![1.0, -1.0])),
        ("e", Document::Number(1.0)),
        ("f", Document::List(vec![Document::Number(2.0)])),
    ];
    // A no-op may stand before a value and before the end of a list.
    let expected = expected.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(read(bytes).unwrap(), Document::Object(expected.into()));
}

#[test]
fn a_length_is_believed_only_as_far_as_there_are_bytes() {
    for bytes in [
        b"[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff".as_slice(),
        b"[$D#L\x20\0\0\0\0\0\0\0",
        b"[$Z#L\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"[$N#l\x7f\xff\xff\xff",
        b"[$[#l\x7f\xff\xff\xff",
        b"[#l\x7f\xff\xff\xff",
        b"SL\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"{#L\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"{$Z#l\x7f\xff\xff\xff",
        b"Si\xff",
        b"[$d#i\xff",
        b"[$d",
        b"",
        b"NNNN",
        b"Q",
        b"TT",
        b"SU\x02\xff\xfe",
    ] {
        let error = read(bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{}", bytes.escape_ascii());
    }
}
