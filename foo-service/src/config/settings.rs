//! The settings of a service as one struct of flags, and the values that follow from several of them.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Command, FromArgMatches, ValueHint};
use tower_admission::{limit::LimitKind, line::LineKind};

#[cfg(feature = "nats")]
use super::queue::NatsServers;
use super::{
    queue::{QueueKind, QueueParser, SharedQueueArgs},
    values::{
        count, count_or_none, duration_up_to_an_hour, limit_kind, line_kind, number, payload_size, workers_or_none,
    },
};
#[cfg(feature = "nats")]
use crate::enqueue::NatsSettings;
use crate::{
    enqueue::{Backing, Capacity, FileSettings, WhenFull},
    role::{Accept, Role},
    turns::{Classes, Rules},
    work::{ServiceTimeDistribution, Share, Slowdown, WorkKind},
};

/// How long a durable or shared queue remembers ids, if `--queue-dedupe` is not given (the default of NATS JetStream).
const DEDUPE: Duration = Duration::from_secs(120);

/// All settings of a service, apart from those of its process ([`Listen`](super::Listen), [`LogArgs`](super::LogArgs),
/// [`TlsArgs`](super::TlsArgs)).
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Number of workers: messages that are processed at once, for both RPCs together. 0 only accepts messages for a durable or
    /// shared queue, and rejects Process
    #[arg(long, env = "FOO_WORKERS", default_value = "1", value_parser = workers_or_none)]
    pub workers: u32,

    /// Which calls of Enqueue and Process are accepted. With none, the service only works on the messages of a durable or shared
    /// queue
    #[arg(long, env = "FOO_ACCEPT", default_value = "all")]
    pub accept: Accept,

    /// Mean service time of a message that asks for none of its own [0s to 1h; 0s uses no timer at all]
    #[arg(long, env = "FOO_SERVICE_TIME", default_value = "250ms", value_parser = duration_up_to_an_hour)]
    pub service_time: Duration,

    /// How the service time varies around its mean
    #[arg(long, env = "FOO_SERVICE_TIME_DISTRIBUTION", default_value = "constant")]
    pub service_time_distribution: ServiceTimeDistribution,

    /// Phases in which every message takes longer, which repeat: 60s:1x,20s:1.5x takes a third of the capacity away for 20 s of
    /// each 80 s. They follow the time of day, so that services that start apart are in the same phase. In a lab they begin
    /// with the service
    #[arg(long, env = "FOO_SLOWDOWN", value_name = "PHASES")]
    pub slowdown: Option<Slowdown>,

    /// Share of the service time that is added for each other message in service when a message begins: 10% doubles the time
    /// beside ten others. A model of a resource that gets slower under load [0% to 100%]
    #[arg(long, env = "FOO_CONTENTION", value_name = "SHARE", default_value = "0%")]
    pub contention: Share,

    /// Share of messages whose work fails; their callers get UNAVAILABLE [0% to 100%]
    #[arg(long, env = "FOO_FAIL_RATE", value_name = "SHARE", default_value = "0%")]
    pub fail_rate: Share,

    /// How long a worker works on a message that fails [0s to 1h]
    #[arg(long, env = "FOO_FAIL_TIME", default_value = "0s", value_parser = duration_up_to_an_hour)]
    pub fail_time: Duration,

    /// What a worker does during the service time
    #[arg(long, env = "FOO_WORK", default_value = "sleep")]
    pub work: WorkKind,

    /// The queue behind Enqueue: in memory, in a file, or on NATS servers, as nats://HOST:PORT,… or tls://HOST:PORT,…, where
    /// several instances share it
    #[arg(
        long,
        env = "FOO_QUEUE",
        hide_env_values = true,
        value_hint = ValueHint::Url,
        default_value = "bounded",
        value_parser = QueueParser
    )]
    pub queue: QueueKind,

    /// The flags that only a shared queue has.
    #[command(flatten)]
    pub shared_queue: SharedQueueArgs,

    /// Folder of a durable queue, made if it is missing; one process uses it at a time
    #[arg(long, env = "FOO_QUEUE_DIR", value_name = "FOLDER")]
    pub queue_dir: Option<PathBuf>,

    /// Time for which a durable or shared queue remembers the id of a message, so that a repeat is acknowledged and not queued
    /// again; a durable one the newest 262,144 ids at most [0s to 1h; 0s: not at all; default: 2m]
    #[arg(long, env = "FOO_QUEUE_DEDUPE", value_parser = duration_up_to_an_hour)]
    pub queue_dedupe: Option<Duration>,

    /// Maximum number of messages in a bounded or durable queue, apart from those in service. In a shared queue, those in service
    /// count too
    #[arg(long, env = "FOO_QUEUE_CAPACITY", default_value = "1000", value_parser = count)]
    pub queue_capacity: u32,

    /// What to do with a new message when the queue is full
    #[arg(long, env = "FOO_WHEN_FULL", default_value = "reject")]
    pub when_full: WhenFull,

    /// Age above which a queued message is not processed when its turn comes, and counts as expired [0s to 1h; default: every
    /// message is processed]
    #[arg(long, env = "FOO_MESSAGE_TTL", value_parser = duration_up_to_an_hour)]
    pub message_ttl: Option<Duration>,

    /// How many messages are admitted at once, from both RPCs: a fixed number, or one that follows what is observed. auto is the
    /// number of workers, and searches only from a --concurrency-limit
    #[arg(long = "limit", env = "FOO_LIMIT", default_value = "auto", value_parser = limit_kind())]
    pub limit_kind: &'static LimitKind,

    /// Which calls of Process wait for their turn, in which order, and which are rejected
    #[arg(long, env = "FOO_LINE", default_value = "auto", value_parser = line_kind())]
    pub line: &'static LineKind,

    /// Whether the metadata `priority: u=0` (most urgent) to `u=7` of a call of Process decides which call is first. If so, --line
    /// orders the calls within a class, and --max-waiting is per class
    #[arg(long, env = "FOO_CLASSES", default_value = "off")]
    pub classes: Classes,

    /// How long a call without a deadline should wait at most, for the lines that look at it [default: follows the service
    /// time]
    #[arg(long, env = "FOO_TARGET_WAIT", value_parser = duration_up_to_an_hour)]
    pub target_wait: Option<Duration>,

    /// Messages admitted at once with --limit fixed; where every other limit starts to search [default: as many as workers]
    #[arg(long, env = "FOO_CONCURRENCY_LIMIT", value_parser = count)]
    pub concurrency_limit: Option<u32>,

    /// Maximum number of calls in the waiting line of each RPC. With 0, a call without room is rejected at once. With --line
    /// auto, this only bounds the memory and needs no tuning
    #[arg(long, env = "FOO_MAX_WAITING", default_value = "1000", value_parser = count_or_none)]
    pub max_waiting: u32,

    /// Maximum payload of a message, in bytes [up to 64MiB]
    #[arg(long, env = "FOO_MAX_PAYLOAD", default_value = "1MiB", value_parser = payload_size)]
    pub max_payload: u64,

    /// Maximum service time that a message may ask for [up to 1h]
    #[arg(long, env = "FOO_MAX_SERVICE_DEMAND", default_value = "60s", value_parser = duration_up_to_an_hour)]
    pub max_service_demand: Duration,

    /// Maximum number of open connections. Further connections are closed at once
    #[arg(long, env = "FOO_MAX_CONNECTIONS", default_value = "1000", value_parser = count)]
    pub max_connections: u32,

    /// Time between the first SIGTERM and the drain. Calls are still served, but /readyz and the health service already
    /// say no. A second signal ends it [0s to 1h]
    #[arg(long, env = "FOO_DRAIN_DELAY", default_value = "0s", value_parser = duration_up_to_an_hour)]
    pub drain_delay: Duration,

    /// Maximum duration of a drain. After it, the messages that are left are abandoned [0s to 1h]
    #[arg(long, env = "FOO_DRAIN_TIMEOUT", default_value = "30s", value_parser = duration_up_to_an_hour)]
    pub drain_timeout: Duration,

    /// Seed of all random numbers
    #[arg(long, env = "FOO_SEED", default_value = "1", value_parser = number)]
    pub seed: u64,
}

