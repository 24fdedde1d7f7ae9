//! Puts a message on the shared queue, and returns the result: confirmed, refused, or unknown.

use std::{error::Error as _, sync::Arc};

use async_nats::jetstream::{
    self, ErrorCode,
    context::{PublishError, PublishErrorKind},
    message::PublishMessage,
};
use tokio::time::Instant;

use super::{shared::Shared, wire};
use crate::{
    enqueue::Enqueued,
    job::{Door, Job, JobOutcome, Reason},
    metrics::OfferOutcome,
};

/// Offers a message. Waits until the server has confirmed it. If the caller leaves before that, the message may be queued or not.
///
/// # Errors
///
/// If the queue is full, cannot be reached, or has not answered in time. The message counts as refused.
pub(super) async fn offer(shared: &Arc<Shared>, job: Job, deadline: Option<Instant>) -> Result<Enqueued, Reason> {
    let came = Instant::now();
    let in_line = shared.ledger.join_line(Door::Enqueue, deadline);
    let id = (!shared.settings.dedupe.is_zero()).then(|| wire::token(&job.id));
    let message = PublishMessage::build().payload(wire::encode(job).into());
    let answer = shared
        .publish(shared.settings.work_subject(), id.as_deref(), message)
        .await;
    let (outcome, answer) = match answer {
        Some(Ok(confirmed)) => (OfferOutcome::Ok, Ok(confirmed.duplicate)),
        Some(Err(error)) => refused(&error),
        None => (OfferOutcome::Unreachable, Err(Reason::QueueUnavailable)),
    };
    shared.metrics.queue.offered(outcome, came.elapsed());
    match answer {
        Ok(duplicate) => {
            let mut sample = shared.sample();
            if duplicate {
                shared.metrics.queue.duplicate();
                in_line.leave_uncounted();
            } else {
                sample.added += 1;
                in_line.enter_shared_queue();
            }
            Ok(Enqueued {
                depth: sample.depth + sample.added,
                duplicate,
            })
        }
        Err(reason) => {
            if reason == Reason::QueueUnsure {
                shared.metrics.queue.unsure();
            }
            in_line.leave(JobOutcome::Rejected);
            Err(reason)
        }
    }
}

/// The outcome and the reason for an error of the client library.
fn refused(error: &PublishError) -> (OfferOutcome, Result<bool, Reason>) {
    let (outcome, reason) = match error.kind() {
        PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => (OfferOutcome::Timeout, Reason::QueueUnsure),
        PublishErrorKind::MaxAckPending => (OfferOutcome::Full, Reason::QueueLineFull),
        _ if is_full(error) => (OfferOutcome::Full, Reason::QueueFull),
        _ => {
            tracing::error!(%error, "the queue does not take a message");
            (OfferOutcome::Failed, Reason::QueueUnavailable)
        }
    };
    (outcome, Err(reason))
}

/// True if the server has no room. A disk error of the server has the same code, so the text decides.
pub(super) fn is_full(error: &PublishError) -> bool {
    let said = error
        .source()
        .and_then(|source| source.downcast_ref::<jetstream::Error>());
    said.is_some_and(|said| match said.error_code() {
        ErrorCode::STREAM_STORE_FAILED => {
            let text = said.to_string();
            text.contains("maximum messages exceeded") || text.contains("maximum bytes exceeded")
        }
        code => [
            ErrorCode::STORAGE_RESOURCES_EXCEEDED,
            ErrorCode::INSUFFICIENT_RESOURCES,
            ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
        ]
        .contains(&code),
    })
}
