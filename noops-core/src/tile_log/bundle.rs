//! Entry bundles: leaves one after the other, each preceded by its length as two big-endian bytes.

/// The most leaves of a bundle and the most hashes of a tile.
pub(super) const WIDTH: u64 = 256;

/// The largest leaf that fits its length prefix.
pub(super) const MAX_LEAF: usize = u16::MAX as usize;

/// The largest bundle.
pub(super) const MAX_BUNDLE: u64 = WIDTH * (MAX_LEAF as u64 + 2);

/// Adds one leaf; `false` when it is too long.
pub(super) fn push(bundle: &mut Vec<u8>, leaf: &[u8]) -> bool {
    let Ok(length) = u16::try_from(leaf.len()) else {
        return false;
    };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(leaf);
    true
}

/// The leaves of a bundle; `None` when it does not end with a leaf.
pub(super) fn split(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut leaves = Vec::new();
    while !bundle.is_empty() {
        let (prefix, rest) = bundle.split_first_chunk::<2>()?;
        let (leaf, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*prefix)))?;
        leaves.push(leaf);
        bundle = rest;
    }
    Some(leaves)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bundle_is_laid_out_as_the_specification_says() {
        let mut bundle = Vec::new();
        assert!(push(&mut bundle, b"abc"));
        assert!(push(&mut bundle, b""));
        assert!(push(&mut bundle, b"d"));
        assert_eq!(bundle, b"\x00\x03abc\x00\x00\x00\x01d");
    }

    #[test]
    fn the_longest_leaf_fits_and_one_byte_more_does_not() {
        let mut bundle = Vec::new();
        assert!(push(&mut bundle, &vec![7; MAX_LEAF]));
        assert!(!push(&mut bundle, &vec![7; MAX_LEAF + 1]));
        assert_eq!(split(&bundle).map(|leaves| leaves.len()), Some(1));
    }

    proptest! {
        #[test]
        fn splitting_undoes_pushing(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..40)) {
            let mut bundle = Vec::new();
            for leaf in &leaves {
                prop_assert!(push(&mut bundle, leaf));
            }
            let expected: Vec<&[u8]> = leaves.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(split(&bundle), Some(expected));
        }

        #[test]
        fn hostile_bytes_split_into_what_they_are_made_of_or_not_at_all(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Some(leaves) = split(&bytes) {
                let mut again = Vec::new();
                for leaf in leaves {
                    prop_assert!(push(&mut again, leaf));
                }
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
