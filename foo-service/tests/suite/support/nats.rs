//! A nats-server for a test, on a free port of loopback and with a temporary folder. It syncs every write to disk before it
//! confirms it.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
};

use foo_proto::v1::{JobOutcome as End, WatchRequest};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

use super::{
    Caller, demanding, ms,
    page::{get, samples},
    program::Program,
    until_async, watch_request, within_patience,
};

/// A running nats-server; killed when dropped.
pub(crate) struct Nats {
    child: Child,
    program: PathBuf,
    folder: TempDir,
    pub(crate) address: SocketAddr,
}

/// The path of the nats-server: from the variable `NATS_SERVER`, or where `scripts/get-nats` puts it.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
    let ours = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .with_file_name("nats")
        .join("nats-server");
    named.or(Some(ours)).filter(|program| program.is_file())
}

impl Nats {
    /// Starts a server. Without the program it returns `None`, or panics if `CI=true`.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with("jetstream { store_dir: STORE, sync_interval: always }\nmax_payload: 2MB").await
    }

    /// Starts a server with this configuration, in which STORE stands for its folder.
    pub(crate) async fn start_with(configuration: &str) -> Option<Self> {
        let Some(program) = program() else {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "there is no nats-server: run scripts/get-nats"
            );
            eprintln!("SKIPPED: there is no nats-server: run scripts/get-nats");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let address = free();
        let store = format!("{:?}", folder.path().join("store").display().to_string());
        let configuration = format!("listen: \"{address}\"\n{}\n", configuration.replace("STORE", &store));
        std::fs::write(folder.path().join("nats.conf"), configuration).unwrap();
        let child = launch(&program, folder.path());
        let server = Self {
            child,
            program,
            folder,
            address,
        };
        server.listens().await;
        Some(server)
    }

    async fn listens(&self) {
        until_async(async || TcpStream::connect(self.address).await.is_ok()).await;
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills the server by SIGKILL.
    pub(crate) async fn kill(&mut self) {
        within_patience(self.child.kill()).await.expect("it is there");
    }

    /// Starts the server again, on the same port and with the same folder.
    pub(crate) async fn start_again(&mut self) {
        self.child = launch(&self.program, self.folder.path());
        self.listens().await;
    }

    /// Publishes completions of no run. Every instance has to read them before later completions.
    pub(crate) async fn put_ends(&self, number: usize) {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        let ends = "PUB foo.foo.done 1\r\nx\r\n".repeat(number);
        let all = format!("CONNECT {{\"verbose\":false}}\r\n{ends}PING\r\n");
        connection.write_all(all.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let mut lines = BufReader::new(connection);
        while answer != "PONG\r\n" {
            answer.clear();
            within_patience(lines.read_line(&mut answer)).await.unwrap();
        }
    }

    /// Stops the server's process (SIGSTOP): it does not answer, but its connections stay open.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Continues a frozen server.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.id().expect("it has not been waited for");
        let pid = Pid::from_raw(i32::try_from(id).expect("process ids are small")).expect("and not 0");
        kill_process(pid, signal).expect("it is there");
    }

    /// Starts an instance of the service on this shared queue, with additional flags, and waits until it is ready.
    pub(crate) async fn instance(&self, flags: &[&str]) -> Program {
        let program = self.instance_of(flags).await;
        until_async(async || get(program.admin, "/readyz").await.0 == 200).await;
        program
    }

    /// Starts an instance of the service on this shared queue, with additional flags, and does not wait until it is ready.
    pub(crate) async fn instance_of(&self, flags: &[&str]) -> Program {
        let url = self.url();
        let lease: &[&str] = if flags.contains(&"--queue-lease") {
            &[]
        } else {
            &["--queue-lease", "2s"]
        };
        Program::start(&[&["--queue", &url], lease, flags].concat(), &[]).await
    }
}

/// A loopback address with a port that is free now.
pub(crate) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn launch(program: &Path, folder: &Path) -> Child {
    Command::new(program)
        .arg("-c")
        .arg(folder.join("nats.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("log")).unwrap())
        .kill_on_drop(true)
        .spawn()
        .expect("nats-server starts")
}

/// The current value of a metric of an instance.
pub(crate) async fn metric(program: &Program, name: &str) -> u64 {
    let (_, page) = get(program.admin, "/metrics").await;
    samples(&page)[name].parse().unwrap()
}

/// The outcomes of each message of a run that an instance reports, from the beginning of its log.
pub(crate) async fn told(caller: &Caller, run: &str) -> BTreeMap<String, Vec<End>> {
    let mut watch = caller.watch(watch_request(run, ms(50))).await.unwrap();
    let mut ends: BTreeMap<String, Vec<End>> = BTreeMap::new();
    loop {
        let snapshot = watch.message().await.unwrap().unwrap();
        for completion in &snapshot.completions {
            ends.entry(completion.id.clone())
                .or_default()
                .push(completion.outcome());
        }
        if !snapshot.completions_more {
            return ends;
        }
    }
}

/// Waits until an instance has reported the outcomes of this many messages of the run. Returns them.
pub(crate) async fn until_told(caller: &Caller, run: &str, messages: usize) -> BTreeMap<String, Vec<End>> {
    let mut ends = BTreeMap::new();
    until_async(async || {
        ends = told(caller, run).await;
        ends.len() >= messages
    })
    .await;
    ends
}

/// A request to resume a watch after the position `after` of this queue, with any of its instances.
pub(crate) fn resume(run: &str, queue_id: &str, after: u64) -> WatchRequest {
    WatchRequest {
        resume_queue_id: queue_id.to_owned(),
        resume_after: after,
        ..watch_request(run, ms(50))
    }
}

/// Sends messages that take no time, one after the other; all are acknowledged.
pub(crate) async fn send(caller: &Caller, run: &str, messages: std::ops::Range<u64>, demand: u64) {
    for number in messages {
        let message = demanding(&format!("{run}/{number}"), ms(demand));
        caller.enqueue(message).await.unwrap();
    }
}
