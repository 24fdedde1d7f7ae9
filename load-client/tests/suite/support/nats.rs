//! A nats-server for a test, on a free port of loopback.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running nats-server; killed when dropped.
pub(crate) struct Nats {
    child: Child,
    _folder: tempfile::TempDir,
    pub(crate) url: String,
}

impl Nats {
    /// Starts the server that `NATS_SERVER` names or `scripts/get-nats` has fetched. Without one it returns `None`, or panics if
    /// `CI=true`.
    pub(crate) fn start() -> Option<Self> {
        let ours = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .with_file_name("nats")
            .join("nats-server");
        let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
        let Some(program) = named.or(Some(ours)).filter(|program| program.is_file()) else {
            let in_ci = std::env::var("CI").as_deref() == Ok("true");
            assert!(!in_ci, "there is no nats-server: run scripts/get-nats");
            eprintln!("SKIPPED: there is no nats-server: run scripts/get-nats");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let store = folder.path().join("store");
        let configuration = format!(
            "listen: \"{address}\"\njetstream {{ store_dir: {:?}, sync_interval: always }}\nmax_payload: 2MB\n",
            store.display().to_string()
        );
        let file = folder.path().join("nats.conf");
        std::fs::write(&file, configuration).unwrap();
        let child = Command::new(program)
            .arg("-c")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            child,
            _folder: folder,
            url: format!("nats://{address}"),
        };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(start.elapsed() < PATIENCE, "nats-server does not listen");
            sleep(Duration::from_millis(10));
        }
        Some(server)
    }
}

impl Nats {
    /// What the server says of its streams, in JSON, with their number as `total`.
    pub(crate) fn streams(&self) -> String {
        let mut connection = TcpStream::connect(self.url.trim_start_matches("nats://")).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let ask = "CONNECT {\"verbose\":false}\r\nSUB answers 1\r\nPUB $JS.API.STREAM.NAMES answers 0\r\n\r\n";
        connection.write_all(ask.as_bytes()).unwrap();
        let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
        lines.find(|line| line.starts_with("MSG answers")).unwrap();
        lines.next().unwrap()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
