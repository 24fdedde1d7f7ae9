//! The simulated work: CPU time on separate threads, random times from a seed, or no work at all.
//!
//! Burning CPU takes real time, so these are the few tests without a paused clock. None depends on the machine's speed.

use std::time::Duration;

use crate::support::{TestBed, demanding, duration, message, ms, service, times, until, watch_request};
use foo_proto::v1;
use foo_service::{
    config::{Change, Settings},
    job::{Door, JobOutcome, Reason},
    work::{ServiceTimeDistribution, Share, WorkKind},
};
use metrics::NoopRecorder;
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
    // The work is a number of milliseconds of CPU time, but the service time is measured by another clock, so it may be a bit less.
    assert!(duration(drawn.service_time) >= ms(19), "{drawn:?}");
    assert!(duration(demanded.service_time) >= ms(39), "{demanded:?}");

    caller.enqueue(message("")).await.unwrap();
    until(|| bed.enqueue_door().of(JobOutcome::Completed) == 1).await;
}

#[tokio::test]
async fn cpu_work_leaves_the_service_free_to_answer() {
    // In this test, everything but the CPU work runs on one thread.
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
    // The only thread for CPU work is free again.
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
    // A message with a service demand still takes that time.
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

#[tokio::test(start_paused = true)]
async fn a_message_that_fails_takes_its_time_and_is_counted_at_both_doors() {
    let settings = Settings {
        fail_rate: Share::percent(100),
        fail_time: ms(30),
        ..Settings::default()
    };
    let service = service(settings, &NoopRecorder);
    let control = service.control();
    let bed = TestBed::serve(service);
    let caller = bed.caller().await;
    let status = caller.process(message("")).await.unwrap_err();
    assert_eq!((status.code(), bed.now()), (Code::Unavailable, 30));
    assert_eq!(status.message(), "the work on the message failed");
    caller.enqueue(message("run/1")).await.unwrap();
    bed.at(61).await;

    let watch = caller.watch(watch_request("run", ms(1_000))).await;
    let snapshot = watch.unwrap().message().await.unwrap().unwrap();
    assert_eq!(snapshot.completions[0].outcome(), v1::JobOutcome::WorkFailed);
    assert_eq!(duration(snapshot.completions[0].service_time), ms(30));
    for (door, counts) in Door::ALL.into_iter().zip([snapshot.enqueue, snapshot.process]) {
        let reading = bed.ledger.door(door);
        assert_eq!((reading.admitted, reading.of(JobOutcome::WorkFailed)), (1, 1));
        assert_eq!(counts.unwrap().work_failed, 1, "{door:?}");
    }
    assert_eq!(bed.ledger.refusals(Door::Process, Reason::WorkFailed), 1);
    assert_eq!(bed.ledger.refusals(Door::Enqueue, Reason::WorkFailed), 0);

    let change = Change {
        fail_rate: Some(Share::default()),
        ..Change::default()
    };
    control.change(&change).unwrap();
    assert_eq!(times(&caller.process(message("")).await.unwrap()), (0, 250));
}

#[tokio::test(start_paused = true)]
async fn with_contention_each_message_takes_longer_beside_others() {
    let bed = TestBed::start(Settings {
        workers: 3,
        contention: "20%".parse().unwrap(),
        ..Settings::default()
    });
    let caller = bed.caller().await;
    let calls = ["1", "2", "3"].map(|id| tokio::spawn(caller.process(message(id))));
    let mut took = vec![];
    for call in calls {
        took.push(times(&call.await.unwrap().unwrap()).1);
    }
    took.sort_unstable();
    assert_eq!(took, [250, 300, 350]);
}

#[tokio::test(start_paused = true)]
async fn a_slowdown_stretches_what_begins_in_its_phase_and_repeats() {
    let bed = TestBed::start(Settings {
        slowdown: Some("1s:1x,500ms:1.5x".parse().unwrap()),
        ..Settings::default()
    });
    let caller = bed.caller().await;
    let mut took = vec![];
    for at in [0, 760, 1_010, 1_480, 2_000, 2_600] {
        bed.at(at).await;
        took.push(times(&caller.process(message("")).await.unwrap()).1);
    }
    assert_eq!(took, [250, 250, 375, 375, 250, 375]);
    // The slowdown also applies to a message with a service demand.
    bed.at(4_010).await;
    let demanded = caller.process(demanding("", ms(100))).await.unwrap();
    assert_eq!(times(&demanded), (0, 150));
}
