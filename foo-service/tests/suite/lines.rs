//! The order of service: calls and queued messages wait for their turns together, in the order of the line of `--line`.

use std::time::Duration;

use crate::support::{Caller, TestBed, fixed_limit, message, ms, page::samples, service, times};
use foo_proto::v1::ProcessResponse;
use foo_service::{
    config::Settings,
    job::{Door, JobOutcome, Reason},
    metrics::prometheus,
    turns::Classes,
};
use tokio::task::JoinHandle;
use tonic::{Code, Request, Status};
use tower_admission::{limit, line};

/// A service with this line, and one worker that takes 250 ms for a message.
fn with_line(name: &str, max_waiting: u32) -> Settings {
    Settings {
        line: line::by_name(name).unwrap(),
        max_waiting,
        ..Settings::default()
    }
}

type Call = JoinHandle<Result<ProcessResponse, Status>>;

/// Sends calls of Process at 0, 10, 20, … milliseconds.
async fn calls(bed: &TestBed, caller: &Caller, count: u64) -> Vec<Call> {
    let mut calls = vec![];
    for call in 0..count {
        bed.at(10 * call).await;
        calls.push(tokio::spawn(caller.process(message(""))));
    }
    bed.at(10 * count).await;
    calls
}

/// How long a call waited, in milliseconds; `None` if it was rejected.
async fn waited(call: Call) -> Option<u128> {
    Some(times(&call.await.unwrap().ok()?).0)
}

#[tokio::test(start_paused = true)]
async fn calls_and_queued_messages_wait_in_one_line_in_the_order_of_arrival() {
    // If calls waited at one semaphore and then at another one for workers, the queued message would be served first.
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    let mut early = calls(&bed, &caller, 2).await;
    caller.enqueue(message("queued")).await.unwrap();
    bed.at(30).await;
    let late = tokio::spawn(caller.process(message("late")));
    assert_eq!(waited(early.pop().unwrap()).await, Some(240));
    assert_eq!(bed.now(), 500);
    bed.at(501).await;
    assert_eq!((bed.ledger.levels().queue_depth, bed.ledger.levels().waiting), (0, 1));
    assert_eq!(waited(late).await, Some(720));
}

#[tokio::test(start_paused = true)]
async fn the_newest_is_first_with_lifo_and_the_oldest_gives_its_place_up() {
    let bed = TestBed::start(with_line("lifo", 2));
    let caller = bed.caller().await;
    let mut calls = calls(&bed, &caller, 4).await;
    // The first call is in service, the second is displaced, the third is served last, and the fourth is served next.
    let displaced = calls.remove(1).await.unwrap().unwrap_err();
    assert_eq!((displaced.code(), bed.now()), (Code::ResourceExhausted, 40));
    assert!(displaced.metadata().contains_key("grpc-retry-pushback-ms"));
    let mut waits = vec![];
    for call in calls {
        waits.push(waited(call).await);
    }
    assert_eq!(waits, [Some(0), Some(480), Some(220)]);
    let door = bed.process_door();
    assert_eq!((door.admitted, door.refused, door.of(JobOutcome::Rejected)), (4, 0, 1));
    assert_eq!(bed.ledger.refusals(Door::Process, Reason::Displaced), 1);
}

