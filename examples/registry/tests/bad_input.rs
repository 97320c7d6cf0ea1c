//! Bad input gets one sentence that names the culprit, and leaves everything as it was.

use std::fs;

use super::Folder;

#[tokio::test]
async fn bad_input_is_one_sentence_that_names_the_culprit() {
    let folder = Folder::new("bad");
    let (empty, model) = (folder.file("empty.bin"), folder.file("some.bin"));
    fs::write(&empty, "").unwrap();
    fs::write(&model, "some").unwrap();
    for (words, expected) in [
        (vec!["list"], "there is no registry in"),
        (vec!["promote", "fraud", "1"], "make one with `registry"),
        (
            vec!["register", "fraud", "no-such.bin", "--feature", "a"],
            "no-such.bin",
        ),
        (
            vec!["register", "fraud", &empty, "--feature", "a"],
            "it is empty",
        ),
        (
            vec!["register", "fraud", &model, "--feature", "a", "a"],
            "the same name",
        ),
        (vec!["register", "fraud", &model], "--feature"),
        (
            vec!["register", "Fraud", &model, "--feature", "a"],
            "lower-case",
        ),
        (
            vec![
                "register",
                "fraud",
                &model,
                "--feature",
                "a",
                "--metric",
                "auc=NaN",
            ],
            "finite number",
        ),
        (
            vec![
                "register",
                "fraud",
                &model,
                "--feature",
                "a",
                "--metric",
                "x=1",
                "--metric",
                "x=2",
            ],
            "`x` is given twice",
        ),
    ] {
        let failure = folder.run(1, &words).await.unwrap_err();
        assert!(failure.contains(expected), "{words:?}: {failure}");
        assert!(!folder.registry().exists(), "{words:?} made a registry");
    }

    folder.register("fraud", b"one", 10, &[]).await;
    folder.register("fraud", b"one", 20, &[]).await;
    let twice = folder.file("model.bin");
    for (words, expected) in [
        (
            vec!["show", "fruad", "1"],
            "there is no model `fruad`; there is `fraud`",
        ),
        (
            vec!["show", "fraud", "2"],
            "has no version `2`; there is 1 (",
        ),
        (
            vec!["show", "fraud", "champion"],
            "has no version `champion`",
        ),
        (vec!["rollback", "fraud"], "`fraud` has no aliases"),
        (
            vec!["history", "fraud", "champion"],
            "`fraud` has no aliases",
        ),
        (vec!["history", "fraud", "--at", "yesterday"], "2026-03-01"),
        (vec!["verify", "--public-key", &model], "PEM"),
        (
            vec!["register", "fraud", &twice, "--feature", "other"],
            "a version never changes",
        ),
    ] {
        let failure = folder.run(30, &words).await.unwrap_err();
        assert!(failure.contains(expected), "{words:?}: {failure}");
    }
    let listed = folder.run(30, &["list"]).await.unwrap();
    assert!(listed.contains("fraud"), "{listed}");

    folder.run(30, &["promote", "fraud", "1"]).await.unwrap();
    for (words, expected) in [
        (
            vec!["rollback", "fraud"],
            "has not pointed at another version before",
        ),
        (
            vec!["rollback", "fraud", "--alias", "chalenger"],
            "has no alias `chalenger`; there is `champion`",
        ),
        (
            vec!["sign", "fraud", "1", "--key", "no/such/folder/signer.pem"],
            "no/such/folder/signer.pem",
        ),
    ] {
        let failure = folder.run(30, &words).await.unwrap_err();
        assert!(failure.contains(expected), "{words:?}: {failure}");
    }

    // 99 in the header field of the format: https://sqlite.org/fileformat.html#user_version
    let mut bytes = fs::read(folder.database()).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(folder.database(), bytes).unwrap();
    let newer = folder.run(40, &["list"]).await.unwrap_err();
    assert!(newer.contains("a newer release wrote it"), "{newer}");
    let other = folder.0.join("other");
    fs::create_dir(&other).unwrap();
    let letter = b"not a database, but a letter";
    fs::write(other.join("registry.sqlite"), letter).unwrap();
    let refused = folder.run_on(&other, 40, &["list"]).await.unwrap_err();
    assert!(refused.contains("is not a SQLite database"), "{refused}");
    assert_eq!(fs::read(other.join("registry.sqlite")).unwrap(), letter);
}
