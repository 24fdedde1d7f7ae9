//! What all parts of a shared queue know of it in this instance.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use async_nats::{
    Subject,
    connection::State,
    jetstream::{context::PublishError, message::PublishMessage, publish::PublishAck},
};
use tokio::{sync::watch, time::Instant};

use super::{hand::Hand, leases::Leases, settings::NatsSettings, setup::Reached, wire};
use crate::{enqueue::CompletionLog, ledger::Ledger, lifecycle::Lifecycle, metrics::Metrics};

/// How soon a worker notices that the connection is lost (arbitrary).
const NOTICE: Duration = Duration::from_millis(20);
/// A pause before something is tried again (arbitrary).
pub(super) const RETRY: Duration = Duration::from_millis(100);

/// What is shared.
pub(super) struct Shared {
    /// What the flags say.
    pub(super) settings: NatsSettings,
    /// The name of this instance, new at every start.
    pub(super) instance: String,
    /// Set once the queue was reached.
    pub(super) reached: OnceLock<Reached>,
    /// Messages that no worker has yet.
    pub(super) hand: Hand,
    /// All messages that this instance has.
    pub(super) leases: Leases,
    /// The queue as it was last looked at.
    look: Mutex<Look>,
    /// Whether all messages that no worker has had were given back, in a drain.
    pub(super) returned: watch::Sender<bool>,
    /// The position up to which the log of completions has been read.
    pub(super) told: watch::Sender<u64>,
    deliveries: AtomicU64,
    /// Counts.
    pub(super) ledger: Arc<Ledger>,
    /// The log of completions.
    pub(super) log: Arc<CompletionLog>,
    /// The phase of the service.
    pub(super) lifecycle: Arc<Lifecycle>,
    /// Metrics.
    pub(super) metrics: Arc<Metrics>,
}

/// A look at the queue on its server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// When.
    pub(super) at: Instant,
    /// Messages that wait.
    pub(super) depth: u64,
    /// Messages that were delivered and have not ended.
    pub(super) leased: u64,
    /// How long the oldest of all these had been there.
    pub(super) oldest: Duration,
    /// Messages that this instance has added since.
    pub(super) added: u64,
}

impl Shared {
    /// Not reached yet.
    pub(super) fn new(
        settings: NatsSettings,
        instance: String,
        ledger: Arc<Ledger>,
        lifecycle: Arc<Lifecycle>,
        metrics: Arc<Metrics>,
        log: Arc<CompletionLog>,
    ) -> Self {
        ledger.share_queue();
        metrics.queue.share();
        Self {
            settings,
            instance,
            reached: OnceLock::new(),
            hand: Hand::default(),
            leases: Leases::default(),
            look: Mutex::new(Look {
                at: Instant::now(),
                depth: 0,
                leased: 0,
                oldest: Duration::ZERO,
                added: 0,
            }),
            returned: watch::Sender::new(false),
            told: watch::Sender::new(0),
            deliveries: AtomicU64::new(0),
            ledger,
            log,
            lifecycle,
            metrics,
        }
    }

    /// The queue, if its server is connected now.
    pub(super) fn connected(&self) -> Option<&Reached> {
        let reached = self.reached.get()?;
        (reached.client.connection_state() == State::Connected).then_some(reached)
    }

    /// Waits until the server is not connected. Looked at now and then, because that takes no memory per message.
    pub(super) async fn disconnected(&self) {
        while self.connected().is_some() {
            tokio::time::sleep(NOTICE).await;
        }
    }

    /// The queue as it was last looked at.
    pub(super) fn look(&self) -> MutexGuard<'_, Look> {
        self.look.lock().expect("no code panics with the look locked")
    }

    /// A number for a delivery.
    pub(super) fn next_delivery(&self) -> u64 {
        self.deliveries.fetch_add(1, Relaxed)
    }

    /// Puts a message on a stream, unless the stream has had one with this `id` lately. Waits until the server has confirmed it. `None`:
    /// there is no connection.
    pub(super) async fn publish(
        &self,
        subject: String,
        id: Option<&str>,
        message: PublishMessage,
    ) -> Option<Result<PublishAck, PublishError>> {
        let reached = self.connected()?;
        let message = match id {
            Some(id) => message.header(wire::MESSAGE_ID, id),
            None => message,
        };
        let sent = reached.context.send_publish(subject, message).await;
        Some(match sent {
            Ok(confirmed) => confirmed.await,
            Err(error) => Err(error),
        })
    }

    /// Tells the server what became of a message, and waits for its answer. Whether there was one.
    pub(super) async fn settle(&self, reply: &Subject, word: &'static str) -> bool {
        /// Attempts (arbitrary: the message is delivered once more if none succeeds).
        const ATTEMPTS: u32 = 3;
        for _ in 0..ATTEMPTS {
            match self.connected() {
                Some(reached) if reached.client.request(reply.clone(), word.into()).await.is_ok() => return true,
                _ => tokio::time::sleep(RETRY).await,
            }
        }
        false
    }

    /// Gives a message back that no worker has had. It is delivered again at once.
    pub(super) async fn give_back(&self, number: u64, reply: Subject) {
        self.leases.end(number);
        if let Some(reached) = self.connected() {
            // Without it the message is delivered again when its lease ends.
            let _ = reached.client.publish(reply, "-NAK".into()).await;
        }
    }
}
