//! The completions that Watch reports: those of the requested run, in order, each exactly once, also across streams.

use crate::support::{Caller, TestBed, message, ms, watch_request};
use foo_proto::v1::{Snapshot, WatchRequest};
use foo_service::config::{QueueKind, Settings};
use tonic::Streaming;

/// A service whose work takes no time, so that completions come as fast as messages.
fn instant() -> Settings {
    Settings {
        service_time: ms(0),
        queue: QueueKind::Unbounded,
        ..Settings::default()
    }
}

async fn next(watch: &mut Streaming<Snapshot>) -> Snapshot {
    watch.message().await.unwrap().unwrap()
}

fn ids(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.completions.iter().map(|completion| &*completion.id).collect()
}

async fn enqueue_all(caller: &Caller, ids: &[&str]) {
    for id in ids {
        caller.enqueue(message(id)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn tells_the_run_that_was_asked_for_in_order_and_once() {
    let bed = TestBed::start(instant());
    let caller = bed.caller().await;
    let mut watch = caller.watch(watch_request("a", ms(100))).await.unwrap();
    assert!(ids(&next(&mut watch).await).is_empty());
    enqueue_all(&caller, &["a/1", "b/1", "ab/1", "a", "/a/1", "a/2"]).await;
    assert_eq!(ids(&next(&mut watch).await), ["a/1", "a/2"]);
    enqueue_all(&caller, &["b/2", "a/3"]).await;
    assert_eq!(ids(&next(&mut watch).await), ["a/3"]);
    let quiet = next(&mut watch).await;
    assert!(quiet.completions.is_empty());
    assert_eq!(
        (quiet.completions_end, quiet.missed, quiet.completions_more),
        (8, 0, false)
    );
}

#[tokio::test(start_paused = true)]
async fn calls_of_process_are_not_among_them() {
    // Calls of Process are not reported, because their callers get the answer itself.
    let bed = TestBed::start(instant());
    let caller = bed.caller().await;
    caller.process(message("a/called")).await.unwrap();
    enqueue_all(&caller, &["a/queued"]).await;
    bed.at(1).await;
    let mut watch = caller.watch(watch_request("a", ms(100))).await.unwrap();
    assert_eq!(ids(&next(&mut watch).await), ["a/queued"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_run_there_are_none() {
    let bed = TestBed::start(instant());
    let caller = bed.caller().await;
    enqueue_all(&caller, &["a/1", "b/1"]).await;
    bed.at(1).await;
    let snapshot = caller.look().await;
    assert!(snapshot.completions.is_empty());
    assert_eq!((snapshot.completions_end, snapshot.missed), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn watchers_do_not_take_completions_from_each_other() {
    let bed = TestBed::start(instant());
    let caller = bed.caller().await;
    let mut watchers = vec![];
    for _ in 0..2 {
        watchers.push(caller.watch(watch_request("a", ms(100))).await.unwrap());
    }
    for watch in &mut watchers {
        next(watch).await;
    }
    enqueue_all(&caller, &["a/1", "a/2"]).await;
    for watch in &mut watchers {
        assert_eq!(ids(&next(watch).await), ["a/1", "a/2"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_resumed_watch_has_no_gap_and_no_repeat() {
    let bed = TestBed::start(instant());
    let caller = bed.caller().await;
    let mut watch = caller.watch(watch_request("a", ms(100))).await.unwrap();
    next(&mut watch).await;
    enqueue_all(&caller, &["a/1", "b/1", "a/2"]).await;
    let last = next(&mut watch).await;
    assert_eq!(ids(&last), ["a/1", "a/2"]);
    drop(watch);
    enqueue_all(&caller, &["a/3", "b/2", "a/4"]).await;
    bed.at(500).await;

    let resume = |instance: &str| WatchRequest {
        resume_instance_id: instance.to_owned(),
        resume_after: last.completions_end,
        ..watch_request("a", ms(100))
    };
    let mut resumed = caller.watch(resume(&last.instance_id)).await.unwrap();
    let first = next(&mut resumed).await;
    // The stream is new, so its sequence starts at 1, but its position is that of the old one.
    assert_eq!((first.sequence, ids(&first)), (1, vec!["a/3", "a/4"]));
    assert_eq!(first.missed, 0);
    enqueue_all(&caller, &["a/5"]).await;
    assert_eq!(ids(&next(&mut resumed).await), ["a/5"]);

    // A position of another instance is ignored: all completions that the log still has are reported.
    let mut elsewhere = caller.watch(resume("another instance")).await.unwrap();
    assert_eq!(ids(&next(&mut elsewhere).await), ["a/1", "a/2", "a/3", "a/4", "a/5"]);
}

#[tokio::test(start_paused = true)]
async fn more_than_fits_comes_in_several_snapshots_at_once() {
    let bed = TestBed::start(instant());
    let caller = bed.caller().await;
    let count = 6_000;
    for number in 0..count {
        caller.enqueue(message(&format!("a/{number}"))).await.unwrap();
    }
    bed.at(1).await;
    let mut watch = caller.watch(watch_request("a", ms(100))).await.unwrap();
    let first = next(&mut watch).await;
    assert!(first.completions_more);
    let second = next(&mut watch).await;
    assert!(!second.completions_more);
    assert_eq!((second.sequence, bed.now()), (2, 1));
    let told: Vec<_> = ids(&first).into_iter().chain(ids(&second)).collect();
    let sent: Vec<_> = (0..count).map(|number| format!("a/{number}")).collect();
    assert_eq!(told, sent);
    // After that the stream keeps to its interval again.
    next(&mut watch).await;
    assert_eq!(bed.now(), 101);
}
