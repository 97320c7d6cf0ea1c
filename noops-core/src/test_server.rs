//! Where the servers are that our tests talk to.

mod guarded;

pub(crate) use guarded::{Cached, Guarded};

#[cfg(feature = "s3")]
use std::sync::Arc;

#[cfg(feature = "s3")]
use object_store::ClientOptions;
#[cfg(feature = "s3")]
use object_store::aws::AmazonS3Builder;

/// The bucket of the tests. Others use it too: stay under a prefix of your own.
#[cfg(feature = "s3")]
pub(crate) fn s3() -> Option<Arc<dyn object_store::ObjectStore>> {
    let endpoint = url("NOOPS_S3_ENDPOINT")?;
    let bucket = std::env::var("NOOPS_S3_BUCKET").unwrap();
    let store = AmazonS3Builder::from_env()
        .with_endpoint(endpoint)
        .with_bucket_name(bucket)
        .with_allow_http(true)
        .with_client_options(ClientOptions::new().with_allow_http(true))
        .build()
        .unwrap();
    Some(Arc::new(store))
}

/// The address of a server, as one of our scripts announces it. Without one the test is skipped and says so; in continuous integration
/// nothing is skipped.
pub(crate) fn url(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok();
    if url.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "`{variable}` is not set: run the tests under `scripts/with-servers`"
        );
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!(
                "skipped: `{variable}` is not set; run `scripts/with-servers cargo test` to run this"
            );
        }
    }
    url
}
