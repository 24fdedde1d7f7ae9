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
        base.scheme = Some(http::uri::Scheme::HTTP);
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

    /// Waits until it is up, however many attempts that takes.
    pub(super) async fn up(&self) {
        let mut state = self.state.clone();
        // It ends only with the link itself.
        let _ = state.wait_for(|state| matches!(state, State::Up(_))).await;
    }

    /// Why it is not up.
    pub(super) fn reason_down(&self) -> Arc<str> {
        match &*self.state.borrow() {
            State::Down(reason) => Arc::clone(reason),
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
            State::Down(reason) => Err(Arc::clone(reason)),
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
        let reason = match timeout(HANDSHAKE_TIMEOUT, open(&dial)).await {
            Ok(Ok((sender, connection))) => {
                state.send_replace(State::Up(sender));
                match connection.await {
                    Ok(()) => "the connection was closed".to_owned(),
                    Err(error) => error.to_string(),
                }
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "connected, but nothing there speaks HTTP/2".to_owned(),
        };
        state.send_replace(State::Down(reason.into()));
        // A target that accepts and closes must not be dialled without end either.
        if dialled.elapsed() >= LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        } else {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// A connection whose peer has answered: that bytes can be sent to it says nothing.
async fn open(dial: &Dial) -> io::Result<(SendRequest<Bytes>, Connection)> {
    let stream = dial.dial().await?;
    let (sender, mut connection) = h2::client::Builder::new()
        .enable_push(false)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_window_size(STREAM_WINDOW)
        .max_concurrent_reset_streams(MAX_RESET_STREAMS)
        .max_local_error_reset_streams(None)
        .handshake(stream)
        .await
        .map_err(io::Error::other)?;
    let mut pings = connection.ping_pong().expect("it is taken once");
    tokio::select! {
        biased;
        ended = &mut connection => {
            let closed = || io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was closed at once");
            Err(ended.err().map_or_else(closed, io::Error::other))
        }
        pong = pings.ping(h2::Ping::opaque()) => match pong {
            Ok(_) => Ok((sender, connection)),
            Err(error) => Err(io::Error::other(error)),
        },
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
