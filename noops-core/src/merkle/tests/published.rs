//! The published examples of RFC 6962 logs, and the adversarial cases that transparency-dev's `proofgen` derives from them.
//!
//! The entries and the roots are those of the Certificate Transparency test suites. The cases are made here by the same rules
//! as there, 98 of each kind, among them every proof with a bit flipped, a hash added, removed or moved, and sizes that do not
//! fit.

use super::*;

/// What the first eight entries of the example log are, in hexadecimal.
const ENTRIES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// The roots of the example log at sizes 0 to 8.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Bytes where a hash belongs; they need not be one.
type Bytes = Vec<u8>;

fn entry(number: usize) -> Bytes {
    let digits: Vec<u8> = ENTRIES[number]
        .chars()
        .map(|digit| digit.to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] * 16 + pair[1])
        .collect()
}

fn example() -> Vec<Digest> {
    (0..8).map(|number| leaf_hash(&entry(number))).collect()
}

fn root(size: u64) -> Bytes {
    let root: Digest = ROOTS[size as usize].parse().unwrap();
    root.as_bytes().to_vec()
}

fn bytes(hashes: &[Digest]) -> Vec<Bytes> {
    hashes.iter().map(|hash| hash.as_bytes().to_vec()).collect()
}

fn digest(bytes: &[u8]) -> Option<Digest> {
    bytes.try_into().ok().map(Digest::from_bytes)
}

fn digests(path: &[Bytes]) -> Option<Vec<Digest>> {
    path.iter().map(|hash| digest(hash)).collect()
}

/// The path with hashes put before and behind it.
fn around(before: &[&Bytes], path: &[Bytes], behind: &[&Bytes]) -> Vec<Bytes> {
    let before = before.iter().copied().cloned();
    let behind = behind.iter().copied().cloned();
    before.chain(path.iter().cloned()).chain(behind).collect()
}

fn with_bit(path: &[Bytes], position: usize, mask: u8) -> Vec<Bytes> {
    let mut path = path.to_vec();
    path[position][0] ^= mask;
    path
}

#[derive(Clone, Debug)]
struct Inclusion {
    index: u64,
    size: u64,
    root: Bytes,
    leaf: Bytes,
    path: Vec<Bytes>,
}

impl Inclusion {
    fn holds(&self) -> bool {
        let (Some(leaf), Some(root), Some(path)) =
            (digest(&self.leaf), digest(&self.root), digests(&self.path))
        else {
            return false;
        };
        InclusionProof::new(self.index, self.size, path)
            .and_then(|proof| proof.verify(&leaf, &root))
            .is_ok()
    }

    fn broken(&self) -> Vec<Self> {
        let (empty, root) = (Bytes::new(), self.root.clone());
        let some = Digest::of(b"some hash").as_bytes().to_vec();
        let base = || self.clone();
        let mut broken = vec![
            Self {
                index: self.index.wrapping_sub(1),
                ..base()
            },
            Self {
                index: self.index + 1,
                ..base()
            },
            Self {
                index: self.index ^ 2,
                ..base()
            },
            Self {
                size: self.size * 2,
                ..base()
            },
            Self {
                size: self.size / 2,
                ..base()
            },
            Self {
                leaf: b"WrongLeaf".to_vec(),
                ..base()
            },
            Self {
                root: super::published::root(0),
                ..base()
            },
            Self {
                root: some.clone(),
                ..base()
            },
            Self {
                path: around(&[], &self.path, &[&empty]),
                ..base()
            },
            Self {
                path: around(&[], &self.path, &[&root]),
                ..base()
            },
            Self {
                path: around(&[&empty], &self.path, &[]),
                ..base()
            },
            Self {
                path: around(&[&root], &self.path, &[]),
                ..base()
            },
        ];
        for position in 0..self.path.len() {
            broken.push(Self {
                path: with_bit(&self.path, position, 8),
                ..base()
            });
        }
        if let [shorter @ .., _] = &self.path[..] {
            broken.push(Self {
                path: shorter.to_vec(),
                ..base()
            });
        }
        if let [first, rest @ ..] = &self.path[..]
            && !rest.is_empty()
        {
            broken.push(Self {
                path: around(&[first, &some], rest, &[]),
                ..base()
            });
        }
        broken
    }
}

