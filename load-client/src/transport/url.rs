//! The URL of a target, as `http://host:port` or, over TLS, `https://host:port`; or as gRPC names targets:
//! `dns:///host:port`, which is all addresses of the name, and `unix:///path`.

use std::{borrow::Cow, fmt, num::NonZero, path::PathBuf, str::FromStr, sync::Arc};

use http::uri::{Authority, Scheme};

/// The URL of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    /// The authority of the calls.
    authority: Authority,
    place: Place,
    /// The URL as it was written, without credentials.
    written: String,
}

/// Where a target is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A host on the network.
    Host {
        /// The name or address to connect to, with the zone of an IPv6 address.
        host: Arc<str>,
        /// The port; if none is written, the scheme's own.
        port: u16,
        /// Whether connections are to be spread over all addresses of the host.
        spread: bool,
    },
    /// A unix socket at this path.
    Socket(PathBuf),
}

/// Why a URL names no target.
#[derive(Debug, thiserror::Error)]
#[error("{url:?} {reason}")]
pub struct UrlError {
    /// The URL as it was written, without what may be a credential.
    url: String,
    reason: Cow<'static, str>,
}

impl Url {
    /// Whether the URL asks for TLS.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The authority of the calls: host and port as written, without the zone of an IPv6 address, which means nothing
    /// to the peer; `localhost` for a unix socket.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Where the target is found.
    pub fn place(&self) -> &Place {
        &self.place
    }

    fn socket(path: &str) -> Self {
        Self {
            scheme: Scheme::HTTP,
            authority: Authority::from_static("localhost"),
            place: Place::Socket(path.into()),
            written: format!("unix:{path}"),
        }
    }
}

/// The host of an authority: brackets belong to the URL, not to the address.
pub(super) fn bare_host(authority: &Authority) -> &str {
    authority.host().trim_start_matches('[').trim_end_matches(']')
}

