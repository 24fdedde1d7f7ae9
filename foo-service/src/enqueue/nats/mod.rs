//! A queue that several instances share, on NATS JetStream servers: an acknowledged message survives the end of any instance, and
//! any instance can take it.
//!
//! Messages are put on a stream (`offer`), and taken from it as workers become free (`ask`, `pull`, `hand`). While an instance
//! has a message, it renews a lease on it (`keep`). Completions go to a stream of their own, which every instance reads (`lease`,
//! `log`). A message that is delivered again and again becomes a dead letter (`dead`).
//!
//! Each message is processed at least once, and again after a kill or after an instance was frozen for longer than the lease: the
//! server cannot prevent that.

mod ask;
mod compare;
mod connect;
mod dead;
mod delete;
mod hand;
mod keep;
mod lease;
mod leases;
mod letters;
mod log;
mod offer;
mod pull;
mod sample;
mod settings;
mod setup;
mod shared;
mod wire;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::TryRng;
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

use self::{connect::Unreached, setup::Missing, shared::Shared};
pub(super) use self::{delete::delete, lease::Lease};
pub use self::{
    letters::{DeadLetter, DeadLetters},
    settings::NatsSettings,
};
use super::{CompletionLog, Enqueued, SharedSeen, UnfitQueue};
use crate::{
    job::{Job, Reason},
    ledger::Ledger,
    lifecycle::Lifecycle,
    metrics::Metrics,
    turns::Turns,
};

/// The time between attempts to reach the server at the start.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// How long the last messages to the server may take when the queue is closed.
const FLUSH: Duration = Duration::from_secs(1);

/// This instance's side of the shared queue.
pub(super) struct NatsQueue {
    shared: Arc<Shared>,
    /// Why the queue was not reached at the last attempt.
    unreached: Mutex<String>,
    running: Mutex<Option<AbortHandle>>,
}

impl NatsQueue {
    /// Creates the queue without a connection: [`reach`](Self::reach) and [`start`](Self::start) connect.
    pub(super) fn new(
        settings: NatsSettings,
        (ledger, lifecycle, metrics): (Arc<Ledger>, Arc<Lifecycle>, Arc<Metrics>),
        log: Arc<CompletionLog>,
    ) -> Self {
        let instance = rand::rngs::SysRng.try_next_u64().expect("the system gives randomness");
        let instance = format!("{instance:016x}");
        Self {
            shared: Arc::new(Shared::new(settings, instance, ledger, lifecycle, metrics, log)),
            unreached: Mutex::new("the queue has not been reached yet".to_owned()),
            running: Mutex::default(),
        }
    }

    /// Tries once to reach the queue. A server that cannot be reached is no error: [`run`](Self::run) tries again.
    ///
    /// # Errors
    ///
    /// If the server cannot be used with these settings.
    pub(super) async fn reach(&self) -> Result<(), UnfitQueue> {
        match self.try_once().await {
            Ok(()) => Ok(()),
            Err(Unreached::Unfit(why)) => Err(UnfitQueue(why)),
            Err(Unreached::Away(why)) => {
                tracing::warn!("{why}; trying again each second");
                self.note(why);
                Ok(())
            }
        }
    }

    fn note(&self, why: String) {
        *self.unreached.lock().expect("no code panics with the reason locked") = why;
    }

    async fn try_once(&self) -> Result<(), Unreached> {
        if self.shared.reached.get().is_some() {
            return Ok(());
        }
        let settings = &self.shared.settings;
        let (client, connections) = connect::connect(settings).await?;
        let reached = setup::set_up(settings, client, connections, Missing::Create).await?;
        log::begin(&self.shared, &reached).await.map_err(Unreached::Away)?;
        tracing::info!(queue_id = %reached.queue_id, servers = %settings.hosts.join(","), "the queue is reached");
        // Only this task sets it.
        let _ = self.shared.reached.set(reached);
        Ok(())
    }

    /// Why the service is not ready, if the queue was never reached. After that, a lost connection does not make the service
    /// unready: Process still works, and otherwise all instances would become unready together.
    pub(super) fn unreached(&self) -> Option<String> {
        let unreached = self.shared.reached.get().is_none();
        unreached.then(|| {
            self.unreached
                .lock()
                .expect("no code panics with the reason locked")
                .clone()
        })
    }

