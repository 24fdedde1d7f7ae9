//! Connections: one that carries thousands of waiting calls, or thousands of calls that were given up, goes on; and
//! there are only as many connections as were allowed.

use std::{future::poll_fn, task::Poll};

use crate::support::{Caller, TestBed, demanding, message, ms, page::samples};
use foo_service::{config::Settings, job::JobOutcome, metrics::prometheus};
use futures_util::FutureExt;
use tokio::task::JoinSet;

#[tokio::test(start_paused = true)]
async fn thousands_of_calls_wait_on_one_connection() {
    // They wait after their bodies were read: h2 ends connections that hold very many small frames unread, and bodies
    // that wait unread hold the connection's window for good.
    let bed = TestBed::start(Settings {
        max_waiting: 10_000,
        ..Settings::default()
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
        ..Settings::default()
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
    let bed = TestBed::start(Settings::default());
    let (sender, mut connection) = h2::client::handshake(bed.dial().await).await.unwrap();
    let request = || {
        http::Request::post("http://service/foo.v1.FooService/Process")
            .header("content-type", "application/grpc")
            .body(())
            .unwrap()
    };
    // The service's settings have to be known first: how many streams it allows is among them.
    for _ in 0..10 {
        flush(&mut connection).await;
        tokio::task::yield_now().await;
    }
    let mut sender = sender.ready().await.unwrap();
    let streams: Vec<_> = (0..90)
        .map(|_| sender.send_request(request(), false).unwrap())
        .collect();
    flush(&mut connection).await;
    for (_, mut body) in streams {
        body.send_reset(h2::Reason::CANCEL);
    }
    flush(&mut connection).await;

    let (answer, _) = sender.send_request(request(), true).unwrap();
    tokio::spawn(connection);
    assert_eq!(answer.await.unwrap().status(), http::StatusCode::OK);
    assert_eq!(bed.ledger.levels().in_system, 0);
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
        ..Settings::default()
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
