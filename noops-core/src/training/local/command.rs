use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::digest::Digest;
use crate::error::Error;
use crate::training::local::Shared;
use crate::training::local::live::LiveRun;
use crate::training::report::JobReport;
use crate::training::run::RunEvent;

/// Runs the command of a specification until it exits or its run has ended.
pub(super) async fn run(shared: &Shared, live: &Arc<LiveRun>, directory: &Path) {
    let folder = directory.join(live.run().as_str());
    match prepare(folder.clone()).await {
        Ok(folder) => {
            if let Err(reason) = attempt(shared, live, &folder).await {
                live.fail(reason, shared.clock.now());
            }
        }
        Err(reason) => live.fail(reason, shared.clock.now()),
    }
    // What cannot be removed now is removed before a run of this name would use it.
    let _ = tokio::task::spawn_blocking(move || fs::remove_dir_all(folder)).await;
}

async fn attempt(shared: &Shared, live: &Arc<LiveRun>, folder: &Path) -> Result<(), String> {
    let output = folder.join("output");
    let mut child = command(shared, live, &output)
        .spawn()
        .map_err(|error| format!("the command could not be started: {error}"))?;
    let group = child.id();
    let report = Arc::new(Mutex::new(JobReport::default()));
    let streams = [
        child
            .stdout
            .take()
            .map(|stream| listen(stream, live, &report)),
        child
            .stderr
            .take()
            .map(|stream| listen(stream, live, &report)),
    ];
    let exit = wait(shared, live, &report, &mut child).await;
    // Also after an orderly exit: what it left running in the background ends with the run.
    kill(group);
    if exit.is_none() {
        // Killed just now: this takes the dead process off the table.
        let _ = timeout(GRACE, child.wait()).await;
    }
    for mut stream in streams.into_iter().flatten() {
        if timeout(GRACE, &mut stream).await.is_err() {
            stream.abort();
        }
    }
    let Some(exit) = exit else {
        return Ok(());
    };
    let status = exit.map_err(|error| format!("the command was lost: {error}"))?;
    if !status.success() {
        let last = live.last_line().unwrap_or_default();
        return Err(format!(
            "the command ended with {status}; the end of its log: {last}"
        ));
    }
    if live.is_ended() {
        return Ok(());
    }
    let artifact = store_output(shared, output).await?;
    let metrics = lock(&report).metrics().clone();
    live.advance(
        RunEvent::Succeeded { artifact, metrics },
        shared.clock.now(),
    );
    Ok(())
}

/// How the command exited, or `None` when its run ended before.
async fn wait(
    shared: &Shared,
    live: &LiveRun,
    report: &Mutex<JobReport>,
    child: &mut Child,
) -> Option<io::Result<ExitStatus>> {
    loop {
        let exit: Option<io::Result<ExitStatus>> =
            timeout(shared.settings.poll(), child.wait()).await.ok();
        let now = shared.clock.now();
        let progress = lock(report).progress();
        // The process is there, and that is its heartbeat.
        live.advance(
            progress.map_or(RunEvent::Alive, |(step, value)| RunEvent::Progressed {
                step,
                value,
            }),
            now,
        );
        live.check(now);
        if live.is_ended() {
            return None;
        }
        if exit.is_some() {
            return exit;
        }
    }
}

fn command(shared: &Shared, live: &LiveRun, output: &Path) -> Command {
    let spec = live.spec();
    let mut command = match spec.memory_bytes() {
        None => {
            let mut words = spec.entrypoint().iter();
            let mut command = Command::new(words.next().map_or("", String::as_str));
            command.args(words);
            command
        }
        Some(bytes) => {
            // The limit is set by the shell, which then becomes the command; the unit is KiB.
            let mut command = Command::new("/bin/sh");
            command
                .args(["-c", "ulimit -v \"$0\" && exec \"$@\""])
                .arg(bytes.div_ceil(1024).to_string())
                .args(spec.entrypoint());
            command
        }
    };
    let path: OsString = std::env::var_os("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", path)
        .envs(shared.settings.environment())
        .envs(spec.environment())
        .env("NOOPS_OUTPUT", output)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command
}

fn kill(group: Option<u32>) {
    let group = group
        .and_then(|group| i32::try_from(group).ok())
        .and_then(Pid::from_raw);
    if let Some(group) = group {
        // It fails when nothing is left to kill.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Reads a stream to its end into the log and the report.
fn listen(
    mut stream: impl AsyncRead + Send + Unpin + 'static,
    live: &Arc<LiveRun>,
    report: &Arc<Mutex<JobReport>>,
) -> JoinHandle<()> {
    let (live, report) = (live.clone(), report.clone());
    tokio::spawn(async move {
        let mut buffer = vec![0u8; 8 << 10];
        let mut line: Vec<u8> = Vec::new();
        loop {
            let read = match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(read) => read,
            };
            let bytes = buffer.get(..read).unwrap_or_default();
            live.log(bytes);
            for part in bytes.split_inclusive(|byte| *byte == b'\n') {
                // A line without an end is not collected without an end.
                let room = MAX_LINE.saturating_sub(line.len());
                line.extend(part.iter().take(room));
                if part.ends_with(b"\n") {
                    lock(&report).read_line(&String::from_utf8_lossy(&line));
                    line.clear();
                }
            }
        }
        lock(&report).read_line(&String::from_utf8_lossy(&line));
    })
}

/// An empty folder by its absolute path.
async fn prepare(folder: PathBuf) -> Result<PathBuf, String> {
    blocking(move || {
        let folder = std::path::absolute(folder)?;
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    })
    .await
    .map_err(|error| format!("the folder of the run could not be made: {error}"))
}

/// Puts the file into the store piece by piece, so that a large one is never in memory as a whole.
async fn store_output(shared: &Shared, output: PathBuf) -> Result<Digest, String> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "the command wrote nothing at $NOOPS_OUTPUT".to_owned(),
        _ => format!("the artifact could not be read: {error}"),
    };
    let unstored = |error: Error| format!("the artifact could not be stored: {error}");
    let limit = shared.settings.max_artifact_bytes();
    let mut file = blocking(move || open_file(&output))
        .await
        .map_err(unreadable)?;
    let mut upload = shared.artifacts.upload().await.map_err(unstored)?;
    let mut total: u64 = 0;
    loop {
        let (rest, chunk) = blocking(move || {
            let mut chunk: Vec<u8> = Vec::new();
            file.by_ref().take(CHUNK).read_to_end(&mut chunk)?;
            Ok((file, chunk))
        })
        .await
        .map_err(unreadable)?;
        file = rest;
        if chunk.is_empty() {
            return upload.finish().await.map_err(unstored);
        }
        total = total.saturating_add(chunk.len() as u64);
        if total > limit {
            return Err(format!(
                "the artifact is larger than the limit of {limit} bytes"
            ));
        }
        upload.write(&chunk).await.map_err(unstored)?;
    }
}

/// Opens what is a file. To open a pipe would wait for a writer for ever, and a device has no end.
fn open_file(path: &Path) -> io::Result<fs::File> {
    if fs::metadata(path)?.is_file() {
        fs::File::open(path)
    } else {
        Err(io::Error::other("it is not a file"))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|lost| Err(io::Error::other(lost)))
}

fn lock(report: &Mutex<JobReport>) -> std::sync::MutexGuard<'_, JobReport> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a dead process and its pipes are waited for.
const GRACE: Duration = Duration::from_secs(1);
const MAX_LINE: usize = 4096;
/// How much of an artifact is in memory at a time.
const CHUNK: u64 = 1 << 20;