impl Settings {
    /// The value with which the limit starts: `--concurrency-limit`, or the number of workers, but at least 1.
    pub fn limit(&self) -> u32 {
        self.concurrency_limit.unwrap_or(self.workers.max(1))
    }

    /// Whether the service accepts calls, and whether it works on messages.
    pub fn role(&self) -> Role {
        Role {
            accept: self.accept,
            works: self.workers > 0,
        }
    }

    /// True if only the operator changes the limit: it is a number that was set, or the number of workers.
    pub fn limit_is_known(&self) -> bool {
        match self.limit_kind.name {
            "fixed" => true,
            "auto" => self.concurrency_limit.is_none(),
            _ => false,
        }
    }

    /// The settings of the room in which calls and queued messages wait for their turns.
    pub fn turns(&self) -> Rules {
        Rules {
            limit: self.limit_kind,
            start: self.limit(),
            follows_workers: self.concurrency_limit.is_none(),
            line: self.line,
            classes: self.classes,
            places: match self.bound() {
                // tower's limit already bounds the line (`process/guard.rs`), so the line needs no bound of its own.
                Some(_) => usize::MAX,
                None => self.max_waiting as usize,
            },
            target_wait: self.target_wait,
        }
    }

    /// The limit, and how many calls may wait, if these two numbers alone decide which calls of Process are rejected. Otherwise
    /// `None`.
    pub fn bound(&self) -> Option<(u32, u32)> {
        let plain = self.limit_is_known() && self.line.name == "fifo" && self.classes == Classes::Off;
        plain.then(|| (self.limit(), self.max_waiting))
    }

