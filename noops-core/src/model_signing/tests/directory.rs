//! Directories on a real file system.

use super::*;

#[test]
fn signing_again_gives_the_same_bytes() {
    let scratch = Scratch::new();
    let signature = scratch.model().join("model.sig");
    let first = sign_directory(&scratch.model(), &key(), &signature).unwrap();
    let bytes = fs::read(&signature).unwrap();
    assert_eq!(
        sign_directory(&scratch.model(), &key(), &signature).unwrap(),
        first
    );
    assert_eq!(fs::read(&signature).unwrap(), bytes);
    assert_eq!(
        verify_directory(&scratch.model(), key().public_key(), &signature).unwrap(),
        first
    );
}

#[test]
fn a_signature_leaves_no_temporary_file() {
    let scratch = Scratch::new();
    let signature = scratch.0.join("signatures");
    fs::create_dir(&signature).unwrap();
    sign_directory(&scratch.model(), &key(), &signature.join("model.sig")).unwrap();
    let names: Vec<_> = fs::read_dir(&signature)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["model.sig"]);
}

#[test]
fn a_changed_a_missing_and_an_extra_file_are_named() {
    type Tamper = fn(&Scratch);
    let cases: [(&str, &str, Tamper); 4] = [
        ("sub.b", "changed", |scratch| scratch.write("sub.b", b"c")),
        ("sub/config.json", "changed", |scratch| {
            scratch.write("sub/config.json", b"")
        }),
        ("sub-a", "missing", |scratch| {
            fs::remove_file(scratch.model().join("sub-a")).unwrap()
        }),
        ("sub/evil.py", "not signed", |scratch| {
            scratch.write("sub/evil.py", b"import os")
        }),
    ];
    for (file, what, tamper) in cases {
        let scratch = Scratch::new();
        let signature = scratch.model().join("model.sig");
        sign_directory(&scratch.model(), &key(), &signature).unwrap();
        tamper(&scratch);
        let error = verify_directory(&scratch.model(), key().public_key(), &signature).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let text = error.to_string();
        assert!(
            text.contains(what) && text.contains(&format!("`{file}`")),
            "{text}"
        );
    }
}

#[test]
fn swapping_the_contents_of_two_files_is_found() {
    let scratch = Scratch::new();
    let signature = scratch.0.join("model.sig");
    sign_directory(&scratch.model(), &key(), &signature).unwrap();
    scratch.write("sub-a", b"b");
    scratch.write("sub.b", b"a");
    let error = verify_directory(&scratch.model(), key().public_key(), &signature).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn the_paths_of_git_are_ignored() {
    let scratch = Scratch::new();
    let signature = scratch.model().join("model.sig");
    sign_directory(&scratch.model(), &key(), &signature).unwrap();
    fs::create_dir(scratch.model().join(".git")).unwrap();
    scratch.write(".git/HEAD", b"ref");
    scratch.write(".gitignore", b"*.tmp");
    assert!(verify_directory(&scratch.model(), key().public_key(), &signature).is_ok());
    scratch.write(".gitmodules", b"not ignored by the reference either");
    assert!(verify_directory(&scratch.model(), key().public_key(), &signature).is_err());
}

#[test]
fn a_signed_file_is_checked_even_where_files_are_ignored() {
    let scratch = Scratch::new();
    for name in ["sub-a", "sub.b", "sub/config.json"] {
        fs::remove_file(scratch.model().join(name)).unwrap();
    }
    fs::rename(
        scratch.model().join("weights.bin"),
        scratch.model().join(".gitignore"),
    )
    .unwrap();
    let bundle =
        sealed(|statement| statement["predicate"]["resources"][0]["name"] = json!(".gitignore"));
    let signature = scratch.0.join("model.sig");
    fs::write(&signature, bundle.to_bytes()).unwrap();
    assert!(verify_directory(&scratch.model(), key().public_key(), &signature).is_ok());
    scratch.write(".gitignore", b"changed");
    let error = verify_directory(&scratch.model(), key().public_key(), &signature).unwrap_err();
    assert!(error.to_string().contains("changed"), "{error}");
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_refused_everywhere() {
    for place in ["link", ".git"] {
        let scratch = Scratch::new();
        let signature = scratch.0.join("model.sig");
        sign_directory(&scratch.model(), &key(), &signature).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", scratch.model().join(place)).unwrap();
        let verified = verify_directory(&scratch.model(), key().public_key(), &signature);
        assert_eq!(verified.unwrap_err().kind(), ErrorKind::Invalid);
        let signed = sign_directory(&scratch.model(), &key(), &signature);
        assert_eq!(signed.unwrap_err().kind(), ErrorKind::Invalid);
    }
    let scratch = Scratch::new();
    let link = scratch.0.join("link");
    std::os::unix::fs::symlink(scratch.model(), &link).unwrap();
    for directory in [link.clone(), link.join("")] {
        let signed = sign_directory(&directory, &key(), &scratch.0.join("s.sig"));
        assert_eq!(signed.unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_the_format_cannot_carry_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;

    for name in [&b"back\\slash"[..], b"latin-\xe9"] {
        let scratch = Scratch::new();
        let path = scratch.model().join(std::ffi::OsStr::from_bytes(name));
        // Some file systems refuse the name themselves.
        if fs::write(path, b"x").is_ok() {
            let error =
                sign_directory(&scratch.model(), &key(), &scratch.0.join("s.sig")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }
}

#[test]
fn a_model_file_is_not_replaced_by_a_signature() {
    let scratch = Scratch::new();
    let weights = scratch.model().join("weights.bin");
    let error = sign_directory(&scratch.model(), &key(), &weights).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(fs::read(&weights).unwrap(), b"weights");
}

#[test]
fn what_is_not_there_is_said_to_be_not_there() {
    let scratch = Scratch::new();
    let (model, key, missing) = (scratch.model(), key(), scratch.0.join("missing"));
    let kinds = [
        sign_directory(&missing, &key, &scratch.0.join("s.sig"))
            .unwrap_err()
            .kind(),
        sign_directory(&model, &key, &missing.join("s.sig"))
            .unwrap_err()
            .kind(),
        verify_directory(&model, key.public_key(), &missing)
            .unwrap_err()
            .kind(),
    ];
    assert_eq!(kinds, [ErrorKind::NotFound; 3]);
    let file = model.join("weights.bin");
    let error = sign_directory(&file, &key, &scratch.0.join("s.sig")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn an_empty_directory_is_not_signed() {
    let scratch = Scratch::new();
    let empty = scratch.0.join("empty");
    fs::create_dir(&empty).unwrap();
    let error = sign_directory(&empty, &key(), &empty.join("model.sig")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!empty.join("model.sig").exists());
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_the_signature_is_refused_and_not_waited_for() {
    let scratch = Scratch::new();
    let signature = scratch.model().join("model.sig");
    let made = std::process::Command::new("mkfifo")
        .arg(&signature)
        .status();
    assert!(made.unwrap().success());
    let error = verify_directory(&scratch.model(), key().public_key(), &signature).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let error = sign_directory(&scratch.model(), &key(), &signature).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}
