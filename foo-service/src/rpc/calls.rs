//! Counts every call from the arrival of its headers to the end of its answer, and ends it at its deadline.
//!
//! This is the outermost layer, because a call can end before its handler is reached: while its body is still arriving, or
//! because the body cannot be decoded. tonic starts its own timer for `grpc-timeout` right after this one and polls it later.
//! So this layer always notices a deadline first, and answers DEADLINE_EXCEEDED, where tonic would answer CANCELLED.
//!
//! An `x-request-id` is repeated in the answer. The layer of tower-http for that costs 1% of a small call, so it is used only
//! with tracing on, where it also makes ids for calls without one.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use hyper::body::Body as _;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep_until};
use tonic::body::Body;
use tower::{Layer, Service};

use super::{
    call::{Call, REQUEST_ID},
    counted::{Counted, CountedBody},
    message, status, unreached,
};
use crate::{
    job::{Reason, Rpc},
    ledger::Ledger,
};

/// The outermost layer of the service: counts every call.
#[derive(Debug, Clone)]
pub struct Calls {
    ledger: Arc<Ledger>,
}

impl Calls {
    /// A layer that counts every call into `ledger`.
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

/// The service that [`Calls`] wraps around an inner service.
#[derive(Debug, Clone)]
pub struct CountCalls<S> {
    inner: S,
    ledger: Arc<Ledger>,
}

impl<S, B> Service<Request<B>> for CountCalls<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<CountedBody>;
    type Error = S::Error;
    type Future = CallFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let counted = rpc(request.uri().path()).map(|rpc| {
            let call = Arc::new(Call::arrived(request.headers()));
            Counted::new(self.ledger.call(rpc), call)
        });
        let deadline = counted.as_ref().and_then(Counted::deadline);
        let too_much = counted
            .as_ref()
            .is_some_and(|counted| counted.metadata_bytes() > message::MAX_METADATA);
        CallFuture {
            inner: (!too_much).then(|| self.inner.call(request)),
            deadline: deadline.map(|deadline| Box::pin(sleep_until(deadline))),
            counted,
        }
    }
}

/// The RPC that a path names.
fn rpc(path: &str) -> Option<Rpc> {
    match path.strip_prefix("/foo.v1.FooService/")? {
        "Enqueue" => Some(Rpc::Enqueue),
        "Process" => Some(Rpc::Process),
        "Watch" => Some(Rpc::Watch),
        _ => None,
    }
}

pin_project! {
    /// A call up to the headers of its answer.
    pub struct CallFuture<F> {
        // `None` if the call is refused because of its metadata.
        #[pin]
        inner: Option<F>,
        // In a box: the future is moved, and not every call has a deadline.
        deadline: Option<Pin<Box<Sleep>>>,
        counted: Option<Counted>,
    }
}

impl<F, E> Future for CallFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<CountedBody>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            let counted = this.counted.take().expect("not polled after its end");
            let refusal = message::too_much_metadata(counted.metadata_bytes());
            counted.finish(Err(refusal.reason()));
            let answer = status::answer(&refusal);
            return Poll::Ready(Ok(answer.map(|body| CountedBody::new(body, None))));
        };
        let at_hand = this.counted.as_ref().and_then(Counted::at_hand);
        // A panic drops the guards of the call, which count it as failed. The caller still gets an answer.
        let (mut answer, refused) = match catch_unwind(AssertUnwindSafe(|| inner.poll(cx))) {
            Ok(Poll::Ready(Ok(answer))) => (answer, None),
            Ok(Poll::Ready(Err(error))) => return Poll::Ready(Err(error)),
            // tonic accepts some of these timeouts, such as "+0S". It would cancel the call before its handler is reached.
            Ok(Poll::Pending) if this.counted.as_ref().is_some_and(Counted::has_malformed_timeout) => {
                let refusal = message::malformed_timeout();
                (status::answer(&refusal), Some(refusal.reason()))
            }
            Ok(Poll::Pending) => {
                let Some(deadline) = this.deadline else {
                    return Poll::Pending;
                };
                ready!(deadline.as_mut().poll(cx));
                (status::answer(&Reason::Expired.into()), Some(Reason::Expired))
            }
            Err(_panic) => {
                tracing::error!("a call panicked: this is a bug");
                (status::answer(&Reason::Failed.into()), Some(Reason::Failed))
            }
        };
        drop(at_hand);
        // Dropped before the call counts as ended, so that everything it used is free by then.
        this.inner.set(None);
        let mut counted = this.counted.take();
        if let Some(id) = counted.as_ref().and_then(Counted::request_id) {
            answer.headers_mut().insert(REQUEST_ID, id.clone());
        }
        let end = match (refused, &counted) {
            (Some(reason), _) => Some(Err(reason)),
            // There is an answer, and no handler has taken the call: another layer gave the answer.
            (None, Some(counted)) if !counted.reached() => Some(unreached::end(&mut answer)),
            // The answer has no body, so it is a refusal and ends here.
            (None, Some(counted)) if answer.body().is_end_stream() => {
                let end = counted.said();
                if let Err(reason) = end {
                    status::complete(answer.headers_mut(), reason, counted.retry_after());
                }
                Some(end)
            }
            _ => None,
        };
        if let Some((counted, end)) = counted.take_if(|_| end.is_some()).zip(end) {
            counted.finish(end);
        }
        Poll::Ready(Ok(answer.map(|body| CountedBody::new(body, counted))))
    }
}

#[cfg(test)]
mod tests;
