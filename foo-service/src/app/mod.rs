//! Builds every part of a service, starts it, and drains it.
//!
//! A service is a value: nothing is global, so several can live in one process without touching each other.

mod connections;
mod control;
mod drain;
mod health;
pub mod refusals;

use std::{sync::Arc, time::Duration};

use foo_proto::v1::{FILE_DESCRIPTOR_SET, foo_service_server::FooServiceServer};
use futures_util::Stream;
use metrics::Recorder;
use rand::TryRng;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::{Instant, timeout},
};
use tonic::{
    codec::CompressionEncoding,
    service::Routes,
    transport::{Server, server::Connected},
};
use tonic_health::server::HealthReporter;
use tower_http::request_id::PropagateRequestIdLayer;

pub use self::{
    connections::{accept, accept_and_tell},
    control::{ChangeError, Control},
    drain::Drained,
};
use crate::{
    accepting::Accepting,
    config::Settings,
    enqueue::{Capacity, CompletionLog, EnqueueDoor},
    ledger::Ledger,
    lifecycle::{Lifecycle, Phase, Shutdown},
    metrics::Metrics,
    process::ProcessDoor,
    rpc::{Calls, FooRpc, MessageRules, Watched, trace},
    work::{ServiceTime, Work},
    workers::Workers,
};

/// HTTP/2 streams open at once on a connection (arbitrary, far over the 100 that clients assume before they know:
/// below that, a connection's first calls would be refused). What waits is bounded by the line, not here.
const MAX_STREAMS: u32 = 16_384;
/// Flow control per connection. Large, because h2 ends a connection that holds very many small unread frames, and
/// judges that by the window.
const CONNECTION_WINDOW: u32 = 64 << 20;
/// Flow control per stream: room for a payload of the default limit in one go.
const STREAM_WINDOW: u32 = 2 << 20;
/// Streams that a client has reset before they were accepted. Over it, h2 ends the connection; the default of 20 is
/// reached by any client whose deadlines pass in bulk.
const MAX_PENDING_RESETS: usize = MAX_STREAMS as usize;
/// Streams reset because their client broke a rule, as late frames do, over the whole life of a connection. h2 alone
/// allows 1,024; a `Server` that sets nothing allows any number (read in tonic 0.14.9), which defends against nobody.
const MAX_ERROR_RESETS: usize = MAX_STREAMS as usize;
/// How long connections may take to close once everything has been answered. Streams that never end by themselves (a
/// health watch) are cut then.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// A message's other fields and framing, beside its payload.
const ENVELOPE: usize = 64 << 10;

/// What a service is made of.
pub struct Parts<'a> {
    /// How it behaves.
    pub settings: Settings,
    /// Where its metrics go.
    pub recorder: &'a dyn Recorder,
    /// New at every start; see [`random_instance_id`].
    pub instance_id: String,
    /// Whether the service has the process to itself, so that the process's memory is its own.
    pub owns_process: bool,
}

/// A service, ready to serve.
pub struct Service {
    settings: Settings,
    instance_id: String,
    workers: Arc<Workers>,
    enqueue: Arc<EnqueueDoor>,
    process: Arc<ProcessDoor>,
    watched: Arc<Watched>,
    metrics: Arc<Metrics>,
    accepting: Arc<Accepting>,
}

/// 16 hexadecimal digits from the system's randomness.
pub fn random_instance_id() -> String {
    let bits = rand::rngs::SysRng.try_next_u64().expect("the system gives randomness");
    format!("{bits:016x}")
}

impl Service {
    /// Puts the parts together. `--work cpu` starts its threads here.
    pub fn new(parts: Parts<'_>) -> Self {
        let Parts {
            settings,
            recorder,
            instance_id,
            owns_process,
        } = parts;
        let queue_capacity = match settings.capacity() {
            Capacity::Unbounded => None,
            Capacity::Bounded { places, .. } => Some(places),
        };
        let accepting = Arc::new(if owns_process {
            Accepting::within_process(settings.max_connections)
        } else {
            Accepting::unlimited(settings.max_connections)
        });
        let metrics = Arc::new(Metrics::new(recorder, settings.workers, queue_capacity));
        let ledger = Arc::new(Ledger::default());
        let lifecycle = Arc::new(Lifecycle::default());
        let log = Arc::new(CompletionLog::default());
        let service_time = ServiceTime::new(settings.service_time, settings.service_time_distribution, settings.seed);
        let work = Work::new(settings.work, service_time, settings.workers);
        let workers = Arc::new(Workers::new(settings.workers, work, Arc::clone(&metrics)));
        let enqueue = Arc::new(EnqueueDoor::new(
            settings.capacity(),
            settings.max_waiting,
            Arc::clone(&ledger),
            Arc::clone(&lifecycle),
            Arc::clone(&metrics),
            Arc::clone(&log),
        ));
        let process = Arc::new(ProcessDoor::new(
            settings.limit(),
            settings.max_waiting,
            Arc::clone(&workers),
            Arc::clone(&ledger),
            Arc::clone(&lifecycle),
        ));
        let watched = Arc::new(Watched {
            instance_id: instance_id.clone(),
            started: Instant::now(),
            workers: Arc::clone(&workers),
            owns_process,
            ledger,
            log,
            lifecycle,
        });
        Self {
            settings,
            instance_id,
            workers,
            enqueue,
            process,
            watched,
            metrics,
            accepting,
        }
    }

