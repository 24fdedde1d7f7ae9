//! Flags of the process: addresses to listen on, the log, and the files for TLS.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use foo_flags::Address;

use crate::log::LogFormat;

/// The addresses that a service listens on.
#[derive(Debug, Clone, Args)]
pub struct Listen {
    /// Address for gRPC, as HOST:PORT
    #[arg(long, env = "FOO_LISTEN", value_name = "ADDR", value_hint = ValueHint::Hostname, default_value = "127.0.0.1:50051")]
    pub listen: Address,

    /// Address for /metrics, /livez and /readyz, as HOST:PORT
    #[arg(
        long,
        env = "FOO_ADMIN_LISTEN",
        value_name = "ADDR",
        value_hint = ValueHint::Hostname,
        default_value = "127.0.0.1:9464"
    )]
    pub admin_listen: Address,
}

/// The format of the log.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Format of the log on standard error; RUST_LOG sets its level
    #[arg(long, env = "FOO_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// The flags for TLS: the service's certificate, and the CA of the clients' certificates.
#[derive(Debug, Clone, Args)]
pub struct TlsArgs {
    /// Certificate for TLS, with its chain (PEM file). SIGHUP reads all TLS files again, for new connections
    #[arg(long = "tls-cert", env = "FOO_TLS_CERT", value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// Private key of --tls-cert (PEM file)
    #[arg(long = "tls-key", env = "FOO_TLS_KEY", value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// CA certificates for clients (PEM file). Only clients with a certificate that one of them has signed are accepted
    #[arg(
        long = "tls-client-ca",
        env = "FOO_TLS_CLIENT_CA",
        value_name = "FILE",
        requires = "cert"
    )]
    client_ca: Option<PathBuf>,
}

impl TlsArgs {
    /// The files for TLS; `None` if TLS is off.
    pub fn files(self) -> Option<TlsFiles> {
        Some(TlsFiles {
            cert: self.cert?,
            key: self.key?,
            client_ca: self.client_ca,
        })
    }
}

/// The files for TLS, in PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The service's certificate, with its chain.
    pub cert: PathBuf,
    /// The key of the certificate.
    pub key: PathBuf,
    /// The CA that signs the certificates of clients. Without it, clients need no certificate.
    pub client_ca: Option<PathBuf>,
}
