//! The state that all parts of a shared queue use in this instance.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use async_nats::{
    RequestErrorKind, Subject,
    connection::State,
    jetstream::{context::PublishError, message::PublishMessage, publish::PublishAck},
};
use tokio::{sync::watch, time::Instant};

use super::{hand::Hand, leases::Leases, settings::NatsSettings, setup::Reached, wire};
use crate::{enqueue::CompletionLog, ledger::Ledger, lifecycle::Lifecycle, metrics::Metrics};

/// How often a waiting worker checks whether the connection is lost (arbitrary).
const NOTICE: Duration = Duration::from_millis(20);
/// The pause before another attempt (arbitrary).
pub(super) const RETRY: Duration = Duration::from_millis(100);
/// The time between two log lines about completions that the server does not take (arbitrary).
const QUIET: Duration = Duration::from_secs(10);

/// The state of a shared queue in this instance.
pub(super) struct Shared {
    /// The settings, from the flags.
    pub(super) settings: NatsSettings,
    /// The id of this instance, new at every start.
    pub(super) instance: String,
    /// The connection and the parts of the queue; set when the queue is reached.
    pub(super) reached: OnceLock<Reached>,
    /// Delivered messages that no worker has taken yet.
    pub(super) hand: Hand,
    /// The leases of all messages that this instance has.
    pub(super) leases: Leases,
    /// The last sample of the queue.
    sample: Mutex<Sample>,
    /// True when a drain has given back all messages that no worker had taken.
    pub(super) returned: watch::Sender<bool>,
    /// The position up to which the log of completions has been read.
    pub(super) log_position: watch::Sender<u64>,
    deliveries: AtomicU64,
    /// When an error with a completion was last logged.
    completion_logged: Mutex<Option<Instant>>,
    /// The counts of the service.
    pub(super) ledger: Arc<Ledger>,
    /// The log of completions.
    pub(super) log: Arc<CompletionLog>,
    /// The phase of the service.
    pub(super) lifecycle: Arc<Lifecycle>,
    /// The metrics of the service.
    pub(super) metrics: Arc<Metrics>,
}

/// A sample of the queue on its server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// When the sample was taken.
    pub(super) at: Instant,
    /// Messages that wait on the queue.
    pub(super) depth: u64,
    /// Messages that were delivered and have not ended.
    pub(super) leased: u64,
    /// How long the oldest of all these messages had been on the queue.
    pub(super) oldest: Duration,
    /// Messages that this instance has added since the sample.
    pub(super) added: u64,
}

impl Shared {
    /// Creates the state, without a connection yet.
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
            sample: Mutex::new(Sample {
                at: Instant::now(),
                depth: 0,
                leased: 0,
                oldest: Duration::ZERO,
                added: 0,
            }),
            returned: watch::Sender::new(false),
            log_position: watch::Sender::new(0),
            deliveries: AtomicU64::new(0),
            completion_logged: Mutex::default(),
            ledger,
            log,
            lifecycle,
            metrics,
        }
    }

    /// The connection and the parts of the queue, if the server is connected now.
    pub(super) fn connected(&self) -> Option<&Reached> {
        let reached = self.reached.get()?;
        (reached.client.connection_state() == State::Connected).then_some(reached)
    }

    /// Waits until the server is not connected. Checks repeatedly, because that needs no memory per message.
    pub(super) async fn disconnected(&self) {
        while self.connected().is_some() {
            tokio::time::sleep(NOTICE).await;
        }
    }

    /// The last sample of the queue.
    pub(super) fn sample(&self) -> MutexGuard<'_, Sample> {
        self.sample.lock().expect("no code panics with the sample locked")
    }

    /// The number of the next delivery.
    pub(super) fn next_delivery(&self) -> u64 {
        self.deliveries.fetch_add(1, Relaxed)
    }

    /// True if an error with a completion may be logged now: at most once in [`QUIET`].
    pub(super) fn completion_log_due(&self) -> bool {
        let mut logged = self
            .completion_logged
            .lock()
            .expect("no code panics with the time locked");
        let due = logged.is_none_or(|logged| logged.elapsed() >= QUIET);
        if due {
            *logged = Some(Instant::now());
        }
        due
    }

    /// Puts a message on a stream, unless the stream had one with this `id` recently. Waits until the server has confirmed it.
    /// `None` if there is no connection.
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

    /// Sends the server an acknowledgement (`word`) for the delivery with this number, and waits for the answer. Goes on without a
    /// connection, until the lease has ended: then the server delivers the message again. Returns false if no answer came.
    pub(super) async fn settle(&self, number: u64, reply: &Subject, word: &'static str) -> bool {
        let began = Instant::now();
        loop {
            if let Some(reached) = self.connected() {
                match reached.client.request(reply.clone(), word.into()).await {
                    Ok(_) => return true,
                    // The consumer is gone, not only slow to start with its server. Renewals do not show that.
                    Err(error)
                        if error.kind() == RequestErrorKind::NoResponders && began.elapsed() > self.settings.lease =>
                    {
                        return false;
                    }
                    Err(_) => {}
                }
            }
            if self.leases.has_ended(number, self.settings.lease) {
                return false;
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Gives back a message that no worker has taken. The server delivers it again at once.
    pub(super) async fn give_back(&self, number: u64, reply: Subject) {
        self.leases.end(number);
        if let Some(reached) = self.connected() {
            // If this is lost, the server delivers the message again when its lease ends.
            let _ = reached.client.publish(reply, "-NAK".into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use ::metrics::NoopRecorder;

    use super::*;

    fn settings() -> NatsSettings {
        NatsSettings {
            tls: false,
            hosts: vec!["127.0.0.1:1".to_owned()],
            name: "foo".to_owned(),
            places: 1,
            lease: Duration::from_secs(3),
            max_deliveries: 5,
            timeout: Duration::from_secs(1),
            dedupe: Duration::ZERO,
            replicas: 1,
            credentials: None,
            ca: None,
            certificate: None,
            max_payload: 1,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_connection_an_acknowledgement_is_tried_until_the_lease_has_ended() {
        let shared = Shared::new(
            settings(),
            "instance".to_owned(),
            Arc::default(),
            Arc::default(),
            Arc::new(Metrics::new(&NoopRecorder, 1, None)),
            Arc::default(),
        );
        shared.leases.begin(1, "reply".into());
        let reply = Subject::from("reply");
        let began = Instant::now();
        let settled = shared.settle(1, &reply, "+ACK");
        assert!(!settled.await);
        let took = began.elapsed();
        assert!(
            took >= Duration::from_secs(3) && took < Duration::from_secs(4),
            "{took:?}"
        );
    }
}