    /// A handle to change the service with, while it serves.
    pub fn control(&self) -> Control {
        Control::new(&self.settings, Arc::clone(&self.workers), Arc::clone(&self.process))
    }

    /// The service's counts.
    pub fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.watched.ledger)
    }

    /// The service's phase.
    pub fn lifecycle(&self) -> Arc<Lifecycle> {
        Arc::clone(&self.watched.lifecycle)
    }

    /// The service's metrics.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// What is known of accepting connections.
    pub fn accepting(&self) -> Arc<Accepting> {
        Arc::clone(&self.accepting)
    }

    /// Serves every connection of `incoming` until `shutdown` asks for a stop and the drain is over.
    ///
    /// # Errors
    ///
    /// If the transport fails as a whole; a connection that fails is its peer's concern.
    pub async fn serve<I, IO, E>(self, incoming: I, shutdown: Shutdown) -> Result<Drained, tonic::transport::Error>
    where
        I: Stream<Item = Result<IO, E>> + Send,
        IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    {
        let Self {
            settings,
            instance_id,
            workers,
            enqueue,
            process,
            watched,
            metrics,
            accepting,
        } = self;
        let ledger = Arc::clone(&watched.ledger);
        let lifecycle = Arc::clone(&watched.lifecycle);
        let health = HealthReporter::new();

        let dispatcher = tokio::spawn({
            let (enqueue, workers) = (Arc::clone(&enqueue), Arc::clone(&workers));
            async move { enqueue.dispatch(workers).await }
        });
        let doors = FooServiceServer::new(FooRpc {
            rules: MessageRules::new(settings.max_payload, settings.max_service_demand, instance_id.clone()),
            enqueue,
            process,
            watched,
            ledger: Arc::clone(&ledger),
            lifecycle: Arc::clone(&lifecycle),
            workers,
        })
        .max_decoding_message_size(decoding_limit(settings.max_payload))
        // The limit holds for what comes out of it too: tonic stops there. Answers are small, and stay as they are.
        .accept_compressed(CompressionEncoding::Gzip);
        health.set_serving::<FooServiceServer<FooRpc>>().await;

        let (stop, stopped) = oneshot::channel::<()>();
        let routes = Routes::new(doors)
            .add_service(health::service(&health).accept_compressed(CompressionEncoding::Gzip))
            .add_service(reflection_v1().accept_compressed(CompressionEncoding::Gzip))
            .add_service(reflection_v1alpha().accept_compressed(CompressionEncoding::Gzip));
        let routes = if trace::wanted() {
            trace::around(routes, &instance_id)
        } else {
            routes
        };
        let incoming = connections::hold(incoming, accepting, metrics, &lifecycle);
        let transport = Server::builder()
            .max_concurrent_streams(MAX_STREAMS)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_stream_window_size(STREAM_WINDOW)
            .http2_max_pending_accept_reset_streams(Some(MAX_PENDING_RESETS))
            .http2_max_local_error_reset_streams(Some(MAX_ERROR_RESETS))
            .layer(Calls::new(Arc::clone(&ledger)))
            .layer(PropagateRequestIdLayer::x_request_id())
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, async {
                // A sender that was dropped stops the transport as well.
                let _ = stopped.await;
            });
        let mut transport = std::pin::pin!(transport);
        let times = drain::Times {
            delay: settings.drain_delay,
            limit: settings.drain_timeout,
        };

        let drained = tokio::select! {
            biased;
            drained = drain::when_asked(shutdown, &ledger, &lifecycle, &health, times) => {
                drop(stop);
                // Past this time it is the peers who keep their connections open.
                let _ = timeout(CLOSE_TIMEOUT, transport).await;
                lifecycle.advance(Phase::Closed);
                drained
            }
            ended = &mut transport => {
                ended?;
                drain::now(&ledger, &lifecycle, &health, settings.drain_timeout).await
            }
        };
        dispatcher.await.expect("the dispatcher does not panic");
        Ok(drained)
    }
}

/// What tonic decodes at all: well over the payload limit, so that a payload a little over it is answered with the
/// name of the field, and one far over it is not even read.
fn decoding_limit(max_payload: u64) -> usize {
    usize::try_from(max_payload)
        .unwrap_or(usize::MAX)
        .saturating_mul(2)
        .saturating_add(ENVELOPE)
}

fn reflection_v1()
-> tonic_reflection::server::v1::ServerReflectionServer<impl tonic_reflection::server::v1::ServerReflection> {
    reflection().build_v1().expect("the generated descriptors are whole")
}

fn reflection_v1alpha()
-> tonic_reflection::server::v1alpha::ServerReflectionServer<impl tonic_reflection::server::v1alpha::ServerReflection> {
    reflection()
        .build_v1alpha()
        .expect("the generated descriptors are whole")
}

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
