//! A message that was taken from a shared queue. It must be ended with an outcome.
//!
//! The outcome is reported in this order: the completion is put on its stream, which the server confirms; the message is
//! acknowledged, which the server confirms; this instance's own log has the completion; the ledger counts it. If the instance is
//! killed in between, a message can be processed and reported twice, but never be lost or unreported.

use std::sync::Arc;

use async_nats::jetstream::message::PublishMessage;
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    hand::Delivery,
    offer::is_full,
    shared::{RETRY, Shared},
    wire,
};
use crate::{
    enqueue::Completion,
    job::{Job, JobOutcome, Processed},
    ledger::InService,
    lifecycle::Phase,
};

/// The right to process a message, and the duty to end it with an outcome. If it is dropped without one, the work was interrupted:
/// the server delivers the message again when its lease ends.
pub(in crate::enqueue) struct Lease {
    pub(super) shared: Arc<Shared>,
    pub(super) taken: Instant,
    pub(super) held: Option<(Delivery, InService)>,
}

impl Lease {
    /// The leased message.
    pub(in crate::enqueue) fn job(&self) -> &Job {
        let (delivery, _) = self.held.as_ref().expect("a lease holds its message until it ends");
        &delivery.job
    }

    /// When the message was taken.
    pub(in crate::enqueue) fn taken(&self) -> Instant {
        self.taken
    }

    /// Ends the message as processed. Waits until the server has confirmed that, but not when the connection is lost, and not
    /// longer than an answer may take: then the worker is free, and the outcome is reported when the server answers again.
    pub(in crate::enqueue) async fn complete(self, processed: Processed) {
        self.confirmed(JobOutcome::Completed, Some(processed)).await;
    }

    /// Ends the message with `outcome`; it was not processed. Waits like [`complete`](Self::complete).
    pub(in crate::enqueue) async fn end(self, outcome: JobOutcome) {
        self.confirmed(outcome, None).await;
    }

    async fn confirmed(mut self, outcome: JobOutcome, processed: Option<Processed>) {
        let shared = Arc::clone(&self.shared);
        if let Some(reporting) = self.finish(outcome, processed) {
            let confirmed = async {
                tokio::select! {
                    biased;
                    _ = reporting => {}
                    () = shared.disconnected() => {}
                }
            };
            let _ = timeout(shared.settings.timeout, confirmed).await;
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
            let confirmed = async {
                let position = publish_completion(&shared, delivery.sequence, delivery.number, &completion).await;
                // If this is not answered until the lease has ended, the message is delivered and reported once more.
                shared.settle(delivery.number, &delivery.reply, "+ACK").await;
                wait_for_log(&shared, position).await;
            };
            let is_reported = tokio::select! {
                biased;
                () = confirmed => true,
                () = shared.lifecycle.reached(Phase::Abandoning) => false,
            };
            shared.leases.end(delivery.number);
            if is_reported {
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

/// Puts a completion on its stream, once per delivery. Waits until the server has confirmed it. Returns its position; `None` if the
/// server has no room for it: then the message must be acknowledged all the same, or the queue would never have room again.
pub(super) async fn publish_completion(
    shared: &Shared,
    sequence: u64,
    number: u64,
    completion: &Completion,
) -> Option<u64> {
    /// How often the server may say that it has no room (arbitrary).
    const REFUSALS: u32 = 5;
    let mut refusals = 0;
    let id = format!("{sequence}-{number}-{}", shared.instance);
    let bytes: bytes::Bytes = wire::encode_end(completion).into();
    loop {
        let message = PublishMessage::build().payload(bytes.clone());
        match shared.publish(shared.settings.done_subject(), Some(&id), message).await {
            Some(Ok(confirmed)) => return Some(confirmed.sequence),
            Some(Err(error)) if is_full(&error) => {
                refusals += 1;
                if refusals >= REFUSALS {
                    if shared.completion_log_due() {
                        tracing::error!(%error, "the server has no room for completions; their messages end unreported");
                    }
                    return None;
                }
            }
            Some(Err(error)) if shared.completion_log_due() => {
                tracing::error!(%error, "a completion is not confirmed; it is published again");
            }
            Some(Err(_)) | None => {}
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Waits until this instance's own log has the completion at `position`, but not longer than an answer of the server may take. A
/// watcher that sees an empty system must find every outcome in the log.
pub(super) async fn wait_for_log(shared: &Shared, position: Option<u64>) {
    let Some(position) = position else { return };
    let mut log_position = shared.log_position.subscribe();
    let _ = timeout(shared.settings.timeout, log_position.wait_for(|read| *read >= position)).await;
}
