//! Asks a running service whether it serves: for containers without a shell.

use std::{io, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, ValueHint};
use foo_flags::Address;
use foo_pem::AnyCertificate;
use hyper_util::rt::TokioIo;
use rustls::{AlertDescription, ClientConfig, crypto::ring, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tower::service_fn;

/// The flags of the health check.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// The service's gRPC address, as HOST:PORT
    #[arg(long, env = "FOO_LISTEN", value_name = "ADDR", value_hint = ValueHint::Hostname, default_value = "127.0.0.1:50051")]
    listen: Address,

    /// Time limit for the answer
    #[arg(long, default_value = "2s", value_parser = humantime::parse_duration)]
    timeout: Duration,

    /// Use TLS. The service's certificate is not verified, because it may have been renewed since FILE was written
    #[arg(long, env = "FOO_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,

    /// Certificate to present to a service with --tls-client-ca (PEM file)
    #[arg(long, env = "FOO_HEALTH_CERT", value_name = "FILE", requires_all = ["client_key", "tls_cert"])]
    client_cert: Option<PathBuf>,

    /// Private key of --client-cert (PEM file)
    #[arg(long, env = "FOO_HEALTH_KEY", value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
}

impl HealthArgs {
    /// The URL of the service that is asked.
    pub fn url(&self) -> String {
        let scheme = if self.tls_cert.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", reachable(&self.listen))
    }

    /// Asks the service's health service whether it serves.
    ///
    /// # Errors
    ///
    /// The status if it is not SERVING, or the reason why there is no answer, and what to do.
    pub async fn ask(&self) -> Result<(), String> {
        let address = reachable(&self.listen);
        let asked = async {
            // A plain connection first: if it fails, the error says more than tonic's.
            let probed = TcpStream::connect((address.host(), address.port())).await;
            drop(probed.map_err(|error| format!("cannot connect: {error}"))?);
            let asked = self.check(&address).await;
            match asked {
                Err(Failed::Transport(error)) => Err(self.diagnosis(&address).await.unwrap_or(error)),
                Err(Failed::Said(error)) => Err(error),
                Ok(()) => Ok(()),
            }
        };
        let answer = timeout(self.timeout, asked).await;
        answer.unwrap_or_else(|_elapsed| Err(format!("no answer within {:?}", self.timeout)))
    }

    async fn check(&self, address: &Address) -> Result<(), Failed> {
        let channel = self.connect(address).await.map_err(Failed::Transport)?;
        let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
        let answer =
            answer.map_err(|status| Failed::Transport(format!("{:?}: {}", status.code(), status.message())))?;
        match answer.into_inner().status() {
            ServingStatus::Serving => Ok(()),
            other => Err(Failed::Said(other.as_str_name().to_owned())),
        }
    }

    async fn connect(&self, address: &Address) -> Result<Channel, String> {
        // tonic needs an address, but does not use it with TLS: there `dial` connects.
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|error| error.to_string())?;
        let channel = if self.tls_cert.is_some() {
            let connector = self.tls()?;
            let address = address.clone();
            let dial = service_fn(move |_| {
                let (connector, address) = (connector.clone(), address.clone());
                async move { Ok::<_, io::Error>(TokioIo::new(secure(&connector, &address).await?)) }
            });
            endpoint.connect_with_connector(dial).await
        } else {
            endpoint.connect().await
        };
        channel.map_err(|error| cause(&error))
    }

    fn tls(&self) -> Result<TlsConnector, String> {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the provider has the ciphers of both versions")
            .dangerous()
            // The health check carries no secret, and the answer does not depend on the CA of the certificate.
            .with_custom_certificate_verifier(Arc::new(AnyCertificate::new(provider)));
        let mut config = match self.client_cert.as_ref().zip(self.client_key.as_ref()) {
            None => config.with_no_client_auth(),
            Some((cert, key)) => {
                let of_cert = |reason: String| format!("--client-cert {}: {reason}", cert.display());
                let of_key = |reason: String| format!("--client-key {}: {reason}", key.display());
                let chain = foo_pem::certificates(cert).map_err(of_cert)?;
                let private = foo_pem::key(key).map_err(of_key)?;
                let tried = foo_pem::pair(chain.clone(), private.clone_key(), &ring::default_provider());
                tried.map_err(|fault| match fault {
                    foo_pem::Fault::Certificate(reason) => of_cert(reason),
                    foo_pem::Fault::Key(reason) => of_key(reason),
                })?;
                let config = config.with_client_auth_cert(chain, private);
                config.map_err(|error| of_key(error.to_string()))?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }

    /// Finds out which protocol the server speaks, if it is not the one that was tried.
    async fn diagnosis(&self, address: &Address) -> Option<String> {
        if self.tls_cert.is_some() {
            let error = match secure(&self.tls().ok()?, address).await {
                Err(error) => error,
                // In TLS 1.3 the client's handshake ends before the service checks the certificate: only a read
                // returns the service's alert.
                Ok(mut stream) => stream.read(&mut [0; 16]).await.err()?,
            };
            let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            return match tls {
                Some(rustls::Error::InvalidMessage(_)) => {
                    Some("no TLS is spoken there; leave out --tls-cert, and unset FOO_TLS_CERT".to_owned())
                }
                Some(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)) => Some(
                    "the service takes only clients with a certificate; pass one with --client-cert and --client-key"
                        .to_owned(),
                ),
                _ => None,
            };
        }
        match first_words(address).await.ok()?.as_slice() {
            // The record type of a TLS alert, and the version.
            [0x15, 0x03, ..] => Some("TLS is spoken there; pass the service's certificate with --tls-cert FILE".to_owned()),
            [b'H', b'T', b'T', b'P', b'/', ..] => Some(
                "HTTP/1.1 is spoken there, not gRPC; --listen must be the service's gRPC address, not its --admin-listen"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

enum Failed {
    /// No health service answered.
    Transport(String),
    /// The service answered that it does not serve.
    Said(String),
}

async fn secure(connector: &TlsConnector, address: &Address) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect((address.host(), address.port())).await?;
    stream.set_nodelay(true)?;
    // The certificate is not verified, so any name is accepted.
    let name = address.host().to_owned().try_into();
    let name =
        name.unwrap_or_else(|_| ServerName::from(stream.peer_addr().map_or(IpAddr::from([0; 4]), |peer| peer.ip())));
    connector.connect(name, stream).await
}

/// The first bytes (at most 16) that a server answers to an HTTP/1 request, which is neither TLS nor gRPC.
async fn first_words(address: &Address) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((address.host(), address.port())).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: health\r\n\r\n").await?;
    let mut words = vec![0; 16];
    let read = stream.read(&mut words).await?;
    words.truncate(read);
    Ok(words)
}

/// The address to ask: the same, or loopback if the service listens on all addresses.
fn reachable(listen: &Address) -> Address {
    match listen.ip() {
        Some(everywhere) if everywhere.ip().is_unspecified() => {
            let loopback = if everywhere.is_ipv4() {
                [127, 0, 0, 1].into()
            } else {
                IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])
            };
            std::net::SocketAddr::new(loopback, everywhere.port()).into()
        }
        _ => listen.clone(),
    }
}

/// The text of the innermost error, because the outer one of tonic says only "transport error".
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
