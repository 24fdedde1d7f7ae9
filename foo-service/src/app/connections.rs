//! Connections: accepted whatever happens to single ones, and bounded in number.
//!
//! Over the bound a connection is accepted and closed, so that its client learns of it; left in the system's backlog it
//! would wait in a line that nobody sees.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Stream, StreamExt, future, stream};
use pin_project_lite::pin_project;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tonic::transport::server::Connected;

use crate::{
    lifecycle::{Lifecycle, Phase},
    metrics::Metrics,
};

/// The pause after a failed accept (arbitrary): the cause is a lack of descriptors or memory, which time may cure.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The connections of a listener, without Nagle's delay. Never ends, and yields no errors.
pub fn accept(listener: TcpListener) -> impl Stream<Item = Result<TcpStream, Infallible>> + Send {
    stream::unfold(listener, |listener| async move {
        loop {
            match listener.accept().await {
                Ok((connection, _)) => {
                    // Without it small answers wait for acknowledgements; a connection that refuses is still usable.
                    let _ = connection.set_nodelay(true);
                    return Some((Ok(connection), listener));
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection failed");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    })
}

/// At most `most` of the connections at once; those over it are dropped, and counted. All are cut when the service is
/// closed: tonic's tasks for them would live on.
pub(super) fn hold<IO, E>(
    incoming: impl Stream<Item = Result<IO, E>> + Send,
    most: u32,
    metrics: Arc<Metrics>,
    lifecycle: &Arc<Lifecycle>,
) -> impl Stream<Item = Result<Held<IO>, E>> + Send
where
    IO: Send,
    E: Send,
{
    let places = Arc::new(Semaphore::new(most as usize));
    let lifecycle = Arc::clone(lifecycle);
    incoming.filter_map(move |connection| {
        let held = match connection {
            Err(error) => Some(Err(error)),
            Ok(io) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => Some(Ok(Held {
                    io,
                    cut: cut(Arc::clone(&lifecycle)),
                    presence: Presence::new(place, &metrics),
                })),
                Err(_full) => {
                    metrics.connection_refused();
                    None
                }
            },
        };
        future::ready(held)
    })
}

fn cut(lifecycle: Arc<Lifecycle>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move { lifecycle.reached(Phase::Closed).await })
}

struct Presence {
    _place: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

impl Presence {
    fn new(place: OwnedSemaphorePermit, metrics: &Arc<Metrics>) -> Self {
        metrics.connection_opened();
        Self {
            _place: place,
            metrics: Arc::clone(metrics),
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.metrics.connection_closed();
    }
}

pin_project! {
    /// A connection that counts for as long as it is held.
    pub(super) struct Held<IO> {
        #[pin]
        io: IO,
        cut: Pin<Box<dyn Future<Output = ()> + Send>>,
        presence: Presence,
    }
}

impl<IO: Connected> Connected for Held<IO> {
    type ConnectInfo = IO::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.io.connect_info()
    }
}

impl<IO: AsyncRead> AsyncRead for Held<IO> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        // A connection always waits to read, so it learns of the cut here.
        if this.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        this.io.poll_read(cx, buffer)
    }
}

impl<IO: AsyncWrite> AsyncWrite for Held<IO> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.project().io.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().io.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_shutdown(cx)
    }
}
