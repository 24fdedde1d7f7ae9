//! Deadlines: they count from a call's arrival, and cover the line and the work. The answer is DEADLINE_EXCEEDED. tonic alone
//! would start its clock after the line and answer CANCELLED.

use crate::support::{TestBed, demanding, in_order, message, ms, times};
use foo_service::{
    config::Settings,
    job::{Door, JobOutcome, RequestOutcome},
};
use tonic::{Code, Request};

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_in_line_is_answered_then() {
    // This test fails with the line on `Server`, before `call` (the answer comes at 350), and without the clock of
    // `rpc/calls.rs` (CANCELLED).
    let bed = TestBed::start(in_order());
    let caller = bed.caller().await;
    let served = tokio::spawn(caller.process(message("served")));
    bed.at(10).await;
    let status = caller.process_within(message("late"), ms(100)).await.unwrap_err();
    assert_eq!((status.code(), bed.now()), (Code::DeadlineExceeded, 110));
    assert_eq!(bed.ledger.levels().waiting, 0);
    assert_eq!(bed.process_door().of(JobOutcome::Expired), 1);
    served.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_time_in_line_counts() {
    let bed = TestBed::start(in_order());
    let caller = bed.caller().await;
    let served = tokio::spawn(caller.process(message("served")));
    bed.at(10).await;
    // After 240 ms in line, 60 ms are left for work that takes 250 ms.
    let status = caller.process_within(message("late"), ms(300)).await.unwrap_err();
    assert_eq!((status.code(), bed.now()), (Code::DeadlineExceeded, 310));
    served.await.unwrap().unwrap();
    // The late call's work was interrupted, so the worker is free.
    let next = caller.process(message("next")).await.unwrap();
    assert_eq!((times(&next), bed.now()), ((0, 250), 560));
}

#[tokio::test(start_paused = true)]
async fn work_that_ends_in_time_is_answered() {
    let bed = TestBed::start(in_order());
    let caller = bed.caller().await;
    // An answer at the instant of the deadline is in time.
    for timeout in [251, 250] {
        let answer = caller.process_within(message("in time"), ms(timeout)).await.unwrap();
        assert_eq!(times(&answer), (0, 250));
    }
    let status = caller.process_within(message("late"), ms(249)).await.unwrap_err();
    assert_eq!((status.code(), bed.now()), (Code::DeadlineExceeded, 749));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_comes_with_the_deadline_is_not_used() {
    // No caller is left to answer. The work would take no time, so it would be done and counted as a success.
    // Without the check of the deadline in `process/line.rs` this test fails: the answer is OK.
    let bed = TestBed::start(in_order());
    let caller = bed.caller().await;
    let served = tokio::spawn(caller.process(message("served")));
    bed.at(10).await;
    let late = caller.process_within(demanding("late", ms(0)), ms(240)).await;
    assert_eq!((late.unwrap_err().code(), bed.now()), (Code::DeadlineExceeded, 250));
    served.await.unwrap().unwrap();
    let door = bed.process_door();
    assert_eq!((door.of(JobOutcome::Completed), door.of(JobOutcome::Expired)), (1, 1));
}

const DEADLINE_EXCEEDED: &str = "4";

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_before_the_body_is_there_is_no_different() {
    // Without the clock of `rpc/calls.rs` this test fails: tonic answers CANCELLED.
    let bed = TestBed::start(in_order());
    let caller = bed.caller().await;
    assert_eq!(
        caller.send_headers("Process", Some("100m")).await.unwrap(),
        DEADLINE_EXCEEDED
    );
    assert_eq!(bed.now(), 100);
    assert_eq!(
        caller.send_headers("Enqueue", Some("100m")).await.unwrap(),
        DEADLINE_EXCEEDED
    );
    assert_eq!(bed.now(), 200);
    for door in Door::ALL {
        let reading = bed.ledger.door(door);
        assert_eq!((reading.admitted, reading.refused), (0, 1));
        assert_eq!(bed.ledger.requests(door, RequestOutcome::Expired), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_on_arrival_is_refused_at_either_door() {
    // Without the clock of `rpc/calls.rs` this test fails: tonic answers CANCELLED to both calls.
    let bed = TestBed::start(in_order());
    let caller = bed.caller().await;
    let enqueued = caller.enqueue_within(message("late"), ms(0)).await.unwrap_err();
    let processed = caller.process_within(message("late"), ms(0)).await.unwrap_err();
    assert_eq!(
        [enqueued.code(), processed.code()],
        [Code::DeadlineExceeded, Code::DeadlineExceeded]
    );
    for door in Door::ALL {
        let reading = bed.ledger.door(door);
        assert_eq!((reading.admitted, reading.refused), (0, 1));
        assert_eq!(bed.ledger.requests(door, RequestOutcome::Expired), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_caller_frees_its_place_in_line() {
    let settings = Settings {
        max_waiting: 1,
        ..in_order()
    };
    let bed = TestBed::start(settings);
    let caller = bed.caller().await;
    let served = tokio::spawn(caller.process(message("served")));
    bed.at(10).await;
    let late = tokio::spawn(caller.process_within(message("late"), ms(100)));
    bed.at(20).await;
    let refused = caller.process(message("refused")).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    late.await.unwrap().unwrap_err();
    let next = tokio::spawn(caller.process(message("next")));
    served.await.unwrap().unwrap();
    assert_eq!(times(&next.await.unwrap().unwrap()), (140, 250));
}

#[tokio::test(start_paused = true)]
async fn every_unit_of_grpc_timeout_is_understood() {
    let bed = TestBed::start(in_order());
    let caller = bed.caller().await;
    let mut passed = vec![];
    for timeout in ["99999999n", "99999u", "100m"] {
        let mut request = Request::new(message("late"));
        request.metadata_mut().insert("grpc-timeout", timeout.parse().unwrap());
        let before = bed.now();
        let status = caller.send_process(request).await.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{timeout}");
        passed.push(bed.now() - before);
    }
    assert_eq!(passed, [100, 100, 100]);
    for timeout in ["1S", "1M", "1H", "99999999H"] {
        let mut request = Request::new(message("in time"));
        request.metadata_mut().insert("grpc-timeout", timeout.parse().unwrap());
        caller.send_process(request).await.unwrap();
    }
}
