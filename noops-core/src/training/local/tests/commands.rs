use super::*;

/// A folder of this test alone, gone with it.
pub(super) struct Folder(pub(super) std::path::PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let name = format!("noops-training-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn shell(script: &str) -> JobSpec {
    spec().with_entrypoint(["sh", "-c", script])
}

#[tokio::test]
async fn a_command_gives_its_file_its_metrics_and_its_log() {
    let (host, folder) = (Host::new(), Folder::new("file"));
    let settings = LocalSettings::default().with_environment("HOST_GAVE", "this");
    let trainer = host.trainer(LocalWork::commands(&folder.0), settings);
    let script = "printf '%s|%s|%s' \"$NOOPS_SEED\" \"$NOOPS_PARAMETERS\" \"$HOST_GAVE\" > \"$NOOPS_OUTPUT\"; \
                  echo 'noops: metric auc=0.75'; echo warning >&2";
    let spec = shell(script).with_seed(7).with_parameter("rate", "0.1");
    let run = trainer.submit(&spec).await.unwrap();
    let status = ended(&trainer, &run).await;
    let RunStatus::Succeeded { artifact, metrics } = &status else {
        panic!("{status:?}");
    };
    let bytes = host.artifacts.load(artifact).await.unwrap();
    assert_eq!(bytes, b"7|{\"rate\":\"0.1\"}|this");
    assert_eq!(metrics["auc"], 0.75);
    let logs = trainer.logs(&run).await.unwrap();
    assert!(logs.contains("warning"), "{logs}");
    assert!(!folder.0.join(run.as_str()).exists());
}

#[tokio::test]
async fn a_command_sees_nothing_of_the_environment_but_its_path_and_what_it_was_given() {
    let (host, folder) = (Host::new(), Folder::new("environment"));
    let settings = LocalSettings::default().with_environment("HOST_GAVE", "this");
    let trainer = host.trainer(LocalWork::commands(&folder.0), settings);
    let plain = shell("env > \"$NOOPS_OUTPUT\"");
    for spec in [plain.clone(), plain.with_memory_bytes(1 << 30)] {
        let given = spec.environment();
        let is_known = |name: &str| match name {
            "PATH" | "HOST_GAVE" | "NOOPS_OUTPUT" => true,
            // What a shell sets for itself.
            "PWD" | "OLDPWD" | "SHLVL" | "_" => true,
            _ => given.contains_key(name),
        };
        let mut ours = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
        assert!(
            ours.any(|name| !is_known(name.as_str())),
            "there is nothing here that a command could see and must not"
        );
        let run = trainer.submit(&spec).await.unwrap();
        let status = ended(&trainer, &run).await;
        let artifact = status.artifact().expect("the command writes its file");
        let bytes = host.artifacts.load(&artifact).await.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let mut names: Vec<&str> = Vec::new();
        for line in text.lines() {
            names.push(line.split('=').next().unwrap_or_default());
        }
        for name in ["PATH", "HOST_GAVE", "NOOPS_OUTPUT", "NOOPS_SEED"] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
        names.retain(|name| !is_known(name));
        assert!(names.is_empty(), "{names:?}");
    }
}

#[tokio::test]
async fn progress_comes_while_the_command_runs_and_cancelling_kills_its_whole_group() {
    let (host, folder) = (Host::new(), Folder::new("cancel"));
    let trainer = host.trainer(LocalWork::commands(&folder.0), LocalSettings::default());
    let proof = folder.0.join("proof");
    let script = format!(
        "(sleep 1; echo alive > '{}') & echo 'noops: step=3 value=0.5'; wait; sleep 60",
        proof.display()
    );
    let run = trainer.submit(&shell(&script)).await.unwrap();
    let told = |status: &RunStatus| matches!(status, RunStatus::Running { heartbeat, .. } if heartbeat.step == 3 && heartbeat.value == Some(0.5));
    until(&trainer, &run, told).await;
    trainer.cancel(&run).await.unwrap();
    assert_eq!(trainer.status(&run).await.unwrap(), RunStatus::Cancelled);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!proof.exists());
}

