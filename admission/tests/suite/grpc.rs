//! `GrpcAdmissionLayer` around a service that answers with HTTP responses as tonic does, in paused time.

use std::{convert::Infallible, future::pending, pin::Pin, sync::atomic::Ordering};

use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, StreamBody};
use tokio::{task::yield_now, time::sleep};
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneService};
use tower_admission::{
    grpc::{AdmittedBody, GrpcAdmissionLayer},
    limit::Outcome,
    line::Reason,
    room::Admission,
};

use crate::{
    resource::Resource,
    seen::{Event, Seen, ms},
};

type Frames = Pin<Box<dyn Body<Data = Bytes, Error = Infallible> + Send>>;
type Response = http::Response<AdmittedBody<Frames>>;
type Service = BoxCloneService<http::Request<()>, Response, Infallible>;

/// Answers after 20 ms. The request's header `answer` says how: with `headers N` the status N is in the headers and there is
/// no body. Otherwise the body has a message at once, and 10 ms later trailers with `answer` as the status; with `none` it has no
/// trailers, and with `endless` no end.
async fn answer(request: http::Request<()>) -> Result<http::Response<Frames>, Infallible> {
    let answer = request.headers()["answer"].to_str().unwrap().to_owned();
    sleep(ms(20)).await;
    if let Some(status) = answer.strip_prefix("headers ") {
        let response = http::Response::builder().header("grpc-status", status);
        return Ok(response.body(Box::pin(Empty::new()) as Frames).unwrap());
    }
    let frames = stream::unfold(0, move |step| {
        let answer = answer.clone();
        async move {
            match (step, answer.as_str()) {
                (0, _) => return Some((Ok(Frame::data(Bytes::from_static(b"message"))), 1)),
                (_, "endless") => pending().await,
                (1, "none") | (2, _) => return None,
                _ => {}
            }
            sleep(ms(10)).await;
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", answer.parse().unwrap());
            Some((Ok(Frame::trailers(trailers)), 2))
        }
    });
    Ok(http::Response::new(Box::pin(StreamBody::new(frames))))
}

fn service(workers: u32) -> (Admission, Seen, Service) {
    let seen = Seen::default();
    let admission = Admission::builder().workers(workers).observed(seen.clone());
    let layer = GrpcAdmissionLayer::new(admission.clone()).exempt_health_and_reflection();
    let service = layer.layer(service_fn(answer));
    (admission, seen, BoxCloneService::new(service))
}

