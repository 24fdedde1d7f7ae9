//! Which queue is behind Enqueue, and the flags of a shared one.

use std::{ffi::OsStr, fmt, path::PathBuf, str::FromStr, time::Duration};

use clap::{
    Arg, Args, Command,
    builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser},
};

use super::values::{count, duration_up_to_an_hour};

/// The port of a NATS server if `--queue` names none.
const NATS_PORT: u16 = 4222;

/// Which queue is behind Enqueue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueKind {
    /// A queue in memory without a capacity.
    Unbounded,
    /// A queue in memory for `--queue-capacity` messages.
    Bounded,
    /// A queue for `--queue-capacity` messages in a file in `--queue-dir`. They survive SIGKILL and a power failure.
    Durable,
    /// A queue for `--queue-capacity` messages on NATS servers, shared by all instances with the same servers and `--queue-name`.
    Nats(NatsServers),
}

/// The NATS servers of a shared queue, as `nats://HOST[:PORT][,HOST[:PORT]…]`; with `tls://`, only over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsServers {
    /// True if the connection must be encrypted (`tls://`).
    pub tls: bool,
    /// The servers, each as HOST:PORT; at least one.
    pub hosts: Vec<String>,
}

impl QueueKind {
    /// True if messages stay on the queue when the process ends.
    pub fn outlives_process(&self) -> bool {
        matches!(self, Self::Durable | Self::Nats(_))
    }
}

impl fmt::Display for QueueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbounded => f.write_str("unbounded"),
            Self::Bounded => f.write_str("bounded"),
            Self::Durable => f.write_str("durable"),
            Self::Nats(servers) => servers.fmt(f),
        }
    }
}

impl fmt::Display for NatsServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}",
            if self.tls { "tls" } else { "nats" },
            self.hosts.join(",")
        )
    }
}

impl FromStr for NatsServers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (tls, hosts) = match text.split_once("://") {
            Some(("nats", hosts)) => (false, hosts),
            Some(("tls", hosts)) => (true, hosts),
            _ => return Err("must begin with nats:// or tls://".to_owned()),
        };
        let hosts = hosts.split(',').map(host).collect::<Result<_, _>>()?;
        Ok(Self { tls, hosts })
    }
}

/// Reads one server of the list, and adds the default port if it has none.
fn host(text: &str) -> Result<String, String> {
    if text.contains('@') {
        return Err(
            "has a user or a password, which every user of the machine can read in the list of processes: put them into a file, and \
             name it with --queue-credentials"
                .to_owned(),
        );
    }
    let has_port = text
        .rsplit_once(':')
        .is_some_and(|(name, _)| !name.is_empty() && (!name.contains(':') || name.ends_with(']')));
    let full = if has_port {
        text.to_owned()
    } else {
        format!("{text}:{NATS_PORT}")
    };
    full.parse::<foo_flags::Address>()
        .map_err(|error| format!("a server of the list {error}; several servers are separated by commas"))?;
    Ok(full)
}

/// The parser of `--queue`.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueueParser;

impl QueueParser {
    fn words() -> [PossibleValue; 3] {
        [
            PossibleValue::new("unbounded").help("It grows until memory ends"),
            PossibleValue::new("bounded").help("It holds --queue-capacity messages"),
            PossibleValue::new("durable").help(
                "It holds --queue-capacity messages in a file in --queue-dir; they survive SIGKILL and a power failure",
            ),
        ]
    }
}

impl TypedValueParser for QueueParser {
    type Value = QueueKind;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<QueueKind, clap::Error> {
        if value.to_string_lossy().contains("://") {
            let servers = StringValueParser::new().try_map(|text| text.parse::<NatsServers>());
            return servers.parse_ref(command, arg, value).map(QueueKind::Nats);
        }
        let word = PossibleValuesParser::new(Self::words()).parse_ref(command, arg, value)?;
        Ok(match &*word {
            "unbounded" => QueueKind::Unbounded,
            "bounded" => QueueKind::Bounded,
            _ => QueueKind::Durable,
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Self::words().into_iter()))
    }
}

/// The flags that only a shared queue has. With any other queue, each of them is a usage error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
pub struct SharedQueueArgs {
    /// Name of the shared queue on its server; instances with the same name share it [default: foo]
    #[arg(long, env = "FOO_QUEUE_NAME", value_name = "NAME", value_parser = name)]
    pub queue_name: Option<String>,

