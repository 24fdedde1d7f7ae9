//! Dead letters: a message that was delivered as often as is allowed and not processed goes to a stream of its own, with the reason.
//! The server could count deliveries as well, but would leave such a message where no consumer gets it, and it would keep its place.

use std::sync::Arc;

use async_nats::{Subject, jetstream::message::PublishMessage};
use bytes::Bytes;

use super::{
    lease::{seen, tell},
    shared::Shared,
    wire,
};
use crate::{enqueue::Completion, job::JobOutcome};

/// A message that is not to be processed any more.
pub(super) struct Dead {
    /// The number of its delivery.
    pub(super) number: u64,
    /// Its position on the queue.
    pub(super) sequence: u64,
    /// How often it was delivered.
    pub(super) deliveries: u64,
    /// Where the server hears what became of it.
    pub(super) reply: Subject,
    /// The message as it is on the queue.
    pub(super) bytes: Bytes,
    /// Why it is dead.
    pub(super) reason: &'static str,
    /// How it ended, where it is a message at all.
    pub(super) completion: Option<Completion>,
}

/// Puts a message aside. If that fails, it stays on the queue, and is delivered again when its lease ends.
pub(super) async fn put_aside(shared: Arc<Shared>, dead: Dead) {
    let id = format!("dead-{}", dead.sequence);
    let letter = PublishMessage::build()
        .payload(dead.bytes)
        .header(wire::DEAD_REASON, dead.reason)
        .header(wire::DEAD_DELIVERIES, dead.deliveries.to_string().as_str());
    match shared.publish(shared.settings.dead_subject(), Some(&id), letter).await {
        Some(Ok(_)) => {
            if let Some(completion) = &dead.completion {
                let position = tell(&shared, dead.sequence, dead.number, completion).await;
                shared.settle(&dead.reply, "+TERM").await;
                seen(&shared, position).await;
            } else {
                shared.settle(&dead.reply, "+TERM").await;
            }
            shared.metrics.queue.dead_letter();
            shared.ledger.take_from_shared_queue().finish(JobOutcome::DeadLettered);
            tracing::warn!(
                sequence = dead.sequence,
                deliveries = dead.deliveries,
                reason = dead.reason,
                "a message is put aside as a dead letter"
            );
        }
        Some(Err(error)) => tracing::error!(%error, "a dead letter cannot be put aside; it stays on the queue"),
        None => {}
    }
    shared.leases.end(dead.number);
}
