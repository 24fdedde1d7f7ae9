//! Where a connection goes, and how it is made: over TCP, over TLS on it, over a unix socket, or within the process.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use http::uri::{Authority, Scheme};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};

pub use super::tls::{Access, TlsError};
use super::{
    addresses::{in_turn, resolve, with_zone},
    race,
    tls::{self, Tls},
    trouble::{self, PROBE_TIMEOUT},
    url::{Place, Url, bare_host},
};

/// Bytes in flight in each direction of an in-memory connection (arbitrary, like a socket's buffer).
const MEMORY_BUFFER: usize = 256 << 10;
/// How long a TLS handshake may take (arbitrary: it takes milliseconds).
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer in bytes, if no flag sets another: gRPC's usual limit.
pub const MAX_MESSAGE_SIZE: usize = 4 << 20;

/// How connections behave once they are up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionOptions {
    /// The interval at which a connection with calls on it is pinged; `None` for no pings.
    pub keepalive: Option<Duration>,
    /// The largest message that is accepted, in bytes. The limit holds for the decompressed message too.
    pub max_message_size: usize,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            keepalive: None,
            max_message_size: MAX_MESSAGE_SIZE,
        }
    }
}

/// A stream of bytes in both directions.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// How to reach a service: one target, or several that serve the same. Connections are numbered and go to the targets
/// in turn.
#[derive(Debug, Clone)]
pub struct Dial {
    /// The targets, at least one.
    targets: Arc<[Target]>,
    /// The number of the connection.
    connection: usize,
    options: ConnectionOptions,
}

#[derive(Debug)]
struct Target {
    way: Way,
    authority: Authority,
    /// The name of the target in messages.
    name: String,
}

#[derive(Debug)]
enum Way {
    Tcp { host: Arc<str>, port: u16, spread: bool },
    Tls { host: Arc<str>, port: u16, tls: Tls },
    Unix(PathBuf),
    Memory(mpsc::Sender<DuplexStream>),
}

impl Dial {
    /// A way to the target of a URL.
    ///
    /// # Errors
    ///
    /// If a file that `access` names cannot be used, or no certificate can be for the host.
    pub fn url(url: &Url, access: &Access) -> Result<Self, TlsError> {
        Self::urls(std::slice::from_ref(url), access)
    }

    /// A way to the targets of some URLs; at least one.
    ///
    /// # Errors
    ///
    /// If a file that `access` names cannot be used, or no certificate can be for the host.
    pub fn urls(urls: &[Url], access: &Access) -> Result<Self, TlsError> {
        let targets = urls.iter().map(|url| Target::url(url, access));
        Ok(Self::to(targets.collect::<Result<_, _>>()?))
    }

    /// A way to a service in this process, which serves what arrives at the other end of `connections`.
    pub fn memory(connections: mpsc::Sender<DuplexStream>) -> Self {
        Self::to(vec![Target {
            way: Way::Memory(connections),
            authority: Authority::from_static("in-memory"),
            name: "in-memory".to_owned(),
        }])
    }

    fn to(targets: Vec<Target>) -> Self {
        assert!(!targets.is_empty(), "there is somewhere to go");
        Self {
            targets: targets.into(),
            connection: 0,
            options: ConnectionOptions::default(),
        }
    }

    /// The same targets, with these options for their connections.
    #[must_use]
    pub fn with(self, options: ConnectionOptions) -> Self {
        Self { options, ..self }
    }

    /// The options of the connections.
    pub fn options(&self) -> ConnectionOptions {
        self.options
    }

    /// Whether every connection reaches the same process.
    pub fn is_one_service(&self) -> bool {
        self.targets.len() == 1 && !matches!(self.target().way, Way::Tcp { spread: true, .. })
    }

    /// The same targets, for the connection of this number.
    #[must_use]
    pub fn nth(&self, connection: usize) -> Self {
        Self {
            connection,
            ..self.clone()
        }
    }

    /// The URLs of the targets; `None` for a service in this process.
    pub fn urls_of_targets(&self) -> Option<Vec<String>> {
        let url = |target: &Target| (!matches!(target.way, Way::Memory(_))).then(|| target.name.clone());
        self.targets.iter().map(url).collect()
    }

    /// How many targets there are.
    pub fn target_count(&self) -> usize {
        self.targets.len()
    }

    /// The index of the target that the connection of this number goes to.
    pub fn target_of(&self, connection: usize) -> usize {
        connection % self.targets.len()
    }

    fn target(&self) -> &Target {
        &self.targets[self.target_of(self.connection)]
    }

    /// The authority of the calls: the host, and the port if there is one.
    pub fn authority(&self) -> &Authority {
        &self.target().authority
    }

    /// The scheme of the calls.
    pub fn scheme(&self) -> Scheme {
        match self.target().way {
            Way::Tls { .. } => Scheme::HTTPS,
            Way::Tcp { .. } | Way::Unix(_) | Way::Memory(_) => Scheme::HTTP,
        }
    }

