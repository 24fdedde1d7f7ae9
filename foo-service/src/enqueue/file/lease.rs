//! A message that was taken from a durable queue. It must be ended with an outcome.

use std::sync::{Arc, mpsc::Sender};

use tokio::{sync::oneshot, time::Instant};

use super::{
    order::{Ending, Order},
    shared::{Shared, Waiting},
    store::Ended,
};
use crate::{
    enqueue::Completion,
    job::{Job, JobOutcome, Processed},
    ledger::InService,
};

/// The right to process a message, and the duty to end it with an outcome. If it is dropped without one, the work was
/// interrupted: the message goes back to the front of the queue, for this process or a later one. In a panic it counts as failed.
pub struct Lease {
    pub(super) shared: Arc<Shared>,
    pub(super) orders: Sender<Order>,
    pub(super) taken: Instant,
    pub(super) held: Option<(Waiting, InService)>,
}

impl Lease {
    /// The leased message. It stays in the file until its outcome is written.
    pub fn job(&self) -> &Job {
        let (waiting, _) = self.held.as_ref().expect("a lease holds its message until it ends");
        &waiting.job
    }

    /// When the message was taken.
    pub fn taken(&self) -> Instant {
        self.taken
    }

    /// Ends the message as processed. Waits until that is durable: from then on the message is not processed again. If the future
    /// is dropped, the outcome is still written.
    pub async fn complete(mut self, processed: Processed) {
        let durable = self.finish(JobOutcome::Completed, Some(processed));
        written(durable).await;
    }

    /// Ends the message with `outcome`; it was not processed. Waits like [`complete`](Self::complete).
    pub async fn end(mut self, outcome: JobOutcome) {
        let durable = self.finish(outcome, None);
        written(durable).await;
    }

    /// Puts the message back to the front of the queue.
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
                completion: Completion::of_taken(job, self.taken, outcome, processed),
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
        // The writer ends only after the last lease, or because of a bug.
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
