//! Dead letters: a message that was delivered as often as is allowed and not processed is moved to a stream of its own, with the
//! reason. The server could count deliveries too, but would leave such a message on the queue, where it takes room and no consumer
//! gets it.

use std::sync::Arc;

use async_nats::{Subject, jetstream::message::PublishMessage};
use bytes::Bytes;

use super::{
    lease::{publish_completion, wait_for_log},
    shared::Shared,
    wire,
};
use crate::{enqueue::Completion, job::JobOutcome};

/// A message that becomes a dead letter.
pub(super) struct Dead {
    /// The number of this delivery within the instance.
    pub(super) number: u64,
    /// Its position on the queue.
    pub(super) sequence: u64,
    /// How often the message was delivered.
    pub(super) deliveries: u64,
    /// The subject for the acknowledgement to the server.
    pub(super) reply: Subject,
    /// The message as it is on the queue.
    pub(super) bytes: Bytes,
    /// Why the message is a dead letter.
    pub(super) reason: &'static str,
    /// The outcome for the log of completions; `None` if the bytes are no message of foo-service.
    pub(super) completion: Option<Completion>,
}

/// Moves a message to the dead letters. If that fails, it stays on the queue, and is delivered again when its lease ends.
pub(super) async fn store_dead_letter(shared: Arc<Shared>, dead: Dead) {
    let id = format!("dead-{}", dead.sequence);
    let letter = PublishMessage::build()
        .payload(dead.bytes)
        .header(wire::DEAD_REASON, dead.reason)
        .header(wire::DEAD_DELIVERIES, dead.deliveries.to_string().as_str());
    match shared.publish(shared.settings.dead_subject(), Some(&id), letter).await {
        Some(Ok(_)) => {
            let position = match &dead.completion {
                Some(completion) => publish_completion(&shared, dead.sequence, dead.number, completion).await,
                None => None,
            };
            // If this is not answered, the message is delivered again, stored only once by its id, and counted then.
            if shared.settle(dead.number, &dead.reply, "+TERM").await {
                wait_for_log(&shared, position).await;
                shared.metrics.queue.dead_letter();
                shared.ledger.take_from_shared_queue().finish(JobOutcome::DeadLettered);
                tracing::warn!(
                    sequence = dead.sequence,
                    deliveries = dead.deliveries,
                    reason = dead.reason,
                    "a message becomes a dead letter"
                );
            }
        }
        Some(Err(error)) => tracing::error!(%error, "a dead letter cannot be stored; it stays on the queue"),
        None => {}
    }
    shared.leases.end(dead.number);
}
