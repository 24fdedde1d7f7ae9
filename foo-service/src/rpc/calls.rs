//! Every call, from the arrival of its headers to the end of its answer: counted, and ended at its deadline.
//!
//! As a layer around everything, because a call can end before its handler is reached: while its body is still on its
//! way, or because that cannot be decoded. tonic starts its own clock for `grpc-timeout` right after this one and looks
//! at it later, so a deadline is always noticed here first and answered DEADLINE_EXCEEDED, where tonic would say
//! CANCELLED.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::{Status, body::Body};
use tower::{Layer, Service};

use super::{call::Call, status, unreached};
use crate::{
    job::{CallEnd, Reason, Rpc},
    ledger::{InProgress, Ledger},
};

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
    type Response = Response<CountedBody>;
    type Error = S::Error;
    type Future = CallFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let counted = rpc(request.uri().path()).map(|rpc| {
            let call = Arc::new(Call::arrived(request.headers()));
            request.extensions_mut().insert(Arc::clone(&call));
            Counted {
                in_progress: Some(self.ledger.call(rpc)),
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

/// The RPC that a path names.
fn rpc(path: &str) -> Option<Rpc> {
    match path.strip_prefix("/foo.v1.FooService/")? {
        "Enqueue" => Some(Rpc::Enqueue),
        "Process" => Some(Rpc::Process),
        "Watch" => Some(Rpc::Watch),
        _ => None,
    }
}

/// A call that counts as in progress for as long as it is held. Dropped before its end, its caller went away: with an answer
/// under way it ends as its handler said.
#[derive(Debug)]
struct Counted {
    /// `None` once it has ended.
    in_progress: Option<InProgress>,
    call: Arc<Call>,
}

impl Counted {
    fn finish(mut self, end: CallEnd) {
        if let Some(in_progress) = self.end() {
            in_progress.finish(end);
        }
    }

    /// A handler that has answered without a word has a bug.
    fn said(&self) -> CallEnd {
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

pin_project! {
    /// A call until its answer begins.
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
    type Output = Result<Response<CountedBody>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let inner = this.inner.as_mut().as_pin_mut().expect("not polled after its end");
        // A panic unwinds through the guards, which count it as failed; the caller gets an answer all the same.
        let (mut answer, refused) = match catch_unwind(AssertUnwindSafe(|| inner.poll(cx))) {
            Ok(Poll::Ready(Ok(answer))) => (answer, None),
            Ok(Poll::Ready(Err(error))) => return Poll::Ready(Err(error)),
            Ok(Poll::Pending) => {
                let Some(deadline) = this.deadline else {
                    return Poll::Pending;
                };
                ready!(deadline.as_mut().poll(cx));
                (status::plain(Reason::Expired).into_http(), Some(Reason::Expired))
            }
            Err(_panic) => {
                tracing::error!("a call panicked: this is a bug");
                (status::plain(Reason::Failed).into_http(), Some(Reason::Failed))
            }
        };
        // What it held is given back before the call counts as ended.
        this.inner.set(None);
        let mut counted = this.counted.take();
        let end = match (refused, &counted) {
            (Some(reason), _) => Some(Err(reason)),
            // By this poll, perhaps.
            (None, Some(counted)) if !counted.call.reached() => Some(unreached::end(&mut answer)),
            // Nothing comes after the headers: a refusal.
            (None, Some(counted)) if answer.body().is_end_stream() => Some(counted.said()),
            _ => None,
        };
        if let Some((counted, end)) = counted.take_if(|_| end.is_some()).zip(end) {
            counted.finish(end);
        }
        Poll::Ready(Ok(answer.map(|inner| CountedBody { inner, counted })))
    }
}

/// The body of an answer. Its call ends with it, as the handler said: so a stream is in progress until its last item.
#[derive(Debug)]
pub struct CountedBody {
    inner: Body,
    counted: Option<Counted>,
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

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future};

    use http::HeaderMap;
    use http_body_util::{BodyExt, StreamBody};
    use tonic::Code;
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::job::{Door, RequestOutcome};

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
        assert_eq!(response.headers()["grpc-status"], (Code::Internal as i32).to_string());
        assert_eq!(ledger.requests(Door::Process, RequestOutcome::Failed), 1);
        assert_eq!(ledger.door(Door::Process).refused, 1);
    }

    /// A stream of one item, which says at its end that the call ends with `end`.
    async fn stream(ledger: &Arc<Ledger>, end: CallEnd) -> CountedBody {
        let handler = service_fn(move |request: Request<()>| {
            let call = Call::take(&tonic::Request::from_http(request));
            let frames = [Frame::data(Bytes::from("item")), Frame::trailers(HeaderMap::new())];
            let frames = frames.into_iter().inspect(move |frame| {
                if frame.is_trailers() {
                    call.ends(end);
                }
            });
            let body = StreamBody::new(futures_util::stream::iter(frames.map(Ok::<_, Status>)));
            future::ready(Ok::<_, Infallible>(Response::new(Body::new(body))))
        });
        let request = Request::post("/foo.v1.FooService/Watch").body(()).unwrap();
        let answer = Calls::new(Arc::clone(ledger)).layer(handler).oneshot(request).await;
        answer.unwrap().into_body()
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_last_frame_and_as_its_handler_says() {
        let ledger = Arc::new(Ledger::default());
        let ended = || {
            RequestOutcome::ALL
                .map(|outcome| ledger.requests(Rpc::Watch, outcome))
                .iter()
                .sum::<u64>()
        };
        for end in [Ok(()), Err(Reason::Draining)] {
            let before = ended();
            let mut body = stream(&ledger, end).await;
            body.frame().await.unwrap().unwrap();
            assert_eq!(ended(), before);
            while body.frame().await.is_some() {}
            assert_eq!(ended(), before + 1);
        }
        assert_eq!(ledger.requests(Rpc::Watch, RequestOutcome::Ok), 1);
        assert_eq!(ledger.refusals(Rpc::Watch, Reason::Draining), 1);
    }

    #[tokio::test]
    async fn an_answer_that_is_complete_counts_though_its_caller_has_left() {
        let ledger = Arc::new(Ledger::default());
        let handler = service_fn(|request: Request<()>| {
            Call::take(&tonic::Request::from_http(request)).ends(Ok(()));
            let body = StreamBody::new(futures_util::stream::pending::<Result<Frame<Bytes>, Status>>());
            future::ready(Ok::<_, Infallible>(Response::new(Body::new(body))))
        });
        let request = Request::post("/foo.v1.FooService/Process").body(()).unwrap();
        drop(
            Calls::new(Arc::clone(&ledger))
                .layer(handler)
                .oneshot(request)
                .await
                .unwrap(),
        );
        assert_eq!(ledger.requests(Door::Process, RequestOutcome::Ok), 1);
    }

    #[tokio::test]
    async fn a_handler_that_answers_without_a_word_has_a_bug() {
        let ledger = Arc::new(Ledger::default());
        let handler = service_fn(|request: Request<()>| {
            Call::take(&tonic::Request::from_http(request));
            future::ready(Ok::<_, Infallible>(Response::new(Body::empty())))
        });
        let request = Request::post("/foo.v1.FooService/Process").body(()).unwrap();
        drop(
            Calls::new(Arc::clone(&ledger))
                .layer(handler)
                .oneshot(request)
                .await
                .unwrap(),
        );
        assert_eq!(ledger.refusals(Door::Process, Reason::Failed), 1);
    }

    #[tokio::test]
    async fn a_caller_that_leaves_a_stream_has_cancelled_it() {
        let ledger = Arc::new(Ledger::default());
        let mut body = stream(&ledger, Ok(())).await;
        body.frame().await.unwrap().unwrap();
        drop(body);
        assert_eq!(ledger.refusals(Rpc::Watch, Reason::Cancelled), 1);
        assert_eq!(ledger.requests(Rpc::Watch, RequestOutcome::Ok), 0);
    }
}
