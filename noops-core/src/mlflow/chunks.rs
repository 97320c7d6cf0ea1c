//! A registration as tags of its version: MLflow bounds the length of a tag.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::registry::Registration;
use crate::registry::refusal::REGISTER;

/// The text that is kept, and its digest is what guards it.
pub(super) fn text(registration: &Registration) -> Result<String, Error> {
    let text = serde_json::to_string(registration).map_err(|error| {
        Error::new(ErrorKind::Invalid, REGISTER, "the registration is not JSON").caused_by(error)
    })?;
    if text.len() > LONGEST {
        let message = "it is too large for the tags of MLflow: keep the profile as an artifact, and its digest here";
        return Err(Error::new(ErrorKind::Invalid, REGISTER, message)
            .with("bytes", text.len())
            .with("limit", LONGEST));
    }
    Ok(text)
}

/// The tags that hold a text.
pub(super) fn split(text: &str) -> Vec<(String, String)> {
    let mut pieces: Vec<String> = Vec::new();
    let mut piece = String::new();
    for c in text.chars() {
        if piece.len() + c.len_utf8() > LONGEST_TAG {
            pieces.push(std::mem::take(&mut piece));
        }
        piece.push(c);
    }
    pieces.push(piece);
    let keys = (0..).map(|index: usize| format!("{PREFIX}{index:04}"));
    keys.zip(pieces).collect()
}

/// The registration that the tags hold, if they are as they were written.
pub(super) fn read(
    tags: &BTreeMap<String, String>,
    expected: Digest,
) -> Result<Registration, Error> {
    let pieces = tags
        .range(PREFIX.to_owned()..)
        .take_while(|(key, _)| key.starts_with(PREFIX));
    let text: String = pieces.map(|(_, value)| value.as_str()).collect();
    if Digest::of(text.as_bytes()) != expected {
        let message = "its tags were changed in MLflow: restore them there";
        return Err(Error::new(ErrorKind::Corrupt, READ, message).with("tags", PREFIX));
    }
    serde_json::from_str(&text).map_err(|error| {
        let message = "its tags hold no registration: were they written by a newer release?";
        Error::new(ErrorKind::Corrupt, READ, message).caused_by(error)
    })
}

/// Servers from before the limit was raised, and databases whose column is as short, take this much.
const LONGEST_TAG: usize = 5000;
/// The most bytes of a registration.
pub(super) const LONGEST: usize = 1 << 20;
const PREFIX: &str = "noops.registration.";
const READ: &str = "read a model version";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::conformance::registry::registration;

    #[test]
    fn a_registration_with_a_long_profile_is_read_as_it_was_written() {
        let model = "delay".parse().unwrap();
        let mut long = registration(&model, b"one");
        long.profile = Some(serde_json::json!({ "é\"\u{0}": "ü".repeat(20_000) }));
        let written = text(&long).unwrap();
        let mut tags: BTreeMap<String, String> = split(&written).into_iter().collect();
        assert!(tags.len() > 7);
        tags.insert("noops.registered".into(), "before".into());
        tags.insert("noops.registrations".into(), "after".into());
        let digest = Digest::of(written.as_bytes());
        assert_eq!(read(&tags, digest).unwrap(), long);

        let mut removed = tags.clone();
        removed.remove("noops.registration.0003");
        let mut added = tags.clone();
        added.insert("noops.registration.9999".into(), " ".into());
        let mut altered = tags;
        altered
            .get_mut("noops.registration.0000")
            .unwrap()
            .push(' ');
        for changed in [removed, added, altered, BTreeMap::new()] {
            let error = read(&changed, digest).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }

    #[test]
    fn what_no_server_takes_is_refused_before_it_is_sent() {
        let model = "delay".parse().unwrap();
        let mut huge = registration(&model, b"one");
        huge.profile = Some(serde_json::Value::String("x".repeat(LONGEST)));
        assert_eq!(text(&huge).unwrap_err().kind(), ErrorKind::Invalid);
    }

    proptest! {
        #[test]
        fn pieces_are_short_and_make_the_text_again(text in "[a-zé\u{1f600}]{0,6000}") {
            let tags = split(&text);
            prop_assert!(tags.iter().all(|(_, piece)| piece.len() <= LONGEST_TAG));
            prop_assert!(tags.is_sorted());
            let whole: String = tags.iter().map(|(_, piece)| piece.as_str()).collect();
            prop_assert_eq!(whole, text);
        }
    }
}
