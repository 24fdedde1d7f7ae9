//! Watch: it sends a snapshot at once and then at every interval, each watcher has its own maxima, and the number of watchers
//! is bounded.

use crate::support::{TestBed, duration, in_order, message, ms, watch_request};
use foo_proto::v1::{Level, Snapshot, WatchRequest};
use foo_service::{config::Settings, ledger::MAX_WINDOWS};
use tonic::{Code, Streaming};

async fn next(watch: &mut Streaming<Snapshot>) -> Snapshot {
    watch.message().await.unwrap().unwrap()
}

fn maxima(snapshot: &Snapshot) -> [u64; 4] {
    [
        &snapshot.queue_depth,
        &snapshot.waiting,
        &snapshot.in_service,
        &snapshot.in_system,
    ]
    .map(|level| level.unwrap().max)
}

#[tokio::test(start_paused = true)]
async fn the_first_snapshot_comes_at_once_and_the_others_at_the_interval() {
    let bed = TestBed::start(in_order());
    let caller = bed.caller().await;
    bed.at(7).await;
    let mut watch = caller.watch(watch_request("", ms(100))).await.unwrap();
    for (sequence, at) in [(1, 7), (2, 107), (3, 207)] {
        let snapshot = next(&mut watch).await;
        assert_eq!((snapshot.sequence, bed.now()), (sequence, at));
        assert_eq!(duration(snapshot.uptime), ms(at));
        assert_eq!(snapshot.instance_id, crate::support::INSTANCE);
        assert_eq!((snapshot.workers, snapshot.draining), (1, false));
        assert_eq!(snapshot.concurrency_limit, Some(1));
        // Several services share this process, so none of them reports its memory.
        assert_eq!(snapshot.resident_bytes, None);
    }
    // Each stream has its own sequence numbers. The default interval is one second.
    let mut other = caller.watch(WatchRequest::default()).await.unwrap();
    assert_eq!((next(&mut other).await.sequence, bed.now()), (1, 207));
    assert_eq!((next(&mut other).await.sequence, bed.now()), (2, 1_207));
}

#[tokio::test(start_paused = true)]
async fn shows_both_doors_and_every_level() {
    let bed = TestBed::start(Settings {
        max_waiting: 1,
        ..in_order()
    });
    let caller = bed.caller().await;
    let served = tokio::spawn(caller.process(message("served")));
    bed.at(10).await;
    let waiting = tokio::spawn(caller.process(message("waiting")));
    bed.at(20).await;
    caller.process(message("refused")).await.unwrap_err();
    caller.enqueue(message("12345")).await.unwrap();

    let snapshot = caller.look().await;
    let process = snapshot.process.unwrap();
    assert_eq!((process.admitted, process.refused, process.inside), (2, 1, 2));
    let enqueue = snapshot.enqueue.unwrap();
    assert_eq!((enqueue.admitted, enqueue.refused, enqueue.inside), (1, 0, 1));
    let level = |now| Some(Level { now, max: now });
    assert_eq!(snapshot.queue_depth, level(1));
    assert_eq!(snapshot.queue_bytes, level(5));
    assert_eq!(snapshot.waiting, level(1));
    assert_eq!(snapshot.in_service, level(1));
    assert_eq!(snapshot.in_system, level(3));

    served.await.unwrap().unwrap();
    waiting.await.unwrap().unwrap();
    bed.at(2_000).await;
    let snapshot = caller.look().await;
    assert_eq!(snapshot.process.unwrap().completed, 2);
    assert_eq!(snapshot.enqueue.unwrap().completed, 1);
    assert_eq!(maxima(&snapshot), [0; 4]);
}

#[tokio::test(start_paused = true)]
async fn each_watcher_sees_the_maxima_since_its_own_last_snapshot() {
    let bed = TestBed::start(Settings {
        service_time: ms(100),
        ..in_order()
    });
    let caller = bed.caller().await;
    let mut early = caller.watch(watch_request("", ms(1_000))).await.unwrap();
    assert_eq!(maxima(&next(&mut early).await), [0; 4]);
    bed.at(100).await;
    for id in ["1", "2", "3"] {
        caller.enqueue(message(id)).await.unwrap();
        bed.at(bed.now() + 1).await;
    }
    bed.at(350).await;
    // One message is left, in service. The maxima of a watcher do not include the time before it connected.
    let mut late = caller.watch(watch_request("", ms(1_000))).await.unwrap();
    assert_eq!(maxima(&next(&mut late).await), [0, 0, 1, 1]);

    let second = next(&mut early).await;
    assert_eq!((maxima(&second), bed.now()), ([2, 0, 1, 3], 1_000));
    assert_eq!(second.in_system.unwrap().now, 0);
    assert_eq!(maxima(&next(&mut late).await), [0, 0, 1, 1]);
    assert_eq!(maxima(&next(&mut early).await), [0; 4]);
    assert_eq!(maxima(&next(&mut late).await), [0; 4]);
}

#[tokio::test(start_paused = true)]
async fn refuses_an_interval_out_of_range_and_a_run_id_that_is_too_long() {
    let bed = TestBed::start(in_order());
    let caller = bed.caller().await;
    for (seconds, nanos) in [
        (0, 0),
        (0, 9_999_999),
        (3_600, 1),
        (-1, 0),
        (0, -10_000_000),
        (1, 1_000_000_000),
        (i64::MAX, 0),
    ] {
        let request = WatchRequest {
            interval: Some(foo_proto::Duration { seconds, nanos }),
            ..WatchRequest::default()
        };
        let status = caller.watch(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{seconds} {nanos}");
        assert!(status.message().starts_with("interval: "), "{status}");
    }
    let status = caller.watch(watch_request(&"x".repeat(129), ms(10))).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().starts_with("run_id: "), "{status}");

    for interval in [10, 3_600_000] {
        let mut watch = caller.watch(watch_request("", ms(interval))).await.unwrap();
        next(&mut watch).await;
    }
}

#[tokio::test(start_paused = true)]
async fn takes_only_so_many_watchers_and_has_room_again_when_one_leaves() {
    // With a permit that ends with the handler, as tower's do, this test fails: one more watcher is admitted.
    let bed = TestBed::start(in_order());
    let caller = bed.caller().await;
    let mut watchers = vec![];
    for _ in 0..MAX_WINDOWS {
        watchers.push(caller.watch(WatchRequest::default()).await.unwrap());
    }
    let status = caller.watch(WatchRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("watchers"), "{status}");
    // The existing watchers and the work of the service are not affected.
    for watch in &mut watchers {
        next(watch).await;
    }
    caller.process(message("work")).await.unwrap();

    watchers.pop();
    bed.at(bed.now() + 1).await;
    watchers.push(caller.watch(WatchRequest::default()).await.unwrap());
}
