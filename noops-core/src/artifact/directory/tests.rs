use super::*;
use crate::conformance;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = format!("noops-core-artifacts-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

#[tokio::test]
async fn a_directory_keeps_the_contract() {
    let folder = Folder::new("conformance");
    let artifacts = DirectoryArtifacts::open(&folder.0).await.unwrap();
    conformance::artifacts::all(&artifacts).await;
}

#[tokio::test]
async fn a_changed_a_shortened_and_a_lengthened_file_are_corrupt_and_putting_again_repairs_them() {
    let folder = Folder::new("tamper");
    let artifacts = DirectoryArtifacts::open(&folder.0).await.unwrap();
    let bytes = vec![3; 3 * CHUNK + 5];
    let digest = artifacts.put(&bytes).await.unwrap();
    let file = artifacts.root.file(&digest);
    let mut changed = bytes.clone();
    changed[2 * CHUNK] ^= 1;
    let longer: Vec<u8> = bytes.iter().copied().chain([3]).collect();
    for damaged in [&changed[..], &bytes[..CHUNK], &[], &longer] {
        fs::write(&file, damaged).unwrap();
        let load = artifacts.load(&digest).await.unwrap_err();
        assert_eq!(load.kind(), ErrorKind::Corrupt);
        let mut download = artifacts.download(&digest).await.unwrap();
        let end = loop {
            match download.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("damage went unnoticed"),
                Err(error) => break error,
            }
        };
        assert_eq!(end.kind(), ErrorKind::Corrupt);
        let after = download.next().await;
        assert!(after.is_err(), "who asks again is not told that it ended");
    }
    artifacts.put(&bytes).await.unwrap();
    assert!(artifacts.load(&digest).await.is_ok());
}

#[tokio::test]
async fn what_was_cut_off_is_removed_and_what_is_under_way_is_not() {
    let folder = Folder::new("leftovers");
    let artifacts = DirectoryArtifacts::open(&folder.0).await.unwrap();
    let incoming = folder.0.join(INCOMING);
    fs::write(
        incoming.join("1-0.part"),
        b"left by a process that was killed",
    )
    .unwrap();
    let mut upload = artifacts.upload().await.unwrap();
    upload.write(b"under ").await.unwrap();
    let again = DirectoryArtifacts::open(&folder.0).await.unwrap();
    assert!(!incoming.join("1-0.part").exists());
    upload.write(b"way").await.unwrap();
    let digest = upload.finish().await.unwrap();
    assert_eq!(again.load(&digest).await.unwrap(), b"under way");
    let parts = fs::read_dir(&incoming).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_str().unwrap().ends_with(PART)
    });
    assert_eq!(parts.count(), 0);
}

/// Two processes in containers have one number, as have two handles of one process: they count through the same names.
#[tokio::test(flavor = "multi_thread")]
async fn two_who_use_the_same_names_do_not_take_each_others_files() {
    let folder = Folder::new("same-names");
    let mut writers = Vec::new();
    for writer in 0..4_u64 {
        let artifacts = DirectoryArtifacts::open(&folder.0).await.unwrap();
        writers.push(tokio::spawn(async move {
            let mut digests = Vec::new();
            for n in 0..100 {
                let bytes = [writer, n].map(u64::to_le_bytes).concat();
                digests.push(artifacts.put(&bytes).await);
            }
            digests
        }));
    }
    let artifacts = DirectoryArtifacts::open(&folder.0).await.unwrap();
    for (writer, done) in (0_u64..).zip(writers) {
        for (n, digest) in (0_u64..).zip(done.await.unwrap()) {
            let stored = artifacts.load(&digest.unwrap()).await.unwrap();
            assert_eq!(stored, [writer, n].map(u64::to_le_bytes).concat());
        }
    }
    let root = &artifacts.root;
    let mut incoming = root.begin().unwrap();
    let name = incoming.path.clone().unwrap();
    incoming.rename(&folder.0.join("renamed")).unwrap();
    fs::write(&name, b"of another").unwrap();
    drop(incoming);
    assert!(name.exists(), "it was not ours any more");
}

#[test]
fn without_a_runtime_it_is_refused_rather_than_a_panic() {
    let folder = Folder::new("no-runtime");
    let open = std::pin::pin!(DirectoryArtifacts::open(&folder.0));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = open.poll(&mut context) else {
        panic!("it must be refused at once");
    };
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn strange_files_are_not_listed_and_a_file_in_the_way_is_named() {
    let folder = Folder::new("strange");
    let artifacts = DirectoryArtifacts::open(&folder.0).await.unwrap();
    fs::write(folder.0.join(CONTENT).join("README"), b"hello").unwrap();
    fs::create_dir(folder.0.join(CONTENT).join("zz")).unwrap();
    fs::write(folder.0.join(CONTENT).join("zz").join("x"), b"hello").unwrap();
    let misplaced = Digest::of(b"hello").to_string();
    fs::write(folder.0.join(CONTENT).join("zz").join(misplaced), b"hello").unwrap();
    fs::create_dir(folder.0.join(INCOMING).join("folder.part")).unwrap();
    DirectoryArtifacts::open(&folder.0).await.unwrap();
    assert!(artifacts.list().await.unwrap().is_empty());
    let in_the_way = folder.0.join("file");
    fs::write(&in_the_way, b"").unwrap();
    let error = DirectoryArtifacts::open(&in_the_way).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("file"), "{error}");
}
