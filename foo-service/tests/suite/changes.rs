//! Changes to a running service: the number of workers and the service time change, and no work is interrupted.

use foo_service::{
    app::Control,
    config::{Change, Settings},
    job::JobOutcome,
};
use metrics::NoopRecorder;
use tokio::task::JoinHandle;
use tonic::{Code, Status};
use tower_admission::limit;

use crate::support::{Caller, TestBed, fixed_limit, in_order, message, ms, service};

/// A service with this many workers, whose messages take 100 ms.
fn of_workers(workers: u32) -> Settings {
    Settings {
        workers,
        service_time: ms(100),
        ..in_order()
    }
}

fn start(settings: Settings) -> (TestBed, Control) {
    let service = service(settings, &NoopRecorder);
    let control = service.control();
    (TestBed::serve(service), control)
}

fn workers(count: u32) -> Change {
    Change {
        workers: Some(count),
        ..Change::default()
    }
}

type Calls = Vec<JoinHandle<Result<u64, Status>>>;

/// Sends `count` calls of Process. Each task returns when its call was answered, in milliseconds since the start.
fn calls(bed: &TestBed, caller: &Caller, count: usize) -> Calls {
    let began = tokio::time::Instant::now() - ms(bed.now());
    (0..count)
        .map(|_| {
            let answer = caller.process(message(""));
            tokio::spawn(async move {
                answer.await?;
                Ok(u64::try_from(began.elapsed().as_millis()).expect("tests are short"))
            })
        })
        .collect()
}

async fn answered(calls: Calls) -> Vec<u64> {
    let mut at = Vec::new();
    for call in calls {
        at.push(call.await.unwrap().unwrap());
    }
    at.sort_unstable();
    at
}

#[tokio::test(start_paused = true)]
async fn new_workers_take_those_that_wait_at_once() {
    let (bed, control) = start(of_workers(1));
    let calls = calls(&bed, &bed.caller().await, 4);
    bed.at(50).await;
    control.change(&workers(3)).unwrap();
    assert_eq!(answered(calls).await, [100, 150, 150, 200]);
}

#[tokio::test(start_paused = true)]
async fn fewer_workers_finish_what_is_in_service_first() {
    let (bed, control) = start(of_workers(3));
    let calls = calls(&bed, &bed.caller().await, 5);
    bed.at(50).await;
    control.change(&workers(1)).unwrap();
    assert_eq!(bed.ledger.levels().in_service, 3);
    assert_eq!(answered(calls).await, [100, 100, 100, 200, 300]);
    assert_eq!(bed.process_door().of(JobOutcome::Completed), 5);
}

#[tokio::test(start_paused = true)]
async fn the_queue_follows_the_workers_up_and_down() {
    let (bed, control) = start(of_workers(2));
    let caller = bed.caller().await;
    for _ in 0..12 {
        caller.enqueue(message("")).await.unwrap();
    }
    let done = async |at| {
        bed.at(at).await;
        bed.enqueue_door().of(JobOutcome::Completed)
    };
    assert_eq!(done(110).await, 2);
    control.change(&workers(4)).unwrap();
    // Two messages began at 100, and two more at 110, when there were four workers.
    assert_eq!((done(205).await, done(215).await), (4, 6));
    control.change(&workers(1)).unwrap();
    assert_eq!((done(305).await, done(315).await), (8, 10));
    assert_eq!((done(405).await, done(415).await), (10, 11));
    assert_eq!((done(505).await, done(520).await), (11, 12));
}

#[tokio::test(start_paused = true)]
async fn the_service_time_changes_for_messages_that_begin_later() {
    let (bed, control) = start(of_workers(1));
    let calls = calls(&bed, &bed.caller().await, 3);
    bed.at(50).await;
    let change = Change {
        service_time: Some(ms(30)),
        ..Change::default()
    };
    control.change(&change).unwrap();
    assert_eq!(answered(calls).await, [100, 130, 160]);
}

#[tokio::test(start_paused = true)]
async fn as_many_as_before_may_wait_and_others_are_told_when_a_place_is_expected() {
    let settings = Settings {
        max_waiting: 1,
        ..of_workers(3)
    };
    let (bed, control) = start(settings);
    let caller = bed.caller().await;
    let first = calls(&bed, &caller, 4);
    bed.at(50).await;
    let change = Change {
        workers: Some(1),
        service_time: Some(ms(40)),
        ..Change::default()
    };
    control.change(&change).unwrap();
    // The first call that waited is in service since 100, and has the only worker.
    bed.at(110).await;
    let second = calls(&bed, &caller, 1);
    bed.at(120).await;
    assert_eq!((bed.ledger.levels().in_service, bed.ledger.levels().waiting), (1, 1));
    let refused = caller.process(message("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    // Three messages took 100 ms each, and one call waits for the one worker. So the wait is 200 ms, and up to half is added.
    let pushback = refused.metadata().get("grpc-retry-pushback-ms").unwrap();
    let pushback: u64 = pushback.to_str().unwrap().parse().unwrap();
    assert!((200..=300).contains(&pushback), "{pushback} ms");
    assert_eq!(answered(first).await, [100, 100, 100, 140]);
    assert_eq!(answered(second).await, [180]);

    control.change(&workers(2)).unwrap();
    let third = calls(&bed, &caller, 3);
    bed.at(190).await;
    let refused = caller.process(message("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(answered(third).await, [220, 220, 260]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_set_stays_and_watch_tells_both_the_workers_and_the_limit() {
    let settings = Settings {
        concurrency_limit: Some(2),
        limit_kind: fixed_limit(),
        ..of_workers(1)
    };
    let (bed, control) = start(settings);
    let caller = bed.caller().await;
    let calls = calls(&bed, &caller, 3);
    bed.at(50).await;
    control.change(&workers(3)).unwrap();
    let snapshot = caller.look().await;
    assert_eq!((snapshot.workers, snapshot.concurrency_limit), (3, Some(2)));
    assert_eq!(answered(calls).await, [100, 150, 200]);
}

#[tokio::test(start_paused = true)]
async fn watch_tells_a_limit_that_follows_the_workers_and_one_that_searches() {
    let (bed, control) = start(of_workers(2));
    let caller = bed.caller().await;
    assert_eq!(caller.look().await.concurrency_limit, Some(2));
    control.change(&workers(5)).unwrap();
    assert_eq!(caller.look().await.concurrency_limit, Some(5));

    let searching = Settings {
        concurrency_limit: Some(2),
        limit_kind: limit::by_name("aimd").unwrap(),
        ..of_workers(16)
    };
    let (bed, _) = start(searching);
    let caller = bed.caller().await;
    assert_eq!(caller.look().await.concurrency_limit, Some(2));
    // The limit is used in full and no call is rejected, so it rises as calls are answered.
    answered(calls(&bed, &caller, 8)).await;
    let risen = caller.look().await.concurrency_limit;
    assert!(risen > Some(2), "{risen:?}");
}

#[tokio::test]
async fn a_change_that_no_service_can_have_changes_nothing() {
    let settings = Settings {
        work: foo_service::work::WorkKind::Cpu,
        ..of_workers(1)
    };
    let service = service(settings, &NoopRecorder);
    let error = service.control().change(&workers(2000)).unwrap_err();
    assert!(error.to_string().contains("--workers must be at most 1024"), "{error}");
    service.control().change(&workers(2)).unwrap();
}
