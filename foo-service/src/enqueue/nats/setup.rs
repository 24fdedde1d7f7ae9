//! The parts of a shared queue on its server: a stream of messages with its consumer, a stream of completions, and one of dead
//! letters. Missing parts are created, or are an error. Existing parts are only compared with the settings (`compare`), because
//! other instances use them.

use async_nats::{
    Client,
    jetstream::{
        Context, ErrorCode,
        consumer::{AckPolicy, PullConsumer, pull},
        context::{ContextBuilder, GetStreamErrorKind},
        stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream},
    },
};
use tokio::sync::watch;

use super::{
    compare::{compare_consumer, compare_stream},
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

/// What to do with parts of the queue that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Create them.
    Create,
    /// Return an error.
    Refuse,
}

/// Finds the parts of the queue, or creates them.
///
/// # Errors
///
/// If the server is not suitable, does not answer, or has the queue with other settings, or if parts are `missing` that may not be.
pub(super) async fn set_up(
    settings: &NatsSettings,
    client: Client,
    connections: watch::Receiver<u64>,
    missing: Missing,
) -> Result<Reached, Unreached> {
    check_server(settings, &client)?;
    let context = ContextBuilder::new()
        .timeout(settings.timeout)
        .ack_timeout(settings.timeout)
        .max_ack_inflight(MOST_UNCONFIRMED)
        .backpressure_on_inflight(false)
        .build(client.clone());
    let work = stream(&context, work(settings), missing).await?;
    let done = stream(&context, done(settings), missing).await?;
    let dead = stream(&context, dead(settings), missing).await?;
    let workers = consumer(settings, &work, missing).await?;
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
async fn stream(context: &Context, wanted: Config, missing: Missing) -> Result<Stream, Unreached> {
    let name = wanted.name.clone();
    let away = |error: &dyn std::fmt::Display| {
        Unreached::Away(format!(
            "the queue's server does not answer for the stream {name}: {error}"
        ))
    };
    let found = match context.get_stream(&wanted.name).await {
        Ok(found) => found,
        Err(error) if is_missing(&error.kind()) && missing == Missing::Refuse => {
            return Err(Unreached::Unfit(format!(
                "there is no queue of this name: the queue's server has no stream {name}; give the --queue and --queue-name of the \
                 instances that use the queue (the first one creates it)"
            )));
        }
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
    compare_stream(&wanted, &found.cached_info().config)?;
    Ok(found)
}

/// Whether the server has no such stream.
pub(super) fn is_missing(error: &GetStreamErrorKind) -> bool {
    matches!(error, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

async fn consumer(settings: &NatsSettings, work: &Stream, missing: Missing) -> Result<PullConsumer, Unreached> {
    let wanted = pull::Config {
        durable_name: Some(CONSUMER.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: settings.lease,
        // No limit, because it would be for all instances together; the default is 1,000.
        max_ack_pending: -1,
        ..pull::Config::default()
    };
    let away = |error: &dyn std::fmt::Display| {
        Unreached::Away(format!("the queue's server does not answer for its consumer: {error}"))
    };
    let there = async || work.get_consumer::<pull::Config>(CONSUMER).await;
    let found: PullConsumer = match there().await {
        Ok(found) => found,
        Err(error) if missing == Missing::Refuse => return Err(away(&error)),
        Err(_) => match work.create_consumer_strict(wanted).await {
            Ok(made) => made,
            Err(error) => there().await.map_err(|_| away(&error))?,
        },
    };
    compare_consumer(settings, &found.cached_info().config)?;
    Ok(found)
}
