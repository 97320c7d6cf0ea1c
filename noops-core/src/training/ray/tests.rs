mod contract;
mod secret;

use std::io::{Read, Write};
use std::net::TcpListener;

use jiff::Timestamp;

use super::*;
use crate::clock::{ManualClock, SystemClock};
use crate::digest::Digest;

fn spec(script: &str) -> JobSpec {
    JobSpec::new("fraud".parse().unwrap(), Timestamp::UNIX_EPOCH)
        .with_entrypoint(["sh", "-c", script])
}

/// An answer as Ray gave it to `GET /api/jobs/{id}`.
fn job(status: &str, end_time: Value) -> Job {
    let answer = json!({
        "type": "SUBMISSION", "job_id": null, "submission_id": "run-aaa1", "driver_info": null, "status": status,
        "entrypoint": "exit 3", "message": "Job entrypoint command failed with exit code 3, last available logs: …",
        "error_type": null, "start_time": 1_795_423_226_000i64, "end_time": end_time,
        "metadata": { "noops_deadline_ms": "5000" }, "runtime_env": null, "driver_exit_code": 3,
    });
    Job::read("read", answer).unwrap()
}

#[test]
fn how_a_job_ended_depends_on_what_ray_wrote_down() {
    let in_time = json!(1_795_423_230_999i64);
    let late = json!(1_795_423_231_000i64);
    assert_eq!(job("PENDING", Value::Null).end(), None);
    assert_eq!(job("RUNNING", Value::Null).end(), None);
    assert_eq!(
        job("SUCCEEDED", in_time.clone()).end(),
        Some(End::Succeeded)
    );
    assert_eq!(job("STOPPED", in_time.clone()).end(), Some(End::Stopped));
    let Some(End::Failed(reason)) = job("FAILED", in_time).end() else {
        panic!("not failed");
    };
    assert!(
        reason.starts_with("exit code 3: Job entrypoint command failed"),
        "{reason}"
    );
    for status in ["SUCCEEDED", "STOPPED", "FAILED"] {
        assert_eq!(job(status, late.clone()).end(), Some(End::Late));
    }
}

#[test]
fn a_job_that_is_not_one_is_refused() {
    let answers = [
        json!({}),
        json!([]),
        json!({ "status": 3 }),
        json!({ "status": "DREAMING" }),
        json!({ "status": "RUNNING", "start_time": "yesterday" }),
    ];
    for answer in answers {
        let error = Job::read("read", answer.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{answer}");
    }
    let absurd = json!({ "status": "STOPPED", "start_time": i64::MIN, "end_time": i64::MAX, "metadata": { "noops_deadline_ms": "-" } });
    assert_eq!(Job::read("read", absurd).unwrap().end(), Some(End::Stopped));
}

#[test]
fn a_shell_takes_the_command_apart_into_the_same_words() {
    let words = [
        "printf", "%s|", "a b", "it's", "$HOME", "`id`", "\n", "", "\\",
    ];
    let words: Vec<String> = words.map(str::to_owned).to_vec();
    let output = std::process::Command::new("sh")
        .args(["-c", &quoted(&words)])
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed, "a b|it's|$HOME|`id`|\n||\\|");
}

#[test]
fn the_submission_says_all_of_the_specification() {
    let settings = RaySettings::default()
        .with_cpus(2)
        .with_runtime_environment("env_vars", json!({ "NOOPS_SEED": "1", "OTHER": "x" }))
        .with_runtime_environment("pip", json!(["numpy"]));
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let jobs = RayJobs::new("http://localhost:1", settings, clock).unwrap();
    let spec = spec("true")
        .with_seed(7)
        .with_memory_bytes(1000)
        .with_deadline(Duration::from_secs(5));
    let submission = jobs.submission(&spec);
    assert_eq!(submission["submission_id"], spec.run_id().as_str());
    assert_eq!(submission["entrypoint"], "'sh' '-c' 'true'");
    assert_eq!(submission["runtime_env"]["env_vars"]["NOOPS_SEED"], "7");
    assert_eq!(submission["runtime_env"]["env_vars"]["OTHER"], "x");
    assert_eq!(submission["runtime_env"]["pip"][0], "numpy");
    assert_eq!(submission["metadata"]["noops_deadline_ms"], "5000");
    assert_eq!(submission["entrypoint_num_cpus"], 2);
    assert_eq!(submission["entrypoint_memory"], 1000);
    assert!(submission.get("entrypoint_num_gpus").is_none());
}

#[tokio::test]
async fn a_specification_without_a_command_is_refused_before_any_call() {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let jobs = RayJobs::new("http://127.0.0.1:1", RaySettings::default(), clock).unwrap();
    let none = JobSpec::new("fraud".parse().unwrap(), Timestamp::UNIX_EPOCH);
    let error = jobs.submit(&none).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let unreachable = jobs.submit(&spec("true")).await.unwrap_err();
    assert_eq!(unreachable.kind(), ErrorKind::Unavailable);
}

