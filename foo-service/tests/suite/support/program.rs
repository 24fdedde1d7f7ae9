//! The `foo-service` program as a process of its own, on ports that the system chose, with an environment that is empty
//! but for what a test puts there.

use std::{net::SocketAddr, process::Stdio};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    sync::{mpsc, watch},
};

use super::{Caller, within_patience};

/// A running service; killed when dropped.
pub(crate) struct Program {
    child: Child,
    log: mpsc::UnboundedReceiver<String>,
    reading: watch::Sender<Reading>,
    pub(crate) start_line: String,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// What becomes of what the program logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Read,
    /// The pipe is open, and fills.
    NotRead,
    /// The pipe is closed: the program has ended.
    Gone,
}

impl Program {
    /// Starts it, and waits until it says where it listens.
    pub(crate) async fn start(flags: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_as(command(environment), flags).await
    }

    /// Starts it with a limit on file descriptors, which it cannot raise.
    pub(crate) async fn start_with_descriptors(limit: u32, flags: &[&str]) -> Self {
        let mut limited = Command::new("/bin/sh");
        let script = format!("ulimit -n {limit} && exec \"$0\" \"$@\"");
        limited.args(["-c", &script, env!("CARGO_BIN_EXE_foo-service")]);
        prepare(&mut limited, &[]);
        Self::start_as(limited, flags).await
    }

    /// Starts it with a limit on the size of files, in blocks of 512 bytes: a disk that is full.
    pub(crate) async fn start_with_small_files(blocks: u32, flags: &[&str]) -> Self {
        let mut limited = Command::new("/bin/sh");
        let script = format!("trap '' XFSZ && ulimit -f {blocks} && exec \"$0\" \"$@\"");
        limited.args(["-c", &script, env!("CARGO_BIN_EXE_foo-service")]);
        prepare(&mut limited, &[]);
        Self::start_as(limited, flags).await
    }

    async fn start_as(mut command: Command, flags: &[&str]) -> Self {
        if !flags.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        }
        let mut child = command.args(flags).spawn().expect("the program starts");
        let stderr = child.stderr.take().expect("it is piped");
        // Read to the end, so that the program never waits for room in the pipe.
        let (lines, mut log) = mpsc::unbounded_channel();
        let (reading, mut read) = watch::channel(Reading::Read);
        tokio::spawn(async move {
            let mut stderr = BufReader::new(stderr).lines();
            loop {
                tokio::select! {
                    line = stderr.next_line() => match line {
                        Ok(Some(line)) => drop(lines.send(line)),
                        _ => return,
                    },
                    _ = read.wait_for(|reading| *reading != Reading::Read) => break,
                }
            }
            let _ = read.wait_for(|reading| *reading == Reading::Gone).await;
        });
        let start_line = line_with(&mut log, " serving ").await;
        Self {
            address: address(&start_line, " address="),
            admin: address(&start_line, " admin="),
            child,
            log,
            reading,
            start_line,
        }
    }

    /// The reader of its log goes away.
    pub(crate) fn close_log(&self) {
        self.reading.send_replace(Reading::Gone);
    }

    /// The reader of its log stays, and does not read.
    pub(crate) fn stop_reading_log(&self) {
        self.reading.send_replace(Reading::NotRead);
    }

    /// Changes its limit on file descriptors.
    pub(crate) fn limit_descriptors(&self, limit: u64) {
        let limit = Rlimit {
            current: Some(limit),
            maximum: None,
        };
        let most = prlimit(Some(self.pid()), Resource::Nofile, getrlimit(Resource::Nofile)).expect("it is there");
        let limit = Rlimit {
            maximum: most.maximum,
            ..limit
        };
        prlimit(Some(self.pid()), Resource::Nofile, limit).expect("it is there");
    }

    /// The lines of its log that are there and were not looked at.
    pub(crate) fn log_so_far(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.log.try_recv().ok()).collect()
    }

    pub(crate) async fn caller(&self) -> Caller {
        Caller::over(TcpStream::connect(self.address).await.expect("it listens")).await
    }

    /// Ends it by SIGKILL, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        within_patience(self.child.kill()).await.expect("it is there");
    }

    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    pub(crate) fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it is there");
    }

    fn pid(&self) -> Pid {
        let id = self.child.id().expect("it has not been waited for");
        Pid::from_raw(i32::try_from(id).expect("process ids are small")).expect("and not 0")
    }

    /// Waits for a line of its log.
    pub(crate) async fn logged(&mut self, text: &str) -> String {
        line_with(&mut self.log, text).await
    }

    /// Waits for its end. `None`: a signal ended it.
    pub(crate) async fn exit_code(mut self) -> Option<i32> {
        within_patience(self.child.wait())
            .await
            .expect("it can be waited for")
            .code()
    }
}

/// Runs the program to its end: exit code, standard output, standard error.
pub(crate) async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let output = command(environment).args(arguments).output();
    let output = within_patience(output).await.expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The program, with nothing in its environment but that, and pipes to what it says.
pub(crate) fn command(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_foo-service"));
    prepare(&mut command, environment);
    command
}

fn prepare(command: &mut Command, environment: &[(&str, &str)]) {
    command
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
}

async fn line_with(log: &mut mpsc::UnboundedReceiver<String>, text: &str) -> String {
    within_patience(async {
        loop {
            let line = log.recv().await.expect("the log goes on");
            if line.contains(text) {
                return line;
            }
        }
    })
    .await
}

fn address(line: &str, name: &str) -> SocketAddr {
    let (_, rest) = line.split_once(name).expect("the line names it");
    let address = rest.split(' ').next().and_then(|address| address.parse().ok());
    address.expect("an address")
}
