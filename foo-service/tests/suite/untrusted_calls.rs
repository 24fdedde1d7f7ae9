//! The service answers anything that a caller sends, by the rules of the wire contract, and goes on. Property tests with random
//! messages, bytes, deadlines and Watch requests, over real HTTP/2.

use std::time::Duration;

use bytes::Bytes;
use foo_proto::v1::{EnqueueRequest, Message, ProcessRequest, WatchRequest};
use foo_service::{
    config::Settings,
    job::{Door, MAX_ID_BYTES, RequestOutcome},
    ledger::Levels,
};
use http::HeaderValue;
use http_body_util::{BodyExt, Full};
use proptest::{collection::vec, option, prelude::*, sample::Index, test_runner::TestCaseError};
use prost::Message as _;
use tonic::{Code, Status, body::Body};
use tower::ServiceExt;

use crate::support::{Caller, INSTANCE, TestBed, message, ms};

const MAX_PAYLOAD: usize = 64;
const MAX_DEMAND: Duration = Duration::from_millis(500);

type Checked = Result<(), TestCaseError>;

/// Runs `test` with a new service and a caller, in virtual time. Afterwards the service must still work.
fn with_service(test: impl AsyncFnOnce(&TestBed, &Caller) -> Checked) -> Checked {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("the system gives a runtime");
    runtime.block_on(async {
        let bed = TestBed::start(Settings {
            max_payload: MAX_PAYLOAD as u64,
            max_service_demand: MAX_DEMAND,
            ..Settings::default()
        });
        let caller = bed.caller().await;
        test(&bed, &caller).await?;
        let after = caller.process(message("on the same connection")).await;
        prop_assert!(after.is_ok(), "{:?}", after);
        bed.at(bed.now() + 1_000).await;
        prop_assert_eq!(bed.ledger.levels(), Levels::default());
        for door in Door::ALL {
            prop_assert!(bed.ledger.door(door).balances());
            prop_assert_eq!(bed.ledger.requests(door, RequestOutcome::Failed), 0);
        }
        Ok(())
    })
}

/// A random text of at most `most` characters, of one to four bytes each.
fn text(most: usize) -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..=most).prop_map(String::from_iter)
}

/// A random duration of the wire. Half of them are near the bounds of what is allowed.
fn wire_duration() -> impl Strategy<Value = foo_proto::Duration> {
    prop_oneof![
        (any::<i64>(), any::<i32>()),
        (-1..=1_i64, -1..=1_000_000_000_i32),
        (3_599..=3_601_i64, -1..=1_i32),
    ]
    .prop_map(|(seconds, nanos)| foo_proto::Duration { seconds, nanos })
}

fn any_message() -> impl Strategy<Value = Message> {
    let id = prop_oneof![text(8), "[a-z/]{120,136}", text(140)];
    let payload = vec(any::<u8>(), 0..MAX_PAYLOAD * 2);
    (id, payload, option::of(wire_duration())).prop_map(|(id, payload, service_demand)| Message {
        id,
        payload,
        service_demand,
    })
}

/// The value of a wire duration if it is valid (by the definition of google.protobuf.Duration) and not negative.
fn meaning(duration: foo_proto::Duration) -> Option<Duration> {
    let normal = duration.seconds >= 0 && (0..1_000_000_000).contains(&duration.nanos);
    normal.then(|| {
        Duration::from_secs(duration.seconds.unsigned_abs())
            + Duration::from_nanos(duration.nanos.unsigned_abs().into())
    })
}

/// The name of the first invalid field, as the error of the service must name it; `None` if the message is valid.
fn at_fault(message: &Message) -> Option<&'static str> {
    if message.id.len() > MAX_ID_BYTES {
        Some("message.id: ")
    } else if message.payload.len() > MAX_PAYLOAD {
        Some("message.payload: ")
    } else {
        let demand = message.service_demand.map(meaning);
        (demand.is_some_and(|demand| demand.is_none_or(|demand| demand > MAX_DEMAND)))
            .then_some("message.service_demand: ")
    }
}

fn check_answer(message: &Message, answer: Result<String, Status>) -> Checked {
    match (at_fault(message), answer) {
        (None, Ok(id)) if message.id.is_empty() => prop_assert!(id.starts_with(INSTANCE)),
        (None, Ok(id)) => prop_assert_eq!(&id, &message.id),
        (Some(field), Err(status)) => {
            prop_assert_eq!(status.code(), Code::InvalidArgument, "{}", status);
            prop_assert!(status.message().starts_with(field), "{}", status);
        }
        (fault, answer) => prop_assert!(false, "{:?} is at fault, the answer is {:?}", fault, answer),
    }
    Ok(())
}

