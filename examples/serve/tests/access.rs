//! Who may do what.

use super::*;

#[tokio::test]
async fn tokens_open_what_their_lines_say() {
    let folder = Folder::new("tokens");
    let tokens = "# who may do what\n\nmay-ask infer,read lgb_binary\nmay-watch metrics\nroot\n";
    let tokens = folder.write("tokens", tokens);
    let model = fixture("tree/lgb_binary.txt");
    let line = ["--model", &model, "--token-file", &tokens];
    let running = Running::start(&line).await.unwrap();
    let stranger = &running.client;
    let rows = [vec![0.0; 5]];
    assert_eq!(stranger.infer("lgb_binary", &rows, "").await.status, 401);
    assert_eq!(stranger.get("/v2/health/ready").await.status, 200);
    let asks = stranger.with_token("may-ask");
    assert_eq!(asks.infer("lgb_binary", &rows, "").await.status, 200);
    assert_eq!(asks.get("/metrics").await.status, 403);
    let watches = stranger.with_token("may-watch");
    assert_eq!(watches.get("/metrics").await.status, 200);
    assert_eq!(watches.infer("lgb_binary", &rows, "").await.status, 403);
    let root = stranger.with_token("root");
    assert_eq!(root.infer("lgb_binary", &rows, "").await.status, 200);
    assert_eq!(root.get("/metrics").await.status, 200);
    running.stop().await;
}

#[tokio::test]
async fn a_bad_token_file_names_the_line_and_no_token() {
    let folder = Folder::new("bad-tokens");
    let model = fixture("tree/lgb_binary.txt");
    for (text, said) in [
        ("", "has no token"),
        ("# nobody\n", "has no token"),
        ("ok\nhunter2 inver", "line 2: `inver` is no verb"),
        ("hunter2 infer, churn more", "line 1"),
    ] {
        let path = folder.write("tokens", text);
        let line = ["--model", &model, "--token-file", &path];
        let Err(failure) = Running::start(&line).await else {
            panic!("it serves with {text:?}");
        };
        let told = failure.to_string();
        assert!(told.contains(said) && !told.contains("hunter2"), "{told}");
    }
}
