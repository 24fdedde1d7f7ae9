//! Compressed requests: they are processed like others, and the same limits apply to their uncompressed size.

use std::io::Write;

use crate::support::{Caller, TestBed};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use foo_proto::v1::{Message, ProcessRequest};
use foo_service::{
    config::Settings,
    job::{Door, RequestOutcome},
};
use http_body_util::{BodyExt, Full};
use prost::Message as _;
use tonic::body::Body;
use tower::{Service, ServiceExt};

/// Calls Process with the compressed request `unpacked`. Returns the gRPC status, and the first byte of the response's body: the
/// flag that says whether the response is compressed.
async fn process(caller: &Caller, unpacked: &[u8]) -> (String, Option<u8>) {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(unpacked).unwrap();
    send(caller, &encoder.finish().unwrap()).await
}

async fn send(caller: &Caller, packed: &[u8]) -> (String, Option<u8>) {
    let mut frame = vec![1];
    frame.extend(u32::try_from(packed.len()).unwrap().to_be_bytes());
    frame.extend(packed);
    let request = http::Request::post("http://service/foo.v1.FooService/Process")
        .header("content-type", "application/grpc")
        .header("grpc-encoding", "gzip")
        .header("grpc-accept-encoding", "gzip, identity")
        .body(Body::new(Full::new(Bytes::from(frame))))
        .unwrap();
    let response = caller
        .connection
        .clone()
        .ready()
        .await
        .unwrap()
        .call(request)
        .await
        .unwrap();
    assert_eq!(
        response.headers().get("grpc-encoding"),
        None,
        "answers are not compressed"
    );
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap();
    let status = head.headers.get("grpc-status").cloned();
    let status = status.or_else(|| body.trailers()?.get("grpc-status").cloned()).unwrap();
    (status.to_str().unwrap().to_owned(), body.to_bytes().first().copied())
}

fn request(payload: usize) -> Vec<u8> {
    let message = Message {
        payload: vec![0; payload],
        ..Message::default()
    };
    ProcessRequest { message: Some(message) }.encode_to_vec()
}

#[tokio::test(start_paused = true)]
async fn a_compressed_request_is_taken_and_answered_uncompressed() {
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    assert_eq!(process(&caller, &request(1000)).await, ("0".to_owned(), Some(0)));
    assert_eq!(process(&caller, &request(1 << 20)).await.0, "0");
    // A payload over the limit is refused as INVALID_ARGUMENT, as without compression.
    assert_eq!(process(&caller, &request((1 << 20) + 1)).await.0, "3");
}

#[tokio::test(start_paused = true)]
async fn a_bomb_is_stopped_at_the_limit_for_what_is_unpacked() {
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    // 256 MiB are compressed to 260 KB, which is below every limit.
    let bomb = request(256 << 20);
    assert_eq!(process(&caller, &bomb).await, ("8".to_owned(), None));
    assert_eq!(bed.ledger.requests(Door::Process, RequestOutcome::Invalid), 1);
    assert_eq!(bed.ledger.levels().in_system, 0);
    assert_eq!(process(&caller, &request(10)).await.0, "0", "on the same connection");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_gzip_is_not_valid() {
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    assert_eq!(send(&caller, b"not gzip at all").await.0, "3");
    assert_eq!(bed.ledger.requests(Door::Process, RequestOutcome::Invalid), 1);
}
