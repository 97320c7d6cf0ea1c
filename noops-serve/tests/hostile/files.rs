//! Model files of every format.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use noops_core::{Rows, Scores};
use noops_serve::model::file::{ModelFormat, load_file};
use noops_serve::model::mlp::{Activation, Layer, Mlp};
use proptest::prelude::*;

use crate::change::{changed, changes};
use crate::{cases, testdata};

/// Files by the names of their formats, small ones first.
static SEEDS: LazyLock<BTreeMap<&'static str, Vec<Vec<u8>>>> = LazyLock::new(seeds);

fn seeds() -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let folders = ["tree", "onnx"].map(|folder| std::fs::read_dir(testdata(folder)).unwrap());
    let paths = folders.into_iter().flatten();
    let mut paths: Vec<_> = paths.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files = paths.iter().map(|path| std::fs::read(path).unwrap());
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for bytes in files.chain(networks()) {
        if let Ok(file) = load_file(&bytes) {
            let files = found.entry(file.format().name()).or_default();
            files.push(bytes);
        }
    }
    for files in found.values_mut() {
        files.sort_by_key(Vec::len);
        files.truncate(FILES);
    }
    found
}

/// A small network in the formats of weights that the features of the crate write.
fn networks() -> Vec<Vec<u8>> {
    let hidden = Layer::new(2, 2, vec![1.0, -1.0, 1.0, -1.0]).unwrap();
    let output = Layer::new(2, 1, vec![0.5, 2.0]).unwrap();
    let hidden = hidden.with_activation(Activation::Relu);
    let model = Mlp::new(vec![hidden, output]).unwrap();
    let weights = model.to_weights().unwrap();
    vec![
        weights.to_safetensors().unwrap(),
        #[cfg(feature = "burn")]
        weights.to_burnpack().unwrap(),
    ]
}

/// A seed of one format or another; all formats come as often.
fn chosen((format, file): (u16, u16)) -> &'static [u8] {
    let files: Vec<_> = SEEDS.values().collect();
    let files = files[usize::from(format) % files.len()];
    &files[usize::from(file) % files.len()]
}

/// A file that is read answers twice alike, one row of scores for each, or says why not.
fn runs(bytes: &[u8]) -> bool {
    let Ok(file) = load_file(bytes) else {
        return false;
    };
    let Some(contract) = file.contract().cloned() else {
        return true;
    };
    let width = contract.rules().len();
    let numbers = [vec![0.0; width], vec![-1.5; width]].concat();
    // Of no features there are no rows.
    let Ok(rows) = Rows::new(2, numbers, Vec::new()) else {
        return true;
    };
    let encoded = contract.encode_rows(&rows).unwrap();
    let mut executor = file.into_executor();
    if let Ok(scores) = executor.run(encoded.batch()) {
        assert_eq!(scores.rows(), encoded.batch().rows());
        assert_eq!(scores.width(), contract.output().width());
        let again = executor.run(encoded.batch()).unwrap();
        let bits = |scores: &Scores| -> Vec<u32> {
            let values = scores.values().iter();
            values.map(|value| value.to_bits()).collect()
        };
        assert_eq!(bits(&scores), bits(&again));
    }
    true
}

#[test]
fn there_is_a_seed_of_every_format() {
    for format in [
        ModelFormat::Safetensors,
        ModelFormat::Onnx,
        ModelFormat::XgboostJson,
        ModelFormat::XgboostUbj,
        ModelFormat::LightgbmText,
        #[cfg(feature = "burn")]
        ModelFormat::Burnpack,
    ] {
        let files = SEEDS.get(format.name());
        assert!(files.is_some_and(|files| !files.is_empty()), "{format:?}");
    }
    for file in SEEDS.values().flatten() {
        assert!(runs(file));
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn a_broken_file_is_refused_or_runs(
        seed in any::<(u16, u16)>(),
        changes in changes(),
    ) {
        runs(&changed(chosen(seed), &changes));
    }

    #[test]
    fn a_file_that_is_cut_short_is_refused_or_runs(
        seed in any::<(u16, u16)>(),
        end in any::<prop::sample::Index>(),
    ) {
        let file = chosen(seed);
        runs(&file[..end.index(file.len())]);
    }
}

/// How many files of a format are broken.
const FILES: usize = 12;
