//! Asks a running service whether it serves: for containers without a shell.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tower::service_fn;

/// Whom to ask, and how.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// The service's gRPC address
    #[arg(long, env = "FOO_LISTEN", default_value = "127.0.0.1:50051")]
    listen: SocketAddr,

    /// How long it may take to answer
    #[arg(long, default_value = "2s", value_parser = humantime::parse_duration)]
    timeout: Duration,

    /// Ask over TLS, as the service with this flag wants it. Which certificate it has is not looked at: it may be a newer
    /// one than the file's, or an older
    #[arg(long, env = "FOO_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,

    /// A certificate to show, for a service with --tls-client-ca (PEM)
    #[arg(long, env = "FOO_HEALTH_CERT", value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,

    /// The key of --client-cert (PEM)
    #[arg(long, env = "FOO_HEALTH_KEY", value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
}

impl HealthArgs {
    /// Where the service is asked.
    pub fn url(&self) -> String {
        let scheme = if self.tls_cert.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", reachable(self.listen))
    }

    /// Asks.
    ///
    /// # Errors
    ///
    /// What it says instead of SERVING, or why it says nothing.
    pub async fn ask(&self) -> Result<(), String> {
        let asked = async {
            let channel = self.connect().await?;
            let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
            let answer = answer.map_err(|status| format!("{:?}: {}", status.code(), status.message()))?;
            match answer.into_inner().status() {
                ServingStatus::Serving => Ok(()),
                other => Err(other.as_str_name().to_owned()),
            }
        };
        let answer = timeout(self.timeout, asked).await;
        answer.unwrap_or_else(|_elapsed| Err(format!("no answer within {:?}", self.timeout)))
    }

    async fn connect(&self) -> Result<Channel, String> {
        let address = reachable(self.listen);
        // The address is only a name here: the connector knows where to go.
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|error| error.to_string())?;
        let channel = if self.tls_cert.is_some() {
            let connector = self.tls()?;
            let dial = service_fn(move |_| {
                let connector = connector.clone();
                async move {
                    let stream = TcpStream::connect(address).await?;
                    let stream = connector.connect(address.ip().into(), stream).await?;
                    Ok::<_, io::Error>(TokioIo::new(stream))
                }
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
            .with_custom_certificate_verifier(Arc::new(Anyone(provider)));
        let mut config = match self.client_cert.as_ref().zip(self.client_key.as_ref()) {
            None => config.with_no_client_auth(),
            Some((cert, key)) => {
                let wrong = |path: &PathBuf, error: String| format!("{}: {error}", path.display());
                let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect);
                let chain = chain.map_err(|error| wrong(cert, error.to_string()))?;
                let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, error.to_string()))?;
                let config = config.with_client_auth_cert(chain, private);
                config.map_err(|error| wrong(key, error.to_string()))?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// Where to reach a service that listens there: one that listens everywhere is asked on loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The innermost reason: tonic's own says no more than "transport error".
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Takes any certificate: nothing secret is said here, and whether a service serves does not depend on who has signed
/// for it.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