/// A body that is one correct gRPC frame, but does not always contain a valid request.
fn framed() -> impl Strategy<Value = Vec<u8>> {
    let request = any_message().prop_map(|message| EnqueueRequest { message: Some(message) }.encode_to_vec());
    prop_oneof![2 => request, 1 => vec(any::<u8>(), 0..64)].prop_map(|bytes| {
        let length = u32::try_from(bytes.len()).expect("it is small");
        [&[0][..], &length.to_be_bytes(), &bytes].concat()
    })
}

/// A random body: a correct frame, one with a changed byte, one that is cut off, or random bytes.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let changed = (framed(), any::<Index>(), any::<u8>()).prop_map(|(mut body, at, byte)| {
        let at = at.index(body.len());
        body[at] = byte;
        body
    });
    let cut = (framed(), any::<Index>()).prop_map(|(mut body, at)| {
        body.truncate(at.index(body.len()));
        body
    });
    prop_oneof![framed(), changed, cut, vec(any::<u8>(), 0..64)]
}

/// The message in a body that is exactly one uncompressed frame; `None` for other bodies.
fn unframed(body: &[u8]) -> Option<&[u8]> {
    let (head, message) = body.split_at_checked(5)?;
    (head == [&[0][..], &u32::try_from(message.len()).ok()?.to_be_bytes()].concat()).then_some(message)
}

/// Sends a body without changes. Returns the status code and the message of the answer.
async fn post(caller: &Caller, method: &str, timeout: Option<HeaderValue>, body: Vec<u8>) -> (Code, String) {
    let mut request = http::Request::post(format!("http://service/foo.v1.FooService/{method}"))
        .header("content-type", "application/grpc")
        .body(Body::new(Full::new(Bytes::from(body))))
        .expect("a request");
    if let Some(timeout) = timeout {
        request.headers_mut().insert("grpc-timeout", timeout);
    }
    let connection = caller.connection.clone();
    let answer = connection.oneshot(request).await.expect("an answer");
    if answer.headers().contains_key("grpc-status") {
        return status(answer.headers());
    }
    if method == "Watch" {
        return (Code::Ok, String::new());
    }
    let body = answer.into_body().collect().await.expect("a whole answer");
    status(body.trailers().expect("an answer has trailers"))
}

fn status(headers: &http::HeaderMap) -> (Code, String) {
    let said = headers
        .get("grpc-message")
        .map(|said| said.to_str().expect("it is encoded"));
    let code = Code::from_bytes(headers["grpc-status"].as_bytes());
    (code, said.unwrap_or_default().to_owned())
}

/// Calls Process with this `grpc-timeout` header. Returns the status code and the message of the answer.
async fn with_timeout(caller: &Caller, timeout: HeaderValue) -> (Code, String) {
    let request = ProcessRequest {
        message: Some(message("in time?")),
    };
    let request = request.encode_to_vec();
    let length = u32::try_from(request.len()).expect("it is small");
    let body = [&[0][..], &length.to_be_bytes(), &request].concat();
    post(caller, "Process", Some(timeout), body).await
}

fn any_timeout() -> impl Strategy<Value = HeaderValue> {
    let anything = vec(any::<u8>(), 0..12).prop_map(|bytes| HeaderValue::from_bytes(&bytes));
    let likely = "[ +-]?[0-9.]{0,9}[HMSmunhsx ]?".prop_map(|text| HeaderValue::from_str(&text));
    prop_oneof![1 => anything, 3 => likely].prop_filter_map("no header has these bytes", Result::ok)
}

/// Whether a value is a timeout by PROTOCOL-HTTP2.md: one to eight digits and a unit.
fn is_timeout(value: &HeaderValue) -> bool {
    match value.as_bytes() {
        [digits @ .., unit] => {
            (1..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) && b"HMSmun".contains(unit)
        }
        [] => false,
    }
}

