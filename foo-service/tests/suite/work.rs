//! The work itself: burnt on threads of its own, drawn from a seed, or none at all.
//!
//! Burning takes real time, so these tests are the few without a paused clock; none of them asks how fast the machine is.

use std::time::Duration;

use crate::support::{TestBed, demanding, duration, message, ms, times, until};
use foo_service::{
    config::Settings,
    job::JobOutcome,
    work::{ServiceTimeDistribution, WorkKind},
};
use tonic::Code;

const HOUR: Duration = Duration::from_secs(3600);

fn cpu() -> Settings {
    Settings {
        work: WorkKind::Cpu,
        service_time: ms(20),
        max_service_demand: HOUR,
        ..Settings::default()
    }
}

#[tokio::test]
async fn cpu_work_takes_at_least_its_demand_at_both_doors() {
    let bed = TestBed::start(cpu());
    let caller = bed.caller().await;
    let drawn = caller.process(message("")).await.unwrap();
    let demanded = caller.process(demanding("", ms(40))).await.unwrap();
    // It burns so much CPU time, and is measured on another clock: these may differ by a little.
    assert!(duration(drawn.service_time) >= ms(19), "{drawn:?}");
    assert!(duration(demanded.service_time) >= ms(39), "{demanded:?}");

    caller.enqueue(message("")).await.unwrap();
    until(|| bed.enqueue_door().of(JobOutcome::Completed) == 1).await;
}

#[tokio::test]
async fn cpu_work_leaves_the_service_free_to_answer() {
    // Here everything but the burning runs on one thread.
    let bed = TestBed::start(Settings {
        max_waiting: 0,
        ..cpu()
    });
    let caller = bed.caller().await;
    let burning = tokio::spawn(caller.process(demanding("", HOUR)));
    until(|| bed.ledger.levels().in_service == 1).await;
    let status = crate::support::within_patience(caller.process(message("")))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(caller.look().await.in_service.unwrap().now, 1);
    burning.abort();
}

#[tokio::test]
async fn cpu_work_stops_when_nobody_waits_for_it_any_more() {
    let bed = TestBed::start(cpu());
    let caller = bed.caller().await;
    let late = caller.process_within(demanding("", HOUR), ms(200)).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    let gone = tokio::spawn(caller.process(demanding("", HOUR)));
    until(|| bed.ledger.levels().in_service == 1).await;
    gone.abort();
    until(|| bed.ledger.levels().in_service == 0).await;
    // There is one thread. It is free again.
    crate::support::within_patience(caller.process(demanding("", ms(1))))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_stop_at_once_breaks_cpu_work_off() {
    let bed = TestBed::start(cpu());
    let caller = bed.caller().await;
    caller.enqueue(demanding("", HOUR)).await.unwrap();
    until(|| bed.ledger.levels().in_service == 1).await;
    bed.trigger.now();
    assert_eq!(bed.ended().await.abandoned, 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_time_of_zero_takes_no_time() {
    let bed = TestBed::start(Settings {
        service_time: ms(0),
        ..Settings::default()
    });
    let caller = bed.caller().await;
    for _ in 0..100 {
        assert_eq!(times(&caller.process(message("")).await.unwrap()), (0, 0));
        caller.enqueue(message("")).await.unwrap();
    }
    assert_eq!(bed.now(), 0);
    bed.at(1).await;
    assert_eq!(bed.enqueue_door().of(JobOutcome::Completed), 100);
    // A message that asks for time still gets it.
    let answer = caller.process(demanding("", ms(30))).await.unwrap();
    assert_eq!(times(&answer), (0, 30));
}

#[tokio::test(start_paused = true)]
async fn the_seed_decides_the_service_times() {
    async fn drawn(seed: u64) -> Vec<u128> {
        let bed = TestBed::start(Settings {
            service_time_distribution: ServiceTimeDistribution::Exponential,
            seed,
            ..Settings::default()
        });
        let caller = bed.caller().await;
        let mut drawn = vec![];
        for _ in 0..20 {
            drawn.push(times(&caller.process(message("")).await.unwrap()).1);
        }
        drawn
    }
    let first = drawn(1).await;
    assert_eq!(first, drawn(1).await);
    assert_ne!(first, drawn(2).await);
}
