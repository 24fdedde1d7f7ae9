//! The queue: its depth is exact, and a message that finds it full is treated as the settings say.

use crate::support::{TestBed, duration, message, ms, watch_request};
use foo_proto::v1::{JobOutcome, Message};
use foo_service::{
    config::{QueueKind, Settings},
    enqueue::WhenFull,
    job::JobOutcome as Outcome,
};
use tonic::Code;

fn two_places(when_full: WhenFull) -> Settings {
    Settings {
        queue_capacity: 2,
        when_full,
        ..Settings::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_leaves_the_queue_only_when_a_worker_is_free() {
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    let mut depths = vec![];
    for id in ["1", "2", "3", "4"] {
        depths.push(caller.enqueue(message(id)).await.unwrap().queue_depth);
        bed.at(bed.now() + 1).await;
    }
    // The first message went to the worker, so the second was alone on the queue.
    assert_eq!(depths, [1, 1, 2, 3]);
    for (at, depth, in_service) in [(200, 3, 1), (300, 2, 1), (600, 1, 1), (800, 0, 1), (1_001, 0, 0)] {
        bed.at(at).await;
        let levels = bed.ledger.levels();
        assert_eq!((levels.queue_depth, levels.in_service), (depth, in_service), "at {at}");
        assert_eq!(levels.in_system, depth + in_service, "at {at}");
    }
    assert_eq!(bed.enqueue_door().of(Outcome::Completed), 4);
}

#[tokio::test(start_paused = true)]
async fn counts_the_bytes_of_ids_and_payloads_on_the_queue() {
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    caller.enqueue(message("in service")).await.unwrap();
    bed.at(1).await;
    let message = Message {
        payload: vec![7; 1_000],
        ..message("12345")
    };
    caller.enqueue(message.clone()).await.unwrap();
    caller.enqueue(message).await.unwrap();
    assert_eq!(bed.ledger.levels().queue_bytes, 2_010);
    bed.at(300).await;
    assert_eq!(bed.ledger.levels().queue_bytes, 1_005);
    bed.at(2_000).await;
    assert_eq!(bed.ledger.levels().queue_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_rejects_at_once_and_says_when_to_come_back() {
    let bed = TestBed::start(two_places(WhenFull::Reject));
    let caller = bed.caller().await;
    for id in ["in service", "1", "2"] {
        caller.enqueue(message(id)).await.unwrap();
        bed.at(bed.now() + 1).await;
    }
    let before = bed.now();
    let status = caller.enqueue(message("3")).await.unwrap_err();
    assert_eq!(bed.now(), before);
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("the queue is full"), "{status}");
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "250");

    // The worker takes a message, so there is room for one again.
    bed.at(251).await;
    assert_eq!(caller.enqueue(message("4")).await.unwrap().queue_depth, 2);
    bed.at(2_000).await;
    let door = bed.enqueue_door();
    assert_eq!((door.admitted, door.refused, door.of(Outcome::Completed)), (4, 1, 4));
}

#[tokio::test(start_paused = true)]
async fn the_pushback_is_at_least_a_millisecond() {
    // A pushback of 0 would let all rejected callers retry at once.
    let settings = Settings {
        service_time: ms(0),
        max_waiting: 0,
        ..Settings::default()
    };
    let bed = TestBed::start(settings);
    let caller = bed.caller().await;
    let busy = tokio::spawn(caller.process(crate::support::demanding("busy", ms(100))));
    bed.at(10).await;
    let status = caller.process(message("refused")).await.unwrap_err();
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "1");
    busy.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn drop_oldest_makes_room_and_tells_the_watchers() {
    let bed = TestBed::start(two_places(WhenFull::DropOldest));
    let caller = bed.caller().await;
    for id in ["run/0", "run/1", "run/2", "run/3", "run/4"] {
        let depth = caller.enqueue(message(id)).await.unwrap().queue_depth;
        assert!(depth <= 2, "{depth}");
        bed.at(bed.now() + 10).await;
    }
    assert_eq!(bed.enqueue_door().of(Outcome::Dropped), 2);
    bed.at(1_000).await;
    let door = bed.enqueue_door();
    assert_eq!(
        (door.admitted, door.refused, door.of(Outcome::Completed), door.inside),
        (5, 0, 3, 0)
    );

    let mut watch = caller.watch(watch_request("run", ms(100))).await.unwrap();
    let completions = watch.message().await.unwrap().unwrap().completions;
    let ends: Vec<_> = completions
        .iter()
        .map(|end| (&*end.id, end.outcome(), duration(end.queue_wait)))
        .collect();
    // Message 0 came at 0 and was served at once. Messages 1 and 2 came at 10 and 20, and were dropped for those of 30 and 40.
    assert_eq!(
        ends,
        [
            ("run/1", JobOutcome::Dropped, ms(20)),
            ("run/2", JobOutcome::Dropped, ms(20)),
            ("run/0", JobOutcome::Completed, ms(0)),
            ("run/3", JobOutcome::Completed, ms(220)),
            ("run/4", JobOutcome::Completed, ms(460)),
        ]
    );
    for end in completions {
        assert_eq!(end.service_time.is_some(), end.outcome() == JobOutcome::Completed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_old_at_its_turn_expires_without_work_and_the_watchers_hear_of_it() {
    let settings = Settings {
        message_ttl: Some(ms(300)),
        ..Settings::default()
    };
    let bed = TestBed::start(settings);
    let caller = bed.caller().await;
    for id in ["run/0", "run/1", "run/2", "run/3"] {
        caller.enqueue(message(id)).await.unwrap();
    }
    bed.at(400).await;
    caller.enqueue(message("run/4")).await.unwrap();
    bed.at(1_000).await;
    let door = bed.enqueue_door();
    assert_eq!(
        (
            door.admitted,
            door.of(Outcome::Completed),
            door.of(Outcome::Expired),
            door.inside
        ),
        (5, 3, 2, 0)
    );
    let mut watch = caller.watch(watch_request("run", ms(100))).await.unwrap();
    let completions = watch.message().await.unwrap().unwrap().completions;
    let ends: Vec<_> = completions
        .iter()
        .map(|end| (&*end.id, end.outcome(), duration(end.queue_wait)))
        .collect();
    // Each message takes 250 ms. At 500 the next two have waited for 500 ms, and the one behind them for 100 ms.
    assert_eq!(
        ends,
        [
            ("run/0", JobOutcome::Completed, ms(0)),
            ("run/1", JobOutcome::Completed, ms(250)),
            ("run/2", JobOutcome::Expired, ms(500)),
            ("run/3", JobOutcome::Expired, ms(500)),
            ("run/4", JobOutcome::Completed, ms(100)),
        ]
    );
    for end in completions {
        assert_eq!(end.service_time.is_some(), end.outcome() == JobOutcome::Completed);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unbounded_queue_takes_everything() {
    let settings = Settings {
        queue: QueueKind::Unbounded,
        queue_capacity: 2,
        ..Settings::default()
    };
    let bed = TestBed::start(settings);
    let caller = bed.caller().await;
    for _ in 0..1_500 {
        caller.enqueue(message("")).await.unwrap();
    }
    assert_eq!(bed.ledger.levels().queue_depth, 1_499);
    assert_eq!(bed.enqueue_door().refused, 0);
}