    /// Time after which a message of a killed or frozen instance is delivered to another one. An instance that works on a message
    /// renews it [1s to 1h; default: 30s]
    #[arg(long, env = "FOO_QUEUE_LEASE", value_parser = from_a_second)]
    pub queue_lease: Option<Duration>,

    /// Number of deliveries of a message. A message that is still not processed becomes a dead letter [default: 5]
    #[arg(long, env = "FOO_QUEUE_MAX_DELIVERIES", value_name = "COUNT", value_parser = count)]
    pub queue_max_deliveries: Option<u32>,

    /// Time limit for each answer of the queue's server [1ms to 1h; default: 2s]
    #[arg(long, env = "FOO_QUEUE_TIMEOUT", value_parser = from_a_millisecond)]
    pub queue_timeout: Option<Duration>,

    /// Servers of a cluster that keep each message; used when the queue is made [1 to 5; default: 1]
    #[arg(long, env = "FOO_QUEUE_REPLICAS", value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..=5))]
    pub queue_replicas: Option<u8>,

    /// File with the credentials for the queue's server in one line: USER:PASSWORD, or a token
    #[arg(long, env = "FOO_QUEUE_CREDENTIALS", value_name = "FILE")]
    pub queue_credentials: Option<PathBuf>,

    /// CA certificates for the queue's server (PEM file) [default: those of the system]
    #[arg(long, env = "FOO_QUEUE_CA", value_name = "FILE")]
    pub queue_ca: Option<PathBuf>,

    /// Certificate for the queue's server, with its chain (PEM file)
    #[arg(long, env = "FOO_QUEUE_CERT", value_name = "FILE", requires = "queue_key")]
    pub queue_cert: Option<PathBuf>,

    /// Private key of --queue-cert (PEM file)
    #[arg(long, env = "FOO_QUEUE_KEY", value_name = "FILE", requires = "queue_cert")]
    pub queue_key: Option<PathBuf>,
}

impl SharedQueueArgs {
    /// The first of these flags that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--queue-name", self.queue_name.is_some()),
            ("--queue-lease", self.queue_lease.is_some()),
            ("--queue-max-deliveries", self.queue_max_deliveries.is_some()),
            ("--queue-timeout", self.queue_timeout.is_some()),
            ("--queue-replicas", self.queue_replicas.is_some()),
            ("--queue-credentials", self.queue_credentials.is_some()),
            ("--queue-ca", self.queue_ca.is_some()),
            ("--queue-cert", self.queue_cert.is_some()),
        ];
        flags.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }
}

fn name(text: &str) -> Result<String, String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if text.is_empty() || text.len() > 64 || !text.chars().all(plain) {
        return Err("must be 1 to 64 letters, digits, - and _".to_owned());
    }
    Ok(text.to_owned())
}

fn from_a_second(text: &str) -> Result<Duration, String> {
    at_least(text, Duration::from_secs(1))
}

fn from_a_millisecond(text: &str) -> Result<Duration, String> {
    at_least(text, Duration::from_millis(1))
}

fn at_least(text: &str, least: Duration) -> Result<Duration, String> {
    let duration = duration_up_to_an_hour(text)?;
    if duration < least {
        return Err(format!("must be at least {least:?}"));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_with_or_without_ports_and_never_with_passwords() {
        let read = |text: &str| text.parse::<NatsServers>().map(|servers| servers.to_string());
        assert_eq!(read("nats://queue"), Ok("nats://queue:4222".to_owned()));
        assert_eq!(
            read("tls://a:1,b,[::1]:5,[::1]"),
            Ok("tls://a:1,b:4222,[::1]:5,[::1]:4222".to_owned())
        );
        for wrong in [
            "nats://",
            "http://a",
            "nats://a:",
            "nats://a,,b",
            "nats://a:70000",
            "nats://a b",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        for text in [
            "nats://user:secret@queue",
            "nats://a,secret@queue",
            "tls://us er:sec/ret@queue",
        ] {
            assert!(read(text).unwrap_err().contains("--queue-credentials"), "{text}");
        }
        for text in [
            "nats://user:secret",
            "nats://secret secret",
            "secret://a",
            "nats://:secret",
        ] {
            let said = read(text).unwrap_err();
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
