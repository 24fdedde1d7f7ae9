//! A service on a thread of its own, behind a real socket, that can be frozen and killed.
//!
//! The runtime has only this one thread. A task that blocks the thread stops everything at once: the accept loop, HTTP/2,
//! the handlers, every timer. SIGSTOP does the same to a process. In both cases the system goes on accepting and buffering
//! for the service. A relay that stops relaying would leave the service itself running, and its queue and its pings would
//! show that.
//!
//! The host also measures for how long it stood still without having been told to. The machine was busy then: what the
//! client reports of that time is true, but not what the experiment expects.

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

/// Between two looks at whether it stands still.
const TICK: Duration = Duration::from_millis(10);
/// A thread of the service or of the load client may stand still for this long (arbitrary: what the bounds on times leave).
pub(super) const STILL: Duration = Duration::from_millis(50);

/// A service. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Host {
    address: SocketAddr,
    runtime: Handle,
    /// Its drop is the service's end.
    alive: Option<oneshot::Sender<()>>,
    gone: oneshot::Receiver<()>,
    pulse: Arc<Pulse>,
}

/// How a runtime of one thread gets on; in milliseconds.
#[derive(Debug, Default)]
struct Pulse {
    /// For so long it stood still at most.
    still: AtomicU64,
    /// For so long it was frozen since the last look.
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
            // It is killed; how it would end is no news.
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
        // It listens from here on: no client comes too early.
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
            // With its runtime go all connections, without a word on them: as the system closes those of a killed process.
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

    /// Freezes it for so long, and returns for how long it was frozen in truth.
    pub(super) async fn freeze(&self, length: Duration) -> Duration {
        let (thawed, frozen) = oneshot::channel();
        let pulse = Arc::clone(&self.pulse);
        self.runtime.spawn(async move {
            let from = Instant::now();
            // Blocking the runtime is the point.
            thread::sleep(length);
            let took = from.elapsed();
            pulse.frozen.fetch_add(millis(took), Relaxed);
            // The receiver may be gone.
            let _ = thawed.send(took);
        });
        // A service that is gone was not frozen.
        frozen.await.unwrap_or_default()
    }

    /// What its thread says of the machine: nothing, if it was there whenever it was wanted.
    pub(super) fn kept_waiting(&self) -> Option<String> {
        let still = Duration::from_millis(self.pulse.still.load(Relaxed));
        (still > STILL).then(|| format!("the service's thread stood still for {still:?}"))
    }

    /// Kills it: no answer, no goodbye. Waits until it is gone.
    pub(super) async fn kill(mut self) {
        self.alive = None;
        let _ = (&mut self.gone).await;
    }
}
