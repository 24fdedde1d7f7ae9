//! A drain that runs out of time: remaining messages are abandoned, their callers get an answer, and they are counted.

use std::time::Duration;

use crate::support::{Caller, TestBed, message, ms, watch_request};
use foo_proto::v1::JobOutcome as End;
use foo_service::{
    config::Settings,
    enqueue::WhenFull,
    job::{Door, JobOutcome, RequestOutcome},
    ledger::Levels,
};
use tokio::time::Instant;
use tonic::{Code, Status};

fn with_drain_timeout(millis: u64) -> Settings {
    Settings {
        queue_capacity: 2,
        when_full: WhenFull::Wait,
        drain_timeout: ms(millis),
        ..Settings::default()
    }
}

/// Makes a state with one message in service, two on the queue, and a waiting caller of each RPC, 40 ms after the start.
/// Returns the two waiting calls.
async fn busy(bed: &TestBed, caller: &Caller) -> Vec<tokio::task::JoinHandle<Result<(), Status>>> {
    for id in ["run/1", "run/2", "run/3"] {
        caller.enqueue(message(id)).await.unwrap();
        bed.at(bed.now() + 1).await;
    }
    let (process, enqueue) = (caller.process(message("called")), caller.enqueue(message("run/4")));
    let calls = vec![
        tokio::spawn(async move { process.await.map(drop) }),
        tokio::spawn(async move { enqueue.await.map(drop) }),
    ];
    bed.at(40).await;
    let levels = bed.ledger.levels();
    assert_eq!((levels.in_service, levels.queue_depth, levels.waiting), (1, 2, 2));
    calls
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_abandoned_told_and_counted() {
    let bed = TestBed::start(with_drain_timeout(100));
    let ledger = bed.ledger.clone();
    let caller = bed.caller().await;
    let mut watch = caller.watch(watch_request("run", ms(1_000))).await.unwrap();
    let calls = busy(&bed, &caller).await;
    bed.trigger.drain();
    for call in calls {
        let status = call.await.unwrap().unwrap_err();
        assert_eq!((status.code(), bed.now()), (Code::Unavailable, 140));
    }
    let began = Instant::now();
    assert_eq!(bed.ended().await.abandoned, 4);
    assert_eq!(began.elapsed(), Duration::ZERO);

    let [enqueue, process] = Door::ALL.map(|door| ledger.door(door));
    assert!(enqueue.balances() && process.balances());
    // The caller that waited for a place on the queue was refused.
    assert_eq!(
        (enqueue.admitted, enqueue.of(JobOutcome::Abandoned), enqueue.refused),
        (3, 3, 1)
    );
    assert_eq!(
        (process.admitted, process.of(JobOutcome::Abandoned), process.refused),
        (1, 1, 0)
    );
    for door in Door::ALL {
        assert_eq!(ledger.requests(door, RequestOutcome::Unavailable), 1);
    }
    assert_eq!(ledger.levels(), Levels::default());

    let mut ends = vec![];
    while let Some(snapshot) = watch.message().await.unwrap() {
        ends.extend(snapshot.completions);
    }
    let told: Vec<_> = ends.iter().map(|end| (&*end.id, end.outcome())).collect();
    assert_eq!(told, ["run/1", "run/2", "run/3"].map(|id| (id, End::Abandoned)));
    // A worker had the first message for 140 ms. No worker had the others.
    assert_eq!(crate::support::duration(ends[0].service_time), ms(140));
    assert_eq!((ends[1].service_time, ends[2].service_time), (None, None));
}

#[tokio::test(start_paused = true)]
async fn what_was_done_in_time_is_not_abandoned() {
    // Messages end at 250, 500 and 750; the drain's time is up at 640.
    let bed = TestBed::start(with_drain_timeout(600));
    let ledger = bed.ledger.clone();
    let caller = bed.caller().await;
    let mut calls = busy(&bed, &caller).await;
    bed.trigger.drain();
    // At 250 a place on the queue became free, so the waiting caller got its acknowledgement.
    calls.pop().unwrap().await.unwrap().unwrap();
    assert_eq!(bed.ended().await.abandoned, 3);
    calls.pop().unwrap().await.unwrap().unwrap_err();
    let [enqueue, process] = Door::ALL.map(|door| ledger.door(door));
    assert!(enqueue.balances() && process.balances());
    let done = enqueue.of(JobOutcome::Completed) + process.of(JobOutcome::Completed);
    assert_eq!((done, ledger.ended(JobOutcome::Abandoned)), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn a_second_stop_ends_it_at_once() {
    let bed = TestBed::start(with_drain_timeout(3_600_000));
    let caller = bed.caller().await;
    let calls = busy(&bed, &caller).await;
    bed.trigger.drain();
    bed.at(60).await;
    bed.trigger.now();
    for call in calls {
        let status = call.await.unwrap().unwrap_err();
        assert_eq!((status.code(), bed.now()), (Code::Unavailable, 60));
    }
    let began = Instant::now();
    assert_eq!(bed.ended().await.abandoned, 4);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_stop_at_once_needs_no_drain_before_it() {
    let bed = TestBed::start(with_drain_timeout(3_600_000));
    let caller = bed.caller().await;
    let _calls = busy(&bed, &caller).await;
    bed.trigger.now();
    let began = Instant::now();
    assert_eq!(bed.ended().await.abandoned, 4);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_left_before_is_not_abandoned() {
    let bed = TestBed::start(with_drain_timeout(0));
    let ledger = bed.ledger.clone();
    let caller = bed.caller().await;
    let leaving = tokio::spawn(caller.process(message("leaving")));
    bed.at(10).await;
    leaving.abort();
    bed.at(20).await;
    bed.trigger.drain();
    assert_eq!(bed.ended().await.abandoned, 0);
    assert_eq!(ledger.door(Door::Process).of(JobOutcome::Cancelled), 1);
}
