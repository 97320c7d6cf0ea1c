use super::*;
use crate::conformance;

/// A directory of its own, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("noops-core-secrets-{test}-{}", std::process::id()));
        fs::remove_dir_all(&path).ok();
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, file: &str, text: impl AsRef<[u8]>) {
        // As a careful writer does it: nobody sees half of it.
        let next = self.0.join(".next");
        fs::write(&next, text).unwrap();
        fs::rename(next, self.0.join(file)).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

#[tokio::test]
async fn the_contract_is_kept() {
    let folder = Folder::new("contract");
    let secrets = FileSecrets::new(&folder.0);
    folder.put("known", "c0rrect-horse");
    let known = name("known");
    conformance::secrets::all(&secrets, &known, "c0rrect-horse", &name("absent")).await;
    conformance::secrets::rotating(&secrets, &known, |text| {
        folder.put("known", text);
        std::future::ready(())
    })
    .await;
}

#[tokio::test]
async fn only_one_line_end_is_left_out() {
    let folder = Folder::new("line-end");
    let secrets = FileSecrets::new(&folder.0);
    for (stored, read) in [
        ("a", "a"),
        ("a\n", "a"),
        ("a\r\n", "a"),
        ("a\n\n", "a\n"),
        ("a\r", "a\r"),
        (" a \n", " a "),
        ("a\nb\n", "a\nb"),
    ] {
        folder.put("token", stored);
        let secret = secrets.current(&name("token")).await.unwrap();
        assert_eq!(secret.expose(), read, "{stored:?}");
    }
}

#[tokio::test]
async fn a_rotation_of_equal_length_is_seen_without_a_refresh() {
    let folder = Folder::new("rotation");
    let secrets = FileSecrets::new(&folder.0);
    for round in 100..200 {
        let text = format!("secret-{round}");
        folder.put("token", &text);
        let secret = secrets.current(&name("token")).await.unwrap();
        assert_eq!(secret.expose(), text);
    }
}

#[tokio::test]
async fn a_deleted_secret_is_not_served_any_more() {
    let folder = Folder::new("deleted");
    let secrets = FileSecrets::new(&folder.0);
    folder.put("token", "x");
    secrets.current(&name("token")).await.unwrap();
    fs::remove_file(folder.0.join("token")).unwrap();
    let error = secrets.current(&name("token")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        error.to_string(),
        "cannot read a secret: there is no such file (secret `token`)"
    );
}

#[tokio::test]
async fn a_directory_that_comes_later_is_found() {
    let folder = Folder::new("later");
    let mount = folder.0.join("mount");
    let secrets = FileSecrets::new(&mount);
    assert_eq!(
        secrets.current(&name("token")).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    fs::create_dir(&mount).unwrap();
    fs::write(mount.join("token"), "x").unwrap();
    assert_eq!(secrets.current(&name("token")).await.unwrap().expose(), "x");
}

#[tokio::test]
async fn what_is_no_secret_is_refused_and_not_shown() {
    let folder = Folder::new("hostile");
    let secrets = FileSecrets::new(&folder.0);
    fs::create_dir(folder.0.join("folder")).unwrap();
    folder.put("empty", "");
    folder.put("line", "\n");
    folder.put("binary", b"hunter2\xff\xfe");
    folder.put("long", vec![b'x'; LONGEST + 1]);
    folder.put("huge", vec![b'x'; 4 * LONGEST]);
    for file in ["folder", "empty", "line", "binary", "long", "huge"] {
        let error = secrets.current(&name(file)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{file}");
        let printed = format!("{error} {error:?} {secrets:?}");
        assert!(printed.contains(file), "{printed}");
        assert!(!printed.contains("hunter2") && !printed.contains("xxx"));
    }
    folder.put("longest", vec![b'x'; LONGEST]);
    let longest = secrets.current(&name("longest")).await.unwrap();
    assert_eq!(longest.expose().len(), LONGEST);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_out_of_the_directory_is_refused() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new("link");
    let mount = folder.0.join("mount");
    fs::create_dir(&mount).unwrap();
    folder.put("outside", "hunter2");
    symlink(folder.0.join("outside"), mount.join("absolute")).unwrap();
    symlink("../outside", mount.join("relative")).unwrap();
    symlink("..", mount.join("parent")).unwrap();
    symlink("/dev/zero", mount.join("endless")).unwrap();
    symlink("loop", mount.join("loop")).unwrap();
    let secrets = FileSecrets::new(&mount);
    for link in ["absolute", "relative", "parent", "endless"] {
        let error = secrets.refresh(&name(link)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{link}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    assert!(secrets.refresh(&name("loop")).await.is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_no_file_is_not_opened() {
    let folder = Folder::new("socket");
    // Opening it would fail otherwise, and opening a pipe would wait for ever.
    let listener = std::os::unix::net::UnixListener::bind(folder.0.join("socket")).unwrap();
    let secrets = FileSecrets::new(&folder.0);
    let error = secrets.current(&name("socket")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    drop(listener);
}

#[cfg(unix)]
#[tokio::test]
async fn a_rotation_as_kubernetes_does_it_is_seen() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new("kubernetes");
    let mount = folder.0.as_path();
    let publish = |version: &str, text: &str| {
        fs::create_dir(mount.join(version)).unwrap();
        fs::write(mount.join(version).join("password"), text).unwrap();
        symlink(version, mount.join("..data_tmp")).unwrap();
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    };
    publish("..2026_01_01", "first");
    symlink("..data/password", mount.join("password")).unwrap();
    let secrets = FileSecrets::new(mount);
    let password = name("password");
    assert_eq!(secrets.current(&password).await.unwrap().expose(), "first");

    publish("..2026_02_01", "later");
    fs::remove_dir_all(mount.join("..2026_01_01")).unwrap();
    assert_eq!(secrets.current(&password).await.unwrap().expose(), "later");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_during_rotations_see_whole_secrets_only() {
    let folder = Folder::new("concurrent");
    folder.put("token", "a".repeat(5000));
    let secrets = FileSecrets::new(&folder.0);
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let secrets = secrets.clone();
            tokio::spawn(async move {
                for _ in 0..200 {
                    let secret = secrets.current(&name("token")).await.unwrap();
                    let first = secret.expose().chars().next().unwrap();
                    assert!(secret.expose().chars().all(|c| c == first));
                    assert_eq!(secret.expose().len(), 5000);
                }
            })
        })
        .collect();
    for round in 0..100u8 {
        let letter = char::from(b'a' + round % 26);
        folder.put("token", letter.to_string().repeat(5000));
    }
    for reader in readers {
        reader.await.unwrap();
    }
    let last = secrets.current(&name("token")).await.unwrap();
    assert!(last.expose().starts_with('v'), "the last one put stays");
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}
