//! `--drain-delay`: readiness and health turn negative first, calls are still served for that long, then the drain begins.

use crate::support::{TestBed, demanding, message, ms, page::get, program::Program};
use foo_service::{config::Settings, lifecycle::Phase};
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

#[tokio::test(start_paused = true)]
async fn calls_are_served_during_the_delay_and_refused_after_it() {
    let bed = TestBed::start(Settings {
        drain_delay: ms(5_000),
        ..Settings::default()
    });
    let caller = bed.caller().await;
    caller.process(message("before")).await.unwrap();
    bed.at(1_000).await;
    bed.trigger.drain();
    bed.lifecycle.reached(Phase::Leaving).await;
    assert!(bed.lifecycle.leaving() && !bed.lifecycle.draining());
    assert_eq!(caller.health().await, [ServingStatus::NotServing; 2]);
    bed.at(5_500).await;
    caller.process(message("during the delay")).await.unwrap();
    // This call is admitted during the delay and ends after it: it is still answered.
    let long = tokio::spawn(caller.process(demanding("", ms(1_000))));
    bed.at(6_100).await;
    assert_eq!(
        caller.process(message("after it")).await.unwrap_err().code(),
        Code::Unavailable
    );
    long.await.unwrap().unwrap();
    assert_eq!(bed.ended().await.abandoned, 0);
}

#[tokio::test(start_paused = true)]
async fn the_delay_can_be_skipped_and_the_drain_still_finishes_its_work() {
    let bed = TestBed::start(Settings {
        drain_delay: ms(3_600_000),
        ..Settings::default()
    });
    let caller = bed.caller().await;
    bed.trigger.drain();
    bed.lifecycle.reached(Phase::Leaving).await;
    caller.enqueue(message("admitted")).await.unwrap();
    bed.trigger.drain_without_delay();
    bed.lifecycle.reached(Phase::Draining).await;
    assert_eq!(bed.ended().await.abandoned, 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_at_once_does_not_wait_for_the_delay() {
    let bed = TestBed::start(Settings {
        drain_delay: ms(3_600_000),
        ..Settings::default()
    });
    let caller = bed.caller().await;
    caller.enqueue(demanding("", ms(60_000))).await.unwrap();
    bed.trigger.now();
    assert_eq!(bed.ended().await.abandoned, 1);
}

#[tokio::test]
async fn the_first_signal_ends_readiness_and_the_second_skips_the_delay() {
    let mut program = Program::start(&["--drain-delay", "1h", "--service-time", "10ms"], &[]).await;
    let caller = program.caller().await;
    program.terminate();
    program.logged("not ready any more").await;
    assert_eq!(get(program.admin, "/readyz").await.0, 503);
    assert_eq!(get(program.admin, "/livez").await.0, 200);
    caller.process(message("still served")).await.unwrap();
    for _ in 0..5 {
        caller.enqueue(message("admitted")).await.unwrap();
    }
    program.terminate();
    program.logged("stopped abandoned=0").await;
    assert_eq!(program.exit_code().await, Some(0));
}