    /// Makes a connection. Every phase of it has a time limit: the name, each address, TLS.
    ///
    /// # Errors
    ///
    /// With a message for people. The kind is `InvalidData` if another attempt would not help.
    pub async fn dial(&self) -> io::Result<Pin<Box<dyn Io>>> {
        match &self.target().way {
            Way::Tcp { .. } => Ok(Box::pin(self.connect().await?)),
            Way::Tls { tls, .. } => Ok(Box::pin(secure(tls, self.connect().await?).await?)),
            Way::Unix(path) => unix(path).await,
            Way::Memory(connections) => {
                let (near, far) = tokio::io::duplex(MEMORY_BUFFER);
                let gone = |_| io::Error::new(io::ErrorKind::ConnectionRefused, "the service has stopped");
                connections.send(far).await.map_err(gone)?;
                Ok(Box::pin(near))
            }
        }
    }

    /// Makes the TCP connection, also for TLS.
    async fn connect(&self) -> io::Result<TcpStream> {
        let (host, port, spread) = match &self.target().way {
            Way::Tcp { host, port, spread } => (host, *port, *spread),
            Way::Tls { host, port, .. } => (host, *port, false),
            Way::Unix(_) | Way::Memory(_) => unreachable!("these do not go over TCP"),
        };
        let addresses = resolve(host, port).await?;
        let addresses = if spread {
            in_turn(addresses, self.connection / self.targets.len())
        } else {
            race::interleaved(addresses)
        };
        let connected = race::connect(&addresses).await;
        connected.map_err(|error| trouble::worded(with_zone(error, host, &addresses)))
    }

    /// Finds out what the target speaks instead of HTTP/2, as a message for people; `None` if that cannot be found out.
    pub(super) async fn finds_instead(&self) -> Option<&'static str> {
        let way = &self.target().way;
        if matches!(way, Way::Tcp { .. }) {
            let probe = async { Ok::<_, io::Error>(tls::is_spoken(self.connect().await?).await) };
            if matches!(timeout(PROBE_TIMEOUT, probe).await, Ok(Ok(true))) {
                return Some("TLS is spoken there; write the URL with https://");
            }
        }
        if matches!(way, Way::Memory(_)) {
            return None;
        }
        let probe = async { Ok::<_, io::Error>(trouble::speaks_http_1(self.dial().await?).await) };
        matches!(timeout(PROBE_TIMEOUT, probe).await, Ok(Ok(true)))
            .then_some("it speaks HTTP/1.1, not HTTP/2, which gRPC needs; is this the port of the gRPC server?")
    }
}

async fn secure(tls: &Tls, stream: TcpStream) -> io::Result<impl Io + use<>> {
    match timeout(HANDSHAKE_TIMEOUT, tls.secure(stream)).await {
        Ok(secured) => secured,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("connected, but nothing there answered in TLS within {HANDSHAKE_TIMEOUT:?}"),
        )),
    }
}

#[cfg(unix)]
async fn unix(path: &Path) -> io::Result<Pin<Box<dyn Io>>> {
    let connected = tokio::net::UnixStream::connect(path).await;
    let stream = connected.map_err(trouble::worded).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), format!("there is no socket {}", path.display())),
        io::ErrorKind::ConnectionRefused => {
            io::Error::new(error.kind(), "connection refused: nothing listens on the socket")
        }
        _ => error,
    });
    Ok(Box::pin(stream?))
}

#[cfg(not(unix))]
async fn unix(_: &Path) -> io::Result<Pin<Box<dyn Io>>> {
    Err(trouble::unfit("this system has no unix sockets"))
}

impl Target {
    fn url(url: &Url, access: &Access) -> Result<Self, TlsError> {
        let authority = access.authority.clone().unwrap_or_else(|| url.authority().clone());
        let way = match url.place() {
            Place::Socket(path) => Way::Unix(path.clone()),
            Place::Host { host, port, spread } => {
                let (host, port, spread) = (Arc::clone(host), *port, *spread);
                if url.is_secure() {
                    let tls = Tls::new(access, bare_host(&authority))?;
                    Way::Tls { host, port, tls }
                } else {
                    Way::Tcp { host, port, spread }
                }
            }
        };
        let name = url.to_string();
        Ok(Self { way, authority, name })
    }
}

impl fmt::Display for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.target().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_dealt_to_the_targets_in_turn() {
        let urls = ["http://a:1", "http://b:2"].map(|url| url.parse().unwrap());
        let dial = Dial::urls(&urls, &Access::default()).unwrap();
        let names = [0, 1, 2].map(|number| dial.nth(number).to_string());
        assert_eq!(names, ["http://a:1", "http://b:2", "http://a:1"]);
        assert_eq!(dial.nth(3).authority(), "b:2");
    }
}
