//! The health service of tonic-health, with another answer to Watch of an unknown service: gRPC's protocol requires
//! SERVICE_UNKNOWN and an open stream, where tonic-health ends the call.

use std::{pin::Pin, sync::Arc, time::Duration};

use foo_proto::v1::foo_service_server::FooServiceServer;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::sleep;
use tonic::{Code, Request, Response, Status};
use tonic_health::{
    pb::{
        HealthCheckRequest, HealthCheckResponse,
        health_check_response::ServingStatus,
        health_server::{Health, HealthServer},
    },
    server::{HealthReporter, HealthService},
};

use crate::{enqueue::EnqueueDoor, lifecycle::Lifecycle, rpc::FooRpc};

/// How often to check whether a queue that was never reached is reached (arbitrary).
const CHECK_EVERY: Duration = Duration::from_millis(100);

/// The health service that answers with the statuses of the reporter.
pub(super) fn service(reporter: &HealthReporter) -> HealthServer<impl Health> {
    HealthServer::new(WithUnknown(HealthService::from_health_reporter(reporter.clone())))
}

/// Sets whether FooService serves calls. Does not change the status of the whole server.
pub(super) async fn say(reporter: &HealthReporter, serves: bool) {
    if serves {
        reporter.set_serving::<FooServiceServer<FooRpc>>().await;
    } else {
        reporter.set_not_serving::<FooServiceServer<FooRpc>>().await;
    }
}

/// Waits until the queue was reached, then reports that FooService serves calls, unless the service is leaving.
pub(super) async fn when_reached(reporter: HealthReporter, queue: Arc<EnqueueDoor>, lifecycle: Arc<Lifecycle>) {
    while queue.unreached().is_some() {
        sleep(CHECK_EVERY).await;
    }
    if !lifecycle.leaving() {
        say(&reporter, true).await;
        // The service may have begun to leave in between, and said so before.
        if lifecycle.leaving() {
            say(&reporter, false).await;
        }
    }
}

struct WithUnknown(HealthService);

#[tonic::async_trait]
impl Health for WithUnknown {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        self.0.check(request).await
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let statuses: Self::WatchStream = match self.0.watch(request).await {
            Ok(known) => Box::pin(known.into_inner()),
            Err(status) if status.code() == Code::NotFound => {
                let unknown = HealthCheckResponse {
                    status: ServingStatus::ServiceUnknown.into(),
                };
                // No service is added later, so the status never changes.
                Box::pin(stream::iter([Ok(unknown)]).chain(stream::pending()))
            }
            Err(status) => return Err(status),
        };
        Ok(Response::new(statuses))
    }
}
