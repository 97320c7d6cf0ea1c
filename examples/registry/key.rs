//! Keys and signatures in files.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use noops_core::ErrorKind;
use noops_core::model_signing::SigningKey;

use crate::failure::{Failure, fail};

/// The key in a file, and what to tell if it had to be made.
pub(crate) fn read_or_make(path: &Path) -> Result<(SigningKey, String), Failure> {
    let public = path.with_extension("pub.pem");
    match SigningKey::from_pem_file(path) {
        Ok(key) if public.exists() => return Ok((key, String::new())),
        Ok(key) => {
            // Whoever made the private key may have been cut off before this.
            write_whole(&public, key.public_key().to_pem().as_bytes())?;
            let told = format!(
                "wrote the public key `{}`, give it to whoever verifies\n",
                public.display()
            );
            return Ok((key, told));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    if public.exists() {
        return Err(fail(format!(
            "there is no private key `{}`, but its public key `{}` is there; name the right file, or remove that one",
            path.display(),
            public.display()
        )));
    }
    let key = SigningKey::generate()?;
    let pem = key.to_pem()?;
    write_secret(path, pem.as_bytes()).map_err(|error| {
        fail(format!(
            "cannot write the key `{}`: {error}",
            path.display()
        ))
    })?;
    write_whole(&public, key.public_key().to_pem().as_bytes())?;
    let told = format!(
        "made the private key `{}`, keep it secret, and the public key `{}`, give it to whoever verifies\n",
        path.display(),
        public.display()
    );
    Ok((key, told))
}

/// Writes a file that appears complete or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let write = || {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    };
    write().map_err(|error| fail(format!("cannot write `{}`: {error}", path.display())))
}

/// Writes a new file that only its owner may read. Never over one that is there.
fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
