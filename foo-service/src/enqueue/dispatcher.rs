//! Waits for a message, then for a worker, and only then takes the message: so the depth counts every message that no
//! worker has, an idle queue holds no worker, and the queue takes its turns at the workers like one caller among those of
//! Process.
//!
//! A queue that outlives the process is left alone as soon as the service drains: what is in service is finished, the rest
//! stays.

use std::{pin::pin, time::Duration};

use futures_util::FutureExt;
use tokio::task::JoinSet;

use super::backend::Backend;
use crate::{
    job::{Door, JobOutcome, WorkFailed},
    lifecycle::{Lifecycle, Phase},
    turns::Turns,
};

/// Runs until the service abandons or closes; lets go then of what is in service and on the queue. A message that is older than
/// `ttl` when its turn comes ends as expired, without any work, and its turn is the next one's.
pub(super) async fn run(queue: &Backend, turns: &Turns, lifecycle: &Lifecycle, ttl: Option<Duration>) {
    let last = if queue.outlives_process() {
        Phase::Draining
    } else {
        Phase::Abandoning
    };
    let mut over = pin!(lifecycle.reached(last));
    // As many as there are workers, and those that have ended since the last turn.
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
        // A queue that always has a message gets here without a look at `over`, which costs more.
        if lifecycle.is_at_least(last) {
            break;
        }
        while in_service.try_join_next().is_some() {}
        if let Some(lease) = queue.take() {
            let age = lease.taken().saturating_duration_since(lease.job().since);
            let expired = ttl.is_some_and(|ttl| age > ttl);
            let mut work = Box::pin(async move {
                if expired {
                    // The turn goes to the next message, and the limit learns nothing from it.
                    return lease.end(JobOutcome::Expired).await;
                }
                let processed = turn.process(Door::Enqueue, lease.job(), lease.taken()).await;
                match processed {
                    Ok(processed) => lease.complete(processed).await,
                    Err(WorkFailed) => lease.end(JobOutcome::WorkFailed).await,
                }
                turn.finish(processed);
            });
            // Work that takes no time, and a message that has expired, needs no task of its own.
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
