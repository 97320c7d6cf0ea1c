//! Statistics and metrics agree with what was sent.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::client::Client;
use crate::model::{ORDERS, PANIC, POINTS};
use crate::question::{
    ASK_ORDERS, ASK_POINTS, about_orders, about_points, matrix, points_are_answered,
};
use crate::server::Running;

fn statistics(client: &mut Client, path: &str) -> Vec<Value> {
    let stats = client.get(path).ok();
    assert_eq!(stats.as_object().unwrap().len(), 1);
    stats["model_stats"].as_array().unwrap().clone()
}

/// Three requests of 1, 2 and 3 rows that are answered, one that the model fails on, two that break the contract.
fn busy(client: &mut Client) {
    for rows in 1..=3 {
        points_are_answered(client, &vec![[1.0, 2.0, 3.0]; rows]);
    }
    client
        .post(ASK_POINTS, about_points(&[[PANIC, 0.0, 0.0]]))
        .error(500);
    client
        .post(ASK_ORDERS, about_orders(&[(1.0, "fr")]))
        .error(400);
    client
        .post(ASK_ORDERS, about_orders(&[(-1.0, "de")]))
        .error(400);
    assert_eq!(
        client.post(ASK_ORDERS, about_orders(&[(1.0, "de")])).status,
        200
    );
}

#[test]
fn a_model_counts_requests_rows_and_runs() {
    let server = Running::start();
    let mut client = server.connect();
    let [before] = &statistics(&mut client, "/v2/models/points/stats")[..] else {
        panic!("one version");
    };
    assert_eq!(before["inference_count"], 0);
    assert_eq!(before["last_inference"], 0);
    busy(&mut client);
    for path in [
        "/v2/models/points/stats",
        "/v2/models/points/versions/1/stats",
    ] {
        let [points] = &statistics(&mut client, path)[..] else {
            panic!("one version");
        };
        assert_eq!(
            (&points["name"], &points["version"]),
            (&POINTS.into(), &"1".into())
        );
        assert_eq!(points["inference_count"], 6, "rows");
        assert_eq!(points["execution_count"], 3);
        assert!(points["last_inference"].as_u64().unwrap() > 1_600_000_000_000);
        let requests = &points["inference_stats"];
        assert_eq!(requests["success"]["count"], 3);
        assert_eq!(requests["fail"]["count"], 1);
        assert_eq!(requests["compute_infer"]["count"], 3);
        for what in [
            "success",
            "fail",
            "queue",
            "compute_input",
            "compute_infer",
            "compute_output",
        ] {
            assert!(
                requests[what]["ns"].is_u64() && requests[what]["count"].is_u64(),
                "{what}"
            );
        }
        let batches = points["batch_stats"].as_array().unwrap();
        let runs = |batch: &Value| batch["compute_infer"]["count"].as_u64().unwrap();
        assert_eq!(batches.iter().map(runs).sum::<u64>(), 3);
        assert!(
            batches
                .iter()
                .all(|batch| batch["batch_size"].as_u64().unwrap() >= 1)
        );
    }
}

#[test]
fn all_models_are_counted_apart() {
    let server = Running::start();
    let mut client = server.connect();
    busy(&mut client);
    let all = statistics(&mut client, "/v2/models/stats");
    let counts = all.iter().map(|model| {
        let requests = &model["inference_stats"];
        let count = |what: &str| requests[what]["count"].as_u64().unwrap();
        (
            model["name"].as_str().unwrap(),
            count("success"),
            count("fail"),
        )
    });
    let counts: Vec<_> = counts.collect();
    assert_eq!(counts, [(ORDERS, 1, 2), (POINTS, 3, 1)]);
}

#[test]
fn a_request_that_is_refused_for_its_outputs_runs_no_model() {
    let server = Running::start();
    let mut client = server.connect();
    let outputs = serde_json::json!([{"name": "nobody"}]);
    let body = serde_json::json!({"inputs": [matrix(&[[1.0, 2.0, 3.0]])], "outputs": outputs});
    client.post(ASK_POINTS, body.to_string()).error(400);
    let points = &statistics(&mut client, "/v2/models/points/stats")[0];
    assert_eq!(points["inference_stats"]["success"]["count"], 0);
    assert_eq!(points["execution_count"], 0);
}

#[test]
fn metrics_are_a_prometheus_text_with_both_families_of_names() {
    let server = Running::start();
    let mut client = server.connect();
    busy(&mut client);
    let answer = client.get("/metrics");
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = answer.text();
    for name in [
        "nv_inference_request_success",
        "nv_inference_request_failure",
        "nv_inference_count",
        "nv_inference_exec_count",
        "nv_inference_request_duration_us",
        "nv_inference_queue_duration_us",
        "nv_inference_compute_input_duration_us",
        "nv_inference_compute_infer_duration_us",
        "nv_inference_compute_output_duration_us",
        "nv_inference_pending_request_count",
        "noops_serve_requests_total",
        "noops_serve_rows_total",
        "noops_serve_request_duration_seconds",
        "noops_serve_executions_total",
        "noops_serve_pending_rows",
        "noops_serve_replicas",
    ] {
        assert!(text.contains(&format!("\n# TYPE {name} ")), "{name}");
    }
    for line in [
        r#"nv_inference_request_success{model="points",version="1"} 3"#,
        r#"nv_inference_count{model="points",version="1"} 6"#,
        r#"nv_inference_exec_count{model="points",version="1"} 3"#,
        r#"nv_inference_request_failure{model="points",reason="BACKEND",version="1"} 1"#,
        r#"nv_inference_request_failure{model="orders",reason="OTHER",version="1"} 2"#,
        r#"noops_serve_requests_total{model="orders",version="1",outcome="rejected"} 2"#,
        r#"noops_serve_requests_total{model="points",version="1",outcome="failed"} 1"#,
        r#"noops_serve_rows_total{model="points",version="1",outcome="success"} 6"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn every_line_of_the_metrics_is_a_comment_or_a_sample_of_a_family_named_once() {
    let server = Running::start();
    let mut client = server.connect();
    busy(&mut client);
    let text = client.get("/metrics").text();
    assert!(text.ends_with('\n'));
    let mut families = BTreeSet::new();
    let mut samples = BTreeSet::new();
    for line in text.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let name = family.split(' ').next().unwrap();
            assert!(families.insert(name), "{name} comes twice");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').expect(line);
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(samples.insert(series), "{series} comes twice");
            let name = series.split('{').next().unwrap();
            let of_family = |suffix: &str| {
                let family = name.strip_suffix(suffix);
                family.is_some_and(|family| families.contains(family))
            };
            assert!(
                ["", "_bucket", "_sum", "_count"].into_iter().any(of_family),
                "{line}"
            );
        }
    }
}
