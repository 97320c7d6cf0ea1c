//! What cannot be served is told in one sentence that names the culprit.

use super::*;

async fn refused(line: &[&str]) -> String {
    let Err(failure) = Running::start(line).await else {
        panic!("it serves {line:?}");
    };
    let told = failure.to_string();
    assert!(!told.trim().contains('\n'), "{told}");
    told
}

#[tokio::test]
async fn a_wrong_file_is_named() {
    let folder = Folder::new("wrong");
    let cases = [
        (folder.write("empty.onnx", ""), "the file is empty"),
        (
            folder.write("model.pkl", b"\x80\x04\x95abc"),
            "Python pickle",
        ),
        (
            folder.write("notes.txt", "hello"),
            "none of the known formats",
        ),
        (folder.path().to_owned(), "cannot read"),
        (format!("{}/nowhere.json", folder.path()), "cannot read"),
    ];
    for (path, said) in &cases {
        let told = refused(&["--model", path]).await;
        assert!(
            told.contains(said) && told.contains(path.as_str()),
            "{told}"
        );
    }
    let whole = std::fs::read(fixture("tree/lgb_binary.txt")).unwrap();
    let half = folder.write("half.txt", &whole[..whole.len() / 2]);
    let told = refused(&["--model", &half]).await;
    assert!(told.contains(&half), "{told}");
}

#[tokio::test]
async fn a_file_name_that_is_no_model_name_asks_for_one() {
    let folder = Folder::new("names");
    let path = folder.copy("tree/lgb_binary.txt", "Churn 2.txt");
    let told = refused(&["--model", &path]).await;
    assert!(told.contains("--name NAME=FILE"), "{told}");
    let named = format!("churn={path}");
    let running = Running::start(&["--model", &path, "--name", &named])
        .await
        .unwrap();
    assert_eq!(
        running.client.get("/v2/models/churn/ready").await.status,
        200
    );
    running.stop().await;
}

#[tokio::test]
async fn two_models_of_one_name_are_refused() {
    let path = fixture("tree/lgb_binary.txt");
    let told = refused(&["--model", &path, "--champion", &path]).await;
    assert!(
        told.contains("two models are called `lgb_binary`"),
        "{told}"
    );
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let path = fixture("tree/lgb_binary.txt");
    let line = ["serve", "--model", &path, "--bind", &address];
    let arguments = Arguments::try_parse_from(line).unwrap();
    let told = Host::start(&arguments).await.unwrap_err().to_string();
    assert!(told.contains(&address) && !told.contains('\n'), "{told}");
}

#[tokio::test]
async fn a_bad_contract_is_told() {
    let folder = Folder::new("contract");
    let model = fixture("tree/lgb_binary.txt");
    let typo = folder.write("typo.json", "{\"rules\": [,]}");
    let told = refused(&["--model", &model, "--contract", &typo]).await;
    assert!(
        told.contains("is no contract") && told.contains(&typo),
        "{told}"
    );
    let short = folder.write(
        "short.json",
        r#"{"rules": [{"feature": {"name": "x", "number": {"min": 0, "max": 1}}, "missing": "reject", "outside": "reject"}],
            "output": {"width": 1, "min": 0, "max": 1}}"#,
    );
    let told = refused(&["--model", &model, "--contract", &short]).await;
    assert!(told.contains("another number of features"), "{told}");
}

#[tokio::test]
async fn nothing_to_serve_is_said() {
    let told = refused(&[]).await;
    assert!(told.contains("nothing to serve"), "{told}");
    let told = refused(&["--repository", "/nowhere/at/all"]).await;
    assert!(told.contains("/nowhere/at/all"), "{told}");
}

#[tokio::test]
async fn a_wrong_library_is_told() {
    let model = fixture("onnx/linreg.onnx");
    let told = refused(&[
        "--model",
        &model,
        "--ort-library",
        "/nowhere/libonnxruntime.so",
    ])
    .await;
    assert!(told.contains("/nowhere/libonnxruntime.so"), "{told}");
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused() {
    for line in [
        &["serve", "--challenger", "a.txt"][..],
        &[
            "serve",
            "--champion",
            "a",
            "--challenger",
            "b",
            "--share",
            "2",
        ],
        &[
            "serve",
            "--champion",
            "a",
            "--challenger",
            "b",
            "--share",
            "nan",
        ],
        &["serve", "--name", "churn"],
        &["serve", "--workers", "0"],
        &["serve", "--bind", "here"],
    ] {
        assert!(Arguments::try_parse_from(line).is_err(), "{line:?}");
    }
}
