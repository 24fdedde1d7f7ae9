//! The line of calls that wait for the limit, then for a worker.
//!
//! Only this file knows that the line is the first-come-first-served queue of [`Permits`].

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::time::Instant;
use tower::Service;

use crate::{
    job::{Door, Job, JobOutcome, Processed, Reason},
    ledger::Ledger,
    permits::Permits,
    workers::Workers,
};

/// A call that was let in.
pub(super) struct Standing {
    pub(super) job: Job,
    pub(super) deadline: Option<Instant>,
}

type Answer = Result<Processed, Reason>;

/// Ready for everyone; those over the limit wait inside the call. (tower's limit waits in `poll_ready`, where whatever
/// stands around it cannot tell waiting from being full.)
#[derive(Clone)]
pub(super) struct Line(Arc<Head>);

/// What everybody in line waits for.
struct Head {
    limit: Permits,
    workers: Arc<Workers>,
    ledger: Arc<Ledger>,
}

impl Line {
    pub(super) fn new(limit: u32, workers: Arc<Workers>, ledger: Arc<Ledger>) -> Self {
        Self(Arc::new(Head {
            limit: Permits::new(limit),
            workers,
            ledger,
        }))
    }

    /// From now on `limit` calls go on from the line at once; those that are past it are not broken off.
    pub(super) fn resize(&self, limit: u32) {
        self.0.limit.resize(limit);
    }
}

impl Service<Standing> for Line {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Standing) -> Self::Future {
        // Counted from here on, before anything is polled.
        let in_line = self.0.ledger.join_line(Door::Process, call.deadline);
        let head = Arc::clone(&self.0);
        // In one piece, not handed on to a function: what is handed on is held twice, and this is held for every call.
        Box::pin(async move {
            let _permit = head.limit.acquire().await;
            // The limit does not know how many workers there are, nor how many the other door has.
            let slot = head.workers.slot().await;
            let taken = Instant::now();
            // Some get here when nobody is left to answer.
            if call.deadline.is_some_and(|deadline| taken >= deadline) {
                in_line.leave(JobOutcome::Expired);
                return Ok(Err(Reason::Expired));
            }
            let in_service = in_line.enter_service();
            let processed = slot.process(Door::Process, &call.job, taken).await;
            in_service.finish(JobOutcome::Completed);
            Ok(Ok(processed))
        })
    }
}