#[derive(Clone, Debug)]
struct Consistency {
    from: u64,
    to: u64,
    earlier: Bytes,
    later: Bytes,
    path: Vec<Bytes>,
}

impl Consistency {
    fn holds(&self) -> bool {
        let (Some(earlier), Some(later), Some(path)) = (
            digest(&self.earlier),
            digest(&self.later),
            digests(&self.path),
        ) else {
            return false;
        };
        ConsistencyProof::new(self.from, self.to, path)
            .and_then(|proof| proof.verify(&earlier, &later))
            .is_ok()
    }

    fn broken(&self) -> Vec<Self> {
        let [first, ..] = &self.path[..] else {
            return Vec::new();
        };
        let [shorter @ .., _] = &self.path[..] else {
            return Vec::new();
        };
        let empty = Bytes::new();
        let base = || self.clone();
        let path = |before: &[&Bytes], behind: &[&Bytes]| Self {
            path: around(before, &self.path, behind),
            ..base()
        };
        let wrong = b"WrongRoot".to_vec();
        let mut broken = vec![
            Self {
                from: self.from - 1,
                ..base()
            },
            Self {
                from: self.from + 1,
                ..base()
            },
            Self {
                from: self.from ^ 2,
                ..base()
            },
            Self {
                to: self.to * 2,
                ..base()
            },
            Self {
                to: self.to / 2,
                ..base()
            },
            Self {
                earlier: wrong.clone(),
                ..base()
            },
            Self {
                later: wrong,
                ..base()
            },
            Self {
                earlier: self.later.clone(),
                later: self.earlier.clone(),
                ..base()
            },
            Self {
                path: Vec::new(),
                ..base()
            },
            path(&[], &[&empty]),
            path(&[], &[&self.earlier]),
            path(&[], &[&self.later]),
            path(&[&empty], &[]),
            path(&[&self.earlier], &[]),
            path(&[&self.later], &[]),
            path(&[first], &[]),
            Self {
                path: shorter.to_vec(),
                ..base()
            },
        ];
        for position in 0..self.path.len() {
            broken.push(Self {
                path: with_bit(&self.path, position, 16),
                ..base()
            });
        }
        broken
    }
}

#[test]
fn the_published_roots_are_met() {
    let leaves = example();
    let mut frontier = Frontier::default();
    for size in 0..=8 {
        assert_eq!(frontier.root().to_string(), ROOTS[size]);
        assert_eq!(naive_root(&leaves[..size]).to_string(), ROOTS[size]);
        if let Some(leaf) = leaves.get(size) {
            frontier.push(*leaf);
        }
    }
}

#[test]
fn the_published_paths_are_met() {
    // RFC 6962, section 2.1.3, draws the seven-entry tree: a b c d e f j over entries, g h i k l above them.
    let leaves = example();
    let node = |from: usize, to: usize| naive_root(&leaves[from..to]);
    let of = |index: u64| {
        let tiles = loaded(InclusionProof::tiles(index, 7), &leaves);
        let proof = InclusionProof::from_tiles(index, 7, &tiles).unwrap();
        proof.path().to_vec()
    };
    assert_eq!(of(0), [node(1, 2), node(2, 4), node(4, 7)]);
    assert_eq!(of(3), [node(2, 3), node(0, 2), node(4, 7)]);
    assert_eq!(of(4), [node(5, 6), node(6, 7), node(0, 4)]);
    assert_eq!(of(6), [node(4, 6), node(0, 4)]);
    let between = |from: u64| {
        let tiles = loaded(ConsistencyProof::tiles(from, 7), &leaves);
        let proof = ConsistencyProof::from_tiles(from, 7, &tiles).unwrap();
        proof.path().to_vec()
    };
    assert_eq!(between(3), [node(2, 3), node(3, 4), node(0, 2), node(4, 7)]);
    assert_eq!(between(4), [node(4, 7)]);
    assert_eq!(between(6), [node(4, 6), node(6, 7), node(0, 4)]);
}

