//! Shared parts of all tests: the test bed, which runs a service in memory, and callers, each with a connection of its own.
//!
//! Under a paused clock everything here runs in virtual time: the clock advances only when no task can run, so instants can be
//! compared exactly. Where the order of steps matters, tests put them at different milliseconds.

mod caller;
pub(crate) mod certificates;
#[cfg(feature = "nats")]
pub(crate) mod nats;
pub(crate) mod page;
pub(crate) mod program;

use std::{io, sync::Arc, time::Duration};

use foo_proto::v1::{Message, ProcessResponse};
use foo_service::{
    app::{Drained, Parts, Service},
    config::Settings,
    job::Door,
    ledger::{DoorReading, Ledger},
    lifecycle::{Lifecycle, ShutdownTrigger, shutdown},
};
use metrics::{NoopRecorder, Recorder};
use tokio::{
    io::DuplexStream,
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tower_admission::{
    limit::{self, LimitKind},
    line,
};

pub(crate) use self::caller::{Caller, origin, watch_request};

/// The instance id of every service on the test bed.
pub(crate) const INSTANCE: &str = "instance";
/// The buffer of an in-memory connection in each direction, in bytes (arbitrary, like a socket's buffer).
const BUFFER: usize = 256 << 10;
/// How long a test waits for an event that must happen. Only a failing test waits for so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that callers reach through in-memory connections.
pub(crate) struct TestBed {
    connections: mpsc::Sender<DuplexStream>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) trigger: ShutdownTrigger,
    serving: JoinHandle<Result<Drained, tonic::transport::Error>>,
    began: Instant,
}

impl TestBed {
    /// Starts a service with these settings.
    pub(crate) fn start(settings: Settings) -> Self {
        Self::serve(service(settings, &NoopRecorder))
    }

    /// Starts a service that the test has built.
    pub(crate) fn serve(service: Service) -> Self {
        let (connections, arriving) = mpsc::channel(64);
        let incoming = ReceiverStream::new(arriving).map(Ok::<_, io::Error>);
        let (trigger, stop) = shutdown();
        Self {
            connections,
            ledger: service.ledger(),
            lifecycle: service.lifecycle(),
            trigger,
            serving: tokio::spawn(service.serve(incoming, stop)),
            began: Instant::now(),
        }
    }

    /// Opens a new connection to the service, and returns the caller's end.
    pub(crate) async fn dial(&self) -> DuplexStream {
        self.dial_with(BUFFER).await
    }

    /// Opens a new connection with a buffer of this many bytes.
    pub(crate) async fn dial_with(&self, buffer: usize) -> DuplexStream {
        let (near, far) = tokio::io::duplex(buffer);
        self.connections.send(far).await.expect("the service accepts");
        near
    }

    /// A caller on a new connection.
    pub(crate) async fn caller(&self) -> Caller {
        Caller::over(self.dial().await).await
    }

    /// Waits until this many milliseconds after the start.
    pub(crate) async fn at(&self, millis: u64) {
        sleep_until(self.began + ms(millis)).await;
    }

    /// Whole milliseconds since the start, for comparisons.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).expect("tests are short")
    }

    pub(crate) fn enqueue_door(&self) -> DoorReading {
        self.ledger.door(Door::Enqueue)
    }

    pub(crate) fn process_door(&self) -> DoorReading {
        self.ledger.door(Door::Process)
    }

    /// Waits for the end of a service that was asked to stop.
    pub(crate) async fn ended(self) -> Drained {
        let ended = within_patience(self.serving).await;
        ended.expect("serving does not panic").expect("the transport works")
    }
}

/// A service with these settings and with its metrics in `recorder`.
pub(crate) fn service(settings: Settings, recorder: &dyn Recorder) -> Service {
    Service::new(Parts {
        settings,
        recorder,
        instance_id: INSTANCE.to_owned(),
        time_of_day: Duration::ZERO,
        owns_process: false,
    })
    .expect("a queue in memory has no file that could be missing")
}

/// The kind of limit that changes only when it is set.
pub(crate) fn fixed_limit() -> &'static LimitKind {
    limit::by_name("fixed").unwrap()
}

/// Default settings with a line of 100 calls in the order of arrival, for tests that are not about the line.
pub(crate) fn in_order() -> Settings {
    Settings {
        line: line::by_name("fifo").expect("of the list"),
        max_waiting: 100,
        ..Settings::default()
    }
}

/// Awaits a future that must be ready within [`PATIENCE`], so that a test fails instead of waiting for ever.
pub(crate) async fn within_patience<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it comes within a minute")
}

/// Waits until a condition is true. Tests in real time use it instead of waiting for a fixed time.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    until_async(async || condition()).await;
}

/// Waits until an async condition is true.
pub(crate) async fn until_async(mut condition: impl AsyncFnMut() -> bool) {
    within_patience(async {
        while !condition().await {
            tokio::time::sleep(ms(2)).await;
        }
    })
    .await;
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A message without a service demand: the service's own service time applies.
pub(crate) fn message(id: &str) -> Message {
    Message {
        id: id.to_owned(),
        ..Message::default()
    }
}

/// A message with a service demand.
pub(crate) fn demanding(id: &str, demand: Duration) -> Message {
    Message {
        service_demand: demand.try_into().ok(),
        ..message(id)
    }
}

/// A duration from the wire, which must be present.
pub(crate) fn duration(wire: Option<foo_proto::Duration>) -> Duration {
    wire.expect("a duration was sent")
        .try_into()
        .expect("it is not negative")
}

/// The queue wait and the service time of an answer, in milliseconds.
pub(crate) fn times(answer: &ProcessResponse) -> (u128, u128) {
    let millis = |wire| duration(wire).as_millis();
    (millis(answer.queue_wait), millis(answer.service_time))
}
