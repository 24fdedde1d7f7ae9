//! A drain with enough time: new calls are refused, admitted messages are finished, watchers see the end, and only then does
//! the service stop.

use crate::support::{Caller, TestBed, message, ms, times, watch_request};
use foo_proto::v1::JobOutcome as End;
use foo_service::{config::Settings, enqueue::WhenFull, job::JobOutcome, ledger::Levels};
use tonic::{Code, Status};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};

async fn refusals(caller: &Caller) -> [Status; 2] {
    [
        caller.enqueue(message("new")).await.unwrap_err(),
        caller.process(message("new")).await.unwrap_err(),
    ]
}

#[tokio::test(start_paused = true)]
async fn with_nothing_to_do_it_ends_at_once() {
    let bed = TestBed::start(Settings::default());
    let _connected = bed.caller().await;
    bed.at(10).await;
    bed.trigger.drain();
    let began = tokio::time::Instant::now();
    assert_eq!(bed.ended().await.abandoned, 0);
    assert_eq!(began.elapsed(), ms(0));
}

#[tokio::test(start_paused = true)]
async fn everything_admitted_is_done_and_everything_new_is_refused() {
    // If the transport is told to stop first, this test fails: new calls are CANCELLED.
    let bed = TestBed::start(Settings::default());
    let (ledger, lifecycle) = (bed.ledger.clone(), bed.lifecycle.clone());
    let caller = bed.caller().await;
    for id in ["run/1", "run/2", "run/3"] {
        caller.enqueue(message(id)).await.unwrap();
        bed.at(bed.now() + 1).await;
    }
    let mut calls = vec![];
    for at in [10, 20] {
        bed.at(at).await;
        calls.push(tokio::spawn(caller.process(message("called"))));
    }
    let mut watch = caller.watch(watch_request("run", ms(100))).await.unwrap();
    bed.at(50).await;
    assert!(!lifecycle.draining());
    bed.trigger.drain();
    bed.at(51).await;

    assert!(lifecycle.draining());
    assert_eq!(caller.health().await, [ServingStatus::NotServing; 2]);
    for caller in [&caller, &bed.caller().await] {
        for status in refusals(caller).await {
            assert_eq!((status.code(), status.message()), (Code::Unavailable, "draining"));
        }
    }
    assert!(caller.look().await.draining);

    for call in calls {
        times(&call.await.unwrap().unwrap());
    }
    let drained = bed.ended().await;
    assert_eq!(drained.abandoned, 0);
    let told = watch_to_the_end(&mut watch).await;
    assert_eq!(told, ["run/1", "run/2", "run/3"]);
    assert_eq!(ledger.levels(), Levels::default());
    let [enqueue, process] = foo_service::job::Door::ALL.map(|door| ledger.door(door));
    assert_eq!((enqueue.of(JobOutcome::Completed), enqueue.refused), (3, 2));
    assert_eq!((process.of(JobOutcome::Completed), process.refused), (2, 2));
}

/// Reads a stream to its end. Its last snapshot must show an empty service. Returns the ids of the completions.
async fn watch_to_the_end(watch: &mut tonic::Streaming<foo_proto::v1::Snapshot>) -> Vec<String> {
    let mut ids = vec![];
    let mut last = None;
    while let Some(snapshot) = watch.message().await.unwrap() {
        for completion in &snapshot.completions {
            assert_eq!(completion.outcome(), End::Completed);
            ids.push(completion.id.clone());
        }
        last = Some(snapshot);
    }
    let last = last.unwrap();
    assert!(last.draining);
    assert_eq!(last.in_system.unwrap().now, 0);
    ids
}

#[tokio::test(start_paused = true)]
async fn the_last_snapshot_comes_when_the_work_is_done_not_at_the_interval() {
    // If Watch does not end by itself, this test fails: the transport waits for it until it is cut.
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    let mut watch = caller.watch(watch_request("run", ms(3_600_000))).await.unwrap();
    watch.message().await.unwrap().unwrap();
    caller.enqueue(message("run/1")).await.unwrap();
    bed.at(10).await;
    bed.trigger.drain();
    assert_eq!(watch_to_the_end(&mut watch).await, ["run/1"]);
    assert_eq!(bed.now(), 250);
    bed.ended().await;
}

#[tokio::test(start_paused = true)]
async fn callers_in_line_for_the_queue_still_get_their_place() {
    let bed = TestBed::start(Settings {
        queue_capacity: 1,
        when_full: WhenFull::Wait,
        ..Settings::default()
    });
    let ledger = bed.ledger.clone();
    let caller = bed.caller().await;
    caller.enqueue(message("in service")).await.unwrap();
    bed.at(1).await;
    caller.enqueue(message("queued")).await.unwrap();
    let waiting = tokio::spawn(caller.enqueue(message("waiting")));
    bed.at(10).await;
    bed.trigger.drain();
    waiting.await.unwrap().unwrap();
    assert_eq!(bed.ended().await.abandoned, 0);
    let door = ledger.door(foo_service::job::Door::Enqueue);
    assert_eq!((door.of(JobOutcome::Completed), door.refused), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_trigger_asks_for_a_drain() {
    let mut bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    let call = tokio::spawn(caller.process(message("called")));
    bed.at(10).await;
    // The trigger is dropped; the one that replaces it belongs to no service.
    drop(std::mem::replace(
        &mut bed.trigger,
        foo_service::lifecycle::shutdown().0,
    ));
    call.await.unwrap().unwrap();
    assert_eq!(bed.ended().await.abandoned, 0);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_does_not_hold_it_up() {
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    caller.process(message("called")).await.unwrap();
    bed.trigger.drain();
    let began = tokio::time::Instant::now();
    bed.ended().await;
    assert_eq!(began.elapsed(), ms(0));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_never_ends_by_itself_is_cut() {
    // Without the cut in `app/connections.rs` this test fails: the stream goes on after the service has ended.
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    let mut watch = caller
        .health_client()
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    watch.message().await.unwrap().unwrap();
    bed.trigger.drain();
    let began = tokio::time::Instant::now();
    bed.ended().await;
    assert_eq!(began.elapsed(), ms(2_000));
    crate::support::within_patience(async { while let Ok(Some(_)) = watch.message().await {} }).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_body_never_comes_does_not_hold_it_up() {
    // The call is not admitted before its body comes, and that may never happen.
    let bed = TestBed::start(Settings::default());
    let ledger = bed.ledger.clone();
    let caller = bed.caller().await;
    let half_sent = tokio::spawn(caller.send_headers("Process", None));
    bed.at(10).await;
    bed.trigger.drain();
    let began = tokio::time::Instant::now();
    assert_eq!(bed.ended().await.abandoned, 0);
    assert!(began.elapsed() <= ms(2_000), "{:?}", began.elapsed());
    // The connection of the call is cut. A gRPC client reports that as UNAVAILABLE.
    assert!(half_sent.await.unwrap().is_err(), "there is nobody to answer it");
    assert_eq!(ledger.door(foo_service::job::Door::Process).refused, 1);
}
