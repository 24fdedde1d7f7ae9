//! The URL of a target, as `http://host:port` or, over TLS, `https://host:port`; or `dns:///host:port`, which is all that
//! the name stands for.

use std::{borrow::Cow, fmt, num::NonZero, str::FromStr, sync::Arc};

use http::uri::{Authority, Scheme};

/// A target that was named, and not yet reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    authority: Authority,
    port: u16,
    spread: bool,
}

/// Why a URL names no target.
#[derive(Debug, thiserror::Error)]
#[error("{url:?} {reason}")]
pub struct UrlError {
    url: String,
    reason: Cow<'static, str>,
}

impl Url {
    /// Whether it asks for TLS.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// Whether connections are to be spread over all addresses of its host.
    pub fn is_spread(&self) -> bool {
        self.spread
    }

    /// Host and port, as written.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The name or address to connect to.
    pub fn host(&self) -> Arc<str> {
        without_brackets(&self.authority).into()
    }

    /// The port to connect to: where none is written, the one that goes with the scheme.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// The host of an authority: brackets belong to the URL, not to the address.
pub(super) fn without_brackets(authority: &Authority) -> &str {
    authority.host().trim_start_matches('[').trim_end_matches(']')
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let wrong = |reason: &'static str| UrlError {
            url: text.to_owned(),
            reason: reason.into(),
        };
        // gRPC's own way to write a target; after two slashes would come the server to ask (naming.md of the gRPC project).
        let name = text.strip_prefix("dns:");
        let spread = name.is_some();
        let name = name.map(|name| name.strip_prefix("///").unwrap_or(name));
        if name.is_some_and(|name| name.starts_with('/')) {
            return Err(wrong(
                "names a DNS server; the system's is asked: write it as dns:///host:port",
            ));
        }
        let written = name.map_or_else(|| Cow::Borrowed(text), |name| Cow::Owned(format!("http://{name}")));
        let uri: http::Uri = written
            .parse()
            .map_err(|_| wrong("is not a URL; write it as http://host:port"))?;
        let scheme = match uri.scheme() {
            Some(scheme) if [Scheme::HTTP, Scheme::HTTPS].contains(scheme) => scheme.clone(),
            None if uri.authority().is_some() => {
                return Err(UrlError {
                    url: text.to_owned(),
                    reason: format!("has no scheme; write it as http://{text} or, for TLS, https://{text}").into(),
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
            None if scheme == Scheme::HTTPS => 443,
            None => 80,
        };
        Ok(Self {
            scheme,
            authority,
            port,
            spread,
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.spread {
            return write!(f, "dns:///{}", self.authority);
        }
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_how() {
        for (url, host, port) in [
            ("http://localhost:50051", "localhost", 50051),
            ("http://[::1]:1/", "::1", 1),
            ("http://10.0.0.1", "10.0.0.1", 80),
            ("https://example.com", "example.com", 443),
        ] {
            let parsed: Url = url.parse().unwrap();
            assert_eq!((&*parsed.host(), parsed.port()), (host, port), "{url}");
            assert_eq!(parsed.is_secure(), url.starts_with("https"), "{url}");
        }
    }

    #[test]
    fn a_name_as_grpc_writes_it_stands_for_all_its_addresses() {
        for text in ["dns:///example.com:50051", "dns:example.com:50051"] {
            let url: Url = text.parse().unwrap();
            assert!(url.is_spread() && !url.is_secure());
            assert_eq!((&*url.host(), url.port()), ("example.com", 50051));
            assert_eq!(url.to_string(), "dns:///example.com:50051");
        }
        assert!(!"http://example.com".parse::<Url>().unwrap().is_spread());
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
            // These once led to port 80, of nobody or of h.
            "http://:50051",
            "http://h:",
            "dns://8.8.8.8/h:1",
            "dns:///h:1/path",
            "dns:",
            "http://h:70000",
            "",
        ] {
            assert!(url.parse::<Url>().is_err(), "{url}");
        }
    }
}
