use arrow_array::{ArrayRef, Float64Array, Int64Array, NullArray, TimestampMicrosecondArray};
use arrow_flight::FlightData;

use super::*;
use crate::features::FeatureType;
use crate::memory::InMemoryStates;

const LIMIT: usize = 4_096;

fn view() -> FeatureView {
    FeatureView::new("v", "one")
        .with_key("driver", FeatureType::Integer)
        .with_feature("score", FeatureType::Number)
}

fn server() -> OfflineServer {
    let states = Arc::new(InMemoryStates::new());
    let settings = FeastSettings::new("http://127.0.0.1:1", "grpc://127.0.0.1:1", states)
        .with_offline_limit(LIMIT);
    OfflineServer::new(&settings, "v".to_owned()).unwrap()
}

fn batch(rows: i64) -> RecordBatch {
    let times = TimestampMicrosecondArray::from_iter_values(0..rows).with_timezone("UTC");
    let times: ArrayRef = Arc::new(times);
    let drivers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    let scores: ArrayRef = Arc::new(Float64Array::from(vec![0.5; rows as usize]));
    let columns = [
        ("driver", drivers),
        ("event_timestamp", Arc::clone(&times)),
        ("created", times),
        ("score", scores),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

async fn sent(batches: Vec<RecordBatch>) -> Vec<FlightData> {
    let batches = batches.into_iter().map(Ok);
    let encoder = FlightDataEncoderBuilder::new().build(stream::iter(batches));
    encoder.try_collect().await.unwrap()
}

async fn received(data: Vec<FlightData>) -> Result<Vec<RecordBatch>, Error> {
    let data = data.into_iter().map(Ok::<FlightData, FlightError>);
    let answer = FlightRecordBatchStream::new_from_flight_data(stream::iter(data));
    server().receive(&view(), None, answer, None).await
}

#[tokio::test]
async fn no_more_is_kept_than_the_limit_in_one_batch_or_in_many() {
    // A row has four columns of eight bytes.
    let fitting = received(sent(vec![batch(64), batch(64)]).await).await;
    assert_eq!(fitting.unwrap().len(), 2);
    for batches in [vec![batch(129)], vec![batch(64), batch(65)]] {
        let error = received(sent(batches).await).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("limit `4096`"), "{error}");
    }
}

#[tokio::test]
async fn rows_without_bytes_are_not_unfolded() {
    let nulls: ArrayRef = Arc::new(NullArray::new(1 << 40));
    let names = ["driver", "event_timestamp", "created", "score"];
    let columns = names.map(|name| (name, Arc::clone(&nulls), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let error = received(sent(vec![batch]).await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("limit"), "{error}");
}

#[tokio::test]
async fn a_batch_that_was_cut_or_changed_is_an_error_and_no_panic() {
    let good = sent(vec![batch(3)]).await;
    let last = good.len() - 1;
    let mut cut = good.clone();
    cut[last].data_body.truncate(8);
    let mut empty = good.clone();
    empty[last].data_body.clear();
    let mut headless = good.clone();
    headless[last].data_header.clear();
    let unannounced = good[last..].to_vec();
    for data in [cut, empty, headless, unannounced] {
        let error = received(data).await.unwrap_err();
        let kind = error.kind();
        assert!(
            matches!(kind, ErrorKind::Corrupt | ErrorKind::Invalid),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_secret_that_the_server_repeats_is_not_in_the_error() {
    let secret = Secret::new("hunter2-hunter2");
    let said = format!("{}headers: Bearer {}", "x".repeat(370), secret.expose());
    for code in [Code::Unknown, Code::Unauthenticated, Code::NotFound] {
        let status = tonic::Status::new(code, said.as_str());
        let source = FlightError::Tonic(Box::new(status));
        let error = server().failed(source, Some(&secret));
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}
