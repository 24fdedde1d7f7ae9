//! The gRPC surface: decode, hand over to a door, encode. No policy lives here.
//!
//! Every call is in progress from its arrival to its answer, draining is checked after that, and refusals become
//! statuses in one place ([`status`]).

mod arrival;
mod message;
pub mod status;
pub mod trace;
mod watch;

use std::{pin::Pin, sync::Arc, time::Duration};

pub use arrival::stamp_arrival;
use foo_proto::v1::{
    EnqueueRequest, EnqueueResponse, ProcessRequest, ProcessResponse, Snapshot, WatchRequest,
    foo_service_server::FooService,
};
use futures_util::Stream;
pub use message::MessageRules;
use tonic::{Request, Response, Status};
pub use watch::Watched;

use crate::{
    enqueue::EnqueueDoor,
    job::{Door, Refusal, RequestOutcome},
    ledger::Ledger,
    lifecycle::Lifecycle,
    process::ProcessDoor,
};

/// FooService, as tonic serves it.
pub struct FooRpc {
    /// What a message must be.
    pub rules: MessageRules,
    /// Fire-and-forget.
    pub enqueue: Arc<EnqueueDoor>,
    /// Synchronous.
    pub process: ProcessDoor,
    /// What Watch shows.
    pub watched: Arc<Watched>,
    /// Where calls are counted.
    pub ledger: Arc<Ledger>,
    /// Whether the service still takes work.
    pub lifecycle: Arc<Lifecycle>,
    /// What a refused caller is told to wait before it comes back.
    pub pushback: Duration,
}

impl FooRpc {
    async fn answer<T>(
        &self,
        rpc: Door,
        answer: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<Response<T>, Status> {
        let call = self.ledger.call(rpc);
        // The order matters: a drain that does not see this call in progress has made this check fail.
        let result = if self.lifecycle.draining() {
            self.ledger.refuse(rpc);
            Err(Refusal::Draining)
        } else {
            answer.await
        };
        call.finish(result.as_ref().err().map_or(RequestOutcome::Ok, Refusal::outcome));
        result
            .map(Response::new)
            .map_err(|refusal| status::of(&refusal, self.pushback))
    }

    /// Counts what is refused before it reaches a door.
    fn at_door<T>(&self, door: Door, checked: Result<T, Refusal>) -> Result<T, Refusal> {
        checked.inspect_err(|_| self.ledger.refuse(door))
    }
}

#[tonic::async_trait]
impl FooService for FooRpc {
    async fn enqueue(&self, request: Request<EnqueueRequest>) -> Result<Response<EnqueueResponse>, Status> {
        self.answer(Door::Enqueue, async {
            let (job, deadline) = self.at_door(Door::Enqueue, self.rules.check(request, |request| request.message))?;
            let id = job.id.to_string();
            let queue_depth = self.enqueue.enqueue(job, deadline).await?;
            Ok(EnqueueResponse { id, queue_depth })
        })
        .await
    }

    async fn process(&self, request: Request<ProcessRequest>) -> Result<Response<ProcessResponse>, Status> {
        self.answer(Door::Process, async {
            let (job, deadline) = self.at_door(Door::Process, self.rules.check(request, |request| request.message))?;
            let id = job.id.to_string();
            let processed = self.process.process(job, deadline).await?;
            Ok(ProcessResponse {
                id,
                queue_wait: Some(message::to_wire(processed.queue_wait)),
                service_time: Some(message::to_wire(processed.service_time)),
            })
        })
        .await
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<Snapshot, Status>> + Send>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        watch::stream(&self.watched, &request.into_inner())
            .map(|snapshots| Response::new(Box::pin(snapshots) as Self::WatchStream))
            .map_err(|refusal| status::of(&refusal, self.pushback))
    }
}
