//! Connections: one that carries thousands of waiting calls, or thousands of calls that were given up, goes on; and
//! there are only as many connections as were allowed, none of them held by a client that stopped speaking.

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
    // They wait after their bodies were read: h2 ends connections that hold very many small frames unread, and bodies
    // that wait unread hold the connection's window for good.
    // Tried with the line on `Server`, before the bodies are read, and hyper's own window: too_many_data_frames.
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
    // More than 20 of these ended a connection by default. Raw HTTP/2, driven by hand: headers and resets have to reach
    // the service in one piece, or it accepts a stream before it sees that stream's reset.
    // Tried without `http2_max_pending_accept_reset_streams`: too_many_resets.
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
    // h2 bears only so much of small frames that nobody has read yet, by the size of the connection's window. Here they
    // arrive in one piece, before any handler has had its turn.
    // Tried without `initial_connection_window_size`: the connection ended.
    let bed = TestBed::start(Settings {
        queue_capacity: 10_000,
        ..in_order()
    });
    let (sender, mut connection) = h2::client::handshake(bed.dial_with(4 << 20).await).await.unwrap();
    let mut sender = ready(sender, &mut connection).await;
    let mut answers = vec![];
    for _ in 0..4_000 {
        let (answer, mut body) = sender.send_request(request("Enqueue"), false).unwrap();
        // As tonic's client sends it: the message, and then the end. h2 does not count a frame that ends its stream.
        body.send_data(small_message(), false).unwrap();
        body.send_data(Bytes::new(), true).unwrap();
        answers.push(answer);
    }
    flush(&mut connection).await;
    tokio::spawn(connection);
    for answer in answers {
        let answer = crate::support::within_patience(answer).await.unwrap();
        // A refusal would have its status here.
        assert_eq!(answer.headers().get("grpc-status"), None);
    }
    assert_eq!(bed.enqueue_door().admitted, 4_000);
}

#[tokio::test(start_paused = true)]
async fn streams_that_break_the_rules_do_not_end_the_connection_of_the_others() {
    // h2 resets such a stream, and ends a connection over whose life it has done so 1,024 times by default. An innocent
    // client gets there as well: frames that were on their way when a stream ended count. A length that is not kept is
    // only the simplest way to break a rule.
    // Tried with h2's 1,024: too_many_internal_resets.
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
    // The bodies of the others are more than the connection's window. Left unread while they wait in line, they would
    // close it, and the one that has its turn would wait for its body for ever.
    // Tried with the line on `Server`: it waited for ever.
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
    // A client that does not know the service's settings yet takes 100 streams at once to be allowed. Those over the
    // service's own limit would be refused.
    // Tried with `max_concurrent_streams(50)`: REFUSED_STREAM for the other 50.
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
    // No age ends a connection here: tonic's grace for those that are too old cuts them in the middle of a call.
    // Tried with an age of a day and 10 s and a grace of 10 s: the call was cut. With the age alone it was not.
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

/// A request of either door, framed, with a payload of 64 bytes.
fn small_message() -> Bytes {
    let mut bytes = vec![0, 0, 0, 0, 68, 0x0a, 66, 0x12, 64];
    bytes.extend([0; 64]);
    bytes.into()
}

type H2Connection = h2::client::Connection<DuplexStream>;

/// A sender that knows the service's settings: how many streams it allows is among them.
async fn ready(sender: SendRequest<Bytes>, connection: &mut H2Connection) -> SendRequest<Bytes> {
    for _ in 0..10 {
        flush(connection).await;
        tokio::task::yield_now().await;
    }
    sender.ready().await.unwrap()
}

/// Drives the connection until there is an answer.
async fn within<T>(connection: &mut H2Connection, answer: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        answer = answer => answer,
        ended = connection => panic!("the connection ended: {ended:?}"),
    }
}

/// Writes what there is to write, without giving anybody else a turn.
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
    // How its client learns of it depends on how far it had come: a connection that cannot be made, or used.
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
        // Who has spoken keeps its place, however little it has to say.
        bed.at(3_600_000).await;
        caller.process(message("in its place")).await.unwrap();
    }
}
