//! Over HTTP/2 itself.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tonic::transport::{Channel, Endpoint};

use super::*;

async fn connected(service: &Arc<Service>) -> GrpcInferenceServiceClient<Channel> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = TowerToHyperService::new(router(Arc::clone(service)));
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let connection = Builder::new(TokioExecutor::new());
        let served = connection
            .serve_connection(TokioIo::new(socket), router)
            .await;
        drop(served);
    });
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    GrpcInferenceServiceClient::new(endpoint.connect().await.unwrap())
}

#[tokio::test]
async fn a_connection_carries_calls_and_failures() {
    let mut client = connected(&open()).await;
    let response = client
        .model_infer(question("m", "1"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first_output(&response), [2.0, 3.0]);
    let missing = client
        .model_infer(question("nobody", ""))
        .await
        .unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    let answers = client
        .model_stream_infer(stream::iter([question("m", "s")]))
        .await
        .unwrap();
    assert_eq!(answers.into_inner().count().await, 1);
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_call_and_no_other() {
    let service = open();
    let mut client = connected(&service).await;
    let mut stays = client.clone();
    let stays = tokio::spawn(async move { stays.model_infer(question("stuck", "")).await });
    let leaves = client.model_infer(question("stuck", ""));
    let left = tokio::time::timeout(Duration::from_millis(50), leaves).await;
    assert!(left.is_err());
    at_work_becomes(&service, 1).await;
    assert!(client.model_infer(question("m", "")).await.is_ok());
    stays.abort();
    at_work_becomes(&service, 0).await;
}

async fn at_work_becomes(service: &Service, expected: usize) {
    for _ in 0..200 {
        if testing::at_work(service) == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(testing::at_work(service), expected);
}
