//! Waits for a message, then for a worker, and only then takes the message. So the depth counts every message that no worker
//! has, an idle queue occupies no worker, and the queue waits for turns like one caller among those of Process.
//!
//! When the service drains, nothing more is taken from a queue that outlives the process: messages in service are finished, the
//! others stay on it.

use std::{pin::pin, time::Duration};

use futures_util::FutureExt;
use tokio::task::JoinSet;

use super::backend::Backend;
use crate::{
    job::{Door, JobOutcome, WorkFailed},
    lifecycle::{Lifecycle, Phase},
    turns::Turns,
};

/// Runs until the service abandons or closes; then abandons what is still in service or on the queue. A message that is older than
/// `ttl` when its turn comes ends as expired without work, and its turn goes to the next one.
pub(super) async fn run(queue: &Backend, turns: &Turns, lifecycle: &Lifecycle, ttl: Option<Duration>) {
    let last = if queue.outlives_process() {
        Phase::Draining
    } else {
        Phase::Abandoning
    };
    let mut over = pin!(lifecycle.reached(last));
    // The messages in service, and those that have ended since the last turn.
    let mut in_service = JoinSet::new();
    loop {
        let next = async {
            queue.ready().await;
            turns.message().await
        };
        let turn = tokio::select! {
            biased;
            turn = next => turn,
            () = &mut over => break,
        };
        // While a message is always ready, the select above never polls `over`. This check costs less than polling it first.
        if lifecycle.is_at_least(last) {
            break;
        }
        // Looking into an empty set costs more than asking whether it is empty.
        while !in_service.is_empty() && in_service.try_join_next().is_some() {}
        if let Some(lease) = queue.take() {
            let age = lease.taken().saturating_duration_since(lease.job().since);
            let expired = ttl.is_some_and(|ttl| age > ttl);
            let mut work = Box::pin(async move {
                if expired {
                    // The turn is dropped: the next one gets it, and the limit takes no sample from it.
                    return lease.end(JobOutcome::Expired).await;
                }
                let processed = turn.process(Door::Enqueue, lease.job(), lease.taken()).await;
                match processed {
                    Ok(processed) => lease.complete(processed).await,
                    Err(WorkFailed) => lease.end(JobOutcome::WorkFailed).await,
                }
                turn.finish(processed);
            });
            // Work that takes no time needs no task of its own, nor does a message that has expired.
            if work.as_mut().now_or_never().is_none() {
                in_service.spawn(work);
            }
        }
    }
    tokio::select! {
        biased;
        () = lifecycle.reached(Phase::Abandoning) => {}
        () = async { while in_service.join_next().await.is_some() {} } => {}
    }
    in_service.shutdown().await;
    queue.abandon();
}
