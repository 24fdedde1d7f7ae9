//! Every call of the two doors, from the arrival of its headers to its answer: counted, and ended at its deadline.
//!
//! As a layer around everything, because a call can end before its handler is reached: while its body is still on its
//! way, or because that cannot be decoded. tonic starts its own clock for `grpc-timeout` right after this one and looks
//! at it later, so a deadline is always noticed here first and answered DEADLINE_EXCEEDED, where tonic would say
//! CANCELLED.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use http::{HeaderName, Request, Response};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

use super::timeout;
use crate::{
    job::{Door, Refusal, RequestOutcome},
    ledger::{InProgress, Ledger},
};

// As constants: looked up by text, a name is parsed at every call.
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// What is known of a call before its body: in the extensions of the request.
#[derive(Debug)]
pub(super) struct Call {
    /// When the headers arrived.
    pub(super) arrival: Instant,
    /// By when the caller wants its answer; `None` if it did not say.
    pub(super) deadline: Option<Instant>,
    /// Whether what it said of that makes no sense.
    pub(super) malformed_timeout: bool,
    /// Whether a handler has it, and counts what becomes of the message.
    reached: AtomicBool,
}

impl Call {
    fn arrived(headers: &http::HeaderMap) -> Self {
        let arrival = Instant::now();
        let timeout = headers.get(GRPC_TIMEOUT).map(timeout::parse);
        Self {
            arrival,
            deadline: timeout.flatten().and_then(|timeout| arrival.checked_add(timeout)),
            malformed_timeout: timeout == Some(None),
            reached: AtomicBool::new(false),
        }
    }

    /// The call of a request, which its handler takes over.
    pub(super) fn take<R>(request: &tonic::Request<R>) -> Arc<Self> {
        let call = request.extensions().get::<Arc<Self>>().cloned();
        // Always there in a service that `app` built; without it, now is the best that is known.
        let call = call.unwrap_or_else(|| Arc::new(Self::arrived(&http::HeaderMap::new())));
        call.reached.store(true, Relaxed);
        call
    }
}

/// Goes around every other layer.
#[derive(Debug, Clone)]
pub struct Calls {
    ledger: Arc<Ledger>,
}

impl Calls {
    /// Counts into `ledger`.
    pub fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger }
    }
}

impl<S> Layer<S> for Calls {
    type Service = CountCalls<S>;

    fn layer(&self, inner: S) -> CountCalls<S> {
        CountCalls {
            inner,
            ledger: Arc::clone(&self.ledger),
        }
    }
}

/// What [`Calls`] makes of a service.
#[derive(Debug, Clone)]
pub struct CountCalls<S> {
    inner: S,
    ledger: Arc<Ledger>,
}

impl<S, B> Service<Request<B>> for CountCalls<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = CallFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let counted = door(request.uri().path()).map(|door| {
            let call = Arc::new(Call::arrived(request.headers()));
            request.extensions_mut().insert(Arc::clone(&call));
            Counted {
                in_progress: Some(self.ledger.call(door)),
                call,
            }
        });
        let deadline = counted.as_ref().and_then(|counted| counted.call.deadline);
        CallFuture {
            inner: Some(self.inner.call(request)),
            deadline: deadline.map(|deadline| Box::pin(sleep_until(deadline))),
            counted,
        }
    }
}

/// The door that a path leads to.
fn door(path: &str) -> Option<Door> {
    match path.strip_prefix("/foo.v1.FooService/")? {
        "Enqueue" => Some(Door::Enqueue),
        "Process" => Some(Door::Process),
        _ => None,
    }
}

/// A call that counts as in progress for as long as it is held.
struct Counted {
    /// `None` once it has ended.
    in_progress: Option<InProgress>,
    call: Arc<Call>,
}

impl Counted {
    fn finish(mut self, outcome: RequestOutcome) {
        if let Some(in_progress) = self.end() {
            in_progress.finish(outcome);
        }
    }

    /// A message that no handler ever had was turned away with its call.
    fn end(&mut self) -> Option<InProgress> {
        self.in_progress
            .take()
            .inspect(|in_progress| in_progress.refuse_unless(self.reached()))
    }

    fn reached(&self) -> bool {
        self.call.reached.load(Relaxed)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // A caller that leaves at its own deadline leaves because of it, whichever of the two is heard of first.
        let late = self.call.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if let Some(in_progress) = self.end().filter(|_| late) {
            in_progress.finish(RequestOutcome::Expired);
        }
    }
}

pin_project! {
    /// A call in progress. Dropped before its end, its caller went away.
    pub struct CallFuture<F> {
        #[pin]
        inner: Option<F>,
        // Boxed: the call is moved around, and not every one has a deadline.
        deadline: Option<Pin<Box<Sleep>>>,
        counted: Option<Counted>,
    }
}

