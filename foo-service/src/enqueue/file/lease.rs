//! A message that was taken from a durable queue, and is owed an end.

use std::sync::{Arc, mpsc::Sender};

use tokio::{sync::oneshot, time::Instant};

use super::{
    shared::{Shared, Waiting},
    store::Ended,
    writer::{Ending, Order},
};
use crate::{
    enqueue::Completion,
    job::{Job, JobOutcome, Processed},
    ledger::InService,
};

/// The right to process a message, and the duty to say how that ended. Dropped without an end, the work was broken off: the
/// message is the next to be taken again, in this process or in a later one. After a panic it counts as failed.
pub struct Lease {
    pub(super) shared: Arc<Shared>,
    pub(super) orders: Sender<Order>,
    pub(super) taken: Instant,
    pub(super) held: Option<(Waiting, InService)>,
}

impl Lease {
    /// The message that is leased; it stays in the file until its end is written.
    pub fn job(&self) -> &Job {
        let (waiting, _) = self.held.as_ref().expect("a lease holds its message until it ends");
        &waiting.job
    }

    /// When the message was taken.
    pub fn taken(&self) -> Instant {
        self.taken
    }

    /// The message was processed. Waits until that is durable: from then on it is not processed again. Dropping the future
    /// changes nothing.
    pub async fn complete(mut self, processed: Processed) {
        let durable = self.finish(JobOutcome::Completed, Some(processed));
        written(durable).await;
    }

    /// The message ends with `outcome`, without having been processed. Waits in the same way.
    pub async fn end(mut self, outcome: JobOutcome) {
        let durable = self.finish(outcome, None);
        written(durable).await;
    }

    /// The message is the next to be taken again.
    pub fn hand_back(mut self) {
        self.put_back();
    }

    fn put_back(&mut self) {
        if let Some((waiting, in_service)) = self.held.take() {
            in_service.back_to_queue(waiting.job.bytes());
            self.shared.head().take_back(waiting);
            self.shared.not_empty.notify_one();
        }
    }

    fn finish(&mut self, outcome: JobOutcome, processed: Option<Processed>) -> Option<oneshot::Receiver<()>> {
        let (Waiting { number, job, .. }, in_service) = self.held.take()?;
        let (answer, durable) = oneshot::channel();
        let ending = Ending {
            ended: Ended {
                number,
                bytes: job.bytes(),
                completion: Completion {
                    queue_wait: processed.map_or_else(|| self.taken - job.since, |processed| processed.queue_wait),
                    // No worker has worked on a message that was too old.
                    service_time: (outcome != JobOutcome::Expired)
                        .then(|| processed.map_or_else(|| self.taken.elapsed(), |processed| processed.service_time)),
                    outcome,
                    deliveries: None,
                    id: job.id,
                },
            },
            in_service,
            answer,
        };
        if self.orders.send(Order::End(ending)).is_err() {
            tracing::error!("the thread that writes the queue has ended: this is a bug");
        }
        Some(durable)
    }
}

async fn written(durable: Option<oneshot::Receiver<()>>) {
    if let Some(durable) = durable {
        // The writer is gone only after the last lease, or after a bug of its own.
        let _ = durable.await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.finish(JobOutcome::Failed, None);
        } else {
            self.put_back();
        }
    }
}
