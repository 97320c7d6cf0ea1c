//! Health, and what the server and its models say of themselves.

use serde_json::json;

use crate::model::{ORDERS, POINTS};
use crate::server::Running;

#[test]
fn a_server_with_models_is_live_and_ready() {
    let server = Running::start();
    let mut client = server.connect();
    assert_eq!(client.get("/v2/health/live").ok(), json!({"live": true}));
    assert_eq!(client.get("/v2/health/ready").ok(), json!({"ready": true}));
}

#[test]
fn a_server_without_models_is_live_and_not_ready() {
    let server = Running::start();
    for model in [POINTS, ORDERS] {
        server.models.withdraw(model).unwrap();
    }
    let mut client = server.connect();
    assert_eq!(client.get("/v2/health/live").status, 200);
    let answer = client.get("/v2/health/ready");
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json(), json!({"ready": false}));
}

#[test]
fn a_closed_runtime_is_live_and_its_models_are_not_ready() {
    let server = Running::start();
    server.models.close();
    let mut client = server.connect();
    assert_eq!(client.get("/v2/health/live").status, 200);
    for path in [
        "/v2/health/ready",
        "/v2/models/points/ready",
        "/v2/models/points/versions/1/ready",
    ] {
        let answer = client.get(path);
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.json()["ready"], false, "{path}");
    }
}

#[test]
fn a_server_names_itself_and_its_extensions() {
    let server = Running::start();
    let mut client = server.connect();
    for path in ["/v2", "/v2/", "/v2?verbose=1"] {
        let about = client.get(path).ok();
        assert_eq!(about["name"], "noops-serve");
        assert_eq!(about["version"], env!("CARGO_PKG_VERSION"));
        let extensions = about["extensions"].as_array().unwrap();
        for extension in [
            "binary_tensor_data",
            "model_configuration",
            "model_repository",
            "schedule_policy",
            "statistics",
        ] {
            assert!(extensions.contains(&json!(extension)), "{extension}");
        }
    }
}

#[test]
fn a_model_of_numbers_takes_one_matrix() {
    let server = Running::start();
    let mut client = server.connect();
    for path in ["/v2/models/points", "/v2/models/points/versions/1"] {
        assert_eq!(
            client.get(path).ok(),
            json!({
                "name": POINTS,
                "versions": ["1"],
                "platform": "noops",
                "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 3]}],
                "outputs": [{"name": "output", "datatype": "FP32", "shape": [-1, 2]}],
            })
        );
    }
}

#[test]
fn a_model_with_categories_takes_a_tensor_for_each_feature() {
    let server = Running::start();
    assert_eq!(
        server.connect().get("/v2/models/orders").ok(),
        json!({
            "name": ORDERS,
            "versions": ["1"],
            "platform": "noops",
            "inputs": [
                {"name": "amount", "datatype": "FP32", "shape": [-1]},
                {"name": "country", "datatype": "BYTES", "shape": [-1]},
            ],
            "outputs": [{"name": "output", "datatype": "FP32", "shape": [-1, 1]}],
        })
    );
}

#[test]
fn a_model_and_its_versions_say_that_they_are_ready() {
    let server = Running::start();
    let mut client = server.connect();
    for model in [POINTS, ORDERS] {
        let ready = json!({"name": model, "ready": true});
        for path in ["ready", "versions/1/ready"] {
            let path = format!("/v2/models/{model}/{path}");
            assert_eq!(client.get(&path).ok(), ready, "{path}");
        }
    }
}

#[test]
fn a_configuration_has_tritons_fields() {
    let server = Running::start();
    let mut client = server.connect();
    for path in [
        "/v2/models/orders/config",
        "/v2/models/orders/versions/1/config",
    ] {
        let config = client.get(path).ok();
        assert_eq!(config["name"], ORDERS);
        assert_eq!(
            config["input"],
            json!([
                {"name": "amount", "data_type": "TYPE_FP32", "dims": [1]},
                {"name": "country", "data_type": "TYPE_STRING", "dims": [1]},
            ])
        );
        let output = json!([{"name": "output", "data_type": "TYPE_FP32", "dims": [1]}]);
        assert_eq!(config["output"], output);
        assert!(config["max_batch_size"].as_u64().unwrap() >= 1);
        assert!(config["instance_group"][0]["count"].as_u64().unwrap() >= 1);
    }
}
