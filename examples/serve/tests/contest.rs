//! A champion, a challenger and a shadow.

use super::*;

#[tokio::test]
async fn a_challenger_answers_its_share_and_a_shadow_sees_everything() {
    let champion = fixture("tree/lgb_binary.txt");
    let challenger = fixture("tree/lgb_cross_entropy.txt");
    let shadow = fixture("tree/lgb_regression.txt");
    let running = Running::start(&[
        "--champion",
        &champion,
        "--challenger",
        &challenger,
        "--share",
        "0.5",
        "--shadow",
        &shadow,
        "--name",
        &format!("churn={champion}"),
    ])
    .await
    .unwrap();
    assert!(
        running.told.contains("challenger with 50 %"),
        "{}",
        running.told
    );
    let rows = [vec![0.25, -1.0, 0.5, 2.0, 0.0]];
    let (mut first, mut second) = (0, 0);
    for request in 0..60 {
        let answer = running
            .client
            .infer("churn", &rows, &format!("customer-{request}"))
            .await;
        match answer.json()["model_version"].as_str() {
            Some("1") => first += 1,
            Some("2") => second += 1,
            other => panic!("version {other:?} answered"),
        }
    }
    // At one half, 60 units leave this range by chance less than once in ten million times; the ids are the same each time.
    assert!((10..=50).contains(&first), "{first} and {second}");
    let again = running
        .client
        .infer("churn", &rows, "customer-7")
        .await
        .json();
    let once_more = running
        .client
        .infer("churn", &rows, "customer-7")
        .await
        .json();
    assert_eq!(again["model_version"], once_more["model_version"]);
    let ended = running.stop().await;
    assert!(
        ended.contains("churn version 3 was shown 62 rows"),
        "{ended}"
    );
}

#[tokio::test]
async fn every_challenger_needs_a_share() {
    let path = fixture("tree/lgb_binary.txt");
    let other = fixture("tree/lgb_regression.txt");
    let line = ["--champion", &path, "--challenger", &other];
    let told = Running::start(&line).await.err().unwrap().to_string();
    assert!(told.contains("1 challengers and 0 shares"), "{told}");
}
