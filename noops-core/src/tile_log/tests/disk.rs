//! A file system in memory that tells what was synced from what was not, and fails on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::super::file_system::{FileSystem, Listed, OpenFile};

/// Where the log is.
pub(super) const ROOT: &str = "/log";

#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<PathBuf, Node>,
    durable_names: BTreeMap<PathBuf, Node>,
    contents: BTreeMap<u64, Content>,
    next: u64,
    operations: u64,
    fault: Option<(u64, Fault)>,
    is_dead: bool,
    locked: BTreeSet<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Folder,
    File(u64),
}

#[derive(Clone, Debug, Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
}

/// What happens at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It and all later ones fail, as when the power goes.
    Crash,
    /// It fails and does nothing.
    Fail,
    /// It fails, and a write has written half.
    Short,
}

/// What is left after the power went.
#[derive(Clone, Copy, Debug)]
pub(super) enum Left {
    /// Only what was synced.
    Synced,
    /// All names, but only synced contents.
    Names,
    /// All names, and half of what was added to contents.
    Half,
    /// Everything, as when only the process is killed.
    All,
}

impl Disk {
    pub(super) fn with_fault(at: u64, fault: Fault) -> Self {
        let disk = Self::default();
        disk.0.lock().unwrap().fault = Some((at, fault));
        disk
    }

    pub(super) fn operations(&self) -> u64 {
        self.0.lock().unwrap().operations
    }

    /// The operation so many from now fails.
    pub(super) fn fail_in(&self, operations: u64) {
        self.fault_in(operations, Fault::Fail);
    }

    /// Something happens at the operation so many from now.
    pub(super) fn fault_in(&self, operations: u64, fault: Fault) {
        let mut state = self.0.lock().unwrap();
        state.fault = Some((state.operations + operations, fault));
    }

    pub(super) fn heal(&self) {
        self.0.lock().unwrap().fault = None;
    }

    /// The disk as it is found after a cut.
    pub(super) fn after_cut(&self, left: Left) -> Self {
        let state = self.0.lock().unwrap();
        let names = match left {
            Left::Synced => &state.durable_names,
            Left::Names | Left::Half | Left::All => &state.names,
        };
        // A name below a folder that is gone is gone too.
        let reachable = |path: &Path| {
            path.ancestors()
                .skip(1)
                .all(|above| above == Path::new("/") || names.get(above) == Some(&Node::Folder))
        };
        let names: BTreeMap<PathBuf, Node> = names
            .iter()
            .filter(|(path, _)| reachable(path))
            .map(|(path, node)| (path.clone(), *node))
            .collect();
        let contents = state.contents.iter().map(|(id, content)| {
            let bytes = match left {
                Left::Synced | Left::Names => content.durable.clone(),
                Left::Half if content.now.starts_with(&content.durable) => {
                    let added = content.now.len() - content.durable.len();
                    content.now[..content.durable.len() + added / 2].to_vec()
                }
                Left::Half => content.durable.clone(),
                Left::All => content.now.clone(),
            };
            let content = Content {
                now: bytes.clone(),
                durable: bytes,
            };
            (*id, content)
        });
        Self(Arc::new(Mutex::new(State {
            durable_names: names.clone(),
            names,
            contents: contents.collect(),
            next: state.next,
            ..State::default()
        })))
    }

    /// All files with their contents.
    pub(super) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.0.lock().unwrap();
        let files = state.names.iter().filter_map(|(path, node)| match node {
            Node::File(id) => Some((path.clone(), state.contents[id].now.clone())),
            Node::Folder => None,
        });
        files.collect()
    }

    /// Changes a file behind everybody's back.
    pub(super) fn set(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.0.lock().unwrap();
        let Some(Node::File(id)) = state.names.get(path).copied() else {
            panic!("no file {path:?}");
        };
        state.contents.get_mut(&id).unwrap().now = bytes.to_vec();
    }

    /// Puts all files back to what they were.
    pub(super) fn restore(&self, files: &BTreeMap<PathBuf, Vec<u8>>) {
        let mut state = self.0.lock().unwrap();
        state
            .names
            .retain(|path, node| *node == Node::Folder || files.contains_key(path));
        for (path, bytes) in files {
            let id = state.next;
            state.next += 1;
            let content = Content {
                now: bytes.clone(),
                durable: bytes.clone(),
            };
            state.contents.insert(id, content);
            state.names.insert(path.clone(), Node::File(id));
            for above in path.ancestors().skip(1) {
                state
                    .names
                    .entry(above.to_path_buf())
                    .or_insert(Node::Folder);
            }
        }
    }

    fn change<T>(&self, apply: impl FnOnce(&mut State, bool) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.0.lock().unwrap();
        state.operations += 1;
        let broken = || Err(io::Error::other("injected fault"));
        let (fault, is_dead) = (state.fault, state.is_dead);
        match fault {
            _ if is_dead => broken(),
            Some((at, fault)) if at == state.operations => {
                state.is_dead = fault == Fault::Crash;
                if fault == Fault::Short {
                    apply(&mut state, true).ok();
                }
                broken()
            }
            _ => apply(&mut state, false),
        }
    }

    fn open(&self, path: &Path, empty: bool) -> io::Result<Box<dyn OpenFile>> {
        let id = self.change(|state, _| {
            let parent = path.parent().unwrap();
            if parent != Path::new("/") && state.names.get(parent) != Some(&Node::Folder) {
                return Err(io::ErrorKind::NotFound.into());
            }
            let id = match state.names.get(path) {
                Some(Node::File(id)) => *id,
                _ => {
                    state.next += 1;
                    state.contents.insert(state.next, Content::default());
                    state
                        .names
                        .insert(path.to_path_buf(), Node::File(state.next));
                    state.next
                }
            };
            if empty {
                state.contents.get_mut(&id).unwrap().now.clear();
            }
            Ok(id)
        })?;
        Ok(Box::new(DiskFile {
            disk: self.clone(),
            id,
            over: None,
        }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(|state, _| match state.names.remove(path) {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::NotFound.into()),
        })
    }
}

