//! The gRPC surface: decode, hand over to a door, encode. No policy lives here.
//!
//! Every call is counted from its arrival to its answer (`call`), and refusals become statuses in one place
//! (`status`).

mod call;
mod message;
pub mod status;
mod timeout;
pub mod trace;
mod watch;

use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use call::Call;
pub use call::Calls;
use foo_proto::v1::{
    EnqueueRequest, EnqueueResponse, ProcessRequest, ProcessResponse, Snapshot, WatchRequest,
    foo_service_server::FooService,
};
use futures_util::{FutureExt, Stream};
pub use message::MessageRules;
use tonic::{Request, Response, Status};
pub use watch::Watched;

use crate::{
    enqueue::EnqueueDoor,
    job::{Door, Refusal},
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
    /// Hands a message over to its door, unless the service is draining, and puts the answer as gRPC wants it.
    async fn answer<T>(
        &self,
        rpc: Door,
        answer: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<Response<T>, Status> {
        // The order matters: a drain that does not see this call has made the check fail.
        let _handled = self.ledger.handle();
        let result = if self.lifecycle.draining() {
            self.at_door(rpc, Err(Refusal::Draining))
        } else {
            // A panic unwinds through the guards, which count it as failed; the caller gets an answer all the same.
            AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_panic| {
                tracing::error!(rpc = rpc.label(), "a call panicked: this is a bug");
                Err(Refusal::Bug)
            })
        };
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
        let call = Call::take(&request);
        self.answer(Door::Enqueue, async {
            let job = self.at_door(Door::Enqueue, self.rules.check(&call, request.into_inner().message))?;
            let id = job.id.to_string();
            let queue_depth = self.enqueue.enqueue(job, call.deadline).await?;
            Ok(EnqueueResponse { id, queue_depth })
        })
        .await
    }

    async fn process(&self, request: Request<ProcessRequest>) -> Result<Response<ProcessResponse>, Status> {
        let call = Call::take(&request);
        self.answer(Door::Process, async {
            let job = self.at_door(Door::Process, self.rules.check(&call, request.into_inner().message))?;
            let id = job.id.to_string();
            let processed = self.process.process(job, call.deadline).await?;
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
