//! Runs the two programs as a user does: starts them, waits for them, stops them, and reads their reports.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod json_schema;
pub(crate) mod markup;
pub(crate) mod nats;
pub(crate) mod own_server;
pub(crate) mod scrape;

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{self, Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc,
    thread,
};

use load_client::report::{Report, Run};
use rustix::process::{Pid, Signal, kill_process};

/// Whether tests that have a short and a long form run the long one: with `LONG_TESTS=1`, which `scripts/nightly` sets.
pub(crate) fn long_tests() -> bool {
    std::env::var_os("LONG_TESTS").is_some_and(|value| value == "1")
}

/// The folder of the repository.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// An address that is free and that no other test process takes, because each process uses another loopback host. (With one
/// host for all, a port that was free a moment ago may already belong to the service of another test.)
pub(crate) fn free_address() -> String {
    let [_, high, middle, low] = process::id().to_be_bytes();
    let host = Ipv4Addr::new(127, 128 | high, middle, low.clamp(1, 254));
    let listener = TcpListener::bind((host, 0)).unwrap();
    listener.local_addr().unwrap().to_string()
}

/// The load client, with no flag taken from the environment. For runs in virtual time, which give the same figures in every
/// build, `PROGRAMS` names the folder of an optimised build: an hour of virtual time takes it seconds.
pub(crate) fn load_client<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let args: Vec<S> = args.into_iter().collect();
    let built = PathBuf::from(env!("CARGO_BIN_EXE_load-client"));
    let virtual_time = args.iter().any(|arg| arg.as_ref() == "--virtual-time");
    let optimised = std::env::var_os("PROGRAMS").filter(|_| virtual_time);
    let program = optimised.map_or(built, |folder| PathBuf::from(folder).join("load-client"));
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LOAD_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs the load client to its end and reads its report.
pub(crate) fn report<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> (Output, Report) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let output = load_client(args).arg("--json").arg(&file).output().unwrap();
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let report = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (output, report)
}

/// The run with this name.
pub(crate) fn named<'a>(report: &'a Report, name: &str) -> &'a Run {
    report.runs.iter().find(|run| run.name == name).unwrap()
}

/// Asserts that the counts of a run add up.
pub(crate) fn assert_balanced(run: &Run) {
    let ledger = &run.ledger;
    assert!(ledger.balances(), "{ledger:?}");
    if let Some(audit) = &run.audit {
        assert!(audit.balances(), "{audit:?}");
        assert_eq!((audit.lost, audit.duplicated), (0, 0), "{audit:?}");
    }
}

/// Sends a signal to a child process.
pub(crate) fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// A `foo-service` process. Killed when dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) url: String,
    /// The host:port of the admin port.
    pub(crate) admin: String,
}

impl Service {
    /// Starts a service on a free port, and waits until it serves.
    pub(crate) fn start<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Self {
        Self::start_at("127.0.0.1:0", args)
    }

    /// Starts a service at an address, and waits until it serves.
    pub(crate) fn start_at<S: AsRef<OsStr>>(address: &str, args: impl IntoIterator<Item = S>) -> Self {
        let mut child = Command::new(foo_service())
            .args(["--listen", address, "--admin-listen", "127.0.0.1:0"])
            .args(args)
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let serving = lines
            .find(|line| line.contains("serving "))
            .expect("it says where it serves");
        // The rest of the log is read too, so that the pipe never becomes full.
        thread::spawn(move || lines.for_each(drop));
        let field = |name: &str| serving.split(name).nth(1).unwrap().split(' ').next().unwrap();
        Self {
            child,
            url: format!("http://{}", field("address=")),
            admin: field("admin=").to_owned(),
        }
    }

    /// The service's host:port, with which another service can be started at the same address.
    pub(crate) fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    pub(crate) fn signal(&self, which: Signal) {
        signal(&self.child, which);
    }

    /// Kills the process, and waits until it has ended.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of the foo-service program, next to this program. Builds it if it does not exist.
fn foo_service() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_BIN_EXE_load-client")).with_file_name("foo-service");
    if !beside.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "-p", "foo-service"])
            .status()
            .unwrap();
        assert!(built.success());
    }
    beside
}

/// A running load client, and the lines that it writes to stderr.
pub(crate) struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines }
    }

    /// Waits for a line on stderr that contains `what`, and returns it.
    pub(crate) fn wait_for_line(&self, what: &str) -> String {
        loop {
            let line = self
                .lines
                .recv()
                .unwrap_or_else(|_| panic!("it ended without saying {what:?}"));
            if line.contains(what) {
                return line;
            }
        }
    }

    pub(crate) fn child(&self) -> &Child {
        &self.child
    }

    /// Kills the process, and waits until it has ended.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the process's end. Returns its status, and the lines on stderr that were not read yet.
    pub(crate) fn wait(mut self) -> (ExitStatus, Vec<String>) {
        let status = self.child.wait().unwrap();
        (status, self.lines.iter().collect())
    }
}
