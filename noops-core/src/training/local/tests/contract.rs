use super::*;
use crate::clock::SystemClock;
use crate::conformance;
use crate::conformance::training::{JobKind, LOG_LIMIT, STARTED};

/// Time is real here: the clauses wait for what happens.
async fn keeps_its_contract(work: LocalWork, spec: impl Fn(JobKind) -> JobSpec) {
    let host = Host::new();
    let trainer = LocalTrainer::new(
        work,
        LocalSettings::default().with_poll(Duration::from_millis(2)),
        host.artifacts.clone(),
        host.states.clone(),
        Arc::new(SystemClock),
    );
    let unhurried = |job: JobKind| spec(job).with_deadline(Duration::from_secs(3600));
    let pause = async || tokio::time::sleep(Duration::from_millis(10)).await;
    conformance::training::all(&trainer, &unhurried, &pause).await;
}

#[tokio::test]
async fn a_trainer_of_functions_keeps_its_contract() {
    let work = LocalWork::function(|context| {
        let job = context.spec().parameters().get("job").map(String::as_str);
        if job == Some("Flooding") {
            let line = "a line of the log ".repeat(50);
            for _ in 0..=LOG_LIMIT / line.len() {
                context.log(&line);
            }
            return Ok(JobOutput::new(Vec::new()));
        }
        context.log(STARTED);
        match job {
            Some("Failing") => Err(Error::new(
                ErrorKind::Invalid,
                "train",
                "there is nothing to learn",
            )),
            Some("Endless") => loop {
                context.check()?;
                std::thread::sleep(Duration::from_millis(1));
            },
            _ => Ok(JobOutput::new(b"weights".to_vec())),
        }
    });
    let named = |job: JobKind| spec().with_parameter("job", format!("{job:?}"));
    keeps_its_contract(work, named).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_trainer_of_commands_keeps_its_contract() {
    let folder = super::commands::Folder::new("contract");
    let command = |job: JobKind| {
        let script = match job {
            JobKind::Short => format!("echo '{STARTED}'; : > \"$NOOPS_OUTPUT\""),
            JobKind::Failing => format!("echo '{STARTED}'; exit 3"),
            JobKind::Endless => format!("echo '{STARTED}'; exec sleep 600"),
            JobKind::Flooding => format!(
                "yes 'a line of the log' | head -c {}; : > \"$NOOPS_OUTPUT\"",
                2 * LOG_LIMIT
            ),
        };
        spec().with_entrypoint(["sh".to_owned(), "-c".to_owned(), script])
    };
    keeps_its_contract(LocalWork::commands(&folder.0), command).await;
}
