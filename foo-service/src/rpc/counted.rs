//! A call while it counts as in progress: until the body of its answer ends, or its caller leaves.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
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

/// A call that counts as in progress while this value exists. If it is dropped before its end, the caller went away. If the
/// handler has set a result by then, that result counts.
#[derive(Debug)]
pub(super) struct Counted {
    /// `None` when the call has ended.
    in_progress: Option<InProgress>,
    call: Arc<Call>,
}

impl Counted {
    pub(super) fn new(in_progress: InProgress, call: Arc<Call>) -> Self {
        let in_progress = Some(in_progress);
        Self { in_progress, call }
    }

    /// Makes the call available to its handler while the guard lives; `None` if the handler has taken it already.
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

    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.call.retry_after()
    }

    /// True if a handler has taken the call.
    pub(super) fn reached(&self) -> bool {
        self.call.reached()
    }

    pub(super) fn finish(mut self, end: CallEnd) {
        if let Some(in_progress) = self.end() {
            in_progress.finish(end);
        }
    }

    /// The result that the handler has set. If it has answered without setting one, that is a bug.
    pub(super) fn said(&self) -> CallEnd {
        self.call.said().unwrap_or(Err(Reason::Failed))
    }

    /// Ends the count. A message whose call no handler has taken counts as not admitted.
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
            // A caller often leaves because its own deadline has passed. The reason is the deadline, whichever is noticed first.
            in_progress.finish(Err(Reason::Expired));
        }
    }
}

/// The body of an answer. The call ends with the body, so a stream is in progress until its last item.
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
        // The transport does not poll again after the trailers, so the body may end without a `None`.
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
