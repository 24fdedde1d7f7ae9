//! Connections: a connection with thousands of waiting calls or of cancelled calls still works. The number of connections is
//! bounded, and a client that sends nothing does not keep one.

use std::{future::poll_fn, task::Poll};

use crate::support::{Caller, TestBed, demanding, in_order, message, ms, page::samples};
use bytes::Bytes;
use foo_service::{config::Settings, job::JobOutcome, metrics::prometheus};
use futures_util::{FutureExt, stream};
use h2::client::SendRequest;
use tokio::{
    io::{AsyncWriteExt, DuplexStream},
    task::JoinSet,
};

#[tokio::test(start_paused = true)]
async fn thousands_of_calls_wait_on_one_connection() {
    // Calls wait only after their bodies were read. h2 ends connections with very many small unread frames, and unread
    // bodies keep the connection's window closed.
    // With the line on `Server`, before the bodies are read, and hyper's own window, this test fails: too_many_data_frames.
    let bed = TestBed::start(Settings {
        max_waiting: 10_000,
        ..in_order()
    });
    let caller = bed.caller().await;
    let mut calls = JoinSet::new();
    for _ in 0..4_000 {
        calls.spawn(caller.process(foo_proto::v1::Message {
            payload: vec![0; 64],
            ..demanding("", ms(1))
        }));
    }
    while let Some(answer) = calls.join_next().await {
        answer.unwrap().unwrap();
    }
    assert_eq!(bed.process_door().of(JobOutcome::Completed), 4_000);
}

