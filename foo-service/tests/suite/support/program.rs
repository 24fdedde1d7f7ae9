//! The `foo-service` program as a process of its own, on ports that the system chose, with an environment that is empty
//! but for what a test puts there.

use std::{net::SocketAddr, process::Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    sync::mpsc,
};

use super::{Caller, within_patience};

/// A running service; killed when dropped.
pub(crate) struct Program {
    child: Child,
    log: mpsc::UnboundedReceiver<String>,
    pub(crate) start_line: String,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Program {
    /// Starts it, and waits until it says where it listens.
    pub(crate) async fn start(flags: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = command(environment)
            .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .args(flags)
            .spawn()
            .expect("the program starts");
        let stderr = child.stderr.take().expect("it is piped");
        // Read to the end, so that the program never waits for room in the pipe.
        let (lines, mut log) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut stderr = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = stderr.next_line().await {
                let _ = lines.send(line);
            }
        });
        let start_line = line_with(&mut log, " serving ").await;
        Self {
            address: address(&start_line, " address="),
            admin: address(&start_line, " admin="),
            child,
            log,
            start_line,
        }
    }

    /// A caller over TCP.
    pub(crate) async fn caller(&self) -> Caller {
        Caller::over(TcpStream::connect(self.address).await.expect("it listens")).await
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.id().expect("it has not been waited for");
        let id = Pid::from_raw(i32::try_from(id).expect("process ids are small")).expect("and not 0");
        kill_process(id, signal).expect("it is there");
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

fn command(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_foo-service"));
    command
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
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
