//! Connections: their number is bounded, and the failure of one does not stop others from being accepted.
//!
//! A connection above the bound is accepted and closed at once, so that its client notices; in the system's backlog it would
//! wait unseen. A connection that does not begin to speak HTTP/2 in time is closed.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::{Stream, StreamExt, future, stream};
use pin_project_lite::pin_project;
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep, timeout},
};
use tonic::transport::server::Connected;

use crate::{accepting::Accepting, lifecycle::Lifecycle, metrics::Metrics};

/// The pause after a failed accept (arbitrary). The cause is a lack of descriptors or memory, which may be over soon.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The length of the preface that every HTTP/2 client sends first (RFC 9113, section 3.4).
const PREFACE_BYTES: usize = 24;
/// How long the preface may take (arbitrary: several round trips over the worst network).
const PREFACE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a peer may be silent before the system probes whether it is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
/// The time between two probes. The system closes the connection after its own number of them, 9 on Linux.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);

/// The connections of a listener, without Nagle's delay, and with keepalive, which detects peers that have vanished. The stream
/// never ends and yields no errors.
pub fn accept(listener: TcpListener) -> impl Stream<Item = Result<TcpStream, Infallible>> + Send {
    accept_and_tell(listener, Arc::new(Accepting::unlimited(u32::MAX)))
}

/// Like [`accept`]. Attempts that fail for lack of descriptors or memory, and the first one that works again, are reported to
/// `accepting`.
pub fn accept_and_tell(
    listener: TcpListener,
    accepting: Arc<Accepting>,
) -> impl Stream<Item = Result<TcpStream, Infallible>> + Send {
    stream::unfold((listener, accepting), |(listener, accepting)| async move {
        loop {
            let accepted = if accepting.is_failing() {
                // The system reports a lack of descriptors even if no connection waits. No report for a while: the lack is over.
                let Ok(accepted) = timeout(ACCEPT_PAUSE, listener.accept()).await else {
                    accepting.works();
                    continue;
                };
                accepted
            } else {
                listener.accept().await
            };
            match accepted {
                Ok((connection, _)) => {
                    accepting.works();
                    // If the options cannot be set, the connection can still be used.
                    let _ = tune(&connection);
                    return Some((Ok(connection), (listener, accepting)));
                }
                // The peer has already gone.
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => {
                    accepting.failed(&error);
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    })
}

fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    [ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted].contains(&error.kind())
}

fn tune(connection: &TcpStream) -> io::Result<()> {
    // With Nagle's delay, small answers would wait for acknowledgements.
    connection.set_nodelay(true)?;
    // Keepalive by the system, not by HTTP/2: hyper's pings take a lock and read the clock for every frame (2 to 6 % of a call in
    // scripts/bench calls).
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY);
    SockRef::from(connection).set_tcp_keepalive(&keepalive)
}

/// Keeps at most `accepting.places()` connections open at a time. Drops and counts those above. Cuts all when the service is
/// closed, because tonic's tasks for them would otherwise live on.
pub(super) fn hold<IO, E>(
    incoming: impl Stream<Item = Result<IO, E>> + Send,
    accepting: Arc<Accepting>,
    metrics: Arc<Metrics>,
    lifecycle: &Arc<Lifecycle>,
) -> impl Stream<Item = Result<Held<IO>, E>> + Send
where
    IO: Send,
    E: Send,
{
    let places = Arc::new(Semaphore::new(accepting.places() as usize));
    let lifecycle = Arc::clone(lifecycle);
    incoming.filter_map(move |connection| {
        let held = match connection {
            Err(error) => Some(Err(error)),
            Ok(io) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => Some(Ok(Held {
                    io,
                    cut: Cut::new(Arc::clone(&lifecycle)),
                    opening: Some(Opening::new()),
                    connection: OpenConnection::new(place, &metrics, &accepting),
                })),
                Err(_full) => {
                    metrics.connection_refused();
                    accepting.refuse();
                    None
                }
            },
        };
        future::ready(held)
    })
}

/// Notices when a connection must be cut, because the service is closed.
struct Cut {
    lifecycle: Arc<Lifecycle>,
    closed: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// The task that `closed` wakes.
    woken: Option<Waker>,
}

impl Cut {
    fn new(lifecycle: Arc<Lifecycle>) -> Self {
        let closing = Arc::clone(&lifecycle);
        Self {
            lifecycle,
            closed: Box::pin(async move { closing.closed().await }),
            woken: None,
        }
    }

    /// True if the connection must be cut now; if not, the task is woken when it must. A poll of the future costs some 350
    /// instructions, which is much for a small call, so it is polled once per task.
    fn is_due(&mut self, cx: &mut Context<'_>) -> bool {
        if self.lifecycle.is_closed() {
            return true;
        }
        if self.woken.as_ref().is_some_and(|woken| woken.will_wake(cx.waker())) {
            return false;
        }
        self.woken = Some(cx.waker().clone());
        self.closed.as_mut().poll(cx).is_ready()
    }
}

/// The HTTP/2 preface of a client that is not complete yet. Keepalive detects peers that have vanished, but not a peer that is
/// there and sends nothing. After the preface, a client may be idle for any time.
struct Opening {
    missing: usize,
    time_is_up: Pin<Box<Sleep>>,
}

impl Opening {
    fn new() -> Self {
        Self {
            missing: PREFACE_BYTES,
            time_is_up: Box::pin(sleep(PREFACE_TIMEOUT)),
        }
    }
}

struct OpenConnection {
    _place: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
    accepting: Arc<Accepting>,
}

impl OpenConnection {
    fn new(place: OwnedSemaphorePermit, metrics: &Arc<Metrics>, accepting: &Arc<Accepting>) -> Self {
        metrics.connection_opened();
        Self {
            _place: place,
            metrics: Arc::clone(metrics),
            accepting: Arc::clone(accepting),
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.metrics.connection_closed();
        self.accepting.freed();
    }
}

pin_project! {
    /// An open connection. It counts as open until it is dropped.
    pub(super) struct Held<IO> {
        #[pin]
        io: IO,
        cut: Cut,
        opening: Option<Opening>,
        connection: OpenConnection,
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
        // Read first. Only a connection without bytes checks for the cut: every connection comes to that state, because tokio's
        // cooperative budget makes one that always has bytes wait as well.
        let before = buffer.filled().len();
        let read = this.io.poll_read(cx, buffer);
        if let Some(opening) = this.opening {
            opening.missing = opening.missing.saturating_sub(buffer.filled().len() - before);
            if opening.missing == 0 {
                *this.opening = None;
            } else if opening.time_is_up.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        if read.is_pending() && this.cut.is_due(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        read
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_peer_that_vanishes_is_found_out_by_the_system() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut connections = std::pin::pin!(accept(listener));
        let connection = connections.next().await.unwrap().unwrap();
        assert!(connection.nodelay().unwrap());
        let socket = SockRef::from(&connection);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_AFTER);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), KEEPALIVE_EVERY);
    }
}
