//! The parts of a shared queue on its server: a stream of messages with its consumer, a stream of completions, and one of dead
//! letters. Missing parts are created. Existing parts are only compared with the settings, because other instances use them.

use async_nats::{
    Client,
    jetstream::{
        self, Context, ErrorCode,
        consumer::{AckPolicy, PullConsumer, pull},
        context::{ContextBuilder, GetStreamErrorKind},
        stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream},
    },
};
use tokio::sync::watch;

use super::{
    connect::Unreached,
    settings::{MOST_COMPLETIONS, MOST_DEAD, NatsSettings},
};

/// The consumer through which all instances take messages.
const CONSUMER: &str = "workers";
/// The most messages that the server has not confirmed yet (arbitrary; more are rejected).
const MOST_UNCONFIRMED: usize = 65_536;
/// The bytes of a message's id and headers besides its payload (derived: an id of 128 bytes, twice as long in its header, and the
/// names around it take less than 1 KiB).
const AROUND_PAYLOAD: u64 = 4096;

/// The connection to a shared queue that was reached, and the parts of the queue.
#[derive(Debug, Clone)]
pub(super) struct Reached {
    /// The JetStream client, with the limits of this queue.
    pub(super) context: Context,
    /// The connection.
    pub(super) client: Client,
    /// The number of connections so far. It changes with each new one.
    pub(super) connections: watch::Receiver<u64>,
    /// The stream of messages.
    pub(super) work: Stream,
    /// The consumer of the stream of messages, through which all instances take them.
    pub(super) workers: PullConsumer,
    /// The stream of completions.
    pub(super) done: Stream,
    /// The stream of dead letters.
    pub(super) dead: Stream,
    /// The id of the queue: constant as long as its streams exist.
    pub(super) queue_id: String,
}

/// Finds or creates the parts of the queue.
///
/// # Errors
///
/// If the server is not suitable, does not answer, or has the queue with other settings.
pub(super) async fn set_up(
    settings: &NatsSettings,
    client: Client,
    connections: watch::Receiver<u64>,
) -> Result<Reached, Unreached> {
    check_server(settings, &client)?;
    let context = ContextBuilder::new()
        .timeout(settings.timeout)
        .ack_timeout(settings.timeout)
        .max_ack_inflight(MOST_UNCONFIRMED)
        .backpressure_on_inflight(false)
        .build(client.clone());
    let work = stream(&context, work(settings)).await?;
    let done = stream(&context, done(settings)).await?;
    let dead = stream(&context, dead(settings)).await?;
    let workers = consumer(settings, &work).await?;
    let created = |stream: &Stream| stream.cached_info().created.unix_timestamp_nanos();
    let queue_id = format!("{}-{:x}-{:x}", settings.name, created(&work), created(&done));
    Ok(Reached {
        context,
        client,
        connections,
        work,
        workers,
        done,
        dead,
        queue_id,
    })
}

fn check_server(settings: &NatsSettings, client: &Client) -> Result<(), Unreached> {
    let server = client.server_info();
    let hosts = settings.hosts.join(", ");
    if !client.is_server_compatible(2, 10, 0) {
        return Err(Unreached::Unfit(format!(
            "the queue's server {hosts} is nats-server {}, which keeps messages that are done after a crash: use 2.10 or newer",
            server.version
        )));
    }
    if !server.jetstream {
        return Err(Unreached::Unfit(format!(
            "the queue's server {hosts} has no JetStream: switch it on, with jetstream {{}} in its configuration or --jetstream"
        )));
    }
    let needed = settings.max_payload + AROUND_PAYLOAD;
    if (server.max_payload as u64) < needed {
        return Err(Unreached::Unfit(format!(
            "the queue's server {hosts} takes messages of {} bytes at most, and --max-payload {} needs {needed}: raise max_payload in \
             the configuration of the server, or lower --max-payload",
            server.max_payload, settings.max_payload
        )));
    }
    Ok(())
}

fn work(settings: &NatsSettings) -> Config {
    Config {
        name: settings.work_stream(),
        subjects: vec![settings.work_subject()],
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        max_messages: settings.places.into(),
        storage: StorageType::File,
        duplicate_window: settings.dedupe,
        num_replicas: settings.replicas,
        ..Config::default()
    }
}

fn done(settings: &NatsSettings) -> Config {
    Config {
        name: settings.done_stream(),
        subjects: vec![settings.done_subject()],
        max_messages: MOST_COMPLETIONS.into(),
        storage: StorageType::File,
        num_replicas: settings.replicas,
        ..Config::default()
    }
}

