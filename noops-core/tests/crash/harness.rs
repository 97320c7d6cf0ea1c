//! Children that are killed, again and again in the same folder.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::TESTS;
use crate::lines::{Line, Report, forward, is_cut_off};
use crate::random::Random;

/// What is written by the children and checked by the parent.
pub(crate) trait Workload {
    /// A folder with more acknowledged writes than this is left for a new one, so that checking it stays quick.
    const WRITES_OF_A_FOLDER: u64;

    /// In the parent, before the first child of a folder.
    fn begin(folder: &Path) -> Self;

    /// In a child: goes on where the last one ended, without end.
    async fn work(folder: &Path, round: u64, report: &Report);

    /// In the parent, after a child was killed: takes in what the child told, and looks at what it left.
    async fn check(&mut self, folder: &Path, round: u64, lines: &[Line]);
}

/// Kills this test's share of the children.
pub(crate) fn survives_kills<W: Workload>(test: &str, seed: u64) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    if let Some((folder, round)) = asked() {
        runtime.block_on(W::work(&folder, round, &Report));
        panic!("a child must not end by itself");
    }
    let mut random = Random::new(seed);
    let mut totals = Totals::default();
    let mut round = 0;
    while totals.kills < share() {
        let folder = Folder::new(test, totals.folders);
        totals.folders += 1;
        let acknowledged = totals.acknowledged;
        let mut workload = W::begin(&folder.0);
        while totals.kills < share() && totals.acknowledged - acknowledged < W::WRITES_OF_A_FOLDER {
            let lines = kill_one(test, &folder.0, round, &mut random);
            totals.count(&lines);
            check(&runtime, &mut workload, &folder.0, round, &lines);
            round += 1;
        }
    }
    totals.print(test);
    assert!(
        totals.acknowledged > 0,
        "no child lived until its first acknowledged write"
    );
}

fn check<W: Workload>(
    runtime: &Runtime,
    workload: &mut W,
    folder: &Path,
    round: u64,
    lines: &[Line],
) {
    let checked = async { tokio::time::timeout(LIMIT, workload.check(folder, round, lines)).await };
    runtime
        .block_on(checked)
        .expect("what a child left is read in time");
}

/// What happened over all rounds.
#[derive(Debug, Default)]
struct Totals {
    kills: u64,
    acknowledged: u64,
    killed_before_the_first_write: u64,
    killed_within_a_write: u64,
    folders: u64,
}

impl Totals {
    fn count(&mut self, lines: &[Line]) {
        self.kills += 1;
        self.acknowledged += lines.iter().filter(|line| line.is_done).count() as u64;
        self.killed_before_the_first_write += u64::from(lines.is_empty());
        self.killed_within_a_write += u64::from(is_cut_off(lines));
    }

    fn print(&self, test: &str) {
        let text = format!(
            "{test}: {} kills in {} folders, {} of them before the first write and {} within one; {} writes were acknowledged\n",
            self.kills,
            self.folders,
            self.killed_before_the_first_write,
            self.killed_within_a_write,
            self.acknowledged
        );
        // Past the capture of the test harness: these numbers say how much a success is worth.
        std::io::stderr().write_all(text.as_bytes()).unwrap();
    }
}

/// How many children one test kills.
fn share() -> u64 {
    let total = std::env::var("NOOPS_CRASHES").map_or(DEFAULT_KILLS, |text| {
        text.parse().expect("NOOPS_CRASHES is a number")
    });
    total.div_ceil(TESTS)
}

/// Where to work, in a child.
fn asked() -> Option<(PathBuf, u64)> {
    let folder = std::env::var_os(FOLDER)?;
    let round = std::env::var(ROUND).expect("a child is told its round");
    Some((folder.into(), round.parse().unwrap()))
}

/// Starts a child, kills it, and returns what it told.
fn kill_one(test: &str, folder: &Path, round: u64, random: &mut Random) -> Vec<Line> {
    let mut running = Running::start(test, folder, round);
    let mut lines = Vec::new();
    // Some die while they start, and so while they recover.
    let is_early = random.below(6) == 0;
    while !is_early && !lines.iter().any(|line: &Line| line.is_done) {
        match running.lines.recv_timeout(LIMIT) {
            Ok(line) => lines.push(line),
            Err(RecvTimeoutError::Timeout) => running.fail("acknowledged nothing in time"),
            Err(RecvTimeoutError::Disconnected) => running.fail("ended by itself"),
        }
    }
    thread::sleep(Duration::from_micros(random.below(25_000)));
    running.child.kill().unwrap();
    loop {
        match running.lines.recv_timeout(LIMIT) {
            Ok(line) => lines.push(line),
            Err(RecvTimeoutError::Timeout) => running.fail("keeps its output open"),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    // A killed process has no code on Unix; 0 and 101 are what the test harness ends with.
    if matches!(running.wait().code(), Some(0 | 101)) {
        running.fail("ended by itself");
    }
    lines
}

/// A child, killed when it is dropped.
struct Running {
    child: Child,
    lines: Receiver<Line>,
    errors: PathBuf,
}

impl Running {
    fn start(test: &str, folder: &Path, round: u64) -> Self {
        let errors = folder.join("stderr");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder)
            .env(ROUND, round.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || forward(out, &sender));
        Self {
            child,
            lines,
            errors,
        }
    }

    fn wait(&mut self) -> ExitStatus {
        for _ in 0..LIMIT.as_millis() / POLL.as_millis() {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            thread::sleep(POLL);
        }
        self.fail("does not die");
    }

    fn fail(&self, what: &str) -> ! {
        let errors = fs::read(&self.errors).unwrap_or_default();
        let errors = String::from_utf8_lossy(&errors);
        panic!("the child {what}; it wrote:\n{errors}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is dead already unless the test failed.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A folder that is removed at the end, unless the test failed: then it is what there is to look at.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str, number: u64) -> Self {
        let name = format!("noops-crash-{test}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::remove_dir_all(&path).ok();
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if thread::panicking() {
            let text = format!("left for inspection: {}\n", self.0.display());
            std::io::stderr().write_all(text.as_bytes()).ok();
        } else {
            fs::remove_dir_all(&self.0).ok();
        }
    }
}

const FOLDER: &str = "NOOPS_CRASH_FOLDER";
const ROUND: &str = "NOOPS_CRASH_ROUND";
const DEFAULT_KILLS: u64 = 90;

/// Far longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(1);
