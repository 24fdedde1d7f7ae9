//! TLS in front of both RPCs: certificates can change while connections are open, and a slow handshake does not delay other
//! connections.
//!
//! The task of a connection does the handshake, when it first reads or writes. Until then the connection counts as an open one,
//! and it is closed if the handshake takes longer than ten seconds.

use std::{
    io,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, RwLock},
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{Stream, StreamExt};
use rustls::{RootCertStore, ServerConfig, crypto::ring, server::WebPkiClientVerifier, sign::SingleCertAndKey};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};
use tokio_rustls::{Accept, TlsAcceptor, server::TlsStream};
use tonic::transport::server::Connected;

use crate::{config::TlsFiles, metrics::Metrics};

/// How long a handshake may take (arbitrary: several round trips over the worst network).
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A file of certificates or keys cannot be used. The text names its flag, its path and the reason.
#[derive(Debug, thiserror::Error)]
#[error("{flag} {}: {reason}", path.display())]
pub struct TlsError {
    flag: &'static str,
    path: PathBuf,
    reason: String,
}

/// The certificate and key for new connections. A reload does not change connections that are open.
#[derive(Debug)]
pub struct Certificates {
    files: TlsFiles,
    current: RwLock<Arc<ServerConfig>>,
}

impl Certificates {
    /// Reads the certificate and the key, and keeps the paths of their files, so that they can be read again.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or used.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = RwLock::new(read(&files)?);
        Ok(Self { files, current })
    }

    /// Properties of the certificate that clients may reject, each with advice.
    pub fn caveats(&self) -> Vec<String> {
        foo_pem::certificates(&self.files.cert).map_or_else(
            |_gone_meanwhile| Vec::new(),
            |chain| foo_pem::caveats(&chain[0], &ring::default_provider()),
        )
    }

    /// Reads the files again. New connections use them.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or used. The previous certificate and key then stay in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        let new = read(&self.files)?;
        *self.current.write().expect("nothing panics with it locked") = new;
        Ok(())
    }

    fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().expect("nothing panics with it locked");
        TlsAcceptor::from(Arc::clone(&current))
    }
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let wrong = |flag, path: &PathBuf| {
        let path = path.clone();
        move |reason: String| TlsError { flag, path, reason }
    };
    let provider = Arc::new(ring::default_provider());
    let chain = foo_pem::certificates(&files.cert).map_err(wrong("--tls-cert", &files.cert))?;
    let key = foo_pem::key(&files.key).map_err(wrong("--tls-key", &files.key))?;
    let pair = foo_pem::pair(chain, key, &provider).map_err(|fault| match fault {
        foo_pem::Fault::Certificate(reason) => wrong("--tls-cert", &files.cert)(reason),
        foo_pem::Fault::Key(reason) => {
            let about = format!("{reason} (--tls-cert {})", files.cert.display());
            wrong("--tls-key", &files.key)(about)
        }
    })?;
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("the provider has the ciphers of both versions");
    let config = match &files.client_ca {
        None => config.with_no_client_auth(),
        Some(ca) => {
            let unusable = |reason: String| wrong("--tls-client-ca", ca)(reason);
            let mut roots = RootCertStore::empty();
            for certificate in foo_pem::certificates(ca).map_err(unusable)? {
                roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| unusable(error.to_string()))?;
            config.with_client_cert_verifier(verifier)
        }
    };
    let mut config = config.with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// Adds TLS to each connection, with the certificate that is current when it arrives. Counts failed handshakes in `metrics`.
pub fn secure<IO, E>(
    incoming: impl Stream<Item = Result<IO, E>> + Send,
    certificates: Arc<Certificates>,
    metrics: Arc<Metrics>,
) -> impl Stream<Item = Result<Secured<IO>, E>> + Send
where
    IO: AsyncRead + AsyncWrite + Connected + Unpin + Send,
{
    incoming.map(move |connection| connection.map(|io| Secured::new(io, &certificates.acceptor(), &metrics)))
}

/// A connection whose first read or write does the TLS handshake, within a time limit.
pub struct Secured<IO: Connected> {
    info: IO::ConnectInfo,
    state: State<IO>,
}

enum State<IO> {
    Handshake {
        accept: Accept<IO>,
        time_is_up: Pin<Box<Sleep>>,
        metrics: Arc<Metrics>,
    },
    Open(TlsStream<IO>),
    Failed,
}

impl<IO: AsyncRead + AsyncWrite + Connected + Unpin> Secured<IO> {
    fn new(io: IO, acceptor: &TlsAcceptor, metrics: &Arc<Metrics>) -> Self {
        Self {
            info: io.connect_info(),
            state: State::Handshake {
                accept: acceptor.accept(io),
                time_is_up: Box::pin(sleep(HANDSHAKE_TIMEOUT)),
                metrics: Arc::clone(metrics),
            },
        }
    }

    /// The TLS stream, as soon as the handshake is done.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut TlsStream<IO>>>> {
        if let State::Handshake {
            accept,
            time_is_up,
            metrics,
        } = &mut self.state
        {
            let shaken = match Pin::new(accept).poll(cx) {
                Poll::Ready(shaken) => shaken,
                Poll::Pending => {
                    ready!(time_is_up.as_mut().poll(cx));
                    Err(io::ErrorKind::TimedOut.into())
                }
            };
            self.state = match shaken {
                Ok(stream) => State::Open(stream),
                Err(error) => {
                    metrics.tls_handshake_failed();
                    tracing::debug!(%error, "a TLS handshake failed");
                    State::Failed
                }
            };
        }
        Poll::Ready(match &mut self.state {
            State::Open(stream) => Ok(Pin::new(stream)),
            State::Handshake { .. } | State::Failed => Err(io::ErrorKind::ConnectionAborted.into()),
        })
    }
}

impl<IO: Connected> Connected for Secured<IO> {
    type ConnectInfo = IO::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.info.clone()
    }
}

impl<IO> AsyncRead for Secured<IO>
where
    IO: AsyncRead + AsyncWrite + Connected + Unpin,
    IO::ConnectInfo: Unpin,
{
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.get_mut().poll_open(cx))?.poll_read(cx, buffer)
    }
}

impl<IO> AsyncWrite for Secured<IO>
where
    IO: AsyncRead + AsyncWrite + Connected + Unpin,
    IO::ConnectInfo: Unpin,
{
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.get_mut().poll_open(cx))?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.get_mut().poll_open(cx))?.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.get_mut().poll_open(cx))?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().state {
            State::Open(stream) => Pin::new(stream).poll_shutdown(cx),
            // No TLS session is open, so no close message is sent.
            State::Handshake { .. } | State::Failed => Poll::Ready(Ok(())),
        }
    }
}
