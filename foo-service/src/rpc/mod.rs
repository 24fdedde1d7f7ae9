//! The gRPC interface: decodes a request, passes the message to Enqueue or Process, and encodes the answer. It decides nothing.
//!
//! `calls` counts every call from its arrival to the end of its answer, with the result that its handler sets (`call`).
//! `status` is the one place where refusals become statuses.

mod call;
mod calls;
mod counted;
mod message;
mod status;
pub mod trace;
mod unreached;
mod watch;

use std::{pin::Pin, sync::Arc};

use call::Call;
pub use calls::Calls;
use foo_proto::v1::{
    EnqueueRequest, EnqueueResponse, Message, ProcessRequest, ProcessResponse, Snapshot, WatchRequest,
    foo_service_server::FooService,
};
use futures_util::Stream;
pub use message::MessageRules;
use status::Refusal;
use tonic::{Request, Response, Status};
use tower_admission::{grpc, line::Class};
pub use watch::Watched;

use crate::{
    enqueue::EnqueueDoor,
    job::{Done, Door, Job, Reason, RequestOutcome},
    ledger::Ledger,
    lifecycle::Lifecycle,
    process::ProcessDoor,
    role::Role,
    turns::{Classes, Turns},
};

/// The implementation of the gRPC service FooService.
pub struct FooRpc {
    /// The limits of a message.
    pub rules: MessageRules,
    /// Puts the messages of Enqueue on the queue.
    pub enqueue: Arc<EnqueueDoor>,
    /// Has the messages of Process processed.
    pub process: Arc<ProcessDoor>,
    /// The data that Watch sends to its callers.
    pub watched: Arc<Watched>,
    /// Counts calls and messages.
    pub ledger: Arc<Ledger>,
    /// Whether calls have classes of urgency.
    pub classes: Classes,
    /// The role of the service: which calls it serves.
    pub role: Role,
    /// The phase of the service: whether it still accepts new work.
    pub lifecycle: Arc<Lifecycle>,
    /// The room for calls and messages: tells rejected callers when to try again.
    pub turns: Arc<Turns>,
}

impl FooRpc {
    /// Checks a call and makes a job of its message. Counts the message as refused if the call is refused here.
    fn job(&self, door: Door, call: &Call, message: Option<Message>) -> Result<Job, Status> {
        let checked = if self.lifecycle.draining() {
            Err(Reason::Draining.into())
        } else if !self.role.serves(door) {
            Err(Reason::OtherRole.into())
        } else {
            self.rules.check(call, message)
        };
        checked.map_err(|refusal| {
            self.ledger.refuse(door);
            self.refused(call, &refusal)
        })
    }

    /// The class of urgency of a call.
    fn class<R>(&self, request: &Request<R>) -> Class {
        match self.classes {
            Classes::Off => Class::default(),
            Classes::Shared | Classes::Strict => grpc::class(request.metadata().as_ref()),
        }
    }

    /// Ends the call with a refusal. If there was no room, the answer has the time to wait before a retry.
    fn refused(&self, call: &Call, refusal: &Refusal) -> Status {
        let reason = refusal.reason();
        if reason.outcome() == RequestOutcome::Rejected {
            call.retries_after(self.turns.retry_after());
        }
        call.set_end(Err(reason));
        status::of(refusal)
    }
}

// Enqueue and Process share no generic function: each function in between would store the message once more while a call waits.
#[tonic::async_trait]
impl FooService for FooRpc {
    async fn enqueue(&self, request: Request<EnqueueRequest>) -> Result<Response<EnqueueResponse>, Status> {
        // Must come before the check for a drain: a drain that does not see this call as handled has begun before, so the check
        // refuses the call.
        let _handled = self.ledger.handle();
        let call = Call::take();
        let job = self.job(Door::Enqueue, &call, request.into_inner().message)?;
        let id = String::from(&*job.id);
        let enqueued = self.enqueue.enqueue(job, call.deadline).await;
        let enqueued = enqueued.map_err(|reason| self.refused(&call, &reason.into()))?;
        call.set_end(Ok(()));
        Ok(Response::new(EnqueueResponse {
            id,
            queue_depth: enqueued.depth,
            duplicate: enqueued.duplicate,
        }))
    }

    async fn process(&self, request: Request<ProcessRequest>) -> Result<Response<ProcessResponse>, Status> {
        // Before the check for a drain, as in `enqueue`.
        let _handled = self.ledger.handle();
        let call = Call::take();
        let class = self.class(&request);
        let job = self.job(Door::Process, &call, request.into_inner().message)?;
        let done = self.process.process(job, call.deadline, class).await;
        let Done { id, processed } = done.map_err(|reason| self.refused(&call, &reason.into()))?;
        call.set_end(Ok(()));
        Ok(Response::new(ProcessResponse {
            id: id.into(),
            queue_wait: Some(message::to_wire(processed.queue_wait)),
            service_time: Some(message::to_wire(processed.service_time)),
        }))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<Snapshot, Status>> + Send>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let call = Call::take();
        let snapshots = watch::stream(&self.watched, &call, &request.into_inner());
        let snapshots = snapshots.map_err(|refusal| self.refused(&call, &refusal))?;
        Ok(Response::new(Box::pin(snapshots)))
    }
}
