//! Backpressure of the queue (`--when-full wait`): callers of Enqueue wait in a bounded line for a place on the queue.

use crate::support::{Caller, TestBed, duration, message, ms, watch_request};
use foo_service::{config::Settings, enqueue::WhenFull, job::JobOutcome};
use tokio::task::JoinHandle;
use tonic::Code;

/// A service whose only worker is busy until 250 and whose queue is full with one message: a place becomes free at 250.
async fn full(max_waiting: u32) -> (TestBed, Caller) {
    let settings = Settings {
        queue_capacity: 1,
        when_full: WhenFull::Wait,
        max_waiting,
        ..Settings::default()
    };
    let bed = TestBed::start(settings);
    let caller = bed.caller().await;
    caller.enqueue(message("run/0")).await.unwrap();
    bed.at(1).await;
    caller.enqueue(message("run/1")).await.unwrap();
    bed.at(10).await;
    (bed, caller)
}

/// When a call got its acknowledgement, in milliseconds since the start.
async fn acknowledged_at<T: std::fmt::Debug>(bed: &TestBed, call: JoinHandle<Result<T, tonic::Status>>) -> u64 {
    call.await.unwrap().unwrap();
    bed.now()
}

#[tokio::test(start_paused = true)]
async fn a_caller_waits_until_there_is_a_place() {
    let (bed, caller) = full(5).await;
    let first = tokio::spawn(caller.enqueue(message("run/2")));
    bed.at(20).await;
    let second = tokio::spawn(caller.enqueue(message("run/3")));
    bed.at(30).await;
    let levels = bed.ledger.levels();
    assert_eq!((levels.waiting, levels.queue_depth, levels.in_system), (2, 1, 4));
    assert_eq!(bed.enqueue_door().admitted, 2);

    assert_eq!(acknowledged_at(&bed, first).await, 250);
    assert_eq!(bed.ledger.levels().queue_depth, 1);
    assert_eq!(acknowledged_at(&bed, second).await, 500);
    bed.at(2_000).await;
    let door = bed.enqueue_door();
    assert_eq!((door.admitted, door.refused, door.of(JobOutcome::Completed)), (4, 0, 4));

    // Queue wait is only the time on the queue, without the wait in the line before it.
    let mut watch = caller.watch(watch_request("run", ms(100))).await.unwrap();
    let completions = watch.message().await.unwrap().unwrap().completions;
    let waits: Vec<_> = completions.iter().map(|end| duration(end.queue_wait)).collect();
    assert_eq!(waits, [ms(0), ms(249), ms(250), ms(250)]);
}

#[tokio::test(start_paused = true)]
async fn the_line_is_bounded() {
    let (bed, caller) = full(1).await;
    let waiting = tokio::spawn(caller.enqueue(message("run/2")));
    bed.at(20).await;
    let status = caller.enqueue(message("run/3")).await.unwrap_err();
    assert_eq!((status.code(), bed.now()), (Code::ResourceExhausted, 20));
    assert!(status.metadata().contains_key("grpc-retry-pushback-ms"));
    assert_eq!(bed.enqueue_door().refused, 1);
    assert_eq!(acknowledged_at(&bed, waiting).await, 250);
}

#[tokio::test(start_paused = true)]
async fn without_a_line_a_full_queue_refuses_at_once() {
    let (bed, caller) = full(0).await;
    let status = caller.enqueue(message("run/2")).await.unwrap_err();
    assert_eq!((status.code(), bed.now()), (Code::ResourceExhausted, 10));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_in_line_leaves_nothing_on_the_queue() {
    let (bed, caller) = full(1).await;
    let status = caller.enqueue_within(message("run/2"), ms(100)).await.unwrap_err();
    assert_eq!((status.code(), bed.now()), (Code::DeadlineExceeded, 110));
    assert_eq!(bed.ledger.levels().waiting, 0);

    // The place in the line is free again, and the next caller gets the place on the queue.
    let next = tokio::spawn(caller.enqueue(message("run/3")));
    assert_eq!(acknowledged_at(&bed, next).await, 250);
    bed.at(2_000).await;
    let door = bed.enqueue_door();
    assert_eq!((door.admitted, door.refused, door.of(JobOutcome::Completed)), (3, 1, 3));
    assert_eq!(bed.ledger.levels().in_system, 0);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_the_line_has_put_nothing_on_the_queue() {
    let (bed, caller) = full(1).await;
    let leaving = tokio::spawn(caller.enqueue(message("run/2")));
    bed.at(20).await;
    leaving.abort();
    bed.at(30).await;
    assert_eq!(bed.ledger.levels().waiting, 0);
    let next = tokio::spawn(caller.enqueue(message("run/3")));
    assert_eq!(acknowledged_at(&bed, next).await, 250);
    bed.at(2_000).await;
    assert_eq!((bed.enqueue_door().admitted, bed.enqueue_door().refused), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn once_acknowledged_a_message_outlives_its_callers_deadline_and_connection() {
    let (bed, caller) = full(1).await;
    caller.enqueue_within(message("run/2"), ms(300)).await.unwrap();
    drop(caller);
    bed.at(2_000).await;
    assert_eq!(bed.enqueue_door().of(JobOutcome::Completed), 3);
}
