//! Notes, checkpoints, proofs and tiles from a log that is not trusted.

use std::sync::LazyLock;

use noops_core::Timestamp;
use noops_core::merkle::{
    Checkpoint, CosignatureSigner, CosignatureVerifier, LogProof, NoteSigner, NoteVerifier,
    SignedNote, Tile,
};
use proptest::prelude::*;

use crate::cases;
use crate::change::{changed, changes};

struct Keys {
    log: NoteSigner,
    witness: CosignatureSigner,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    log: NoteSigner::generate("example.com/models").unwrap(),
    witness: CosignatureSigner::generate("witness.example.com/w1").unwrap(),
});

/// A checkpoint of two entries, and the note in which log and witness signed it.
fn signed() -> (Checkpoint, SignedNote) {
    let root = crate::tree::root(2);
    let checkpoint = Checkpoint::new("example.com/models", 2, root).unwrap();
    let checkpoint = checkpoint.with_extension("an extension").unwrap();
    let note = checkpoint.sign(&KEYS.log).unwrap();
    let cosignature = KEYS.witness.sign(&note, Timestamp::UNIX_EPOCH).unwrap();
    (checkpoint, note.with_signature(cosignature).unwrap())
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_changed_note_is_refused_or_printed_as_it_was_read(changes in changes()) {
        let (checkpoint, note) = signed();
        let bytes = changed(note.to_string().as_bytes(), &changes);
        if let Ok(read) = SignedNote::parse(&bytes) {
            prop_assert_eq!(read.to_string().into_bytes(), bytes.clone());
            if KEYS.log.verifier().verify(&read).is_ok() {
                prop_assert_eq!(read.text(), note.text());
            }
            if let Ok(cosignature) = KEYS.witness.verifier().verify(&read) {
                prop_assert_eq!(read.text(), note.text());
                prop_assert_eq!(cosignature.at(), Timestamp::UNIX_EPOCH);
            }
        }
        if let Ok(opened) = Checkpoint::open(&bytes, &KEYS.log.verifier()) {
            prop_assert_eq!(opened, checkpoint);
        }
    }

    #[test]
    fn the_text_of_a_changed_checkpoint_is_refused_or_read_back(changes in changes()) {
        let (checkpoint, _) = signed();
        let bytes = changed(checkpoint.to_text().as_bytes(), &changes);
        if let Ok(text) = std::str::from_utf8(&bytes)
            && let Ok(read) = Checkpoint::parse(text)
        {
            prop_assert_eq!(read.to_text(), text);
        }
    }

    #[test]
    fn a_changed_key_is_refused_or_read_back(changes in changes()) {
        let text = KEYS.log.verifier().to_string();
        let bytes = changed(text.as_bytes(), &changes);
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(key) = NoteVerifier::parse(&text) {
            prop_assert_eq!(key.to_string(), &*text);
        }
        // The other kind of key is never taken for this one.
        prop_assert!(CosignatureVerifier::parse(&text).is_err());
        let secret = KEYS.log.to_secret_text();
        let bytes = changed(secret.as_bytes(), &changes);
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(key) = NoteSigner::from_secret_text(&text) {
            let again = key.to_secret_text();
            prop_assert_eq!(again.as_str(), &*text);
        }
        prop_assert!(CosignatureSigner::from_secret_text(&text).is_err());
    }

    #[test]
    fn a_changed_proof_file_is_refused_or_proves_the_same(changes in changes()) {
        let (_, note) = signed();
        let checkpoint = Checkpoint::parse(note.text()).unwrap();
        let proof = LogProof::new(crate::tree::inclusion(1, 2), note).unwrap();
        let bytes = changed(proof.with_extra(vec![1, 2, 3]).to_string().as_bytes(), &changes);
        if let Ok(read) = LogProof::parse(&bytes)
            && let Ok(proved) = read.verify(&crate::tree::leaf(1), &KEYS.log.verifier())
        {
            prop_assert_eq!(proved, checkpoint);
            let honest = crate::tree::inclusion(1, 2);
            prop_assert_eq!(read.inclusion().path(), honest.path());
        }
    }

    #[test]
    fn a_tile_has_one_path_and_it_stays_below_the_log(
        changes in changes(),
        level in 0u8..9,
        index in any::<u64>(),
        bits in 0u32..64,
        width in 0u16..258,
    ) {
        let index = index >> bits;
        let entries = Tile::entries_path(index, width);
        let mut paths = vec![entries.clone(), changed_text(&entries, &changes)];
        if let Ok(tile) = Tile::new(level, index, width) {
            paths.extend([tile.path(), changed_text(&tile.path(), &changes)]);
        }
        for path in paths {
            if let Ok(read) = Tile::parse_path(&path) {
                prop_assert_eq!(read.to_string(), path.as_str());
                prop_assert!(path.starts_with("tile/"), "{}", path);
                prop_assert!(path.split('/').all(|part| !part.is_empty() && part != ".."), "{}", path);
                prop_assert!(!path.contains(['\\', ':', '\0']), "{}", path);
            }
        }
    }

    #[test]
    fn noise_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(SignedNote::parse(&bytes).is_err());
        prop_assert!(LogProof::parse(&bytes).is_err());
        prop_assert!(Checkpoint::open(&bytes, &KEYS.log.verifier()).is_err());
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(NoteVerifier::parse(&text).is_err());
        prop_assert!(CosignatureVerifier::parse(&text).is_err());
        prop_assert!(Tile::parse_path(&text).is_err());
    }
}

fn changed_text(text: &str, changes: &[crate::change::Change]) -> String {
    String::from_utf8_lossy(&changed(text.as_bytes(), changes)).into_owned()
}
