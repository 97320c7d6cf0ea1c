//! Every kind of file gives the scores of the library that wrote it. How the expected scores were made is told in the `make.py` beside
//! the fixtures.

use serde_json::Value;

use super::*;

fn expected(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(flat).collect(),
        one => vec![one.as_f64().unwrap()],
    }
}

#[track_caller]
fn assert_close(name: &str, scores: &[f64], wanted: &[f64]) {
    assert_eq!(scores.len(), wanted.len(), "{name}");
    assert!(!scores.is_empty());
    for (score, wanted) in scores.iter().zip(wanted) {
        let error = (score - wanted).abs();
        assert!(
            error <= 1e-5 * wanted.abs().max(1.0),
            "{name}: {score} for {wanted}"
        );
    }
}

#[tokio::test]
async fn trees_answer_as_their_library() {
    let files = [
        ("xgb_binary_logistic", "json", "XGBoost JSON"),
        ("xgb_softprob", "json", "XGBoost JSON"),
        ("xgb_ubj", "ubj", "XGBoost UBJSON"),
        ("lgb_binary", "txt", "LightGBM text"),
        ("lgb_multiclass", "txt", "LightGBM text"),
    ];
    let paths = files.map(|(name, ending, _)| fixture(&format!("tree/{name}.{ending}")));
    let line: Vec<&str> = paths
        .iter()
        .flat_map(|path| ["--model", path.as_str()])
        .collect();
    let running = Running::start(&line).await.unwrap();
    for (name, _, format) in files {
        assert!(
            running.told.contains(&format!("{name} ({format}")),
            "{}",
            running.told
        );
        let expected = expected(&format!("tree/{name}.expected.json"));
        let rows = expected["rows"].as_array().unwrap().iter();
        let answers = rows.zip(expected["scores"].as_array().unwrap());
        // JSON has no missing number: those rows are the business of the binary extension.
        let whole = answers.filter(|(row, _)| {
            let mut values = row.as_array().unwrap().iter();
            values.all(Value::is_number)
        });
        let (rows, wanted): (Vec<_>, Vec<_>) = whole.map(|(row, score)| (flat(row), score)).unzip();
        let scores = running.client.infer(name, &rows, "").await.scores();
        let wanted: Vec<f64> = wanted.into_iter().flat_map(flat).collect();
        assert_close(name, &scores, &wanted);
    }
    running.stop().await;
}

#[tokio::test]
async fn onnx_answers_as_onnx_runtime() {
    let exports = expected("onnx/exports.json");
    let mut asked = 0;
    for export in exports.as_array().unwrap() {
        let name = export["name"].as_str().unwrap();
        // One of a kind each; the model's own tests run all of them.
        if ![
            "linreg_plain",
            "logreg_plain",
            "rf_plain",
            "svc_plain",
            "mlp_plain",
        ]
        .contains(&name)
        {
            continue;
        }
        let path = fixture(&format!("onnx/{name}.onnx"));
        let running = Running::start(&["--model", &path]).await.unwrap();
        assert!(running.told.contains("(ONNX"), "{}", running.told);
        let input = export["inputs"]
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap();
        let width = input["shape"][1].as_u64().unwrap() as usize;
        let rows: Vec<Vec<f64>> = flat(&input["values"])
            .chunks(width)
            .map(<[f64]>::to_vec)
            .collect();
        let outputs = export["outputs"].as_object().unwrap();
        let scores = running.client.infer(name, &rows, "").await.scores();
        // The label, or the scores; the scores are what is as long as the answer and has fractions.
        let wanted = outputs.values().map(|output| flat(&output["values"]));
        let wanted = wanted.filter(|wanted| wanted.len() == scores.len());
        let wanted = wanted.max_by_key(|wanted| wanted.iter().filter(|x| x.fract() != 0.0).count());
        assert_close(name, &scores, &wanted.unwrap());
        running.stop().await;
        asked += 1;
    }
    assert_eq!(asked, 5);
}

#[tokio::test]
async fn neural_onnx_is_served() {
    let path = fixture("neural/mlp_open.onnx");
    let running = Running::start(&["--model", &path]).await.unwrap();
    let metadata = running.client.get("/v2/models/mlp_open").await.json();
    let width = metadata["inputs"][0]["shape"][1].as_u64().unwrap() as usize;
    let row = vec![0.5; width];
    let one = running
        .client
        .infer("mlp_open", std::slice::from_ref(&row), "")
        .await
        .scores();
    let two = running
        .client
        .infer("mlp_open", &[row.clone(), row], "")
        .await
        .scores();
    assert_eq!(two, [one.clone(), one].concat());
    running.stop().await;
}

#[tokio::test]
async fn health_metadata_and_metrics_are_there() {
    let path = fixture("tree/lgb_binary.txt");
    let running = Running::start(&["--name", &format!("churn={path}")])
        .await
        .unwrap();
    let client = &running.client;
    for path in [
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/churn/ready",
    ] {
        assert_eq!(client.get(path).await.status, 200, "{path}");
    }
    let metadata = client.get("/v2/models/churn").await.json();
    assert_eq!(metadata["versions"][0], "1");
    let rows = [vec![0.0; 5]];
    client.infer("churn", &rows, "").await.scores();
    let metrics = client.get("/metrics").await;
    let counted = metrics.body.lines().any(|line| {
        line.starts_with("nv_inference_request_success")
            && line.contains("churn")
            && line.ends_with(" 1")
    });
    assert!(counted, "{}", metrics.body);
    let ended = running.stop().await;
    assert!(ended.contains("0 cut off"), "{ended}");
}
