//! Where a connection goes, and how it is made: over TCP, over TLS on it, or within the process.

use std::{fmt, io, pin::Pin, sync::Arc, time::Duration};

use http::uri::{Authority, Scheme};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::TcpStream,
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

/// How to reach a target.
#[derive(Debug, Clone)]
pub struct Dial {
    way: Way,
    authority: Authority,
    /// For people.
    name: Arc<str>,
}

#[derive(Debug, Clone)]
enum Way {
    Tcp { host: Arc<str>, port: u16 },
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
        let authority = access.authority.clone().unwrap_or_else(|| url.authority().clone());
        let (host, port) = (url.host(), url.port());
        let way = if url.is_secure() {
            let tls = Tls::new(access, without_brackets(&authority))?;
            Way::Tls { host, port, tls }
        } else {
            Way::Tcp { host, port }
        };
        let name = url.to_string().into();
        Ok(Self { way, authority, name })
    }

    /// A service in this process that serves what arrives at the other end of `connections`.
    pub fn memory(connections: mpsc::Sender<DuplexStream>) -> Self {
        Self {
            way: Way::Memory(connections),
            authority: Authority::from_static("in-memory"),
            name: "in-memory".into(),
        }
    }

    /// What calls name as their host.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What calls name as their scheme.
    pub fn scheme(&self) -> Scheme {
        match self.way {
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
        match &self.way {
            Way::Tcp { host, port } => Ok(Box::pin(connect(host, *port).await?)),
            Way::Tls { host, port, tls } => Ok(Box::pin(tls.secure(connect(host, *port).await?).await?)),
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
        let Way::Tcp { host, port } = &self.way else {
            return false;
        };
        let probe = async { Ok::<_, io::Error>(tls::is_spoken(connect(host, *port).await?).await) };
        matches!(timeout(PROBE_TIMEOUT, probe).await, Ok(Ok(true)))
    }
}

async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl fmt::Display for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