fn any_watch_request() -> impl Strategy<Value = WatchRequest> {
    let run_id = prop_oneof![text(8), "[a-z/]{120,136}"];
    let interval = option::of(prop_oneof![
        wire_duration(),
        (0..=1_i64, 9_999_999..=10_000_001_i32).prop_map(|(seconds, nanos)| foo_proto::Duration { seconds, nanos }),
    ]);
    let resume = prop_oneof![Just(INSTANCE.to_owned()), text(8)];
    (run_id, interval, resume, any::<u64>(), text(8)).prop_map(
        |(run_id, interval, resume_instance_id, resume_after, resume_queue_id)| WatchRequest {
            run_id,
            interval,
            resume_instance_id,
            resume_after,
            resume_queue_id,
        },
    )
}

proptest! {
    #[test]
    fn any_message_is_taken_or_refused_by_the_name_of_its_field(message in any_message()) {
        with_service(async |_, caller| {
            check_answer(&message, caller.enqueue(message.clone()).await.map(|answer| answer.id))?;
            check_answer(&message, caller.process(message.clone()).await.map(|answer| answer.id))
        })?;
    }

    #[test]
    fn any_bytes_are_answered_and_are_never_called_our_bug(body in any_body()) {
        with_service(async |bed, caller| {
            for door in Door::ALL {
                let method = match door {
                    Door::Enqueue => "Enqueue",
                    Door::Process => "Process",
                };
                let (code, said) = post(caller, method, None, body.clone()).await;
                let calls: u64 = RequestOutcome::ALL.map(|outcome| bed.ledger.requests(door, outcome)).iter().sum();
                prop_assert_eq!(calls, 1);
                // The requests of Enqueue and Process have the same form on the wire, so both can be decoded as one.
                let message = unframed(&body).map(|bytes| EnqueueRequest::decode(bytes).map(|request| request.message));
                match message {
                    Some(Ok(Some(message))) => {
                        let taken = at_fault(&message).is_none();
                        prop_assert_eq!(code, if taken { Code::Ok } else { Code::InvalidArgument }, "{}", said);
                    }
                    Some(_) => prop_assert_eq!(code, Code::InvalidArgument, "{}", said),
                    // tonic answers broken frames. Any of these codes is right, because none is for a fault of the service.
                    None => prop_assert!(
                        [Code::Ok, Code::InvalidArgument, Code::ResourceExhausted, Code::Unimplemented].contains(&code),
                        "{:?}: {}", code, said
                    ),
                }
            }
            post(caller, "Watch", None, body.clone()).await;
            Ok(())
        })?;
    }

    #[test]
    fn any_grpc_timeout_is_kept_or_refused_by_its_name(timeout in any_timeout()) {
        with_service(async |_, caller| {
            let (code, said) = with_timeout(caller, timeout.clone()).await;
            if is_timeout(&timeout) {
                prop_assert!([Code::Ok, Code::DeadlineExceeded].contains(&code), "{:?}: {}", code, said);
            } else {
                prop_assert_eq!(code, Code::InvalidArgument, "{}", said);
                prop_assert!(said.starts_with("grpc-timeout:"), "{}", said);
            }
            Ok(())
        })?;
    }

    #[test]
    fn any_request_to_watch_is_answered_with_a_snapshot_or_the_name_of_its_field(request in any_watch_request()) {
        with_service(async |_, caller| {
            let interval_fits = request.interval.is_none_or(|interval| {
                meaning(interval).is_some_and(|interval| (ms(10)..=ms(3_600_000)).contains(&interval))
            });
            match caller.watch(request.clone()).await {
                Ok(mut snapshots) => {
                    prop_assert!(request.run_id.len() <= MAX_ID_BYTES && interval_fits);
                    let first = snapshots.message().await.expect("no error").expect("a first snapshot");
                    prop_assert_eq!((first.sequence, first.completions_end, first.missed), (1, 0, 0));
                }
                Err(status) => {
                    let field = if request.run_id.len() > MAX_ID_BYTES { "run_id: " } else { "interval: " };
                    prop_assert!(field == "run_id: " || !interval_fits, "{}", status);
                    prop_assert_eq!(status.code(), Code::InvalidArgument);
                    prop_assert!(status.message().starts_with(field), "{}", status);
                }
            }
            Ok(())
        })?;
    }
}

#[test]
fn a_timeout_with_a_sign_is_refused_by_its_name_although_tonic_reads_it() {
    let refused = with_service(async |_, caller| {
        let (code, said) = with_timeout(caller, HeaderValue::from_static("+0S")).await;
        prop_assert_eq!(code, Code::InvalidArgument, "{}", said);
        Ok(())
    });
    refused.unwrap();
}
