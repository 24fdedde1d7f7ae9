//! The line of calls that wait for the limit, then for a worker.
//!
//! Only this file knows that the line is the first-come-first-served queue of a semaphore.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::time::Instant;
use tower::{Service, ServiceExt, limit::ConcurrencyLimit, util::Oneshot};

use crate::{
    job::{Door, Job, JobOutcome, Processed, Refusal},
    ledger::{InLine, Ledger},
    workers::Workers,
};

/// A call that was let in.
pub(super) struct Standing {
    pub(super) job: Job,
    pub(super) deadline: Option<Instant>,
}

type Answer = Result<Processed, Refusal>;
type AnswerFuture = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

/// Ready for everyone; those over the limit wait inside the call. (A bare limit waits in `poll_ready`, where whatever
/// stands around it cannot tell waiting from being full.)
#[derive(Clone)]
pub(super) struct Line {
    limited: ConcurrencyLimit<Serve>,
    ledger: Arc<Ledger>,
}

impl Line {
    pub(super) fn new(limit: u32, workers: Arc<Workers>, ledger: Arc<Ledger>) -> Self {
        Self {
            limited: ConcurrencyLimit::new(Serve { workers }, limit as usize),
            ledger,
        }
    }
}

impl Service<Standing> for Line {
    type Response = Answer;
    type Error = Infallible;
    type Future = Oneshot<ConcurrencyLimit<Serve>, Front>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Standing) -> Self::Future {
        let in_line = self.ledger.join_line(Door::Process, call.deadline);
        self.limited.clone().oneshot(Front { call, in_line })
    }
}

/// A call whose place in line is counted.
pub(super) struct Front {
    call: Standing,
    in_line: InLine,
}

/// What happens at the head of the line.
#[derive(Clone)]
pub(super) struct Serve {
    workers: Arc<Workers>,
}

impl Service<Front> for Serve {
    type Response = Answer;
    type Error = Infallible;
    type Future = AnswerFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, Front { call, in_line }: Front) -> Self::Future {
        let workers = Arc::clone(&self.workers);
        Box::pin(async move {
            // The limit does not know how many workers there are, nor how many the other door has.
            let slot = workers.slot().await;
            // Some get here when nobody is left to answer.
            if call.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Err(Refusal::Expired));
            }
            let in_service = in_line.enter_service();
            let processed = workers.process(&slot, Door::Process, &call.job).await;
            in_service.finish(JobOutcome::Completed);
            Ok(Ok(processed))
        })
    }
}