/// A URL without the zone of its IPv6 address, and that zone. In a URL the percent sign before it is written as %25
/// (RFC 6874); many programs take it as it is, too.
fn without_zone(url: &str) -> Option<(String, String)> {
    let (scheme, rest) = url.split_once("://[")?;
    let (address, rest) = rest.split_once('%')?;
    let (zone, after) = rest.split_once(']')?;
    let zone = zone.strip_prefix("25").unwrap_or(zone);
    Some((format!("{scheme}://[{address}]{after}"), zone.to_owned()))
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let shown = foo_flags::without_credentials(text);
        let wrong = |reason: &'static str| UrlError {
            url: shown.clone(),
            reason: reason.into(),
        };
        if let Some(path) = text.strip_prefix("unix:") {
            // Three slashes are an empty authority and an absolute path (naming.md of the gRPC project).
            let path = match path.strip_prefix("//") {
                Some(absolute) if absolute.starts_with('/') => absolute,
                Some(_) => return Err(wrong("has one slash too few; write it as unix:///path")),
                None => path,
            };
            if matches!(path, "" | "/") {
                return Err(wrong("names no socket; write it as unix:///path"));
            }
            return Ok(Self::socket(path));
        }
        // gRPC's own way to write a target. Between two slashes and a third one it would name a DNS server.
        let name = text.strip_prefix("dns:");
        let spread = name.is_some();
        let name = name.map(|name| name.strip_prefix("///").unwrap_or(name));
        if name.is_some_and(|name| name.starts_with('/')) {
            return Err(wrong(
                "names a DNS server; the system's is asked: write it as dns:///host:port",
            ));
        }
        let written = name.map_or_else(|| Cow::Borrowed(text), |name| Cow::Owned(format!("http://{name}")));
        let (written, zone) = match without_zone(&written) {
            None => (written, String::new()),
            Some((without, zone)) => {
                let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
                if zone.is_empty() || !zone.bytes().all(is_of_a_name) {
                    return Err(wrong(
                        "has a zone that no interface can have; write it as http://[fe80::1%25eth0]:50051",
                    ));
                }
                (Cow::Owned(without), format!("%{zone}"))
            }
        };
        let uri: http::Uri = written
            .parse()
            .map_err(|_| wrong("is not a URL; write it as http://host:port"))?;
        let scheme = match uri.scheme() {
            Some(scheme) if [Scheme::HTTP, Scheme::HTTPS].contains(scheme) => scheme.clone(),
            None if uri.authority().is_some() => {
                let host = if shown == text { text } else { "host:port" };
                return Err(UrlError {
                    reason: format!("has no scheme; write it as http://{host} or, for TLS, https://{host}").into(),
                    url: shown,
                });
            }
            _ => {
                return Err(wrong(
                    "has no scheme that is known; write it as http://host:port or, for TLS, https://",
                ));
            }
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("has a path; a gRPC target is only http://host:port"));
        }
        let authority = uri.authority().cloned().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("has a user; give credentials with --header instead"));
        }
        if authority.host().is_empty() {
            return Err(wrong("names no host"));
        }
        // The port is read here, because `http` ignores a port that is not valid.
        let after_host = authority.as_str().strip_prefix(authority.host());
        let port = match after_host.and_then(|rest| rest.strip_prefix(':')) {
            Some(port) => port
                .parse::<NonZero<u16>>()
                .map_err(|_| wrong("has something else after the colon than a port from 1 to 65535"))?
                .get(),
            None if scheme == Scheme::HTTPS => 443,
            None => 80,
        };
        let host = format!("{}{zone}", bare_host(&authority)).into();
        // The URL as it was written, but with the scheme in one form and without a slash at the end.
        let shown = match zone.strip_prefix('%') {
            None => authority.to_string(),
            Some(zone) => authority.as_str().replacen(']', &format!("%25{zone}]"), 1),
        };
        let written = if spread {
            format!("dns:///{shown}")
        } else {
            format!("{scheme}://{shown}")
        };
        Ok(Self {
            scheme,
            authority,
            place: Place::Host { host, port, spread },
            written,
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &Url) -> (&str, u16, bool) {
        match url.place() {
            Place::Host { host, port, spread } => (host, *port, *spread),
            Place::Socket(path) => panic!("{path:?}"),
        }
    }

    #[test]
    fn a_url_says_where_and_how() {
        for (url, host, port) in [
            ("http://localhost:50051", "localhost", 50051),
            ("http://[::1]:1/", "::1", 1),
            ("http://10.0.0.1", "10.0.0.1", 80),
            ("https://example.com", "example.com", 443),
        ] {
            let parsed: Url = url.parse().unwrap();
            assert_eq!(place(&parsed), (host, port, false), "{url}");
            assert_eq!(parsed.is_secure(), url.starts_with("https"), "{url}");
        }
    }

    #[test]
    fn a_name_as_grpc_writes_it_stands_for_all_its_addresses() {
        for text in ["dns:///example.com:50051", "dns:example.com:50051"] {
            let url: Url = text.parse().unwrap();
            assert!(!url.is_secure());
            assert_eq!(place(&url), ("example.com", 50051, true));
            assert_eq!(url.to_string(), "dns:///example.com:50051");
        }
    }

    #[test]
    fn a_zone_belongs_to_the_address_and_not_to_what_calls_name() {
        for text in ["http://[fe80::1%25eth0]:50051", "http://[fe80::1%eth0]:50051/"] {
            let url: Url = text.parse().unwrap();
            assert_eq!(place(&url), ("fe80::1%eth0", 50051, false));
            assert_eq!(url.authority(), "[fe80::1]:50051");
            assert_eq!(url.to_string(), "http://[fe80::1%25eth0]:50051");
        }
        let url: Url = "https://[fe80::1%2525]".parse().unwrap();
        assert_eq!(place(&url), ("fe80::1%25", 443, false));
        let url: Url = "dns:///[fe80::1%251]:1".parse().unwrap();
        assert_eq!(place(&url), ("fe80::1%1", 1, true));
    }

    #[test]
    fn a_unix_socket_is_a_path() {
        for (text, path) in [
            ("unix:///tmp/a.sock", "/tmp/a.sock"),
            ("unix:/tmp/a.sock", "/tmp/a.sock"),
            ("unix:a b.sock", "a b.sock"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!(url.place(), &Place::Socket(path.into()), "{text}");
            assert_eq!(url.authority(), "localhost");
            assert_eq!(url.to_string(), format!("unix:{path}"));
            assert!(!url.is_secure());
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_url() {
        for url in [
            "localhost:50051",
            "http://h/path",
            "https://h?q",
            "ftp://h",
            "http://a@h:1",
            "http://",
            // Older versions took these two for port 80, without a host or of the host h.
            "http://:50051",
            "http://h:",
            "dns://8.8.8.8/h:1",
            "dns:///h:1/path",
            "dns:",
            "http://h:70000",
            "http://[fe80::1%25]:1",
            "http://[fe80::1%25a b]:1",
            "http://[fe80::1%eth0:1",
            "unix:",
            "unix:///",
            "unix://tmp/a.sock",
            "",
        ] {
            assert!(url.parse::<Url>().is_err(), "{url}");
        }
    }
}
