//! A folder of files, as bytes and on the disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use proptest::sample::select;

use crate::change::{Change, change};

/// Files by path, with `/` between the parts.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A folder on the disk, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("noops-hostile-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::remove_dir_all(&path).ok();
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A folder with these files. A file whose path runs through another file is left out.
    pub(crate) fn with(name: &str, files: &Files) -> Self {
        let folder = Self::new(name);
        for (path, bytes) in files {
            let path = folder.0.join(path);
            if fs::create_dir_all(path.parent().unwrap()).is_ok() && !path.is_dir() {
                fs::write(path, bytes).unwrap();
            }
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The files that are there.
    pub(crate) fn read(&self) -> Files {
        let mut files = Files::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&self.0).unwrap();
                    let name = name.to_str().unwrap().replace('\\', "/");
                    files.insert(name, fs::read(&path).unwrap());
                }
            }
        }
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Something done to a folder by somebody who may write to it. Numbers choose files and wrap around.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Change(u8, Change),
    Empty(u8),
    Remove(u8),
    Swap(u8, u8),
    Copy(u8, u8),
    CopyTo(u8, &'static str),
    Rename(u8, &'static str),
    Add(&'static str, Vec<u8>),
}

impl Edit {
    pub(crate) fn apply(&self, files: &mut Files) {
        let paths: Vec<String> = files.keys().cloned().collect();
        if paths.is_empty() {
            return;
        }
        let chosen = |number: u8| paths[usize::from(number) % paths.len()].clone();
        match self {
            Self::Change(number, change) => {
                change.apply(files.entry(chosen(*number)).or_default());
            }
            Self::Empty(number) => {
                files.insert(chosen(*number), Vec::new());
            }
            Self::Remove(number) => {
                files.remove(&chosen(*number));
            }
            Self::Swap(one, other) => {
                let (one, other) = (chosen(*one), chosen(*other));
                let (first, second) = (files[&one].clone(), files[&other].clone());
                files.insert(one, second);
                files.insert(other, first);
            }
            Self::Copy(from, to) => {
                let bytes = files[&chosen(*from)].clone();
                files.insert(chosen(*to), bytes);
            }
            Self::CopyTo(from, to) => {
                let bytes = files[&chosen(*from)].clone();
                files.insert((*to).to_owned(), bytes);
            }
            Self::Rename(from, to) => {
                let bytes = files.remove(&chosen(*from)).unwrap_or_default();
                files.insert((*to).to_owned(), bytes);
            }
            Self::Add(path, bytes) => {
                files.insert((*path).to_owned(), bytes.clone());
            }
        }
    }
}

/// One to three edits. `names` are the paths that new files get.
pub(crate) fn edits(names: &'static [&'static str]) -> impl Strategy<Value = Vec<Edit>> {
    let file = any::<u8>;
    let edit = prop_oneof![
        6 => (file(), change()).prop_map(|(file, change)| Edit::Change(file, change)),
        1 => file().prop_map(Edit::Empty),
        1 => file().prop_map(Edit::Remove),
        1 => (file(), file()).prop_map(|(one, other)| Edit::Swap(one, other)),
        1 => (file(), file()).prop_map(|(from, to)| Edit::Copy(from, to)),
        1 => (file(), select(names)).prop_map(|(from, to)| Edit::CopyTo(from, to)),
        1 => (file(), select(names)).prop_map(|(from, to)| Edit::Rename(from, to)),
        1 => (select(names), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(path, bytes)| Edit::Add(path, bytes)),
    ];
    prop::collection::vec(edit, 1..4)
}

/// The files after all edits.
pub(crate) fn edited(original: &Files, edits: &[Edit]) -> Files {
    let mut files = original.clone();
    edits.iter().for_each(|edit| edit.apply(&mut files));
    files
}
