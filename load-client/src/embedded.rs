//! FooServices in this process: over loopback in real time, or over in-memory connections in virtual time. The same code
//! as in the `foo-service` program.

use std::{io, net::SocketAddr, time::Duration};

use foo_service::{
    app::{Control, Drained, Parts, Service, accept},
    config::Settings,
    enqueue::{OpenError, UnfitQueue},
    lifecycle::{ShutdownTrigger, shutdown},
};
use metrics::NoopRecorder;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use crate::transport::{
    dial::{Access, Dial, TlsError},
    url::{Url, UrlError},
};

/// How many in-memory connections may wait for the service to accept them (arbitrary).
const PENDING_CONNECTIONS: usize = 64;

/// A service in this process.
pub struct Embedded {
    dial: Dial,
    control: Control,
    trigger: ShutdownTrigger,
    task: JoinHandle<Result<Drained, tonic::transport::Error>>,
}

/// Why a service could not be started.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The service cannot listen on loopback, for example because no port is free.
    #[error("cannot listen on loopback: {0}")]
    Listen(#[from] io::Error),
    /// The URL of the service is wrong. This never happens, because the URL is made from the address of the listener.
    #[error(transparent)]
    Address(#[from] UrlError),
    /// TLS cannot be set up. This never happens, because the service has no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The file of a durable queue cannot be opened.
    #[error(transparent)]
    Queue(#[from] OpenError),
    /// The shared queue cannot be used with these settings.
    #[error(transparent)]
    UnfitQueue(#[from] UnfitQueue),
    /// The server of a shared queue is away. A service of its own would wait for it; a measurement cannot.
    #[error("{0}. Start the server, or name another one")]
    QueueAway(String),
}

impl Embedded {
    /// Starts a service on a free port of loopback.
    pub async fn on_loopback(settings: Settings, instance_id: String) -> Result<Self, EmbedError> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let url: Url = format!("http://{}", listener.local_addr()?).parse()?;
        let dial = Dial::url(&url, &Access::default())?;
        let (trigger, stop) = shutdown();
        let service = service(settings, instance_id)?;
        service.reach_queue().await?;
        if let Some(why) = service.enqueue().unreached() {
            return Err(EmbedError::QueueAway(why));
        }
        let control = service.control();
        let task = tokio::spawn(service.serve(accept(listener), stop));
        Ok(Self {
            dial,
            control,
            trigger,
            task,
        })
    }

    /// Starts a service that is reached within the process only: in virtual time, if the runtime's clock is paused. Its
    /// queue must be in memory, because a disk does not follow virtual time.
    pub fn in_memory(settings: Settings, instance_id: String) -> Self {
        let (connections, arriving) = mpsc::channel(PENDING_CONNECTIONS);
        let incoming = ReceiverStream::new(arriving).map(Ok::<_, io::Error>);
        let (trigger, stop) = shutdown();
        let service = service(settings, instance_id).expect("a queue in memory has no file that could be missing");
        let control = service.control();
        let task = tokio::spawn(service.serve(incoming, stop));
        Self {
            dial: Dial::memory(connections),
            control,
            trigger,
            task,
        }
    }

    /// How clients reach the service: over loopback, or through memory without a network.
    pub fn dial(&self) -> Dial {
        self.dial.clone()
    }

    /// A handle that changes the service while it serves.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Ends the service at once and abandons what is left in it. Waits until its task has ended.
    pub async fn stop(self) {
        self.trigger.now();
        // The result does not matter: the service was asked to end.
        let _ = self.task.await;
    }
}

/// A service without exported metrics, which shares its process with the load client.
pub(crate) fn service(settings: Settings, instance_id: String) -> Result<Service, OpenError> {
    Service::new(Parts {
        settings,
        recorder: &NoopRecorder,
        instance_id,
        time_of_day: Duration::ZERO,
        owns_process: false,
    })
}
