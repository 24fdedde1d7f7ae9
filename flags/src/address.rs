//! An address to listen on or to connect to: a name or an IP address, with a port.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    str::FromStr,
};

/// Examples, for errors about texts that are no address.
const EXAMPLES: &str = "write HOST:PORT, such as 127.0.0.1:50051, localhost:50051, or [::1]:50051";

/// A host and a port, such as `127.0.0.1:50051`, `[::1]:50051` or `localhost:50051`. Names are resolved when the address is
/// used, not when it is parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// Resolves the host to socket addresses, at least one. Blocks: the system may ask a name server.
    ///
    /// # Errors
    ///
    /// The system's error, if the name is unknown or no name server answers.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let found: Vec<_> = (&*self.host, self.port).to_socket_addrs()?.collect();
        if found.is_empty() {
            return Err(io::Error::other("the name has no address"));
        }
        Ok(found)
    }

    /// Resolves the host, and listens on the first of its addresses on which that is possible.
    ///
    /// # Errors
    ///
    /// The system's error: of resolving, or of the last address that was tried.
    pub fn bind(&self) -> io::Result<std::net::TcpListener> {
        std::net::TcpListener::bind(&self.resolve()?[..])
    }

    /// The name or the IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 0 lets the system choose one.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The socket address if the host is an IP address; `None` if it is a name.
    pub fn ip(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.host.parse::<IpAddr>().ok()?, self.port))
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            // An `IpAddr` has no zone, so the zone of an IPv6 address (`%2`) is added to the text.
            let host = match address {
                SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
                _ => address.ip().to_string(),
            };
            return Ok(Self {
                host,
                port: address.port(),
            });
        }
        // No error repeats the text: a user may have put a password into it.
        if let Some((scheme, _)) = text.split_once("://") {
            let scheme = Some(scheme).filter(|scheme| matches!(*scheme, "http" | "https"));
            let scheme = scheme.map_or_else(|| "the scheme".to_owned(), |scheme| format!("{scheme}://"));
            return Err(format!("is an address, not a URL: leave out {scheme}; {EXAMPLES}"));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(format!("has no port; {EXAMPLES}"));
        };
        let Ok(port) = port.parse() else {
            return Err(format!("has no port from 0 to 65535 after the colon; {EXAMPLES}"));
        };
        if host.is_empty() {
            return Err(format!(
                "names no host: write 0.0.0.0:{port} for all networks of this machine, 127.0.0.1:{port} for this machine only"
            ));
        }
        let in_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let is_v6 = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
        if host.contains(':') && host.chars().all(is_v6) {
            return Err(format!("is no address: IPv6 addresses stand in brackets; {EXAMPLES}"));
        }
        if !host.chars().all(in_names) || host.chars().all(is_number) {
            return Err(format!("is neither a name nor an IP address with a port; {EXAMPLES}"));
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: address.ip().to_string(),
            port: address.port(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_both_kinds_of_ip_addresses_are_taken() {
        for text in [
            "127.0.0.1:50051",
            "[::1]:0",
            "localhost:50051",
            "a-b.example.com:1",
            "foo_service:65535",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
        let here: Address = "localhost:7".parse().unwrap();
        assert!(
            here.resolve()
                .unwrap()
                .iter()
                .all(|found| found.ip().is_loopback() && found.port() == 7)
        );
        assert_eq!(here.ip(), None);
        assert!("[::1]:0".parse::<Address>().unwrap().ip().unwrap().is_ipv6());
    }

    #[test]
    fn what_is_no_address_is_told_with_an_example() {
        for (text, said) in [
            (":50051", "0.0.0.0:50051"),
            ("nowhere", "localhost:50051"),
            ("127.0.0.1", "127.0.0.1:50051"),
            ("::1:50051", "[::1]:50051"),
            ("localhost:http", "localhost:50051"),
            ("localhost:65536", "from 0 to 65535"),
            ("http://localhost:1", "leave out http://"),
            ("127.0.0.999:1", "neither a name nor an IP address"),
            ("http://me:s3cret@host:1", "leave out http://"),
            ("s3cret://host:1", "leave out the scheme"),
            (":s3cret", "from 0 to 65535"),
            ("me:s3cret@host:1", "neither a name nor an IP address"),
            ("a b:1", "neither a name nor an IP address"),
            ("", "localhost:50051"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.contains(said) && !error.contains("s3cret"), "{text}: {error}");
        }
    }
}
