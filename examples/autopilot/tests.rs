//! What the example promises beyond what its modules test themselves.

mod audit;
mod bad_input;
mod features;
mod network;

use std::fs;
use std::path::PathBuf;

use noops_core::Digest;

use crate::output::Identity;
use crate::settings;

/// A folder of its own, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("noops-autopilot-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn identity(seed: u64) -> Identity {
    Identity::new(
        seed,
        Digest::of(b"flights"),
        &[],
        &settings::control().unwrap(),
    )
}
