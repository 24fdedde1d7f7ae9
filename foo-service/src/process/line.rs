//! The waiting line of Process, as a tower service: a call waits inside it for its turn.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use tokio::time::Instant;
use tower::Service;
use tower_admission::line::Class;

use crate::{
    job::{Done, Door, Job, JobOutcome, Reason},
    ledger::Ledger,
    turns::{self, Turns},
};

/// A call that waits for its turn, with its message.
pub(super) struct Standing {
    pub(super) job: Job,
    pub(super) deadline: Option<Instant>,
    pub(super) class: Class,
}

type Answer = Result<Done, Reason>;

/// The waiting line as a service that is always ready: calls wait in `call`. (Calls of tower's limit wait in `poll_ready`, where
/// the layers around it cannot tell waiting from a full line.)
#[derive(Clone)]
pub(super) struct Line(Arc<Head>);

/// The parts that every call in line needs.
struct Head {
    turns: Arc<Turns>,
    ledger: Arc<Ledger>,
}

impl Line {
    pub(super) fn new(turns: Arc<Turns>, ledger: Arc<Ledger>) -> Self {
        Self(Arc::new(Head { turns, ledger }))
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
        let head = Arc::clone(&self.0);
        // One block, not split into async functions: their arguments would be stored twice in the future of every call.
        Box::pin(async move {
            let (in_line, permit) = {
                let mut turn = pin!(head.turns.call(call.deadline, call.class));
                let join = || head.ledger.join_line(Door::Process, call.deadline);
                // The call arrives with the first poll. From then on it is counted: as refused, or as waiting in line.
                match poll_fn(|cx| Poll::Ready(turn.as_mut().poll(cx))).await {
                    Poll::Ready(Ok(permit)) => (join(), permit),
                    Poll::Ready(Err(rejected)) => {
                        head.ledger.refuse(Door::Process);
                        return Ok(Err(turns::reason(rejected.reason, call.deadline)));
                    }
                    Poll::Pending => {
                        let in_line = join();
                        match turn.await {
                            Ok(permit) => (in_line, permit),
                            Err(rejected) => {
                                let reason = turns::reason(rejected.reason, call.deadline);
                                in_line.leave(match reason {
                                    Reason::Expired => JobOutcome::Expired,
                                    _ => JobOutcome::Rejected,
                                });
                                return Ok(Err(reason));
                            }
                        }
                    }
                }
            };
            let turn = head.turns.worker(Door::Process, permit).await;
            let taken = Instant::now();
            // The deadline can pass while the call waits for a worker.
            if call.deadline.is_some_and(|deadline| taken >= deadline) {
                in_line.leave(JobOutcome::Expired);
                return Ok(Err(Reason::Expired));
            }
            let in_service = in_line.enter_service();
            let processed = turn.process(Door::Process, &call.job, taken).await;
            in_service.finish(processed.map_or(JobOutcome::WorkFailed, |_| JobOutcome::Completed));
            turn.finish(processed);
            let id = call.job.id;
            Ok(processed.map(|processed| Done { id, processed }).map_err(Reason::from))
        })
    }
}