    /// The capacity of the queue, and what happens when it is full.
    pub fn capacity(&self) -> Capacity {
        match self.queue {
            QueueKind::Unbounded => Capacity::Unbounded,
            QueueKind::Bounded | QueueKind::Durable | QueueKind::Nats(_) => Capacity::Bounded {
                places: self.queue_capacity,
                when_full: self.when_full,
            },
        }
    }

    /// Where the queue stores its messages, with the settings for that.
    pub fn backing(&self) -> Backing {
        match (&self.queue, &self.queue_dir) {
            #[cfg(feature = "nats")]
            (QueueKind::Nats(servers), _) => Backing::Nats(self.nats(servers)),
            (QueueKind::Durable, Some(folder)) => Backing::File(FileSettings {
                folder: folder.clone(),
                places: self.queue_capacity,
                dedupe: self.queue_dedupe.unwrap_or(DEDUPE),
                workers: self.workers,
            }),
            // `check` has refused a durable queue without a folder, and a shared queue without the feature.
            _ => Backing::Memory(self.capacity()),
        }
    }

    #[cfg(feature = "nats")]
    fn nats(&self, servers: &NatsServers) -> NatsSettings {
        let given = &self.shared_queue;
        NatsSettings {
            tls: servers.tls,
            hosts: servers.hosts.clone(),
            name: given.queue_name.clone().unwrap_or_else(|| "foo".to_owned()),
            places: self.queue_capacity,
            lease: given.queue_lease.unwrap_or(Duration::from_secs(30)),
            max_deliveries: given.queue_max_deliveries.unwrap_or(5).into(),
            timeout: given.queue_timeout.unwrap_or(Duration::from_secs(2)),
            dedupe: self.queue_dedupe.unwrap_or(DEDUPE),
            replicas: given.queue_replicas.unwrap_or(1).into(),
            credentials: given.queue_credentials.clone(),
            ca: given.queue_ca.clone(),
            certificate: given.queue_cert.clone().zip(given.queue_key.clone()),
            max_payload: self.max_payload,
        }
    }
}

impl Default for Settings {
    /// The defaults of the flags. The environment is not read.
    fn default() -> Self {
        let flags = Self::augment_args(Command::new("defaults")).mut_args(|flag| flag.env(None));
        let matches = flags.get_matches_from(["defaults"]);
        Self::from_arg_matches(&matches).expect("every default is in its range")
    }
}