#[tokio::test(start_paused = true)]
async fn no_call_waits_with_shed_and_the_queue_still_gets_its_turn() {
    let bed = TestBed::start(with_line("shed", 100));
    let caller = bed.caller().await;
    let mut calls = calls(&bed, &caller, 2).await;
    let rejected = calls.pop().unwrap().await.unwrap().unwrap_err();
    assert_eq!(rejected.code(), Code::ResourceExhausted);
    caller.enqueue(message("queued")).await.unwrap();
    bed.at(600).await;
    let [enqueue, process] = Door::ALL.map(|door| bed.ledger.door(door));
    assert_eq!(enqueue.of(JobOutcome::Completed), 1);
    assert_eq!((process.admitted, process.refused), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_be_answered_in_time_is_rejected_on_arrival_with_deadline() {
    let bed = TestBed::start(with_line("deadline", 100));
    let caller = bed.caller().await;
    // From this call the line learns the service time.
    caller.process(message("")).await.unwrap();
    let served = tokio::spawn(caller.process(message("")));
    bed.at(260).await;
    let status = caller.process_within(message(""), ms(300)).await.unwrap_err();
    assert_eq!((status.code(), bed.now()), (Code::ResourceExhausted, 260));
    assert_eq!(bed.ledger.refusals(Door::Process, Reason::TooLate), 1);
    let in_time = caller.process_within(message(""), ms(600)).await.unwrap();
    assert_eq!(times(&in_time), (240, 250));
    served.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn under_every_line_and_every_limit_a_service_answers_what_it_can() {
    for limit in &limit::LIMITS {
        for line in &line::LINES {
            let bed = TestBed::start(Settings {
                limit_kind: limit::by_name(limit.name).unwrap(),
                workers: 2,
                ..with_line(line.name, 100)
            });
            let caller = bed.caller().await;
            for call in calls(&bed, &caller, 2).await {
                assert!(waited(call).await.is_some(), "{} {}", limit.name, line.name);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_limit_above_the_workers_admits_waits_for_a_worker_and_is_measured() {
    let recorder = prometheus();
    let settings = Settings {
        concurrency_limit: Some(3),
        limit_kind: fixed_limit(),
        ..Settings::default()
    };
    let service = service(settings, &recorder);
    let (metrics, turns) = (service.metrics(), service.turns());
    let bed = TestBed::serve(service);
    let caller = bed.caller().await;
    for call in calls(&bed, &caller, 3).await {
        call.await.unwrap().unwrap();
    }
    metrics.publish(&bed.ledger);
    turns.publish();
    let samples = samples(&recorder.handle().render());
    assert_eq!(samples["foo_concurrency_limit"], "3");
    assert_eq!(samples["foo_worker_wait_seconds_count{door=\"process\"}"], "2");
    let sum: f64 = samples["foo_worker_wait_seconds_sum{door=\"process\"}"]
        .parse()
        .unwrap();
    // One call waited from 10 until 250, and one from 20 until 500.
    let expected = Duration::from_millis(240 + 480).as_secs_f64();
    assert!((sum - expected).abs() < 0.005, "{sum} s, expected {expected} s");
}

#[tokio::test(start_paused = true)]
async fn the_wait_of_the_next_call_is_a_gauge() {
    let recorder = prometheus();
    let service = service(with_line("auto", 100), &recorder);
    let turns = service.turns();
    let bed = TestBed::serve(service);
    let caller = bed.caller().await;
    caller.process(message("")).await.unwrap();
    let calls = (0..3).map(|_| tokio::spawn(caller.process(message(""))));
    let calls: Vec<Call> = calls.collect();
    bed.at(bed.now() + 10).await;
    turns.publish();
    let samples = samples(&recorder.handle().render());
    // One call is in service and two wait. So a fourth one would wait for three service times.
    assert_eq!(samples["foo_admitted"], "1");
    assert_eq!(samples["foo_observed_service_time_seconds"], "0.25");
    assert_eq!(samples["foo_expected_wait_seconds"], "0.75");
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

/// Sends a call of Process with this `priority` header (RFC 9218).
fn urgent(caller: &Caller, priority: &'static str) -> Call {
    let mut request = Request::new(message(""));
    request.metadata_mut().insert("priority", priority.parse().unwrap());
    tokio::spawn(caller.send_process(request))
}

/// How long calls waited that were sent at 0, 10, 20, … milliseconds with these priorities. One worker takes 250 ms for each.
async fn waits_by_priority(classes: Classes, priorities: &[&'static str]) -> Vec<Option<u128>> {
    let bed = TestBed::start(Settings {
        classes,
        ..with_line("fifo", 100)
    });
    let caller = bed.caller().await;
    let mut calls = vec![];
    for (place, priority) in priorities.iter().enumerate() {
        bed.at(10 * place as u64).await;
        calls.push(urgent(&caller, priority));
    }
    let mut waits = vec![];
    for call in calls {
        waits.push(waited(call).await);
    }
    waits
}

#[tokio::test(start_paused = true)]
async fn with_classes_the_most_urgent_call_is_next_and_the_line_holds_within_a_class() {
    // A header that cannot be parsed counts as u=3.
    let priorities = ["u=7", "u=7", "u=0", "i", "u=9", "u=0;x=1, i"];
    let turns = |order: [u128; 6]| -> Vec<Option<u128>> {
        let waits = order.iter().zip(0..).map(|(turn, place)| turn * 250 - 10 * place);
        waits.map(Some).collect()
    };
    for classes in [Classes::Shared, Classes::Strict] {
        let waits = waits_by_priority(classes, &priorities).await;
        assert_eq!(waits, turns([0, 5, 1, 3, 4, 2]), "{classes:?}");
    }
    let waits = waits_by_priority(Classes::Off, &priorities).await;
    assert_eq!(waits, turns([0, 1, 2, 3, 4, 5]));
}

#[tokio::test(start_paused = true)]
async fn a_class_that_waits_gets_a_turn_in_twenty_unless_the_order_is_strict() {
    let mut priorities = vec!["u=0", "u=7"];
    priorities.resize(25, "u=0");
    let turn = async |classes| waits_by_priority(classes, &priorities).await[1].map(|wait| (wait + 10) / 250);
    assert_eq!(turn(Classes::Shared).await, Some(21));
    assert_eq!(turn(Classes::Strict).await, Some(24));
}

#[tokio::test(start_paused = true)]
async fn a_full_line_of_one_class_leaves_room_for_the_others() {
    let bed = TestBed::start(Settings {
        classes: Classes::Shared,
        ..with_line("fifo", 1)
    });
    let caller = bed.caller().await;
    let mut calls = vec![];
    for (place, priority) in ["u=7", "u=7", "u=7", "u=0"].into_iter().enumerate() {
        bed.at(10 * place as u64).await;
        calls.push(urgent(&caller, priority));
    }
    let mut waits = vec![];
    for call in calls {
        waits.push(waited(call).await);
    }
    assert_eq!(waits, [Some(0), Some(490), None, Some(220)]);
    assert_eq!(bed.ledger.refusals(Door::Process, Reason::LineFull), 1);
}
