//! The flags of TLS, and of the authority of calls.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use http::uri::Authority;
use rustls::pki_types::ServerName;

use crate::transport::dial::Access;

/// The flags for TLS, which is used if a URL begins with https://.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "TLS, by https:// in the URL")]
pub struct TlsArgs {
    /// CA certificates to trust (PEM file) [default: those of the system]
    #[arg(long, env = "LOAD_CACERT", value_name = "FILE", conflicts_with = "insecure")]
    cacert: Option<PathBuf>,

    /// Certificate to present to the server, with its chain (PEM file)
    #[arg(long, env = "LOAD_CERT", value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// Private key of --cert (PEM file)
    #[arg(long, env = "LOAD_KEY", value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// Name that the server's certificate must be valid for [default: the host of --authority, or of the URL]
    #[arg(long, env = "LOAD_SERVER_NAME", value_name = "NAME", value_parser = server_name)]
    server_name: Option<ServerName<'static>>,

    /// Value of the :authority header of every call, with or without TLS [default: host and port of the URL]
    #[arg(
        long,
        env = "LOAD_AUTHORITY",
        hide_env_values = true,
        value_hint = ValueHint::Hostname,
        value_name = "HOST",
        value_parser = authority
    )]
    authority: Option<Authority>,

    /// Do not verify the server's certificate. Then anyone can pretend to be the server. (For no TLS at all, write http://
    /// in the URL)
    #[arg(long, env = "LOAD_INSECURE")]
    insecure: bool,
}

impl TlsArgs {
    /// The first of these flags that was given, if any.
    pub fn asked_for(&self) -> Option<&'static str> {
        [
            (self.cacert.is_some(), "--cacert"),
            (self.cert.is_some(), "--cert"),
            (self.server_name.is_some(), "--server-name"),
            (self.insecure, "--insecure"),
        ]
        .into_iter()
        .find_map(|(given, flag)| given.then_some(flag))
    }

    /// How a target with these flags is reached.
    pub fn access(&self) -> Access {
        Access {
            authority: self.authority.clone(),
            name: self.server_name.clone(),
            ca: self.cacert.clone(),
            identity: self.cert.clone().zip(self.key.clone()),
            anyone: self.insecure,
        }
    }
}

/// Reads an authority without a user: HTTP/2 allows none there (RFC 9113, section 8.3.1), and a password would go into
/// the report.
fn authority(text: &str) -> Result<Authority, String> {
    if text.contains('@') {
        return Err("has a user or a password, which HTTP/2 does not allow there; write HOST or HOST:PORT".to_owned());
    }
    let authority: Authority = text
        .parse()
        .map_err(|_| "is no host, with or without a port; write HOST or HOST:PORT".to_owned())?;
    // The library ignores a port that is not valid.
    let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    if authority.host().is_empty() || (!port.is_empty() && authority.port_u16().is_none()) {
        return Err("must be HOST or HOST:PORT, with a port from 0 to 65535".to_owned());
    }
    Ok(authority)
}

fn server_name(text: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(text.to_owned()).map_err(|_| "is neither a DNS name nor an address".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_has_a_host_and_perhaps_a_port_and_no_user() {
        for right in ["example.com", "example.com:443", "[::1]:1", "[::1]"] {
            assert!(authority(right).is_ok(), "{right}");
        }
        for wrong in [
            "me:s3cret@example.com",
            "me@example.com",
            "a b",
            "",
            "me:s3cret",
            "example.com:",
            ":443",
            "example.com:70000",
        ] {
            assert!(!authority(wrong).unwrap_err().contains("s3cret"), "{wrong}");
        }
    }
}
