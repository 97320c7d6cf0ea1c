use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Which entries may bear a key, by a 64-bit hash of it. Only looked up, never walked, so that its order cannot show.
#[derive(Default)]
pub(super) struct KeyIndex {
    first: HashMap<u64, u64>,
    // The sequences of keys whose hash another key had already.
    others: BTreeMap<u64, Vec<u64>>,
}

impl KeyIndex {
    /// Adds the key of an entry.
    pub(super) fn insert(&mut self, key: &str, sequence: u64) {
        let hash = hash_of(key);
        if *self.first.entry(hash).or_insert(sequence) != sequence {
            self.others.entry(hash).or_default().push(sequence);
        }
    }

    /// Takes back what was added.
    pub(super) fn remove(&mut self, key: &str, sequence: u64) {
        let hash = hash_of(key);
        if let Some(others) = self.others.get_mut(&hash) {
            others.retain(|other| *other != sequence);
        }
        if self.first.get(&hash) == Some(&sequence) {
            self.first.remove(&hash);
        }
    }

    /// The entries to compare a key with.
    pub(super) fn candidates(&self, key: &str) -> Vec<u64> {
        let hash = hash_of(key);
        let others = self.others.get(&hash).into_iter().flatten();
        self.first
            .get(&hash)
            .into_iter()
            .chain(others)
            .copied()
            .collect()
    }
}

fn hash_of(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_hash_are_all_candidates() {
        let mut keys = KeyIndex::default();
        keys.insert("a", 4);
        // The same hash under another number stands for a collision.
        keys.insert("a", 9);
        assert_eq!(keys.candidates("a"), [4, 9]);
        keys.remove("a", 9);
        assert_eq!(keys.candidates("a"), [4]);
        assert!(keys.candidates("b").is_empty());
    }
}