#[tokio::test]
async fn a_command_past_the_deadline_is_killed() {
    let (host, folder) = (Host::new(), Folder::new("deadline"));
    let trainer = host.trainer(LocalWork::commands(&folder.0), LocalSettings::default());
    let run = trainer.submit(&shell("sleep 60")).await.unwrap();
    until(&trainer, &run, |status| {
        matches!(status, RunStatus::Running { .. })
    })
    .await;
    host.clock.set(at(61));
    assert_eq!(ended(&trainer, &run).await, RunStatus::TimedOut);
}

#[tokio::test]
async fn a_command_that_wants_too_much_memory_fails() {
    let (host, folder) = (Host::new(), Folder::new("memory"));
    let trainer = host.trainer(LocalWork::commands(&folder.0), LocalSettings::default());
    // `dd` takes its block size in one piece: 256 MiB do not fit into 64 MiB, and do without a limit.
    let script = "dd if=/dev/zero of=\"$NOOPS_OUTPUT\" bs=268435456 count=1 2>&1 && truncate -s 1 \"$NOOPS_OUTPUT\"";
    let limited = shell(script).with_memory_bytes(64 << 20);
    let run = trainer.submit(&limited).await.unwrap();
    let status = ended(&trainer, &run).await;
    assert!(reason(&status).contains("exit status"), "{status:?}");
    let run = trainer.submit(&shell(script)).await.unwrap();
    let status = ended(&trainer, &run).await;
    assert!(status.artifact().is_some(), "{status:?}");
}

#[tokio::test]
async fn every_way_to_end_without_an_artifact_says_so() {
    let (host, folder) = (Host::new(), Folder::new("ways"));
    let settings = LocalSettings::default().with_max_artifact_bytes(10);
    let trainer = host.trainer(LocalWork::commands(&folder.0), settings);
    let cases = [
        (
            shell("echo boom >&2; exit 3"),
            "the command ended with exit status: 3; the end of its log: boom",
        ),
        (shell("kill -9 $$"), "the command ended with signal: 9"),
        (shell("true"), "the command wrote nothing at $NOOPS_OUTPUT"),
        (
            shell("printf 12345678901 > \"$NOOPS_OUTPUT\""),
            "the artifact is larger than the limit of 10 bytes",
        ),
        (
            shell("mkdir \"$NOOPS_OUTPUT\""),
            "the artifact could not be read: it is not a file",
        ),
        (
            shell("mkfifo \"$NOOPS_OUTPUT\""),
            "the artifact could not be read: it is not a file",
        ),
        (
            shell("ln -s /dev/zero \"$NOOPS_OUTPUT\""),
            "the artifact could not be read: it is not a file",
        ),
        (
            spec().with_entrypoint(["/nowhere/at/all"]),
            "the command could not be started",
        ),
        (
            spec().with_entrypoint(["sh", "a\0b"]),
            "the command could not be started",
        ),
    ];
    for (spec, expected) in cases {
        let run = trainer.submit(&spec).await.unwrap();
        let status = ended(&trainer, &run).await;
        assert!(reason(&status).starts_with(expected), "{status:?}");
    }
    let none = trainer.submit(&spec()).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_flood_of_output_is_kept_to_its_end() {
    let (host, folder) = (Host::new(), Folder::new("flood"));
    let trainer = host.trainer(LocalWork::commands(&folder.0), LocalSettings::default());
    let script =
        "head -c 3000000 /dev/zero | tr '\\0' 'x'; echo; echo the end; : > \"$NOOPS_OUTPUT\"";
    let run = trainer.submit(&shell(script)).await.unwrap();
    assert!(ended(&trainer, &run).await.artifact().is_some());
    let logs = trainer.logs(&run).await.unwrap();
    assert!(logs.ends_with("the end\n"));
    assert!(logs.len() <= 70_000);
}