#[test]
fn inclusion_holds_exactly_where_the_published_cases_say() {
    let leaves = example();
    let mut cases: Vec<(Inclusion, bool)> = Vec::new();
    for (index, size) in [(0, 1), (0, 8), (5, 8), (2, 3), (1, 5)] {
        let case = Inclusion {
            index: index as u64,
            size,
            root: root(size),
            leaf: leaves[index].as_bytes().to_vec(),
            path: bytes(&naive_path(index, &leaves[..size as usize])),
        };
        cases.extend(case.broken().into_iter().map(|broken| (broken, false)));
        cases.push((case, true));
    }
    let case = |index, size, root: &Bytes, leaf: &Bytes| Inclusion {
        index,
        size,
        root: root.clone(),
        leaf: leaf.clone(),
        path: Vec::new(),
    };
    let (nothing, none) = (Bytes::new(), root(0));
    let some = Digest::of(b"some hash").as_bytes().to_vec();
    for (index, size) in [(0, 0), (0, 1), (1, 0), (2, 1)] {
        cases.push((case(index, size, &nothing, &some), false));
        cases.push((case(index, size, &none, &nothing), false));
        cases.push((case(index, size, &none, &some), false));
    }
    let data = leaf_hash(b"data").as_bytes().to_vec();
    cases.push((case(0, 1, &data, &data), true));
    cases.push((case(0, 1, &data, &nothing), false));
    cases.push((case(0, 1, &nothing, &data), false));
    cases.push((case(0, 1, &nothing, &nothing), false));

    assert_eq!(cases.len(), 98);
    for (case, holds) in cases {
        assert_eq!(case.holds(), holds, "{case:?}");
    }
}

#[test]
fn consistency_holds_exactly_where_the_published_cases_say() {
    let leaves = example();
    let mut cases: Vec<(Consistency, bool)> = Vec::new();
    for (from, to) in [(1, 1), (1, 8), (6, 8), (2, 5), (6, 7)] {
        let case = Consistency {
            from,
            to,
            earlier: root(from),
            later: root(to),
            path: bytes(&naive_subproof(from as usize, &leaves[..to as usize], true)),
        };
        cases.extend(case.broken().into_iter().map(|broken| (broken, false)));
        cases.push((case, true));
    }
    let one = Digest::of(b"one").as_bytes().to_vec();
    let two = Digest::of(b"two").as_bytes().to_vec();
    let (none, long) = (root(0), vec![root(0)]);
    for (from, to, earlier, later, path, holds) in [
        (0, 0, &one, &two, &vec![], false),
        (1, 1, &one, &two, &vec![], false),
        (0, 0, &one, &one, &vec![], false),
        (0, 1, &one, &two, &vec![], false),
        (1, 1, &two, &two, &vec![], true),
        (1, 0, &one, &two, &vec![], false),
        (2, 1, &one, &two, &vec![], false),
        (1, 2, &one, &two, &vec![], false),
        (0, 0, &none, &two, &vec![], false),
        (1, 1, &none, &two, &vec![], false),
        (0, 0, &none, &none, &long, false),
        (1, 1, &none, &none, &long, false),
        (0, 1, &none, &none, &long, false),
    ] {
        let case = Consistency {
            from,
            to,
            earlier: earlier.clone(),
            later: later.clone(),
            path: path.clone(),
        };
        cases.push((case, holds));
    }
    // There the second root is of the wrong length; a right one would do, because every log begins with the empty one.
    let case = Consistency {
        from: 0,
        to: 1,
        earlier: none,
        later: b"don't care 2".to_vec(),
        path: Vec::new(),
    };
    cases.push((case, false));

    assert_eq!(cases.len(), 98);
    for (case, holds) in cases {
        assert_eq!(case.holds(), holds, "{case:?}");
    }
}
