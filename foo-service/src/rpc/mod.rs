//! The gRPC surface: decode, hand over to a door, encode. No policy lives here.
//!
//! Every call is counted from its arrival to the end of its answer (`calls`), as its handler says (`call`). Refusals become
//! statuses in one place (`status`).

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
    job::{Done, Door, Job, Reason},
    ledger::Ledger,
    lifecycle::Lifecycle,
    process::ProcessDoor,
    role::Role,
    turns::{Classes, Turns},
};

/// FooService, as tonic serves it.
pub struct FooRpc {
    /// What a message must be.
    pub rules: MessageRules,
    /// Takes the messages of Enqueue (fire-and-forget).
    pub enqueue: Arc<EnqueueDoor>,
    /// Takes the messages of Process (synchronous).
    pub process: Arc<ProcessDoor>,
    /// What Watch shows to its callers.
    pub watched: Arc<Watched>,
    /// Where calls and messages are counted.
    pub ledger: Arc<Ledger>,
    /// Whether calls have classes of urgency.
    pub classes: Classes,
    /// Which calls the service serves.
    pub role: Role,
    /// Whether the service still takes work.
    pub lifecycle: Arc<Lifecycle>,
    /// The order of work: it knows when a place is expected.
    pub turns: Arc<Turns>,
}

impl FooRpc {
    /// Makes a job of what came with a call, and counts what is refused before it reaches a door.
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

    /// How urgent a call is.
    fn class<R>(&self, request: &Request<R>) -> Class {
        match self.classes {
            Classes::Off => Class::default(),
            Classes::Shared | Classes::Strict => grpc::class(request.metadata().as_ref()),
        }
    }

    /// The call ends with a refusal.
    fn refused(&self, call: &Call, refusal: &Refusal) -> Status {
        call.ends(Err(refusal.reason()));
        status::of(refusal, || self.turns.retry_after())
    }
}

// The two doors are written out: each function in between would hold the message once more, for as long as the call waits.
#[tonic::async_trait]
impl FooService for FooRpc {
    async fn enqueue(&self, request: Request<EnqueueRequest>) -> Result<Response<EnqueueResponse>, Status> {
        // Before anything asks whether the service is draining: a drain that does not see this call has made that check
        // fail.
        let _handled = self.ledger.handle();
        let call = Call::take();
        let job = self.job(Door::Enqueue, &call, request.into_inner().message)?;
        let id = String::from(&*job.id);
        let enqueued = self.enqueue.enqueue(job, call.deadline).await;
        let enqueued = enqueued.map_err(|reason| self.refused(&call, &reason.into()))?;
        call.ends(Ok(()));
        Ok(Response::new(EnqueueResponse {
            id,
            queue_depth: enqueued.depth,
            duplicate: enqueued.duplicate,
        }))
    }

    async fn process(&self, request: Request<ProcessRequest>) -> Result<Response<ProcessResponse>, Status> {
        // As above.
        let _handled = self.ledger.handle();
        let call = Call::take();
        let class = self.class(&request);
        let job = self.job(Door::Process, &call, request.into_inner().message)?;
        let done = self.process.process(job, call.deadline, class).await;
        let Done { id, processed } = done.map_err(|reason| self.refused(&call, &reason.into()))?;
        call.ends(Ok(()));
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
