//! TLS: the certificates to trust, and the client's own certificate.

mod error;
mod files;
mod words;

use std::{
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use foo_pem::AnyCertificate;
use http::uri::Authority;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName, sign::SingleCertAndKey};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub use self::error::TlsError;
use self::{
    files::{certificates, identity, wrong},
    words::{certificate_words, explained, tls_error},
};

/// The host name that calls give. For a URL that asks for TLS, also the certificates to trust and the client's own.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The authority of the calls; `None` for that of the URL.
    pub authority: Option<Authority>,
    /// The name that the server's certificate must be for; `None` for the host of the authority.
    pub name: Option<ServerName<'static>>,
    /// The file with the CA certificates to trust; `None` for the system's.
    pub ca: Option<PathBuf>,
    /// The files with the client's own certificate, with its chain, and with its key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Whether any certificate of the server is accepted without a check.
    pub anyone: bool,
}

/// The TLS settings of a target.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files that `access` names. The server's certificate must be for `host`, unless `access` has another
    /// name.
    pub(super) fn new(access: &Access, host: &str) -> Result<Self, TlsError> {
        let name = match &access.name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Name(host.to_owned()))?,
        };
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the provider has the ciphers of both versions");
        let config = if access.anyone {
            config
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate::new(Arc::clone(&provider))))
        } else {
            config.with_root_certificates(roots(access.ca.as_deref())?)
        };
        let mut config = match &access.identity {
            None => config.with_no_client_auth(),
            Some((cert, key)) => {
                let identity = identity(cert, key, &provider)?;
                config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)))
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name,
        })
    }

    /// Makes the TLS handshake.
    ///
    /// # Errors
    ///
    /// Of kind `InvalidData`, with a message for people, if client and server do not fit each other.
    pub(super) async fn secure<IO: AsyncRead + AsyncWrite + Unpin>(&self, stream: IO) -> io::Result<Secured<IO>> {
        let stream = self.connector.connect(self.name.clone(), stream).await;
        stream.map(Secured).map_err(explained)
    }
}

/// Whether the other end speaks TLS. The connection cannot be used afterwards.
pub(super) async fn is_spoken(stream: impl AsyncRead + AsyncWrite + Unpin) -> bool {
    let access = Access {
        anyone: true,
        ..Access::default()
    };
    let Ok(tls) = Tls::new(&access, "probe") else {
        return false;
    };
    match tls.connector.connect(tls.name, stream).await {
        Ok(_) => true,
        // The peer may reject the handshake, but it does so in TLS.
        Err(error) => matches!(tls_error(&error), Some(rustls::Error::AlertReceived(_))),
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in certificates("--cacert", path)? {
                roots.add(certificate).map_err(|error| {
                    let reason = match &error {
                        rustls::Error::InvalidCertificate(certificate) => {
                            format!("it {}", certificate_words(certificate))
                        }
                        other => other.to_string(),
                    };
                    wrong("--cacert", path, reason)
                })?;
            }
        }
        // If the system has no roots, no certificate is accepted, and the handshake reports that.
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    Ok(roots)
}

/// A stream over TLS whose errors have messages for people: a server may object to a certificate only after the
/// handshake.
pub(super) struct Secured<IO>(TlsStream<IO>);

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for Secured<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer).map_err(explained)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Secured<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
