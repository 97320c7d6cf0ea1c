use super::*;
use crate::conformance;
use crate::conformance::training::{JobKind, LOG_LIMIT, STARTED};

#[tokio::test]
async fn a_real_cluster_keeps_the_contract() {
    let Some(jobs) = real() else { return };
    let (now, digest) = (SystemClock.now(), Digest::of(b"weights"));
    let script = |job: JobKind| match job {
        JobKind::Short => format!("echo '{STARTED}'; echo noops: artifact={digest}"),
        JobKind::Failing => format!("echo '{STARTED}'; exit 3"),
        JobKind::Endless => format!("echo '{STARTED}'; exec sleep 600"),
        JobKind::Flooding => format!(
            "yes 'a line of the log' | head -c {}; echo; echo noops: artifact={digest}",
            2 * LOG_LIMIT
        ),
    };
    // A cluster remembers earlier rounds; those began at another time.
    let fresh = |job: JobKind| spec(&script(job)).with_snapshot_at(now);
    let pause = async || tokio::time::sleep(Duration::from_millis(200)).await;
    conformance::training::all(jobs.as_ref(), &fresh, &pause).await;
}
