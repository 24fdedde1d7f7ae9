//! One connection that keeps itself up: a task dials, serves, and dials again when the connection ends.
//!
//! A call that finds it down waits for the attempt that is under way, and fails with it: so a target that is gone slows
//! its callers to the pace of the attempts, instead of letting them spin.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use h2::client::SendRequest;
use http::{Uri, uri::PathAndQuery};
use tokio::{
    sync::watch,
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

use super::dial::{Dial, Io};
use crate::effort::StreamWaits;

/// Flow control: room for the answers of everything that one connection has in flight.
const CONNECTION_WINDOW: u32 = 16 << 20;
/// Likewise per stream: answers are small, or read at once.
const STREAM_WINDOW: u32 = 1 << 20;
/// Streams given up that h2 remembers, so that late frames for them are no error. Deadlines pass in bulk.
const MAX_RESET_STREAMS: usize = 16_384;
/// How long a target may take to accept a connection and to speak HTTP/2 on it.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause after the first failed attempt; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
enum State {
    /// No attempt has ended yet.
    Dialling,
    /// Ready for requests.
    Up(SendRequest<Bytes>),
    /// The last attempt failed, or the connection ended; the next attempt is to come.
    Down(Arc<str>),
    /// Likewise, because the two ends do not fit each other: the next attempt will hardly do better.
    Unfit(Arc<str>),
}

/// A connection. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Link {
    state: watch::Receiver<State>,
    base: http::uri::Parts,
    task: AbortHandle,
    /// Calls that have a stream or wait for one.
    streams: AtomicUsize,
    waits: Mutex<StreamWaits>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    /// Starts dialling, on the current runtime.
    pub(super) fn start(dial: Dial) -> Self {
        let (sender, state) = watch::channel(State::Dialling);
        let mut base = http::uri::Parts::default();
        base.scheme = Some(dial.scheme());
        base.authority = Some(dial.authority().clone());
        let task = tokio::spawn(keep_up(dial, sender)).abort_handle();
        Self {
            state,
            base,
            task,
            streams: AtomicUsize::new(0),
            waits: Mutex::default(),
        }
    }

    /// Scheme and authority of its requests.
    pub(super) fn base(&self) -> &http::uri::Parts {
        &self.base
    }

    /// A place for a call that is about to be made.
    pub(super) fn place(&self) -> StreamPlace<'_> {
        StreamPlace {
            link: self,
            before: self.streams.fetch_add(1, Relaxed),
            waiting_since: None,
        }
    }

    /// The calls that had to wait for a stream so far.
    pub(super) fn stream_waits(&self) -> StreamWaits {
        *self.waits.lock().expect("no code panics with it locked")
    }

    /// Waits until it is up, however many attempts that takes; the reason, if there is no point in waiting.
    pub(super) async fn up(&self) -> Result<(), Arc<str>> {
        let mut state = self.state.clone();
        let known = state.wait_for(|state| matches!(state, State::Up(_) | State::Unfit(_)));
        match known.await.as_deref() {
            Ok(State::Unfit(reason)) => Err(Arc::clone(reason)),
            // It ends only with the link itself.
            _ => Ok(()),
        }
    }

    /// Whether it takes requests now.
    pub(super) fn is_up(&self) -> bool {
        matches!(&*self.state.borrow(), State::Up(_))
    }

    /// Why it is not up.
    pub(super) fn reason_down(&self) -> Arc<str> {
        match &*self.state.borrow() {
            State::Down(reason) | State::Unfit(reason) => Arc::clone(reason),
            State::Dialling => "no answer".into(),
            State::Up(_) => "another connection is missing".into(),
        }
    }

    /// What sends requests, or why there is nothing that could.
    pub(super) async fn request_sender(&self) -> Result<SendRequest<Bytes>, Arc<str>> {
        let mut state = self.state.clone();
        if let State::Up(sender) = &*state.borrow_and_update() {
            return Ok(sender.clone());
        }
        if state.changed().await.is_err() {
            return Err("closed".into());
        }
        match &*state.borrow() {
            State::Up(sender) => Ok(sender.clone()),
            State::Down(reason) | State::Unfit(reason) => Err(Arc::clone(reason)),
            State::Dialling => Err("no answer".into()),
        }
    }
}

