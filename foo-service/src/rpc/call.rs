//! A call: what its headers say, and its result. The handler sets the result, and the outermost layer
//! ([`Calls`](super::Calls)) counts it.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{HeaderName, HeaderValue};
use tokio::time::Instant;
use tower_admission::grpc;

use crate::job::{CallEnd, Reason};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// A header with an id that the caller chose. The answer repeats it.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The bytes that HTTP/2 counts for each header besides its name and value (RFC 9113, section 6.5.2).
const HEADER_OVERHEAD: usize = 32;

thread_local! {
    /// The call whose handler is about to run on this thread, until the handler takes it.
    static AT_HAND: Cell<Option<Arc<Call>>> = const { Cell::new(None) };
}

/// Passes a call from the layer to its handler: the call can be taken on this thread while this guard lives.
///
/// The layer keeps the guard while it polls the handler, which is on the same thread. An extension of the request would also
/// work, but needs one more allocation and two lookups: 1% of the time of a small call.
#[derive(Debug)]
pub(super) struct AtHand;

impl Drop for AtHand {
    fn drop(&mut self) {
        AT_HAND.take();
    }
}

/// A call, shared by the layer and its handler.
#[derive(Debug)]
pub(super) struct Call {
    /// When the headers arrived; the deadline counts from here.
    pub(super) arrival: Instant,
    /// When the caller's timeout is over; `None` if it has set none.
    pub(super) deadline: Option<Instant>,
    /// True if the call has a `grpc-timeout` that cannot be read.
    pub(super) malformed_timeout: bool,
    /// The size of its metadata, as HTTP/2 counts it: names, values, and 32 bytes for each.
    pub(super) metadata_bytes: u32,
    /// The value of the caller's `x-request-id`.
    pub(super) request_id: Option<HeaderValue>,
    said: Said,
    /// Milliseconds that the caller should wait before a retry; 0 if the handler has not set them.
    retry_after: AtomicU32,
}

impl Call {
    pub(super) fn arrived(headers: &http::HeaderMap) -> Self {
        let arrival = Instant::now();
        // A call has few headers: one pass over them costs less than two lookups.
        let (mut timeout, mut request_id, mut bytes) = (None, None, 0);
        for (name, value) in headers {
            bytes += name.as_str().len() + value.len() + HEADER_OVERHEAD;
            if *name == GRPC_TIMEOUT {
                timeout = timeout.or_else(|| Some(grpc::timeout(value)));
            } else if *name == REQUEST_ID {
                request_id = request_id.or_else(|| Some(value.clone()));
            }
        }
        Self {
            arrival,
            deadline: timeout.flatten().and_then(|timeout| arrival.checked_add(timeout)),
            malformed_timeout: timeout == Some(None),
            metadata_bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            request_id,
            said: Said::default(),
            retry_after: AtomicU32::new(0),
        }
    }

    /// Makes the call available to [`take`](Self::take) on this thread, while the guard lives.
    pub(super) fn at_hand(self: &Arc<Self>) -> AtHand {
        AT_HAND.set(Some(Arc::clone(self)));
        AtHand
    }

    /// Takes the call of the handler that runs on this thread. The handler must then set the result with [`set_end`](Self::set_end). To
    /// be called once, before the handler first waits.
    pub(super) fn take() -> Arc<Self> {
        // In a service that `app` built the call is always there. Without it, count from now and set no deadline.
        let call = AT_HAND
            .take()
            .unwrap_or_else(|| Arc::new(Self::arrived(&http::HeaderMap::new())));
        call.said.put(Said::REACHED);
        call
    }

    /// Sets how the call ends. The handler does this last: with its answer, or with the last item of a stream. If the caller leaves
    /// afterwards, before it has the answer, the result stays.
    pub(super) fn set_end(&self, end: CallEnd) {
        self.said.put(Said::code(end));
    }

    /// Sets how long the caller should wait before it sends the call again: at least a millisecond. For a call that ends because
    /// there is no room.
    pub(super) fn retries_after(&self, wait: Duration) {
        let millis = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        self.retry_after.store(millis.max(1), Relaxed);
    }

    /// How long the caller should wait before a retry; `None` if the handler has set no time.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let millis = self.retry_after.load(Relaxed);
        (millis > 0).then(|| Duration::from_millis(millis.into()))
    }

    /// True if a handler has taken the call, and so counts the message of the call.
    pub(super) fn reached(&self) -> bool {
        self.said.get() != Said::UNREACHED
    }

    /// The result that the handler has set; `None` before.
    pub(super) fn said(&self) -> Option<CallEnd> {
        Said::end(self.said.get())
    }
}

/// The state of a call, in one byte. Atomic, because the layer and the handler share it by reference.
#[derive(Debug, Default)]
struct Said(AtomicU8);

impl Said {
    /// No handler has taken the call yet.
    const UNREACHED: u8 = 0;
    /// A handler has taken the call and has not set a result.
    const REACHED: u8 = 1;
    const OK: u8 = 2;

    fn put(&self, code: u8) {
        self.0.store(code, Relaxed);
    }

    fn get(&self) -> u8 {
        self.0.load(Relaxed)
    }

    fn code(end: CallEnd) -> u8 {
        match end {
            Ok(()) => Self::OK,
            Err(reason) => Self::OK + 1 + reason as u8,
        }
    }

    fn end(code: u8) -> Option<CallEnd> {
        match code {
            Self::UNREACHED | Self::REACHED => None,
            Self::OK => Some(Ok(())),
            refused => Reason::ALL
                .get(usize::from(refused - Self::OK - 1))
                .map(|reason| Err(*reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_that_a_handler_can_say_is_the_one_that_is_heard() {
        let call = Call::arrived(&http::HeaderMap::new());
        assert!(!call.reached());
        for end in Reason::ALL.map(Err).into_iter().chain([Ok(())]) {
            call.set_end(end);
            assert_eq!((call.said(), call.reached()), (Some(end), true));
        }
    }

    #[test]
    fn a_call_that_its_handler_takes_is_reached_and_has_no_end_yet() {
        let arrived = Arc::new(Call::arrived(&http::HeaderMap::new()));
        let at_hand = arrived.at_hand();
        let call = Call::take();
        assert!(Arc::ptr_eq(&arrived, &call));
        assert_eq!((call.said(), call.reached()), (None, true));
        drop(at_hand);
    }

    #[test]
    fn a_call_is_at_hand_only_while_its_handler_runs() {
        let arrived = Arc::new(Call::arrived(&http::HeaderMap::new()));
        drop(arrived.at_hand());
        assert!(!Arc::ptr_eq(&arrived, &Call::take()));
        assert!(!arrived.reached());
    }
}