fn request(answer: &str, headers: &[(&'static str, &str)]) -> http::Request<()> {
    let mut request = http::Request::builder()
        .uri("/helloworld.Greeter/SayHello")
        .header("answer", answer);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

async fn call(service: &Service, answer: &str, headers: &[(&'static str, &str)]) -> Response {
    service.clone().oneshot(request(answer, headers)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_outcome_is_the_status_in_headers_or_trailers() {
    for (status, outcome) in [
        ("0", Outcome::Success),
        ("3", Outcome::Failure),
        ("4", Outcome::Expired),
        ("1", Outcome::Cancelled),
        ("8", Outcome::Overload),
        ("14", Outcome::Overload),
    ] {
        let (admission, seen, service) = service(1);
        let response = call(&service, &format!("headers {status}"), &[]).await;
        assert_eq!(seen.events()[1], Event::Ended(3, outcome, ms(20)), "with the headers");
        assert_eq!(response.headers()["grpc-status"], status);

        let response = call(&service, status, &[]).await;
        assert_eq!(admission.status().in_flight, 1, "the trailers are not there");
        let collected = response.into_body().collect().await.unwrap();
        assert_eq!(collected.trailers().unwrap()["grpc-status"], status);
        assert_eq!(collected.to_bytes(), "message");
        assert_eq!(seen.events()[3], Event::Ended(3, outcome, ms(30)), "with the trailers");
        assert_eq!(admission.status().in_flight, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_without_trailers_is_a_failure() {
    let (_, seen, service) = service(1);
    let response = call(&service, "none", &[]).await;
    response.into_body().collect().await.unwrap();
    assert_eq!(seen.outcomes(), [Outcome::Failure]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_counts_as_cancelled_and_after_its_deadline_as_expired() {
    let (admission, seen, service) = service(1);
    for wait in [1, 70] {
        let response = call(&service, "endless", &[("grpc-timeout", "80m")]).await;
        let mut body = response.into_body();
        body.frame().await.unwrap().unwrap();
        sleep(ms(wait)).await;
        assert_eq!(admission.status().in_flight, 1);
        drop(body);
        assert_eq!(admission.status().in_flight, 0);
    }
    assert_eq!(seen.outcomes(), [Outcome::Cancelled, Outcome::Expired]);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_rejected_when_its_timeout_leaves_too_little_time_and_told_when_to_come_back() {
    let (_, seen, service) = service(1);
    call(&service, "headers 0", &[]).await;
    let running = tokio::spawn(service.clone().oneshot(request("endless", &[])));
    yield_now().await;
    // The first call's response has arrived, but its body has not ended, so the permit is still taken.
    let _body = running.await.unwrap().unwrap();
    let mut pushback = Vec::new();
    for _ in 0..4 {
        let headers = [("grpc-timeout", "50m"), ("priority", "u=1, i")];
        let refused = call(&service, "headers 0", &headers).await;
        let text = |name| refused.headers()[name].to_str().unwrap();
        assert_eq!(text("content-type"), "application/grpc");
        assert_eq!(text("grpc-status"), "8", "RESOURCE_EXHAUSTED");
        assert_eq!(text("grpc-message"), Reason::Deadline.message());
        pushback.push(text("grpc-retry-pushback-ms").parse::<u64>().unwrap());
        assert!(refused.body().is_end_stream());
    }
    let rejected = Event::Rejected(1, Reason::Deadline, ms(30));
    assert_eq!(seen.events().iter().filter(|event| **event == rejected).count(), 4);
    assert!(pushback.iter().all(|millis| (20..=30).contains(millis)), "{pushback:?}");
    pushback.dedup();
    assert_eq!(pushback.len(), 4, "refused calls do not come back together");
}

#[tokio::test(start_paused = true)]
async fn the_more_urgent_call_goes_first() {
    let seen = Seen::default();
    let admission = Admission::builder().workers(1).classes(None).observed(seen.clone());
    let service = GrpcAdmissionLayer::new(admission).layer(service_fn(answer));
    let calls = ["u=7", "u=3", "u=0", "nonsense"].map(|priority| {
        let call = service.clone().oneshot(request("headers 0", &[("priority", priority)]));
        async {
            yield_now().await;
            call.await.unwrap()
        }
    });
    futures_util::future::join_all(calls).await;
    let admitted: Vec<u8> = seen
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Admitted(class, _) => Some(class),
            _ => None,
        })
        .collect();
    assert_eq!(admitted, [7, 0, 3, 3], "the first found a free place");
}

#[tokio::test(start_paused = true)]
async fn health_checks_need_no_permit() {
    let (admission, seen, service) = service(1);
    let _busy = call(&service, "endless", &[]).await;
    let mut check = request("endless", &[]);
    *check.uri_mut() = "/grpc.health.v1.Health/Watch".parse().unwrap();
    let _watch = service.oneshot(check).await.unwrap();
    assert_eq!(admission.status().in_flight, 1);
    assert_eq!(seen.events().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_handler_can_ask_by_itself_and_refuse_with_a_status() {
    let admission = Admission::builder().workers(1).build();
    let mut request = tonic::Request::new(());
    request.metadata_mut().insert("grpc-timeout", "50m".parse().unwrap());
    let permit = admission
        .enter(tower_admission::grpc::ticket_of(&request))
        .await
        .unwrap();
    let rejected = admission
        .enter(tower_admission::grpc::ticket_of(&request))
        .await
        .unwrap_err();
    assert_eq!(permit.waited(), ms(0));
    let status = tonic::Status::from(rejected);
    assert_eq!(status.code(), tonic::Code::ResourceExhausted);
    assert!(status.metadata().contains_key("grpc-retry-pushback-ms"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_keeps_its_place_until_it_has_let_go_of_what_it_used() {
    let admission = Admission::builder().workers(1).build();
    let inner = service_fn(|request: http::Request<Resource>| async move {
        sleep(ms(1000)).await;
        drop(request);
        Ok::<_, Infallible>(http::Response::new(Empty::<Bytes>::new()))
    });
    let (resource, in_flight) = Resource::of(&admission);
    let request = http::Request::new(resource);
    let call = GrpcAdmissionLayer::new(admission.clone()).layer(inner).oneshot(request);
    let call = tokio::spawn(call);
    sleep(ms(5)).await;
    call.abort();
    assert!(call.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(
        in_flight.load(Ordering::SeqCst),
        1,
        "the place is taken while the resource is there"
    );
    assert_eq!(admission.status().in_flight, 0);
}
