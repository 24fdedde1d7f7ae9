//! A FooService for tests with a behaviour that the real service does not have: it can reject a fixed share of the calls, and
//! allow very few streams.

use std::{
    net::TcpListener,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use foo_proto::v1::{
    EnqueueRequest, EnqueueResponse, ProcessRequest, ProcessResponse, Snapshot, WatchRequest,
    foo_service_server::{FooService, FooServiceServer},
};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::Router},
};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Behaviour {
    /// How many of ten calls of Process are rejected at once.
    pub(crate) refused_of_ten: u64,
    /// How long the other calls take.
    pub(crate) takes: Duration,
    /// The maximum number of open streams on a connection; `None` for the default.
    pub(crate) streams: Option<u32>,
}

struct OwnService {
    behaviour: Behaviour,
    calls: AtomicU64,
}

#[tonic::async_trait]
impl FooService for OwnService {
    async fn enqueue(&self, _: Request<EnqueueRequest>) -> Result<Response<EnqueueResponse>, Status> {
        Err(Status::unimplemented("only Process"))
    }

    async fn process(&self, _: Request<ProcessRequest>) -> Result<Response<ProcessResponse>, Status> {
        if self.calls.fetch_add(1, Relaxed) % 10 < self.behaviour.refused_of_ten {
            return Err(Status::resource_exhausted("on purpose"));
        }
        tokio::time::sleep(self.behaviour.takes).await;
        Ok(Response::new(ProcessResponse::default()))
    }

    type WatchStream = Pin<Box<dyn tokio_stream::Stream<Item = Result<Snapshot, Status>> + Send>>;

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("it shows nothing"))
    }
}

/// Serves a FooService with this behaviour for as long as the test runs. Returns the URL.
pub(crate) fn serve(behaviour: Behaviour) -> String {
    let service = OwnService {
        behaviour,
        calls: AtomicU64::new(0),
    };
    let mut server = Server::builder().max_concurrent_streams(behaviour.streams);
    serve_router(server.add_service(FooServiceServer::new(service)))
}

/// Serves `router` for as long as the test runs. Returns the URL.
fn serve_router(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let incoming = futures_util::stream::unfold(listener, async |listener| {
                let connection = listener.accept().await.and_then(|(connection, _)| {
                    connection.set_nodelay(true)?;
                    Ok(connection)
                });
                Some((connection, listener))
            });
            router.serve_with_incoming(incoming).await.unwrap();
        });
    });
    url
}

/// Serves only server reflection for as long as the test runs. Returns the URL.
pub(crate) fn serve_reflection_only() -> String {
    let reflection = tonic_reflection::server::Builder::configure().build_v1().unwrap();
    serve_router(Server::builder().add_service(reflection))
}

/// The times at which calls arrived.
pub(crate) type Arrivals = Arc<Mutex<Vec<Instant>>>;

/// A service that rejects every call of Process with this value of `grpc-retry-pushback-ms`.
struct PushesBack {
    value: &'static str,
    arrived: Arrivals,
}

#[tonic::async_trait]
impl FooService for PushesBack {
    async fn enqueue(&self, _: Request<EnqueueRequest>) -> Result<Response<EnqueueResponse>, Status> {
        Err(Status::unimplemented("only Process"))
    }

    async fn process(&self, _: Request<ProcessRequest>) -> Result<Response<ProcessResponse>, Status> {
        self.arrived.lock().unwrap().push(Instant::now());
        let mut status = Status::resource_exhausted("on purpose");
        let value = self.value.parse().unwrap();
        status.metadata_mut().insert("grpc-retry-pushback-ms", value);
        Err(status)
    }

    type WatchStream = Pin<Box<dyn tokio_stream::Stream<Item = Result<Snapshot, Status>> + Send>>;

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("it shows nothing"))
    }
}

/// Serves a service that rejects every call with this pushback, for as long as the test runs. Returns the URL, and the list of
/// times at which calls arrive.
pub(crate) fn serve_pushback(value: &'static str) -> (String, Arrivals) {
    let arrived = Arrivals::default();
    let service = PushesBack {
        value,
        arrived: Arc::clone(&arrived),
    };
    let router = Server::builder().add_service(FooServiceServer::new(service));
    (serve_router(router), arrived)
}
