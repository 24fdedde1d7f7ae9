//! A service on a thread of its own, behind a real socket, that can be frozen and killed.
//!
//! The runtime has only this one thread. A task that blocks the thread stops everything at once: the accept loop, HTTP/2,
//! the handlers, every timer. SIGSTOP does the same to a process. In both cases the system goes on accepting and buffering
//! for the service. A relay that stops relaying would leave the service itself running, and its queue and its pings would
//! show that.
//!
//! The host also measures for how long its thread stood still unplanned. The machine was busy then: what the client
//! reports of that time is true, but not what the experiment expects.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use foo_proto::v1::foo_service_server::FooServiceServer;
use foo_service::{
    app::{accept, random_instance_id},
    config::Settings,
    lifecycle::shutdown,
};
use tokio::{runtime::Handle, sync::oneshot};
use tonic::transport::Server;

use super::faulty::Faulty;
use crate::embedded::service;

/// The time between two checks whether the thread stands still.
const TICK: Duration = Duration::from_millis(10);
/// A thread of the service or of the load client may stand still for this long (arbitrary: what the bounds on times
/// allow for).
pub(super) const STILL: Duration = Duration::from_millis(50);

/// A service. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Host {
    address: SocketAddr,
    runtime: Handle,
    /// Dropping it ends the service.
    alive: Option<oneshot::Sender<()>>,
    gone: oneshot::Receiver<()>,
    pulse: Arc<Pulse>,
}

/// How long the thread of the runtime stood still, in milliseconds.
#[derive(Debug, Default)]
struct Pulse {
    /// The longest time that the thread stood still unplanned.
    still: AtomicU64,
    /// How long the thread was frozen on purpose since the last check.
    frozen: AtomicU64,
}

impl Pulse {
    async fn beat(&self) {
        loop {
            let from = Instant::now();
            tokio::time::sleep(TICK).await;
            let late = millis(from.elapsed().saturating_sub(TICK));
            let frozen = self.frozen.swap(0, Relaxed);
            self.still.fetch_max(late.saturating_sub(frozen), Relaxed);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Host {
    /// A FooService on a free port.
    pub(super) fn foo(settings: Settings) -> io::Result<Self> {
        Self::foo_at(SocketAddr::from(([127, 0, 0, 1], 0)), settings)
    }

    /// A FooService at this address.
    pub(super) fn foo_at(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        Self::start(address, |listener| async move {
            let (_never, stop) = shutdown();
            let service = service(settings, random_instance_id()).expect("its queue is in memory");
            // The service is killed, so its result does not matter.
            let _ = service.serve(accept(listener), stop).await;
        })
    }

    /// A service with faults on a free port.
    pub(super) fn faulty(faulty: Faulty) -> io::Result<Self> {
        Self::start(SocketAddr::from(([127, 0, 0, 1], 0)), |listener| async move {
            let serving = Server::builder().add_service(FooServiceServer::new(faulty));
            let _ = serving.serve_with_incoming(accept(listener)).await;
        })
    }

    fn start<S, F>(address: SocketAddr, serve: S) -> io::Result<Self>
    where
        S: FnOnce(tokio::net::TcpListener) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        // The service listens from here on, so no client comes too early.
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, mut killed) = oneshot::channel::<()>();
        let (went, gone) = oneshot::channel();
        let pulse = Arc::new(Pulse::default());
        let beating = Arc::clone(&pulse);
        thread::Builder::new().name("service".to_owned()).spawn(move || {
            runtime.block_on(async {
                // If this runtime does not take the listener, the service never answers, and the experiment reports that.
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                tokio::select! {
                    biased;
                    _ = &mut killed => {}
                    () = serve(listener) => {}
                    () = beating.beat() => {}
                }
            });
            // All connections end with the runtime, and no peer is told: so the system closes those of a killed
            // process.
            drop(runtime);
            let _ = went.send(());
        })?;
        Ok(Self {
            address,
            runtime: handle,
            alive: Some(alive),
            gone,
            pulse,
        })
    }

    /// The address that the service listens on.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Freezes the service for `length`, and returns how long it was really frozen.
    pub(super) async fn freeze(&self, length: Duration) -> Duration {
        let (thawed, frozen) = oneshot::channel();
        let pulse = Arc::clone(&self.pulse);
        self.runtime.spawn(async move {
            let from = Instant::now();
            // This blocks the runtime on purpose.
            thread::sleep(length);
            let took = from.elapsed();
            pulse.frozen.fetch_add(millis(took), Relaxed);
            // The receiver may be gone.
            let _ = thawed.send(took);
        });
        // A service that is gone was not frozen.
        frozen.await.unwrap_or_default()
    }

    /// Why the machine was too busy for the service's thread; `None` if the thread never waited for long.
    pub(super) fn kept_waiting(&self) -> Option<String> {
        let still = Duration::from_millis(self.pulse.still.load(Relaxed));
        (still > STILL).then(|| format!("the service's thread stood still for {still:?}"))
    }

    /// Kills the service: open calls get no answer. Waits until it is gone.
    pub(super) async fn kill(mut self) {
        self.alive = None;
        let _ = (&mut self.gone).await;
    }
}
