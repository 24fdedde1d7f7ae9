//! What is known of a call before its body, and how it ends: a value that its handler says, and that the layer around
//! everything ([`Calls`](super::Calls)) counts.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering::Relaxed},
};

use http::{HeaderName, HeaderValue};
use tokio::time::Instant;
use tower_admission::grpc;

use crate::job::{CallEnd, Reason};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// A call that has it is answered with it.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A call, in the extensions of its request.
#[derive(Debug)]
pub(super) struct Call {
    /// When the headers arrived; the deadline counts from here.
    pub(super) arrival: Instant,
    /// By when the caller wants its answer; `None` if it did not say.
    pub(super) deadline: Option<Instant>,
    /// Whether the caller said something of it that makes no sense.
    pub(super) malformed_timeout: bool,
    /// The caller's name for the call.
    pub(super) request_id: Option<HeaderValue>,
    said: Said,
}

impl Call {
    pub(super) fn arrived(headers: &http::HeaderMap) -> Self {
        let arrival = Instant::now();
        // A call has few headers: one pass over them costs less than looking up two.
        let (mut timeout, mut request_id) = (None, None);
        for (name, value) in headers {
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
            request_id,
            said: Said::default(),
        }
    }

    /// The call of a request, which its handler takes over: it must say how the call ends.
    pub(super) fn take<R>(request: &tonic::Request<R>) -> Arc<Self> {
        let call = request.extensions().get::<Arc<Self>>().cloned();
        // Always there in a service that `app` built; without it, now is the best that is known.
        let call = call.unwrap_or_else(|| Arc::new(Self::arrived(&http::HeaderMap::new())));
        call.said.put(Said::REACHED);
        call
    }

    /// The handler says how the call ends: with its answer, or with the last item of a stream. It has nothing more to do
    /// then; a caller that leaves before it has the answer changes nothing.
    pub(super) fn ends(&self, end: CallEnd) {
        self.said.put(Said::code(end));
    }

    /// Whether a handler has the call, and counts what becomes of its message.
    pub(super) fn reached(&self) -> bool {
        self.said.get() != Said::UNREACHED
    }

    /// How the call ends, as its handler said; `None` as long as it has not.
    pub(super) fn said(&self) -> Option<CallEnd> {
        Said::end(self.said.get())
    }
}

/// What a handler has said of the end of its call, in a byte: handler and layer are in one task, but not in one borrow.
#[derive(Debug, Default)]
struct Said(AtomicU8);

impl Said {
    /// No handler has the call yet.
    const UNREACHED: u8 = 0;
    /// A handler has it, and has not said anything.
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
            call.ends(end);
            assert_eq!((call.said(), call.reached()), (Some(end), true));
        }
    }

    #[test]
    fn a_call_that_its_handler_takes_is_reached_and_has_no_end_yet() {
        let mut request = tonic::Request::new(());
        request
            .extensions_mut()
            .insert(Arc::new(Call::arrived(&http::HeaderMap::new())));
        let call = Call::take(&request);
        assert_eq!((call.said(), call.reached()), (None, true));
    }
}
