//! Builds all parts of a service. `serve` starts them, `drain` stops them.
//!
//! A service is a value and uses nothing global, so several can run in one process without affecting each other.

mod connections;
mod control;
mod drain;
mod health;
pub mod refusals;
mod serve;
mod transport;

use std::{sync::Arc, time::Duration};

use metrics::Recorder;
use rand::TryRng;
use tokio::time::Instant;

pub use self::{
    connections::{accept, accept_and_tell},
    control::{ChangeError, Control},
    drain::Drained,
};
use crate::{
    accepting::Accepting,
    config::Settings,
    enqueue::{Capacity, CompletionLog, EnqueueDoor, OpenError, UnfitQueue},
    ledger::Ledger,
    lifecycle::Lifecycle,
    metrics::{Metrics, admission_info},
    process::ProcessDoor,
    role::Role,
    rpc::Watched,
    turns::Turns,
    work::{Contention, Failures, ServiceTime, Slowed, Work},
    workers::Workers,
};

/// The inputs from which a service is built.
pub struct Parts<'a> {
    /// The settings, which usually come from flags.
    pub settings: Settings,
    /// The recorder that gets all metrics.
    pub recorder: &'a dyn Recorder,
    /// The id of this instance. Must be new at every start; see [`random_instance_id`].
    pub instance_id: String,
    /// The time since 1970, for the phases of `--slowdown`; zero if the phases begin with the service.
    pub time_of_day: Duration,
    /// True if the process has only this service: the process's memory and descriptors are then the service's own.
    pub owns_process: bool,
}

/// A service, ready to serve.
pub struct Service {
    settings: Settings,
    instance_id: String,
    workers: Arc<Workers>,
    turns: Arc<Turns>,
    enqueue: Arc<EnqueueDoor>,
    process: Arc<ProcessDoor>,
    watched: Arc<Watched>,
    metrics: Arc<Metrics>,
    accepting: Arc<Accepting>,
}

/// An id of 16 hexadecimal digits, from the system's random numbers.
pub fn random_instance_id() -> String {
    let bits = rand::rngs::SysRng.try_next_u64().expect("the system gives randomness");
    format!("{bits:016x}")
}

impl Service {
    /// Builds the service. `--work cpu` starts its threads here, and `--queue durable` opens its file.
    ///
    /// # Errors
    ///
    /// If the queue cannot be opened, for example the file of a durable queue. A queue in memory never fails.
    pub fn new(parts: Parts<'_>) -> Result<Self, OpenError> {
        let Parts {
            settings,
            recorder,
            instance_id,
            time_of_day,
            owns_process,
        } = parts;
        let queue_capacity = match settings.capacity() {
            Capacity::Unbounded => None,
            Capacity::Bounded { places, .. } => Some(places),
        };
        let accepting = Arc::new(if owns_process {
            Accepting::within_process(settings.max_connections)
        } else {
            Accepting::unlimited(settings.max_connections)
        });
        let metrics = Arc::new(Metrics::new(recorder, settings.workers, queue_capacity));
        admission_info(recorder, settings.limit_kind.name, settings.line.name);
        let ledger = Arc::new(Ledger::default());
        let lifecycle = Arc::new(Lifecycle::default());
        let log = Arc::new(CompletionLog::default());
        let service_time = ServiceTime::new(settings.service_time, settings.service_time_distribution, settings.seed);
        let slowed = Slowed::new(settings.slowdown.clone(), time_of_day);
        let contention = Contention::new(settings.contention);
        let failures = Failures::new(settings.fail_rate, settings.fail_time, settings.seed);
        let work = Work::new(
            settings.work,
            service_time,
            slowed,
            contention,
            failures,
            settings.workers,
        );
        let workers = Arc::new(Workers::new(settings.workers, work, Arc::clone(&metrics)));
        let enqueue = EnqueueDoor::open(
            &settings.backing(),
            settings.max_waiting,
            Arc::clone(&ledger),
            Arc::clone(&lifecycle),
            Arc::clone(&metrics),
            Arc::clone(&log),
        )?;
        let enqueue = Arc::new(enqueue.message_ttl(settings.message_ttl));
        let turns = Arc::new(Turns::new(
            &settings.turns(),
            Arc::clone(&workers),
            Arc::clone(&metrics),
        ));
        let process = Arc::new(ProcessDoor::new(
            settings.bound(),
            Arc::clone(&turns),
            Arc::clone(&ledger),
            Arc::clone(&lifecycle),
        ));
        let watched = Arc::new(Watched {
            instance_id: instance_id.clone(),
            enqueue: Arc::clone(&enqueue),
            started: Instant::now(),
            workers: Arc::clone(&workers),
            turns: Arc::clone(&turns),
            owns_process,
            ledger,
            log,
            lifecycle,
        });
        Ok(Self {
            settings,
            instance_id,
            workers,
            turns,
            enqueue,
            process,
            watched,
            metrics,
            accepting,
        })
    }

    /// Tries once to reach a shared queue. A server that cannot be reached is no error: the service tries again while it serves,
    /// and is not ready until it succeeds.
    ///
    /// # Errors
    ///
    /// If the server of the queue cannot be used with these settings.
    pub async fn reach_queue(&self) -> Result<(), UnfitQueue> {
        // In a box: the futures of the client library are large.
        Box::pin(self.enqueue.reach()).await
    }

    /// Whether the service accepts calls, and whether it works on messages.
    pub fn role(&self) -> Role {
        self.settings.role()
    }

    /// A handle that changes the service while it serves.
    pub fn control(&self) -> Control {
        Control::new(
            &self.settings,
            Arc::clone(&self.workers),
            Arc::clone(&self.turns),
            Arc::clone(&self.process),
        )
    }

    /// All counts of the service; for tests and for callers in the same process.
    pub fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.watched.ledger)
    }

    /// The phase of the service.
    pub fn lifecycle(&self) -> Arc<Lifecycle> {
        Arc::clone(&self.watched.lifecycle)
    }

    /// The metrics, which were registered when the service was built.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// The room in which calls and messages wait for their turns.
    pub fn turns(&self) -> Arc<Turns> {
        Arc::clone(&self.turns)
    }

    /// The RPC Enqueue, with its queue.
    pub fn enqueue(&self) -> Arc<EnqueueDoor> {
        Arc::clone(&self.enqueue)
    }

    /// How many connections may be open, and whether new ones can be accepted now.
    pub fn accepting(&self) -> Arc<Accepting> {
        Arc::clone(&self.accepting)
    }
}
