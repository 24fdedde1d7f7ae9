//! The reference for `scripts/bench`: a tonic server that answers the same messages with nothing of what FooService does
//! — no queue, no guard, no deadline, no counts, no tracing, tonic's own settings. Listens on the address it is given.

use std::{net::SocketAddr, pin::Pin};

use foo_proto::v1::{
    EnqueueRequest, EnqueueResponse, Message, ProcessRequest, ProcessResponse, Snapshot, WatchRequest,
    foo_service_server::{FooService, FooServiceServer},
};
use futures_util::Stream;
use tonic::{Request, Response, Status, transport::Server};

struct Bare;

fn id(message: Option<Message>) -> Result<String, Status> {
    let message = message.ok_or_else(|| Status::invalid_argument("message: is missing"))?;
    Ok(message.id)
}

#[tonic::async_trait]
impl FooService for Bare {
    async fn enqueue(&self, request: Request<EnqueueRequest>) -> Result<Response<EnqueueResponse>, Status> {
        let id = id(request.into_inner().message)?;
        Ok(Response::new(EnqueueResponse {
            id,
            queue_depth: 0,
            duplicate: false,
        }))
    }

    async fn process(&self, request: Request<ProcessRequest>) -> Result<Response<ProcessResponse>, Status> {
        let id = id(request.into_inner().message)?;
        let nothing = foo_proto::Duration::default();
        Ok(Response::new(ProcessResponse {
            id,
            queue_wait: Some(nothing),
            service_time: Some(nothing),
        }))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<Snapshot, Status>> + Send>>;

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("there is nothing to watch"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address: SocketAddr = std::env::args().nth(1).ok_or("usage: bare HOST:PORT")?.parse()?;
    Server::builder()
        .add_service(FooServiceServer::new(Bare))
        .serve(address)
        .await?;
    Ok(())
}
