//! Where a connection goes, and how it is made: over TCP, or within the process.

use std::{fmt, io, num::NonZero, pin::Pin, sync::Arc};

use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::TcpStream,
    sync::mpsc,
};

/// Bytes in flight in each direction of an in-memory connection (arbitrary, like a socket's buffer).
const MEMORY_BUFFER: usize = 256 << 10;

/// Anything that bytes go through.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// How to reach a target.
#[derive(Debug, Clone)]
pub struct Dial {
    way: Way,
    authority: http::uri::Authority,
}

#[derive(Debug, Clone)]
enum Way {
    Tcp { host: Arc<str>, port: u16 },
    Memory(mpsc::Sender<DuplexStream>),
}

/// Why a URL cannot be dialled.
#[derive(Debug, thiserror::Error)]
#[error("{url:?} {reason}")]
pub struct UrlError {
    url: String,
    reason: &'static str,
}

impl Dial {
    /// The target of a URL like `http://host:port`.
    pub fn url(url: &str) -> Result<Self, UrlError> {
        let wrong = |reason| UrlError {
            url: url.to_owned(),
            reason,
        };
        let uri: http::Uri = url
            .parse()
            .map_err(|_| wrong("is not a URL; write it as http://host:port"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(wrong("asks for TLS, which this version does not speak; use http://")),
            _ => return Err(wrong("has no scheme that is known; write it as http://host:port")),
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("has a path; a gRPC target is only http://host:port"));
        }
        let authority = uri.authority().cloned().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("has a user; credentials go into metadata"));
        }
        if authority.host().is_empty() {
            return Err(wrong("names no host"));
        }
        // Read here: a port that is none, `http` takes for no port.
        let after_host = authority.as_str().strip_prefix(authority.host());
        let port = match after_host.and_then(|rest| rest.strip_prefix(':')) {
            Some(port) => port
                .parse::<NonZero<u16>>()
                .map_err(|_| wrong("has something else after the colon than a port from 1 to 65535"))?
                .get(),
            None => 80,
        };
        // Brackets belong to the URL, not to the address.
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').into();
        Ok(Self {
            way: Way::Tcp { host, port },
            authority,
        })
    }

    /// A service in this process that serves what arrives at the other end of `connections`.
    pub fn memory(connections: mpsc::Sender<DuplexStream>) -> Self {
        Self {
            way: Way::Memory(connections),
            authority: http::uri::Authority::from_static("in-memory"),
        }
    }

    /// What calls name as their host.
    pub fn authority(&self) -> &http::uri::Authority {
        &self.authority
    }

    /// Makes a connection.
    pub async fn dial(&self) -> io::Result<Pin<Box<dyn Io>>> {
        match &self.way {
            Way::Tcp { host, port } => {
                let stream = TcpStream::connect((&**host, *port)).await?;
                stream.set_nodelay(true)?;
                Ok(Box::pin(stream))
            }
            Way::Memory(connections) => {
                let (near, far) = tokio::io::duplex(MEMORY_BUFFER);
                let gone = |_| io::Error::new(io::ErrorKind::ConnectionRefused, "the service has stopped");
                connections.send(far).await.map_err(gone)?;
                Ok(Box::pin(near))
            }
        }
    }
}

impl fmt::Display for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_a_url() {
        for url in ["http://localhost:50051", "http://[::1]:1/", "http://10.0.0.1"] {
            assert!(Dial::url(url).is_ok(), "{url}");
        }
        for url in [
            "localhost:50051",
            "https://localhost",
            "http://h/path",
            "ftp://h",
            "http://a@h:1",
            "http://",
            // These once led to port 80, of nobody or of h.
            "http://:50051",
            "http://h:",
            "http://h:70000",
            "",
        ] {
            assert!(Dial::url(url).is_err(), "{url}");
        }
    }
}