/// A call's place among the streams of its connection, for as long as it is kept.
pub(super) struct StreamPlace<'a> {
    link: &'a Link,
    /// Calls that were there before it.
    pub(super) before: usize,
    waiting_since: Option<Instant>,
}

impl StreamPlace<'_> {
    /// From now on, until [`Self::opened`] or its end, it waits for a stream.
    pub(super) fn waits(&mut self) {
        self.waiting_since.get_or_insert_with(Instant::now);
    }

    /// It has its stream.
    pub(super) fn opened(&mut self) {
        if let Some(since) = self.waiting_since.take() {
            let mut waits = self.link.waits.lock().expect("no code panics with it locked");
            waits.add(since.elapsed());
        }
    }
}

impl Drop for StreamPlace<'_> {
    fn drop(&mut self) {
        // One that was given up has waited too.
        self.opened();
        self.link.streams.fetch_sub(1, Relaxed);
    }
}

type Connection = h2::client::Connection<Pin<Box<dyn Io>>, Bytes>;

async fn keep_up(dial: Dial, state: watch::Sender<State>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let dialled = Instant::now();
        let down = |reason: &dyn std::fmt::Display| State::Down(reason.to_string().into());
        let ended = match timeout(HANDSHAKE_TIMEOUT, open(&dial)).await {
            Ok(Ok((sender, connection))) => {
                state.send_replace(State::Up(sender));
                match connection.await {
                    Ok(()) => down(&"the connection was closed"),
                    Err(error) => down(&error),
                }
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => State::Unfit(error.to_string().into()),
            Ok(Err(error)) => down(&error),
            Err(_) => down(&"connected, but nothing there speaks HTTP/2"),
        };
        state.send_replace(ended);
        // A target that accepts and closes must not be dialled without end either.
        if dialled.elapsed() >= LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        } else {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// A connection whose peer has answered. An error of kind `InvalidData` says that trying again does not help.
async fn open(dial: &Dial) -> io::Result<(SendRequest<Bytes>, Connection)> {
    let stream = dial.dial().await?;
    match speak(stream).await {
        Err(_) if dial.finds_tls().await => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "TLS is spoken there; write the URL with https://",
        )),
        spoken => spoken,
    }
}

/// HTTP/2 on a stream, once the peer has answered: that bytes can be sent to it says nothing.
async fn speak(stream: Pin<Box<dyn Io>>) -> io::Result<(SendRequest<Bytes>, Connection)> {
    let (sender, mut connection) = h2::client::Builder::new()
        .enable_push(false)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_window_size(STREAM_WINDOW)
        .max_concurrent_reset_streams(MAX_RESET_STREAMS)
        .max_local_error_reset_streams(None)
        .handshake(stream)
        .await
        .map_err(as_io)?;
    let mut pings = connection.ping_pong().expect("it is taken once");
    tokio::select! {
        biased;
        ended = &mut connection => {
            let closed = || io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was closed at once");
            Err(ended.err().map_or_else(closed, as_io))
        }
        pong = pings.ping(h2::Ping::opaque()) => match pong {
            Ok(_) => Ok((sender, connection)),
            Err(error) => Err(as_io(error)),
        },
    }
}

/// What the stream said, if it was the stream.
fn as_io(error: h2::Error) -> io::Error {
    if error.is_io() {
        error.into_io().expect("it is one")
    } else {
        io::Error::other(error)
    }
}

/// The URI of a path at this base.
pub(super) fn uri(base: &http::uri::Parts, path: &PathAndQuery) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme.clone_from(&base.scheme);
    parts.authority.clone_from(&base.authority);
    parts.path_and_query = Some(path.clone());
    Uri::from_parts(parts).expect("scheme, authority and path make a URI")
}
