//! A call while it counts as in progress: up to the end of its answer's body, or until its caller leaves.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderValue;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;
use tonic::{Status, body::Body};

use super::call::{AtHand, Call};
use crate::{
    job::{CallEnd, Reason},
    ledger::InProgress,
};

/// A call that counts as in progress for as long as it is held. Dropped before its end, its caller went away: with an answer
/// under way it ends as its handler said.
#[derive(Debug)]
pub(super) struct Counted {
    /// `None` once it has ended.
    in_progress: Option<InProgress>,
    call: Arc<Call>,
}

impl Counted {
    pub(super) fn new(in_progress: InProgress, call: Arc<Call>) -> Self {
        let in_progress = Some(in_progress);
        Self { in_progress, call }
    }

    /// Puts the call at hand for its handler, while the guard lives; `None` if its handler has it already.
    pub(super) fn at_hand(&self) -> Option<AtHand> {
        (!self.call.reached()).then(|| self.call.at_hand())
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.call.deadline
    }

    pub(super) fn has_malformed_timeout(&self) -> bool {
        self.call.malformed_timeout
    }

    pub(super) fn metadata_bytes(&self) -> u32 {
        self.call.metadata_bytes
    }

    pub(super) fn request_id(&self) -> Option<&HeaderValue> {
        self.call.request_id.as_ref()
    }

    /// Whether a handler has the call.
    pub(super) fn reached(&self) -> bool {
        self.call.reached()
    }

    pub(super) fn finish(mut self, end: CallEnd) {
        if let Some(in_progress) = self.end() {
            in_progress.finish(end);
        }
    }

    /// A handler that has answered without a word has a bug.
    pub(super) fn said(&self) -> CallEnd {
        self.call.said().unwrap_or(Err(Reason::Failed))
    }

    /// A message that no handler has had did not get in.
    fn end(&mut self) -> Option<InProgress> {
        let in_progress = self.in_progress.take()?;
        if !self.call.reached() {
            in_progress.not_admitted();
        }
        Some(in_progress)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some(in_progress) = self.end() else { return };
        if let Some(end) = self.call.said() {
            in_progress.finish(end);
        } else if self.call.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            // A caller that leaves at its own deadline leaves because of it, whichever of the two is heard of first.
            in_progress.finish(Err(Reason::Expired));
        }
    }
}

/// The body of an answer. Its call ends with it, as the handler said: so a stream is in progress until its last item.
#[derive(Debug)]
pub struct CountedBody {
    inner: Body,
    counted: Option<Counted>,
}

impl CountedBody {
    pub(super) fn new(inner: Body, counted: Option<Counted>) -> Self {
        Self { inner, counted }
    }
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let failed = matches!(frame, Some(Err(_)));
        // The transport asks no further once it has the trailers.
        let ended = failed || frame.is_none() || self.inner.is_end_stream();
        if let Some(counted) = self.counted.take_if(|_| ended) {
            let end = if failed { Err(Reason::Failed) } else { counted.said() };
            counted.finish(end);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
