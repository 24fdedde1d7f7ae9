//! One connection that is kept up, as its calls see it: they get either a handle that sends requests, or the reason why
//! the connection is down.
//!
//! A call that finds the connection down waits for the attempt that is under way, and fails if the attempt fails. So a
//! target that is gone slows its callers to the pace of the attempts, instead of letting them spin.

use std::sync::{Arc, Mutex, atomic::Ordering::Relaxed};

use http::{Uri, uri::PathAndQuery};
use tokio::{sync::watch, task::AbortHandle, time::Instant};

use super::{
    dial::Dial,
    state::{Ready, State, Traffic},
    upkeep::keep_up,
};
use crate::effort::StreamWaits;

/// A connection that is opened again when it ends. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Link {
    state: watch::Receiver<State>,
    base: http::uri::Parts,
    task: AbortHandle,
    traffic: Arc<Traffic>,
    waits: Mutex<StreamWaits>,
    max_message_size: usize,
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
        let traffic = Arc::new(Traffic::default());
        let max_message_size = dial.options().max_message_size;
        let task = tokio::spawn(keep_up(dial, sender, Arc::clone(&traffic))).abort_handle();
        Self {
            state,
            base,
            task,
            traffic,
            waits: Mutex::default(),
            max_message_size,
        }
    }

    /// Scheme and authority of its requests.
    pub(super) fn base(&self) -> &http::uri::Parts {
        &self.base
    }

    /// Bytes of the largest answer that is accepted.
    pub(super) fn max_message_size(&self) -> usize {
        self.max_message_size
    }

    /// Counts a call that is about to be made, until the returned value is dropped.
    pub(super) fn place(&self) -> StreamPlace<'_> {
        StreamPlace {
            link: self,
            before: self.traffic.streams.fetch_add(1, Relaxed),
            waiting_since: None,
        }
    }

    /// Notes that the peer has answered a call.
    pub(super) fn served(&self) {
        self.traffic.served.store(true, Relaxed);
    }

    /// The calls that had to wait for a stream so far.
    pub(super) fn stream_waits(&self) -> StreamWaits {
        *self.waits.lock().expect("no code panics with it locked")
    }

    /// Waits until the connection is up, however many attempts that takes. Returns the reason if more attempts would
    /// not help. Calls `troubled` with the reason if the first attempt fails.
    pub(super) async fn up(&self, troubled: impl FnOnce(&str)) -> Result<(), Arc<str>> {
        let mut state = self.state.clone();
        let down = match state
            .wait_for(|state| !matches!(state, State::Dialling))
            .await
            .as_deref()
        {
            Ok(State::Down(reason)) => Some(Arc::clone(reason)),
            _ => None,
        };
        if let Some(reason) = down {
            troubled(&reason);
        }
        let known = state.wait_for(|state| matches!(state, State::Up(_) | State::Unfit(_)));
        match known.await.as_deref() {
            Ok(State::Unfit(reason)) => Err(Arc::clone(reason)),
            // The channel is closed only with the link itself.
            _ => Ok(()),
        }
    }

    /// Whether the connection takes requests now.
    pub(super) fn is_up(&self) -> bool {
        matches!(&*self.state.borrow(), State::Up(_))
    }

    /// Why the connection is not up.
    pub(super) fn reason_down(&self) -> Arc<str> {
        match &*self.state.borrow() {
            State::Down(reason) | State::Unfit(reason) => Arc::clone(reason),
            State::Dialling => "no answer".into(),
            State::Up(_) => "another connection is missing".into(),
        }
    }

    /// Why the connection of this generation broke; `None` if it was not the last that broke.
    pub(super) fn what_broke(&self, generation: u64) -> Option<Arc<str>> {
        let broke = self.traffic.broke.lock().expect("no code panics with it locked");
        broke.clone().filter(|broke| broke.0 == generation).map(|broke| broke.1)
    }

    /// Waits for a connection of a later generation than `after`, and returns the handle that sends requests over it.
    /// Returns the reason if the attempt to connect fails.
    pub(super) async fn ready(&self, after: u64) -> Result<Ready, Arc<str>> {
        if let State::Up(ready) = &*self.state.borrow()
            && ready.generation > after
        {
            return Ok(ready.clone());
        }
        let mut state = self.state.clone();
        state.mark_unchanged();
        loop {
            if let State::Up(ready) = &*state.borrow()
                && ready.generation > after
            {
                return Ok(ready.clone());
            }
            if state.changed().await.is_err() {
                return Err("closed".into());
            }
            if let State::Down(reason) | State::Unfit(reason) = &*state.borrow_and_update() {
                return Err(Arc::clone(reason));
            }
        }
    }
}

/// A call that counts among the streams of its connection until this is dropped.
pub(super) struct StreamPlace<'a> {
    link: &'a Link,
    /// The number of calls that were there before it.
    pub(super) before: usize,
    waiting_since: Option<Instant>,
}

impl StreamPlace<'_> {
    /// Notes that the call waits for a stream, from now on until [`Self::opened`] or the drop.
    pub(super) fn waits(&mut self) {
        self.waiting_since.get_or_insert_with(Instant::now);
    }

    /// Notes that the request has its stream.
    pub(super) fn opened(&mut self) {
        if let Some(since) = self.waiting_since.take() {
            let mut waits = self.link.waits.lock().expect("no code panics with it locked");
            waits.add(since.elapsed());
        }
    }
}

impl Drop for StreamPlace<'_> {
    fn drop(&mut self) {
        // A call that was given up has waited too.
        self.opened();
        self.link.traffic.streams.fetch_sub(1, Relaxed);
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
