//! What the models are asked, and what they answer.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::model::{ORDERS, POINTS, score};

/// Where the model of points is asked.
pub(crate) const ASK_POINTS: &str = "/v2/models/points/infer";
/// Where the model of orders is asked.
pub(crate) const ASK_ORDERS: &str = "/v2/models/orders/infer";

/// Rows for the model of points.
pub(crate) fn about_points(rows: &[[f32; 3]]) -> String {
    json!({"inputs": [matrix(rows)]}).to_string()
}

/// The tensor of those rows.
pub(crate) fn matrix(rows: &[[f32; 3]]) -> Value {
    json!({"name": "input", "shape": [rows.len(), 3], "datatype": "FP32", "data": rows.as_flattened()})
}

/// Rows for the model of orders.
pub(crate) fn about_orders(rows: &[(f32, &str)]) -> String {
    let (amounts, countries): (Vec<f32>, Vec<&str>) = rows.iter().copied().unzip();
    json!({"inputs": [
        {"name": "amount", "shape": [rows.len()], "datatype": "FP32", "data": amounts},
        {"name": "country", "shape": [rows.len()], "datatype": "BYTES", "data": countries},
    ]})
    .to_string()
}

/// Sends rows and checks every number of the answer.
pub(crate) fn points_are_answered(client: &mut Client, rows: &[[f32; 3]]) {
    let answer = client.post(ASK_POINTS, about_points(rows));
    is_answer_to_points(&answer, rows);
}

pub(crate) fn is_answer_to_points(answer: &Answer, rows: &[[f32; 3]]) {
    let scores: Vec<f32> = rows.iter().copied().flat_map(score).collect();
    let output =
        json!({"name": "output", "datatype": "FP32", "shape": [rows.len(), 2], "data": scores});
    assert_eq!(
        answer.ok(),
        json!({"model_name": POINTS, "model_version": "1", "outputs": [output]})
    );
}

pub(crate) fn is_answer_to_orders(answer: &Answer, scores: &[f32]) {
    let output =
        json!({"name": "output", "datatype": "FP32", "shape": [scores.len(), 1], "data": scores});
    assert_eq!(
        answer.ok(),
        json!({"model_name": ORDERS, "model_version": "1", "outputs": [output]})
    );
}

/// The JSON of an answer whose outputs follow as bytes, and those bytes.
pub(crate) fn split(answer: &Answer) -> (Value, &[u8]) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        Some("application/octet-stream")
    );
    let length = answer.header("inference-header-content-length").unwrap();
    let (head, bytes) = answer.body.split_at(length.parse().unwrap());
    (serde_json::from_slice(head).unwrap(), bytes)
}

/// Little-endian, one behind the other.
pub(crate) fn raw(numbers: &[f32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

/// BYTES, each behind its length.
pub(crate) fn raw_texts(texts: &[&[u8]]) -> Vec<u8> {
    let with_length = |text: &&[u8]| [&(text.len() as u32).to_le_bytes(), *text].concat();
    texts.iter().flat_map(with_length).collect()
}
