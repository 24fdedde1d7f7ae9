//! Where a connection goes, and how it is made: over TCP, over TLS on it, or within the process.

use std::{collections::BTreeSet, fmt, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use http::uri::{Authority, Scheme};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::{TcpStream, ToSocketAddrs, lookup_host},
    sync::mpsc,
    time::timeout,
};

pub use super::tls::{Access, TlsError};
use super::{
    tls::{self, Tls},
    url::{Url, without_brackets},
};

/// Bytes in flight in each direction of an in-memory connection (arbitrary, like a socket's buffer).
const MEMORY_BUFFER: usize = 256 << 10;
/// How long finding out whether a peer speaks TLS may take (arbitrary: it is only for an error text).
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// Anything that bytes go through.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// How to reach a service: one target, or several that serve the same. Connections are numbered, and dealt to them in turn.
#[derive(Debug, Clone)]
pub struct Dial {
    /// At least one.
    targets: Arc<[Target]>,
    /// The number of the connection.
    connection: usize,
}

#[derive(Debug)]
struct Target {
    way: Way,
    authority: Authority,
    /// For people.
    name: String,
}

#[derive(Debug)]
enum Way {
    Tcp { host: Arc<str>, port: u16, spread: bool },
    Tls { host: Arc<str>, port: u16, tls: Tls },
    Memory(mpsc::Sender<DuplexStream>),
}

impl Dial {
    /// The target of a URL.
    ///
    /// # Errors
    ///
    /// If a file that `access` names does not do.
    pub fn url(url: &Url, access: &Access) -> Result<Self, TlsError> {
        Self::urls(std::slice::from_ref(url), access)
    }

    /// The targets of some URLs; at least one.
    ///
    /// # Errors
    ///
    /// If a file that `access` names does not do.
    pub fn urls(urls: &[Url], access: &Access) -> Result<Self, TlsError> {
        let targets = urls.iter().map(|url| Target::url(url, access));
        Ok(Self::to(targets.collect::<Result<_, _>>()?))
    }

    /// A service in this process that serves what arrives at the other end of `connections`.
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
        }
    }

    /// Whether whatever is reached is the same process.
    pub fn is_one_service(&self) -> bool {
        self.targets.len() == 1 && !matches!(self.target().way, Way::Tcp { spread: true, .. })
    }

    /// The same, for the connection of this number.
    #[must_use]
    pub fn nth(&self, connection: usize) -> Self {
        Self {
            targets: Arc::clone(&self.targets),
            connection,
        }
    }

    /// The URLs of the targets; `None` of a service in this process.
    pub fn urls_of_targets(&self) -> Option<Vec<String>> {
        let url = |target: &Target| (!matches!(target.way, Way::Memory(_))).then(|| target.name.clone());
        self.targets.iter().map(url).collect()
    }

    /// How many targets there are.
    pub fn target_count(&self) -> usize {
        self.targets.len()
    }

    /// The place among the targets of the one that the connection of this number goes to.
    pub fn target_of(&self, connection: usize) -> usize {
        connection % self.targets.len()
    }

    fn target(&self) -> &Target {
        &self.targets[self.target_of(self.connection)]
    }

    /// What calls name as their host.
    pub fn authority(&self) -> &Authority {
        &self.target().authority
    }

    /// What calls name as their scheme.
    pub fn scheme(&self) -> Scheme {
        match self.target().way {
            Way::Tls { .. } => Scheme::HTTPS,
            Way::Tcp { .. } | Way::Memory(_) => Scheme::HTTP,
        }
    }

    /// Makes a connection.
    ///
    /// # Errors
    ///
    /// Of kind `InvalidData` where the ends do not fit each other, so that trying again does not help.
    pub async fn dial(&self) -> io::Result<Pin<Box<dyn Io>>> {
        match &self.target().way {
            Way::Tcp {
                host,
                port,
                spread: true,
            } => {
                let addresses = lookup_host((&**host, *port)).await?.collect();
                let first = self.connection / self.targets.len();
                Ok(Box::pin(connect(&*in_turn(addresses, first)).await?))
            }
            Way::Tcp {
                host,
                port,
                spread: false,
            } => Ok(Box::pin(connect((&**host, *port)).await?)),
            Way::Tls { host, port, tls } => Ok(Box::pin(tls.secure(connect((&**host, *port)).await?).await?)),
            Way::Memory(connections) => {
                let (near, far) = tokio::io::duplex(MEMORY_BUFFER);
                let gone = |_| io::Error::new(io::ErrorKind::ConnectionRefused, "the service has stopped");
                connections.send(far).await.map_err(gone)?;
                Ok(Box::pin(near))
            }
        }
    }

    /// Whether TLS is spoken where it was not expected: a reason why a connection breaks.
    pub(super) async fn finds_tls(&self) -> bool {
        let Way::Tcp { host, port, .. } = &self.target().way else {
            return false;
        };
        let probe = async { Ok::<_, io::Error>(tls::is_spoken(connect((&**host, *port)).await?).await) };
        matches!(timeout(PROBE_TIMEOUT, probe).await, Ok(Ok(true)))
    }
}

impl Target {
    fn url(url: &Url, access: &Access) -> Result<Self, TlsError> {
        let authority = access.authority.clone().unwrap_or_else(|| url.authority().clone());
        let (host, port) = (url.host(), url.port());
        let way = if url.is_secure() {
            let tls = Tls::new(access, without_brackets(&authority))?;
            Way::Tls { host, port, tls }
        } else {
            let spread = url.is_spread();
            Way::Tcp { host, port, spread }
        };
        let name = url.to_string();
        Ok(Self { way, authority, name })
    }
}

/// The addresses of a name, beginning with another for each number: the first connections go to one each, and none to what
/// cannot be reached while others can.
fn in_turn(addresses: Vec<SocketAddr>, first: usize) -> Vec<SocketAddr> {
    // A resolver gives them in an order that changes, so that whoever takes the first gets one of them at random.
    let mut addresses: Vec<SocketAddr> = BTreeSet::from_iter(addresses).into_iter().collect();
    let count = addresses.len().max(1);
    addresses.rotate_left(first % count);
    addresses
}

async fn connect(to: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
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
    fn connections_are_dealt_to_the_addresses_of_a_name_whatever_their_order() {
        let [a, b, c] = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"].map(|address| address.parse().unwrap());
        let first = |addresses: [SocketAddr; 3], first| in_turn(addresses.to_vec(), first)[0];
        assert_eq!([0, 1, 2, 3].map(|number| first([c, a, b], number)), [a, b, c, a]);
        assert_eq!(first([b, c, a], 1), b);
        assert_eq!(
            in_turn(vec![a, a, b], 1),
            [b, a],
            "the others are there if it cannot be reached"
        );
        assert!(in_turn(Vec::new(), 7).is_empty());
    }

    #[test]
    fn connections_are_dealt_to_the_targets_in_turn() {
        let urls = ["http://a:1", "http://b:2"].map(|url| url.parse().unwrap());
        let dial = Dial::urls(&urls, &Access::default()).unwrap();
        let names = [0, 1, 2].map(|number| dial.nth(number).to_string());
        assert_eq!(names, ["http://a:1", "http://b:2", "http://a:1"]);
        assert_eq!(dial.nth(3).authority(), "b:2");
    }
}
