//! What a link and the task that keeps it up share: its state, and its traffic.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize},
};

use bytes::Bytes;
use h2::client::SendRequest;

/// The state of a link.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// An attempt is under way, and nothing has gone wrong.
    Dialling,
    /// Ready for requests.
    Up(Ready),
    /// The last attempt failed, or the connection broke; the next attempt is to come.
    Down(Arc<str>),
    /// The last attempt failed, because client and server do not fit each other: another attempt will hardly help.
    Unfit(Arc<str>),
}

/// A connection that takes requests.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) sender: SendRequest<Bytes>,
    /// The number of the connection among those of its link, from 1.
    pub(super) generation: u64,
}

/// What the calls of a link and the task that keeps it up tell each other.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// Calls that have a stream or wait for one.
    pub(super) streams: AtomicUsize,
    /// Whether there was an answer since a connection last ended.
    pub(super) served: AtomicBool,
    /// The last connection that broke, by its generation, and why.
    pub(super) broke: Mutex<Option<(u64, Arc<str>)>>,
}
