//! A message that was taken from a shared queue, and is owed an end.
//!
//! The end is told in this order: the completion is on its stream, confirmed; the message is acknowledged, confirmed; this
//! instance's own log has the completion; the ledger counts it. An instance that is killed in between leaves a message that is done
//! twice and seen twice, never one that is lost or not seen.

use std::sync::Arc;

use async_nats::jetstream::message::PublishMessage;
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    hand::Delivery,
    shared::{RETRY, Shared},
    wire,
};
use crate::{
    enqueue::Completion,
    job::{Job, JobOutcome, Processed},
    ledger::InService,
    lifecycle::Phase,
};

/// The right to process a message, and the duty to say how that ended. Dropped without an end, the work was broken off: the server
/// delivers the message again when its lease ends.
pub(in crate::enqueue) struct Lease {
    pub(super) shared: Arc<Shared>,
    pub(super) taken: Instant,
    pub(super) held: Option<(Delivery, InService)>,
}

impl Lease {
    /// The message.
    pub(in crate::enqueue) fn job(&self) -> &Job {
        let (delivery, _) = self.held.as_ref().expect("a lease holds its message until it ends");
        &delivery.job
    }

    /// When the message was taken.
    pub(in crate::enqueue) fn taken(&self) -> Instant {
        self.taken
    }

    /// The message was processed. Waits until that is confirmed, the connection is lost, or the server has had its time: the worker is for other
    /// work then, and the end is told as soon as the server answers again.
    pub(in crate::enqueue) async fn complete(self, processed: Processed) {
        self.confirmed(JobOutcome::Completed, Some(processed)).await;
    }

    /// The message ends with `outcome`, without having been processed. Waits in the same way.
    pub(in crate::enqueue) async fn end(self, outcome: JobOutcome) {
        self.confirmed(outcome, None).await;
    }

    async fn confirmed(mut self, outcome: JobOutcome, processed: Option<Processed>) {
        let shared = Arc::clone(&self.shared);
        if let Some(telling) = self.finish(outcome, processed) {
            let told = async {
                tokio::select! {
                    biased;
                    _ = telling => {}
                    () = shared.disconnected() => {}
                }
            };
            let _ = timeout(shared.settings.timeout, told).await;
        }
    }

    fn finish(&mut self, outcome: JobOutcome, processed: Option<Processed>) -> Option<JoinHandle<()>> {
        let (delivery, in_service) = self.held.take()?;
        let completion = Completion {
            queue_wait: processed.map_or_else(|| self.taken - delivery.job.since, |processed| processed.queue_wait),
            // No worker has worked on a message that was too old.
            service_time: (outcome != JobOutcome::Expired)
                .then(|| processed.map_or_else(|| self.taken.elapsed(), |processed| processed.service_time)),
            outcome,
            deliveries: Some(delivery.deliveries),
            id: delivery.job.id,
        };
        let shared = Arc::clone(&self.shared);
        Some(tokio::spawn(async move {
            let told = async {
                let position = tell(&shared, delivery.sequence, delivery.number, &completion).await;
                shared.settle(&delivery.reply, "+ACK").await;
                seen(&shared, position).await;
            };
            let told = tokio::select! {
                biased;
                () = told => true,
                () = shared.lifecycle.reached(Phase::Abandoning) => false,
            };
            shared.leases.end(delivery.number);
            if told {
                in_service.finish(outcome);
            } else {
                in_service.back_to_shared_queue();
            }
        }))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some((delivery, in_service)) = self.held.take() {
            self.shared.leases.end(delivery.number);
            in_service.back_to_shared_queue();
        }
    }
}

/// Puts a completion on its stream, once for each delivery. Waits until that is confirmed; returns its position.
pub(super) async fn tell(shared: &Shared, sequence: u64, number: u64, completion: &Completion) -> u64 {
    let id = format!("{sequence}-{number}-{}", shared.instance);
    let bytes: bytes::Bytes = wire::encode_end(completion).into();
    loop {
        let message = PublishMessage::build().payload(bytes.clone());
        match shared.publish(shared.settings.done_subject(), Some(&id), message).await {
            Some(Ok(confirmed)) => return confirmed.sequence,
            Some(Err(error)) => tracing::debug!(%error, "a completion is not confirmed; it is told again"),
            None => {}
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Waits until this instance's own log has the completion at that position: a watcher that sees the system empty must find every end
/// in the log. Not for longer than an answer of the server may take.
pub(super) async fn seen(shared: &Shared, position: u64) {
    let mut told = shared.told.subscribe();
    let _ = timeout(shared.settings.timeout, told.wait_for(|told| *told >= position)).await;
}