    /// The id of the queue: constant as long as its streams exist; empty until it was reached.
    pub(super) fn queue_id(&self) -> &str {
        self.shared.reached.get().map_or("", |reached| &reached.queue_id)
    }

    /// The last sample of the queue; `None` until the queue was reached.
    pub(super) fn last_sample(&self) -> Option<SharedSeen> {
        self.shared.reached.get()?;
        let sample = *self.shared.sample();
        Some(SharedSeen {
            leased: sample.leased,
            ago: sample.at.elapsed(),
        })
    }

    /// How long the oldest message has been on the queue, waiting or in service.
    pub(super) fn oldest_age(&self) -> Duration {
        let sample = *self.shared.sample();
        if sample.depth + sample.leased == 0 {
            return Duration::ZERO;
        }
        sample.oldest + sample.at.elapsed()
    }

    /// Copies the last sample and the state of the connection into the gauges.
    pub(super) fn publish(&self) {
        let sample = *self.shared.sample();
        let connections = self
            .shared
            .reached
            .get()
            .map_or(0, |reached| *reached.connections.borrow());
        let metrics = &self.shared.metrics.queue;
        metrics.sampled(sample.leased, sample.at.elapsed());
        metrics.connection(self.shared.connected().is_some(), connections.saturating_sub(1));
    }

    /// Puts a message on the queue. Waits until the server has confirmed it.
    ///
    /// # Errors
    ///
    /// If the queue is full, cannot be reached, or has not answered in time. The message counts as refused.
    pub(super) async fn offer(&self, job: Job, deadline: Option<Instant>) -> Result<Enqueued, Reason> {
        offer::offer(&self.shared, job, deadline).await
    }

    /// Waits until a message was delivered. Only one consumer may wait. Cancel-safe.
    pub(super) async fn ready(&self) {
        self.shared.hand.ready().await;
    }

    /// Takes the oldest delivered message; `None` if there is none any more.
    pub(super) fn take(&self) -> Option<Lease> {
        let delivery = self.shared.hand.take()?;
        let in_service = self.shared.ledger.take_from_shared_queue();
        Some(Lease {
            shared: Arc::clone(&self.shared),
            taken: Instant::now(),
            held: Some((delivery, in_service)),
        })
    }

    /// Starts the background work: reaching the queue, taking messages for the workers of `turns`, renewing leases, reading
    /// completions, and taking samples. It runs until [`close`](Self::close).
    pub(super) fn start(self: &Arc<Self>, turns: Arc<Turns>) {
        let queue = Arc::clone(self);
        let running = tokio::spawn(async move { queue.run(&turns).await });
        *self.running.lock().expect("no code panics with the task locked") = Some(running.abort_handle());
    }

    async fn run(&self, turns: &Turns) {
        while let Err(Unreached::Away(why) | Unreached::Unfit(why)) = self.try_once().await {
            tracing::debug!("{why}; trying again");
            self.note(why);
            sleep(TRY_EVERY).await;
        }
        let shared = &self.shared;
        let reached = shared.reached.get().expect("it was set by the attempt that succeeded");
        tokio::join!(
            pull::run(shared, reached, turns),
            keep::run(shared),
            log::run(shared, reached),
            sample::run(shared, reached),
        );
    }

    /// Stops the taking of messages.
    pub(super) fn stop(&self) {
        for delivery in self.shared.hand.close() {
            // The server delivers the message again when its lease ends. In a drain, all such messages were given back before.
            self.shared.leases.end(delivery.number);
        }
    }

    /// Ends the background work, after the last messages were sent to the server.
    pub(super) async fn close(&self) {
        self.stop();
        if let Some(reached) = self.shared.connected() {
            let mut returned = self.shared.returned.subscribe();
            let last = async {
                let _ = returned.wait_for(|returned| *returned).await;
                let _ = reached.client.flush().await;
            };
            let _ = timeout(FLUSH, last).await;
        }
        if let Some(running) = self.running.lock().expect("no code panics with the task locked").take() {
            running.abort();
        }
    }
}
