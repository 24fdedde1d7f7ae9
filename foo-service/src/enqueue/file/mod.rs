//! The queue in a file: an acknowledged message survives the end of the process, by SIGKILL or a power failure.
//!
//! One thread writes (`writer`): it collects new messages and outcomes, and makes them durable with one commit (`store`). The
//! oldest messages are in memory too (`shared`), so taking one does not wait for the disk. Outcomes are in the file as well, as
//! many as the log of completions has: after a restart, a watcher can continue where it was.
//!
//! A message that was in service when the process was killed is processed again. So each message is processed at least once, and
//! a kill repeats at most as many messages as there are workers: a worker takes its next message only when the outcome of the
//! last one is durable.

mod ids;
mod lease;
mod lock;
mod opening;
mod order;
mod outage;
mod rows;
mod shared;
mod storage;
mod store;
mod uncommitted;
mod writer;

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use rand::TryRng;
use tokio::{sync::oneshot, time::Instant};

pub(super) use self::lease::Lease;
pub use self::opening::OpenError;
use self::{
    ids::Ids,
    order::{Offer, Order},
    outage::Outage,
    shared::Shared,
    store::Store,
    writer::Writer,
};
use super::{CompletionLog, Enqueued};
use crate::{
    job::{Door, Job, Reason},
    ledger::Ledger,
    metrics::Metrics,
};

/// The settings of a durable queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSettings {
    /// The folder of the file. It is created if it is missing.
    pub folder: PathBuf,
    /// The most messages that may wait.
    pub places: u32,
    /// How long the id of a message is remembered, to recognise repeats of it. Zero: not at all.
    pub dedupe: Duration,
    /// The most messages that are in service at a time.
    pub workers: u32,
}

/// The queue in a file. Messages are taken first in, first out.
pub struct FileQueue {
    queue_id: String,
    shared: Arc<Shared>,
    /// The channel to the writer. Bounded by the callers that may wait ([`Uncommitted`](uncommitted::Uncommitted)) and
    /// by the workers.
    orders: Sender<Order>,
}

impl FileQueue {
    /// Opens the queue and starts its writer. Adds the messages in the file to `ledger`, and the outcomes to `log`.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or another process has it open.
    pub fn open(
        settings: &FileSettings,
        ledger: Arc<Ledger>,
        log: Arc<CompletionLog>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, OpenError> {
        let (queue, writer, orders) = Self::without_writer(settings, ledger, log, metrics)?;
        thread::Builder::new()
            .name("queue".to_owned())
            .spawn(move || writer.run(&orders))
            .map_err(OpenError::Thread)?;
        Ok(queue)
    }

    /// Opens the queue. The writer must then run, with the orders.
    fn without_writer(
        settings: &FileSettings,
        ledger: Arc<Ledger>,
        log: Arc<CompletionLog>,
        metrics: Arc<Metrics>,
    ) -> Result<(Self, Writer, Receiver<Order>), OpenError> {
        let queue_id = rand::rngs::SysRng.try_next_u64().expect("the system gives randomness");
        let (mut store, found) = Store::open(&settings.folder, queue_id, settings.workers)?;
        let failed = |error| OpenError::Database {
            folder: settings.folder.clone(),
            error: Box::new(error),
        };
        let mut ids = Ids::new(settings.dedupe);
        store.each_id(|number, id| ids.remember(number, id)).map_err(failed)?;
        ledger.recover(found.messages, found.bytes);
        log.restore(found.ends, found.ends_from);
        let shared = Arc::new(Shared::new(found.messages, ledger, log, metrics));
        let (after, most, bytes) = shared.head().wanted();
        let messages = store.read(after, most, bytes).map_err(failed)?;
        shared.head().read(messages, found.again_up_to);
        shared.metrics.queue.ids(ids.count());
        let writer = Writer {
            store,
            ids,
            places: u64::from(settings.places),
            again_up_to: found.again_up_to,
            shared: Arc::clone(&shared),
            unwritten: VecDeque::new(),
            reads: false,
            writing: Outage::default(),
            reading: Outage::default(),
        };
        let (orders, receiver) = mpsc::channel();
        let queue = Self {
            queue_id: found.queue_id,
            shared,
            orders,
        };
        Ok((queue, writer, receiver))
    }

    /// The id of the queue: constant as long as the file exists.
    pub fn queue_id(&self) -> &str {
        &self.queue_id
    }

    /// How long the oldest message has waited.
    pub fn oldest_age(&self) -> Duration {
        self.shared.head().oldest_age()
    }

    /// Puts a message on the queue. Waits until it is durable. If the caller leaves before that, the message may be queued or not.
    ///
    /// # Errors
    ///
    /// If too many messages wait for the disk, or too many bytes of them, or the queue is full, is closed, or cannot be written. The message counts as refused.
    pub async fn offer(&self, job: Job, deadline: Option<Instant>) -> Result<Enqueued, Reason> {
        let room = if self.shared.head().closed() {
            Err(Reason::Draining)
        } else {
            let room = self.shared.uncommitted.room(job.bytes());
            room.ok_or(Reason::QueueLineFull)
        };
        let room = room.inspect_err(|_| self.shared.ledger.refuse(Door::Enqueue))?;
        let (answer, answered) = oneshot::channel();
        self.order(Order::Join(Offer {
            job,
            in_line: self.shared.ledger.join_line(Door::Enqueue, deadline),
            room,
            since: Instant::now(),
            answer,
        }));
        // The writer ends only after the last caller, or because of a bug.
        answered.await.unwrap_or(Err(Reason::QueueUnavailable))
    }

    fn order(&self, order: Order) {
        if self.orders.send(order).is_err() {
            tracing::error!("the thread that writes the queue has ended: this is a bug");
        }
    }

    /// Waits until there is a message. Only one consumer may wait. Cancel-safe.
    pub async fn ready(&self) {
        while !self.shared.head().ready() {
            self.shared.not_empty.notified().await;
        }
    }

    /// Takes the oldest message; `None` if there is none any more.
    pub fn take(&self) -> Option<Lease> {
        let (waiting, in_service, asks) = {
            let mut head = self.shared.head();
            let waiting = head.take()?;
            let in_service = self.shared.ledger.take_from_queue(waiting.job.bytes());
            (waiting, in_service, head.ask())
        };
        if asks {
            self.order(Order::Read);
        }
        if waiting.again {
            self.shared.metrics.queue.redelivered();
        }
        Some(Lease {
            taken: Instant::now(),
            held: Some((waiting, in_service)),
            shared: Arc::clone(&self.shared),
            orders: self.orders.clone(),
        })
    }

    /// Stops the taking and adding of messages. Waiting messages stay in the file.
    pub fn stop(&self) {
        self.shared.head().close();
    }

    /// Waits until everything is written to the file, and closes it.
    pub async fn close(&self) {
        self.stop();
        let (closed, wait) = oneshot::channel();
        self.order(Order::Close(closed));
        let _ = wait.await;
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod writer_tests;