impl<F, E> Future for CallFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let inner = this.inner.as_mut().as_pin_mut().expect("not polled after its end");
        // A panic unwinds through the guards, which count it as failed; the caller gets an answer all the same.
        let (answer, code) = match catch_unwind(AssertUnwindSafe(|| inner.poll(cx))) {
            Ok(Poll::Ready(Ok(mut response))) => {
                // By this poll, perhaps.
                let reached = this.counted.as_ref().is_some_and(Counted::reached);
                let code = said(&mut response, reached);
                (Ok(response), code)
            }
            Ok(Poll::Ready(Err(error))) => (Err(error), Code::Unknown),
            Ok(Poll::Pending) => {
                let Some(deadline) = this.deadline else {
                    return Poll::Pending;
                };
                ready!(deadline.as_mut().poll(cx));
                refused(&Refusal::Expired)
            }
            Err(_panic) => {
                tracing::error!("a call panicked: this is a bug");
                refused(&Refusal::Bug)
            }
        };
        // Whatever it held is given back before the call counts as ended.
        this.inner.set(None);
        if let (Ok(_), Some(counted)) = (&answer, this.counted.take()) {
            counted.finish(outcome(code));
        }
        Poll::Ready(answer)
    }
}

fn refused<E>(refusal: &Refusal) -> (Result<Response<Body>, E>, Code) {
    let status = Status::from(refusal);
    let code = status.code();
    (Ok(status.into_http()), code)
}

/// The status of an answer: a refusal has it in its headers, an answer in its trailers. What tonic says of a message that
/// it could not decode is put as this service puts it.
///
/// CANCELLED stands for a body that broke off. tonic's codes for that depend on how, some of them look like this service's
/// own, and nobody is there to read them. (Of a plain reset nothing is heard here: to hyper the body has ended then, and
/// what came of it is a message cut short.)
fn said(response: &mut Response<Body>, reached: bool) -> Code {
    let Some(header) = response.headers().get(GRPC_STATUS) else {
        return Code::Ok;
    };
    let code = Code::from_bytes(header.as_bytes());
    if reached {
        return code;
    }
    let (code, text) = match code {
        // Over the decoding limit: gRPC has RESOURCE_EXHAUSTED for that.
        Code::OutOfRange => (Code::ResourceExhausted, "8"),
        // Over it once unpacked. A peer that resets its stream can make tonic say this code too, but not these words.
        Code::ResourceExhausted if unpacking_failed(response) => (Code::ResourceExhausted, "8"),
        Code::Internal => (Code::InvalidArgument, "3"),
        // Said here at the deadline; or by tonic, of a compression that is not offered.
        Code::DeadlineExceeded | Code::Unimplemented => return code,
        _ => return Code::Cancelled,
    };
    let status = http::HeaderValue::from_static(text);
    response.headers_mut().insert(GRPC_STATUS, status);
    // Not for want of room, so it is not counted as such either.
    if code == Code::ResourceExhausted {
        Code::InvalidArgument
    } else {
        code
    }
}

fn unpacking_failed(response: &Response<Body>) -> bool {
    let words = response.headers().get(GRPC_MESSAGE).map(http::HeaderValue::as_bytes);
    words.is_some_and(|words| words.windows(13).any(|window| window == b"decompressing"))
}

fn outcome(code: Code) -> RequestOutcome {
    match code {
        Code::Ok => RequestOutcome::Ok,
        Code::ResourceExhausted => RequestOutcome::Rejected,
        Code::DeadlineExceeded => RequestOutcome::Expired,
        Code::Cancelled => RequestOutcome::Cancelled,
        Code::Unavailable => RequestOutcome::Unavailable,
        // Asked for in a way that is not offered: a compression, say.
        Code::InvalidArgument | Code::Unimplemented => RequestOutcome::Invalid,
        _ => RequestOutcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future};

    use tower::{ServiceExt, service_fn};

    use super::*;

    #[tokio::test]
    async fn a_call_that_panics_is_answered_and_counted() {
        let ledger = Arc::new(Ledger::default());
        let bug = service_fn(|_: Request<()>| {
            future::poll_fn(|_| -> Poll<Result<Response<Body>, Infallible>> { panic!("on purpose") })
        });
        let request = Request::post("/foo.v1.FooService/Process").body(()).unwrap();
        let response = Calls::new(Arc::clone(&ledger))
            .layer(bug)
            .oneshot(request)
            .await
            .unwrap();
        assert_eq!(response.headers()[GRPC_STATUS], (Code::Internal as i32).to_string());
        assert_eq!(ledger.requests(Door::Process, RequestOutcome::Failed), 1);
        assert_eq!(ledger.door(Door::Process).refused, 1);
    }
}
