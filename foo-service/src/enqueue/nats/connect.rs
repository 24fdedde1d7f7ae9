//! The connection to the server of a shared queue: how it is made, and its events.
//!
//! Once it is made, the client library makes it again whenever it breaks. Its state is checked before each message is sent:
//! otherwise the library would keep the message and send it later, when its caller has already got an error.

use std::{fs, io, time::Duration};

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};
use tokio::sync::watch;

use super::settings::NatsSettings;

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The time between pings on a connection without traffic. A connection that died silently is noticed after two to three pings.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// The longest pause between two attempts to connect again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The reason why the queue was not reached.
#[derive(Debug, Clone)]
pub(super) enum Unreached {
    /// The server answers, but cannot be used with these settings. Another attempt would not help.
    Unfit(String),
    /// The server does not answer, or is not ready.
    Away(String),
}

/// Connects to the server. The receiver has the number of connections made so far, and changes with each new one.
///
/// # Errors
///
/// If no server could be reached, or none accepts this client.
pub(super) async fn connect(settings: &NatsSettings) -> Result<(Client, watch::Receiver<u64>), Unreached> {
    let (connected, connections) = watch::channel(0);
    let options = ConnectOptions::new()
        .name("foo-service")
        .connection_timeout(CONNECT_TIMEOUT)
        .request_timeout(Some(settings.timeout))
        .ping_interval(PING_INTERVAL)
        .reconnect_delay_callback(|tries| {
            let tries = u32::try_from(tries).unwrap_or(u32::MAX);
            Duration::from_millis(50).saturating_mul(tries).min(LONGEST_PAUSE)
        })
        .event_callback(move |event| {
            match event {
                Event::Connected => {
                    connected.send_modify(|count| *count += 1);
                    if *connected.borrow() > 1 {
                        tracing::info!("the connection to the queue is there again");
                    }
                }
                Event::Disconnected => {
                    tracing::warn!("the connection to the queue is lost; Enqueue answers UNAVAILABLE");
                }
                Event::SlowConsumer(_) => {
                    tracing::error!("a message of the queue found no room in memory: this is a bug");
                }
                other => tracing::debug!(%other, "the connection to the queue"),
            }
            async {}
        });
    let options = secured(settings, options)?;
    let servers: Vec<String> = settings
        .hosts
        .iter()
        .map(|host| format!("{}://{host}", if settings.tls { "tls" } else { "nats" }))
        .collect();
    let client = options.connect(servers).await.map_err(|error| {
        let says = format!("cannot reach the queue's server {}: {error}", settings.hosts.join(", "));
        match error.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                Unreached::Unfit(format!("{says}; name a file with the right credentials with --queue-credentials"))
            }
            ConnectErrorKind::Tls => Unreached::Unfit(format!(
                "{says}; name the CA of the server's certificate with --queue-ca, or write nats:// for a server without TLS"
            )),
            _ => Unreached::Away(says),
        }
    })?;
    Ok((client, connections))
}

/// Adds certificates and credentials to the options.
fn secured(settings: &NatsSettings, mut options: ConnectOptions) -> Result<ConnectOptions, Unreached> {
    let readable =
        |flag: &str, path: &std::path::Path| fs::read_to_string(path).map_err(|error| unreadable(flag, path, &error));
    options = options.require_tls(settings.tls || settings.ca.is_some());
    if let Some(ca) = &settings.ca {
        readable("--queue-ca", ca)?;
        options = options.add_root_certificates(ca.clone());
    }
    if let Some((certificate, key)) = &settings.certificate {
        readable("--queue-cert", certificate)?;
        readable("--queue-key", key)?;
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    if let Some(path) = &settings.credentials {
        let text = readable("--queue-credentials", path)?;
        let line = text.trim();
        if line.is_empty() || line.lines().count() > 1 {
            return Err(Unreached::Unfit(format!(
                "--queue-credentials {}: must have one line, USER:PASSWORD or a token",
                path.display()
            )));
        }
        options = match line.split_once(':') {
            Some((user, password)) => options.user_and_password(user.to_owned(), password.to_owned()),
            None => options.token(line.to_owned()),
        };
    }
    Ok(options)
}

fn unreadable(flag: &str, path: &std::path::Path, error: &io::Error) -> Unreached {
    Unreached::Unfit(format!("{flag} {}: cannot read it: {error}", path.display()))
}