/// A cluster of one job in a status, with a log that is announced to be larger than what is read.
fn talkative(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request: Vec<u8> = Vec::new();
            let mut buffer = [0u8; 4096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let read = stream.read(&mut buffer).unwrap();
                assert!(read > 0, "the client went away");
                request.extend_from_slice(&buffer[..read]);
            }
            let is_log = String::from_utf8_lossy(&request).contains("/logs HTTP");
            let (length, body) = if is_log {
                (MAX_ANSWER + 1, String::new())
            } else {
                let body = json!({ "status": status, "start_time": 0 }).to_string();
                (body.len(), body)
            };
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            stream
                .write_all(format!("{head}{body}").as_bytes())
                .unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_log_that_is_too_large_does_not_hide_how_a_job_ended() {
    let run = spec("true").run_id();
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let jobs = |status: &'static str| {
        RayJobs::new(&talkative(status), RaySettings::default(), clock.clone()).unwrap()
    };
    let running = jobs("RUNNING").status(&run).await.unwrap();
    assert!(
        matches!(running, RunStatus::Running { heartbeat, .. } if heartbeat.step == 0),
        "{running:?}"
    );
    let ended = jobs("SUCCEEDED");
    let RunStatus::Failed { reason } = ended.status(&run).await.unwrap() else {
        panic!("not failed");
    };
    assert!(reason.contains("its log is larger"), "{reason}");
    let error = ended.logs(&run).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

/// A cluster that remembers earlier rounds of these tests must not answer for this one.
fn fresh(script: &str) -> JobSpec {
    spec(script).with_snapshot_at(SystemClock.now())
}

async fn ended(jobs: &RayJobs, run: &RunId) -> RunStatus {
    until(jobs, run, RunStatus::is_terminal).await
}

async fn until(jobs: &RayJobs, run: &RunId, fits: impl Fn(&RunStatus) -> bool) -> RunStatus {
    for _ in 0..600 {
        let status = jobs.status(run).await.unwrap();
        if fits(&status) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the run never got there: {:?}", jobs.logs(run).await);
}

fn real() -> Option<Arc<RayJobs>> {
    let url = crate::test_server::url("NOOPS_RAY_URL")?;
    let jobs = RayJobs::new(&url, RaySettings::default(), Arc::new(SystemClock)).unwrap();
    Some(Arc::new(jobs))
}

#[tokio::test]
async fn a_real_cluster_runs_a_job_once_and_tells_what_it_reported() {
    let Some(jobs) = real() else { return };
    let digest = Digest::of(b"weights");
    let spec = fresh(&format!(
        "echo \"noops: step=4 value=0.5\"; sleep 2; echo \"noops: metric seed=$NOOPS_SEED\"; echo noops: artifact={digest}"
    ))
    .with_seed(7);
    let mut submissions = Vec::new();
    for _ in 0..4 {
        let (jobs, spec) = (jobs.clone(), spec.clone());
        submissions.push(tokio::spawn(async move { jobs.submit(&spec).await }));
    }
    for submission in submissions {
        assert_eq!(submission.await.unwrap().unwrap(), spec.run_id());
    }
    let run = spec.run_id();
    let told = |status: &RunStatus| matches!(status, RunStatus::Running { heartbeat, .. } if heartbeat.step == 4 && heartbeat.value == Some(0.5));
    until(&jobs, &run, told).await;
    let status = ended(&jobs, &run).await;
    let RunStatus::Succeeded { artifact, metrics } = &status else {
        panic!("{status:?}");
    };
    assert_eq!((*artifact, metrics["seed"]), (digest, 7.0));
    jobs.submit(&spec).await.unwrap();
    jobs.cancel(&run).await.unwrap();
    assert_eq!(jobs.status(&run).await.unwrap(), status);
    assert!(jobs.logs(&run).await.unwrap().contains("noops: step=4"));
}

#[tokio::test]
async fn a_real_cluster_cancels_fails_and_times_out() {
    let Some(jobs) = real() else { return };
    let sleeping = jobs.submit(&fresh("sleep 120")).await.unwrap();
    let late = jobs
        .submit(&fresh("sleep 121").with_deadline(Duration::from_secs(3)))
        .await
        .unwrap();
    let failing = jobs.submit(&fresh("echo boom; exit 3")).await.unwrap();
    let silent = jobs.submit(&fresh("true")).await.unwrap();

    let is_running = |status: &RunStatus| matches!(status, RunStatus::Running { .. });
    until(&jobs, &sleeping, is_running).await;
    jobs.cancel(&sleeping).await.unwrap();
    assert_eq!(ended(&jobs, &sleeping).await, RunStatus::Cancelled);
    assert_eq!(ended(&jobs, &late).await, RunStatus::TimedOut);
    for (run, expected) in [
        (failing, "exit code 3"),
        (silent, "the job succeeded without"),
    ] {
        let RunStatus::Failed { reason } = ended(&jobs, &run).await else {
            panic!("not failed");
        };
        assert!(reason.starts_with(expected), "{reason}");
    }
}

#[tokio::test]
async fn a_real_cluster_does_not_know_what_was_never_submitted() {
    let Some(jobs) = real() else { return };
    let run = fresh("never").run_id();
    assert_eq!(
        jobs.status(&run).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        jobs.cancel(&run).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        jobs.logs(&run).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}