fn dead(settings: &NatsSettings) -> Config {
    Config {
        name: settings.dead_stream(),
        subjects: vec![settings.dead_subject()],
        discard: DiscardPolicy::New,
        max_messages: MOST_DEAD,
        storage: StorageType::File,
        num_replicas: settings.replicas,
        ..Config::default()
    }
}

/// Finds the stream, or creates it.
async fn stream(context: &Context, wanted: Config) -> Result<Stream, Unreached> {
    let name = wanted.name.clone();
    let away = |error: &dyn std::fmt::Display| {
        Unreached::Away(format!(
            "the queue's server does not answer for the stream {name}: {error}"
        ))
    };
    let found = match context.get_stream(&wanted.name).await {
        Ok(found) => found,
        Err(error) if is_missing(&error.kind()) => {
            // Another instance may create it at the same time: with the same settings that is no error.
            match context.create_stream(wanted.clone()).await {
                Ok(made) => made,
                Err(error) => match context.get_stream(&wanted.name).await {
                    Ok(found) => found,
                    Err(_) => return Err(away(&error)),
                },
            }
        }
        Err(error) => return Err(away(&error)),
    };
    compare(&wanted, &found.cached_info().config)?;
    Ok(found)
}

/// Whether the server has no such stream.
pub(super) fn is_missing(error: &GetStreamErrorKind) -> bool {
    matches!(error, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn compare(wanted: &Config, found: &Config) -> Result<(), Unreached> {
    let window = |config: &Config| format!("{:?}", config.duplicate_window);
    // With a window of zero no ids are sent, so the window does not matter.
    let windows = (!wanted.duplicate_window.is_zero()).then(|| {
        (
            "the time for which ids are remembered (--queue-dedupe)",
            window(wanted),
            window(found),
        )
    });
    let limits = [
        (
            "the retention",
            format!("{:?}", wanted.retention),
            format!("{:?}", found.retention),
        ),
        (
            "what is discarded when it is full",
            format!("{:?}", wanted.discard),
            format!("{:?}", found.discard),
        ),
        (
            "the storage",
            format!("{:?}", wanted.storage),
            format!("{:?}", found.storage),
        ),
        (
            "the most messages (--queue-capacity)",
            wanted.max_messages.to_string(),
            found.max_messages.to_string(),
        ),
        (
            "the number of replicas (--queue-replicas)",
            wanted.num_replicas.to_string(),
            found.num_replicas.to_string(),
        ),
    ];
    let subjects = ("the subjects", wanted.subjects.join(" "), found.subjects.join(" "));
    let other = limits
        .into_iter()
        .chain(windows)
        .chain([subjects])
        .find(|(_, wanted, found)| wanted != found);
    other.map_or(Ok(()), |(what, wanted, there)| {
        Err(other_settings(&found.name, what, &wanted, &there))
    })
}

fn other_settings(name: &str, what: &str, wanted: &str, there: &str) -> Unreached {
    Unreached::Unfit(format!(
        "the queue's server has {name} with other settings: {what} is {there} there, and {wanted} here; give the same flags to all \
         instances, choose another --queue-name, or change the queue on the server"
    ))
}

async fn consumer(settings: &NatsSettings, work: &Stream) -> Result<PullConsumer, Unreached> {
    let wanted = pull::Config {
        durable_name: Some(CONSUMER.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: settings.lease,
        // No limit, because it would be for all instances together; the default is 1,000.
        max_ack_pending: -1,
        ..pull::Config::default()
    };
    let there = async || work.get_consumer::<pull::Config>(CONSUMER).await;
    let found: PullConsumer = match there().await {
        Ok(found) => found,
        Err(_) => match work.create_consumer_strict(wanted).await {
            Ok(made) => made,
            Err(error) => there().await.map_err(|_| {
                Unreached::Away(format!("the queue's server does not answer for its consumer: {error}"))
            })?,
        },
    };
    let config: &jetstream::consumer::Config = &found.cached_info().config;
    let name = format!("the consumer of {}", settings.work_stream());
    if config.ack_wait != settings.lease {
        let [wanted, there] = [settings.lease, config.ack_wait].map(|time| format!("{time:?}"));
        return Err(other_settings(&name, "the lease (--queue-lease)", &wanted, &there));
    }
    if config.max_deliver > 0 {
        return Err(other_settings(
            &name,
            "the most deliveries",
            "unlimited",
            &config.max_deliver.to_string(),
        ));
    }
    Ok(found)
}