impl FileSystem for Disk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.change(|state, _| {
            state
                .names
                .entry(path.to_path_buf())
                .or_insert(Node::Folder);
            Ok(())
        })
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.open(path, true)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.open(path, false)
    }

    fn overwrite(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let id = self.change(|state, _| match state.names.get(path) {
            Some(Node::File(id)) => Ok(*id),
            _ => Err(io::ErrorKind::NotFound.into()),
        })?;
        Ok(Box::new(DiskFile {
            disk: self.clone(),
            id,
            over: Some(0),
        }))
    }

    fn sync_files(&self, files: &mut [Box<dyn OpenFile>]) -> io::Result<()> {
        files.iter_mut().try_for_each(|file| file.sync())
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let state = self.0.lock().unwrap();
        match state.names.get(path) {
            _ if state.is_dead => Err(io::Error::other("injected fault")),
            Some(Node::File(id)) if state.contents[id].now.len() as u64 <= limit => {
                Ok(state.contents[id].now.clone())
            }
            Some(_) => Err(io::ErrorKind::InvalidData.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        let state = self.0.lock().unwrap();
        let listed = state
            .names
            .iter()
            .filter(|(name, _)| name.parent() == Some(path))
            .map(|(name, node)| Listed {
                name: name.file_name().unwrap().to_string_lossy().into_owned(),
                is_folder: *node == Node::Folder,
            });
        Ok(listed.collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|state, _| match state.names.remove(from) {
            Some(node) => {
                state.names.insert(to.to_path_buf(), node);
                Ok(())
            }
            None => Err(io::ErrorKind::NotFound.into()),
        })
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.remove(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        let is_empty = self.list(path)?.is_empty();
        if is_empty {
            self.remove(path)
        } else {
            Err(io::ErrorKind::DirectoryNotEmpty.into())
        }
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.change(|state, _| {
            state
                .durable_names
                .retain(|name, _| name.parent() != Some(path));
            let synced = state
                .names
                .iter()
                .filter(|(name, _)| name.parent() == Some(path))
                .map(|(name, node)| (name.clone(), *node));
            state.durable_names.extend(synced);
            Ok(())
        })
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Debug + Send + Sync>>> {
        self.open(path, false)?;
        if self.0.lock().unwrap().locked.insert(path.to_path_buf()) {
            Ok(Some(Box::new(Locked(self.clone(), path.to_path_buf()))))
        } else {
            Ok(None)
        }
    }
}

#[derive(Debug)]
struct Locked(Disk, PathBuf);

impl Drop for Locked {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().locked.remove(&self.1);
    }
}

#[derive(Debug)]
struct DiskFile {
    disk: Disk,
    id: u64,
    /// Where the next byte goes, if not to the end.
    over: Option<usize>,
}

impl DiskFile {
    fn change(&self, apply: impl FnOnce(&mut Content, bool)) -> io::Result<()> {
        self.disk.change(|state, is_short| {
            apply(state.contents.get_mut(&self.id).unwrap(), is_short);
            Ok(())
        })
    }
}

impl OpenFile for DiskFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let over = self.over;
        self.change(|content, is_short| {
            let length = if is_short {
                bytes.len() / 2
            } else {
                bytes.len()
            };
            let from = over.map_or(content.now.len(), |over| over.min(content.now.len()));
            let until = content.now.len().min(from + length);
            content
                .now
                .splice(from..until, bytes[..length].iter().copied());
        })?;
        self.over = over.map(|over| over + bytes.len());
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.change(|content, is_short| {
            if !is_short {
                content.durable = content.now.clone();
            }
        })
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.change(|content, is_short| {
            if !is_short {
                content.now.truncate(length as usize);
            }
        })
    }
}