#[tokio::test(start_paused = true)]
async fn callers_that_give_up_in_bulk_do_not_end_their_connection() {
    let bed = TestBed::start(Settings {
        max_waiting: 10_000,
        ..in_order()
    });
    let caller = bed.caller().await;
    let mut calls = JoinSet::new();
    for _ in 0..1_000 {
        calls.spawn(caller.process_within(message("late"), ms(100)));
        calls.spawn(caller.process(message("gone")));
    }
    bed.at(50).await;
    calls.abort_all();
    bed.at(60).await;
    assert_eq!(bed.ledger.levels().in_system, 0);
    caller.process(message("on the same connection")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn streams_reset_before_they_were_accepted_do_not_end_their_connection() {
    // By default more than 20 such streams end a connection. The test drives raw HTTP/2 by hand, because headers and resets
    // must reach the service in one piece: otherwise it accepts a stream before it sees the reset.
    // Without `http2_max_pending_accept_reset_streams` this test fails: too_many_resets.
    let bed = TestBed::start(in_order());
    let (sender, mut connection) = h2::client::handshake(bed.dial().await).await.unwrap();
    let mut sender = ready(sender, &mut connection).await;
    let streams: Vec<_> = (0..90)
        .map(|_| sender.send_request(request("Process"), false).unwrap())
        .collect();
    flush(&mut connection).await;
    for (_, mut body) in streams {
        body.send_reset(h2::Reason::CANCEL);
    }
    flush(&mut connection).await;

    let (answer, _) = sender.send_request(request("Process"), true).unwrap();
    tokio::spawn(connection);
    assert_eq!(answer.await.unwrap().status(), http::StatusCode::OK);
    assert_eq!(bed.ledger.levels().in_system, 0);
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_small_bodies_does_not_end_its_connection() {
    // h2 ends a connection with too many small unread frames; how many are allowed depends on the connection's window. Here
    // they arrive in one piece, before any handler runs.
    // Without `initial_connection_window_size` this test fails: the connection ends.
    let bed = TestBed::start(Settings {
        queue_capacity: 10_000,
        ..in_order()
    });
    let (sender, mut connection) = h2::client::handshake(bed.dial_with(4 << 20).await).await.unwrap();
    let mut sender = ready(sender, &mut connection).await;
    let mut answers = vec![];
    for _ in 0..4_000 {
        let (answer, mut body) = sender.send_request(request("Enqueue"), false).unwrap();
        // Message and end are two frames, as tonic's client sends them, because h2 does not count a frame that ends its stream.
        body.send_data(small_message(), false).unwrap();
        body.send_data(Bytes::new(), true).unwrap();
        answers.push(answer);
    }
    flush(&mut connection).await;
    tokio::spawn(connection);
    for answer in answers {
        let answer = crate::support::within_patience(answer).await.unwrap();
        // A refused call would have its status in the headers.
        assert_eq!(answer.headers().get("grpc-status"), None);
    }
    assert_eq!(bed.enqueue_door().admitted, 4_000);
}

#[tokio::test(start_paused = true)]
async fn streams_that_break_the_rules_do_not_end_the_connection_of_the_others() {
    // h2 resets such a stream, and by default ends a connection after 1,024 of these resets. A correct client can reach that
    // number too, because frames that arrive after a stream's end count. A wrong content-length is only the simplest way to
    // break a rule.
    // With h2's default of 1,024 this test fails: too_many_internal_resets.
    let bed = TestBed::start(in_order());
    let (sender, mut connection) = h2::client::handshake(bed.dial().await).await.unwrap();
    let mut sender = ready(sender, &mut connection).await;
    for _ in 0..12 {
        let mut answers = vec![];
        for _ in 0..100 {
            let mut lying = request("Process");
            lying.headers_mut().insert("content-length", 1.into());
            let (answer, mut body) = sender.send_request(lying, false).unwrap();
            body.send_data(small_message(), true).unwrap();
            answers.push(answer);
        }
        for answer in answers {
            let error = within(&mut connection, answer).await.unwrap_err();
            assert_eq!(error.reason(), Some(h2::Reason::PROTOCOL_ERROR), "{error}");
        }
    }
    let (answer, _) = sender.send_request(request("Process"), true).unwrap();
    within(&mut connection, answer).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_body_on_its_way_is_not_locked_out_by_those_that_wait() {
    // The bodies of the waiting calls are larger than the connection's window. If they stayed unread, the window would be
    // closed, and the call that is next would wait for its own body for ever.
    // With the line on `Server` this test fails: the call waits for ever.
    let bed = TestBed::start(Settings {
        max_waiting: 100,
        ..in_order()
    });
    let caller = bed.caller().await;
    let (send_body, body) = tokio::sync::oneshot::channel();
    let body = stream::once(async { body.await.unwrap() });
    let slow = tokio::spawn(caller.send_parts("Process", None, body));
    bed.at(1).await;
    let mut calls = JoinSet::new();
    for _ in 0..70 {
        calls.spawn(caller.process(foo_proto::v1::Message {
            payload: vec![0; 1 << 20],
            ..demanding("", ms(1))
        }));
    }
    bed.at(2).await;
    send_body.send(small_message()).unwrap();
    let answer = crate::support::within_patience(slow).await.unwrap().unwrap();
    assert_eq!(answer.headers().get("grpc-status"), None);
    while let Some(answer) = calls.join_next().await {
        answer.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_carries_the_hundred_calls_that_clients_assume() {
    // Before a client knows the service's settings, it assumes that 100 streams at once are allowed. With a lower limit the
    // service would refuse some of them.
    // With `max_concurrent_streams(50)` this test fails: REFUSED_STREAM for the other 50.
    let bed = TestBed::start(in_order());
    let (mut sender, mut connection) = h2::client::handshake(bed.dial().await).await.unwrap();
    let send = |_| {
        let (answer, mut body) = sender.send_request(request("Enqueue"), false).unwrap();
        body.send_data(small_message(), true).unwrap();
        answer
    };
    let answers: Vec<_> = (0..100).map(send).collect();
    flush(&mut connection).await;
    tokio::spawn(connection);
    for answer in answers {
        answer.await.unwrap();
    }
    assert_eq!(bed.enqueue_door().admitted, 100);
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_grow_old_with_a_call_in_progress() {
    // The service sets no maximum age for connections, because after tonic's grace period a call in progress is cut.
    // With an age of a day and 10 s and a grace period of 10 s this test fails. With the age alone it passes.
    let bed = TestBed::start(in_order());
    let caller = bed.caller().await;
    bed.at(24 * 3_600 * 1_000).await;
    caller.process(demanding("long", ms(60_000))).await.unwrap();
}

fn request(method: &str) -> http::Request<()> {
    http::Request::post(format!("http://service/foo.v1.FooService/{method}"))
        .header("content-type", "application/grpc")
        .body(())
        .unwrap()
}

/// A framed request with a payload of 64 bytes, which is valid for Enqueue and for Process.
fn small_message() -> Bytes {
    let mut bytes = vec![0, 0, 0, 0, 68, 0x0a, 66, 0x12, 64];
    bytes.extend([0; 64]);
    bytes.into()
}

type H2Connection = h2::client::Connection<DuplexStream>;

/// Waits until the sender has the service's settings, such as the number of allowed streams.
async fn ready(sender: SendRequest<Bytes>, connection: &mut H2Connection) -> SendRequest<Bytes> {
    for _ in 0..10 {
        flush(connection).await;
        tokio::task::yield_now().await;
    }
    sender.ready().await.unwrap()
}

/// Drives the connection until `answer` is ready. Panics if the connection ends first.
async fn within<T>(connection: &mut H2Connection, answer: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        answer = answer => answer,
        ended = connection => panic!("the connection ended: {ended:?}"),
    }
}

/// Writes all pending frames without letting other tasks run.
async fn flush<T: Future<Output: Sized> + Unpin>(connection: &mut T) {
    poll_fn(|context| {
        assert!(connection.poll_unpin(context).is_pending(), "the connection ended");
        Poll::Ready(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_over_the_limit_is_closed_and_counted() {
    let recorder = prometheus();
    let settings = Settings {
        max_connections: 2,
        ..in_order()
    };
    let bed = TestBed::serve(crate::support::service(settings, &recorder));
    let first = bed.caller().await;
    let second = bed.caller().await;
    for caller in [&first, &second] {
        caller.process(message("")).await.unwrap();
    }
    // Depending on how far it got, the client of the third connection fails to connect or its call fails.
    if let Ok(third) = Caller::try_over(bed.dial().await).await {
        third.process(message("")).await.unwrap_err();
    }
    let count = |name: &str| samples(&recorder.handle().render())[name].parse::<u64>().unwrap();
    assert_eq!(
        (count("foo_connections"), count("foo_connections_refused_total")),
        (2, 1)
    );

    drop(second);
    bed.at(bed.now() + 1).await;
    assert_eq!(count("foo_connections"), 1);
    bed.caller().await.process(message("")).await.unwrap();
    assert_eq!(bed.process_door().of(JobOutcome::Completed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_begins_to_speak_loses_its_place() {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for said in [0, 1, 23] {
        let recorder = prometheus();
        let settings = Settings {
            max_connections: 1,
            ..in_order()
        };
        let bed = TestBed::serve(crate::support::service(settings, &recorder));
        let connections = || samples(&recorder.handle().render())["foo_connections"].clone();
        let mut silent = bed.dial().await;
        silent.write_all(&preface[..said]).await.unwrap();
        bed.at(9_999).await;
        assert_eq!(connections(), "1", "after {said} bytes");
        bed.at(10_001).await;
        assert_eq!(connections(), "0", "after {said} bytes");
        let caller = bed.caller().await;
        // A client that has sent its HTTP/2 preface keeps its connection, even if it makes no call for an hour.
        bed.at(3_600_000).await;
        caller.process(message("in its place")).await.unwrap();
    }
}
