//! Models come and go while the server runs.

use super::*;

#[tokio::test]
async fn models_of_a_folder_are_loaded_and_unloaded() {
    let folder = Folder::new("repository");
    folder.copy("tree/lgb_binary.txt", "churn.txt");
    let running = Running::start(&["--repository", folder.path()])
        .await
        .unwrap();
    let client = &running.client;
    assert_eq!(client.get("/v2/models/churn/ready").await.status, 200);

    folder.copy("tree/xgb_binary_logistic.json", "price.json");
    let index = client.post("/v2/repository/index", "").await.json();
    let states = index.as_array().unwrap().iter();
    let mut states: Vec<_> = states
        .map(|entry| {
            format!(
                "{} {}",
                entry["name"].as_str().unwrap(),
                entry["state"].as_str().unwrap()
            )
        })
        .collect();
    states.sort();
    assert_eq!(states, ["churn READY", "price UNAVAILABLE"]);
    let loaded = client.post("/v2/repository/models/price/load", "{}").await;
    assert_eq!(loaded.status, 200, "{}", loaded.body);
    assert_eq!(
        client
            .infer("price", &[vec![0.0; 5]], "")
            .await
            .scores()
            .len(),
        1
    );

    let unloaded = client
        .post("/v2/repository/models/churn/unload", "{}")
        .await;
    assert_eq!(unloaded.status, 200, "{}", unloaded.body);
    assert_eq!(client.infer("churn", &[vec![0.0; 5]], "").await.status, 404);
    running.stop().await;
}

#[tokio::test]
async fn a_file_that_went_bad_leaves_the_loaded_model_in_service() {
    let folder = Folder::new("went-bad");
    folder.copy("tree/lgb_binary.txt", "churn.txt");
    let running = Running::start(&["--repository", folder.path()])
        .await
        .unwrap();
    let client = &running.client;
    folder.write("churn.txt", "tree\nbroken");
    let refused = client.post("/v2/repository/models/churn/load", "{}").await;
    assert!(refused.status >= 400, "{}", refused.body);
    assert_eq!(
        client
            .infer("churn", &[vec![0.0; 5]], "")
            .await
            .scores()
            .len(),
        1
    );
    running.stop().await;
}

#[tokio::test]
async fn a_name_never_leads_out_of_the_folder() {
    let folder = Folder::new("inside");
    folder.copy("tree/lgb_binary.txt", "churn.txt");
    let running = Running::start(&["--repository", folder.path()])
        .await
        .unwrap();
    for name in ["..%2F..%2Fetc%2Fpasswd", "..", "nowhere"] {
        let path = format!("/v2/repository/models/{name}/load");
        let refused = running.client.post(&path, "{}").await;
        assert!((400..500).contains(&refused.status), "{name}: {refused:?}");
    }
    running.stop().await;
}
