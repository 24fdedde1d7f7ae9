//! Tests of how calls end, without a transport.

use std::{convert::Infallible, future};

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tonic::{Code, Status};
use tower::{ServiceExt, service_fn};

use super::*;
use crate::job::{CallEnd, Door, RequestOutcome};

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

/// A stream of one item and trailers, whose handler sets the result `end` with the trailers.
async fn stream(ledger: &Arc<Ledger>, end: CallEnd) -> CountedBody {
    let handler = service_fn(move |_: Request<()>| async move {
        let call = Call::take();
        let frames = [Frame::data(Bytes::from("item")), Frame::trailers(HeaderMap::new())];
        let frames = frames.into_iter().inspect(move |frame| {
            if frame.is_trailers() {
                call.set_end(end);
            }
        });
        let body = StreamBody::new(futures_util::stream::iter(frames.map(Ok::<_, Status>)));
        Ok::<_, Infallible>(Response::new(Body::new(body)))
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
    let handler = service_fn(|_: Request<()>| async {
        Call::take().set_end(Ok(()));
        let body = StreamBody::new(futures_util::stream::pending::<Result<Frame<Bytes>, Status>>());
        Ok::<_, Infallible>(Response::new(Body::new(body)))
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
    let handler = service_fn(|_: Request<()>| async {
        Call::take();
        Ok::<_, Infallible>(Response::new(Body::empty()))
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
