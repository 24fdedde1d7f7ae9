//! Runs the `foo-service` program as a process, on ports that the system chooses, with only those environment variables that a
//! test sets.

use std::{io, net::SocketAddr, process::Stdio};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    sync::{mpsc, watch},
};

use super::{Caller, within_patience};

/// A running `foo-service` process; killed when dropped.
pub(crate) struct Program {
    child: Child,
    log: mpsc::UnboundedReceiver<String>,
    reading: watch::Sender<Reading>,
    pub(crate) start_line: String,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// Connects to a program, and sends what is written at once, as gRPC clients do. Otherwise the second part of each call would wait for
/// the acknowledgement of the first, which takes 40 ms.
pub(crate) async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// What the test does with the pipe of the program's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Read,
    /// The pipe stays open and is not read, so it becomes full.
    NotRead,
    /// The reading end of the pipe is closed.
    Gone,
}

impl Program {
    /// Starts the program, and waits for its start line.
    pub(crate) async fn start(flags: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_as(command(environment), flags).await
    }

    /// Starts the program with a limit on file descriptors that it cannot raise.
    pub(crate) async fn start_with_descriptors(limit: u32, flags: &[&str]) -> Self {
        let mut limited = Command::new("/bin/sh");
        let script = format!("ulimit -n {limit} && exec \"$0\" \"$@\"");
        limited.args(["-c", &script, env!("CARGO_BIN_EXE_foo-service")]);
        prepare(&mut limited, &[]);
        Self::start_as(limited, flags).await
    }

    /// Starts the program with a limit on the size of files, in blocks of 512 bytes, to simulate a full disk.
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
        // The pipe is read to its end, so that the program never waits for room in it.
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

    /// Closes the reading end of the log's pipe.
    pub(crate) fn close_log(&self) {
        self.reading.send_replace(Reading::Gone);
    }

    /// Stops reading the log, but keeps the pipe open.
    pub(crate) fn stop_reading_log(&self) {
        self.reading.send_replace(Reading::NotRead);
    }

    /// Changes the process's limit on file descriptors.
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

    /// The log lines that have arrived and were not returned yet.
    pub(crate) fn log_so_far(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.log.try_recv().ok()).collect()
    }

    pub(crate) async fn caller(&self) -> Caller {
        Caller::over(connect(self.address).await.expect("it listens")).await
    }

    /// Kills the process by SIGKILL, and waits until it has ended.
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

    /// Waits for a log line that contains `text`, and returns it.
    pub(crate) async fn logged(&mut self, text: &str) -> String {
        line_with(&mut self.log, text).await
    }

    /// Waits for the process's end. `None` if a signal ended it.
    pub(crate) async fn exit_code(mut self) -> Option<i32> {
        within_patience(self.child.wait())
            .await
            .expect("it can be waited for")
            .code()
    }
}

/// Runs the program to its end. Returns the exit code, standard output and standard error.
pub(crate) async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let output = command(environment).args(arguments).output();
    let output = within_patience(output).await.expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A command for the program, with only these environment variables and with its output piped.
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
