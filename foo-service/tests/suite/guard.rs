//! The guard of Process: the number of waiting calls is bounded, further calls are rejected at once, and no other calls are
//! rejected.

use std::{sync::Arc, time::Duration};

use crate::support::{TestBed, demanding, fixed_limit, in_order, message, ms, times};
use foo_service::{
    config::Settings,
    job::{JobOutcome, RequestOutcome},
};
use tokio::time::Instant;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

fn line_of(max_waiting: u32) -> Settings {
    Settings {
        max_waiting,
        ..in_order()
    }
}

#[tokio::test(start_paused = true)]
async fn sheds_at_once_when_there_is_no_line() {
    let bed = TestBed::start(line_of(0));
    let caller = bed.caller().await;
    let served = tokio::spawn(caller.process(message("served")));
    bed.at(10).await;
    let status = caller.process(message("shed")).await.unwrap_err();
    assert_eq!((status.code(), bed.now()), (Code::ResourceExhausted, 10));
    assert!(status.message().contains("the line is full"), "{status}");
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "250");

    served.await.unwrap().unwrap();
    caller.process(message("next")).await.unwrap();
    let door = bed.process_door();
    assert_eq!((door.admitted, door.refused, door.of(JobOutcome::Completed)), (2, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn sheds_at_once_when_the_line_is_full() {
    // Without `load_shed`, and also with it inside the limit, this test fails: no call is rejected, and one waits for 720 ms.
    let bed = TestBed::start(line_of(2));
    let caller = bed.caller().await;
    let mut calls = vec![];
    for at in [0, 10, 20] {
        bed.at(at).await;
        calls.push(tokio::spawn(caller.process(message("let in"))));
    }
    bed.at(30).await;
    assert_eq!(bed.ledger.levels().waiting, 2);
    // Also on another connection, because the limit is for the whole service.
    for caller in [caller, bed.caller().await] {
        let status = caller.process(message("refused")).await.unwrap_err();
        assert_eq!((status.code(), bed.now()), (Code::ResourceExhausted, 30));
    }
    let mut waits = vec![];
    for call in calls {
        waits.push(times(&call.await.unwrap().unwrap()).0);
    }
    assert_eq!(waits, [0, 240, 480]);
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_the_services_however_many_connections_there_are() {
    // With `concurrency_limit_per_connection(4)` instead, this test fails: 40 messages are in service.
    let bed = TestBed::start(Settings {
        workers: 100,
        concurrency_limit: Some(4),
        limit_kind: fixed_limit(),
        ..in_order()
    });
    let window = bed.ledger.open_window().unwrap();
    let mut calls = vec![];
    for _ in 0..10 {
        let caller = bed.caller().await;
        calls.extend((0..4).map(|_| tokio::spawn(caller.process(message("")))));
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((window.read().in_service.max, bed.now()), (4, 2_500));
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_all_the_room_that_comes_back_is_given_out_again() {
    // Once a handle on tower's limit was refused, it takes permits through a tokio future, and tokio lets a task poll only a
    // limited number of these at a time. So a handle that is kept for many calls rejects some while places are free.
    // With one handle and one task for all calls in `process/guard.rs` this test fails: "the line is full", with places free.
    let bed = TestBed::start(line_of(999));
    let caller = bed.caller().await;
    let burst = |count| (0..count).map(|_| tokio::spawn(caller.process(demanding("", ms(1)))));
    let mut refused = 0;
    for call in burst(1_001).collect::<Vec<_>>() {
        refused += u32::from(call.await.unwrap().is_err());
    }
    assert_eq!((refused, bed.ledger.levels().in_system), (1, 0));
    for call in burst(1_000).collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn four_waiting_clients_are_never_more_than_four_in_the_system() {
    // This is the synchronous part of the worked example: each client waits for its answer before it sends again.
    let bed = TestBed::start(in_order());
    let window = bed.ledger.open_window().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let mut clients = vec![];
    for phase in [0, 130, 270, 410] {
        let caller = bed.caller().await;
        bed.at(phase).await;
        clients.push(tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            while Instant::now() < end {
                let sent = Instant::now();
                caller.process(message("")).await.unwrap();
                longest = longest.max(sent.elapsed());
            }
            longest
        }));
    }
    for client in clients {
        assert_eq!(client.await.unwrap(), ms(1_000));
    }
    assert_eq!(window.read().in_system.max, 4);
    // 239 messages are completed before the minute ends, and then the four that are in the system at its end.
    assert_eq!(bed.process_door().of(JobOutcome::Completed), 243);
}

#[tokio::test(start_paused = true)]
async fn health_and_watch_are_never_refused() {
    // With `load_shed` and a limit on `Server` this test fails: the health check is rejected.
    let settings = Settings {
        queue_capacity: 1,
        max_waiting: 0,
        ..in_order()
    };
    let bed = TestBed::start(settings);
    let caller = bed.caller().await;
    let served = tokio::spawn(caller.process(message("served")));
    bed.at(10).await;
    caller.enqueue(message("queued")).await.unwrap();
    assert_eq!(
        caller.process(message("")).await.unwrap_err().code(),
        Code::ResourceExhausted
    );
    assert_eq!(
        caller.enqueue(message("")).await.unwrap_err().code(),
        Code::ResourceExhausted
    );

    assert_eq!(caller.health().await, [ServingStatus::Serving; 2]);
    let snapshot = caller.look().await;
    assert_eq!(snapshot.in_system.unwrap().now, 2);
    assert_eq!(bed.now(), 10);
    served.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_call_is_counted_by_its_end() {
    // If the outcome is taken from `Ok` and `Err` and not from `grpc-status`, this test fails: four successes, no rejection.
    let bed = TestBed::start(line_of(0));
    let caller = bed.caller().await;
    let gone = tokio::spawn(caller.process(message("gone")));
    bed.at(10).await;
    caller.process(message("refused")).await.unwrap_err();
    gone.abort();
    bed.at(20).await;
    caller.process(message("ok")).await.unwrap();
    caller.process_within(message("late"), ms(50)).await.unwrap_err();
    caller.process(message(&"x".repeat(129))).await.unwrap_err();
    let ledger = Arc::clone(&bed.ledger);
    let ends = RequestOutcome::ALL.map(|outcome| ledger.requests(foo_service::job::Door::Process, outcome));
    // In this order: ok, rejected, expired, cancelled, unavailable, invalid, failed.
    assert_eq!(ends, [1, 1, 1, 1, 0, 1, 0]);
}
