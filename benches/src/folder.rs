use std::io;
use std::path::{Path, PathBuf};

/// A folder for what a benchmark writes, removed when it is dropped.
///
/// It lies in the folder that the environment variable `NOOPS_BENCH_DIR` names, and otherwise in that for temporary files. Where that is held in
/// memory, syncing costs nothing and durable writes are measured wrongly.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// An empty folder of this name, for this process.
    ///
    /// # Errors
    ///
    /// What the file system answers.
    pub fn new(name: &str) -> io::Result<Self> {
        let parent = std::env::var_os("NOOPS_BENCH_DIR")
            .filter(|parent| !parent.is_empty())
            .map_or_else(std::env::temp_dir, PathBuf::from);
        let path = parent.join(format!("noops-bench-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is in a folder for temporary files.
        drop(std::fs::remove_dir_all(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_folder_stays() {
        let folder = Folder::new("folder-test").unwrap();
        let path = folder.path().to_owned();
        std::fs::write(path.join("file"), b"content").unwrap();
        drop(folder);
        assert!(!path.exists());
    }
}
