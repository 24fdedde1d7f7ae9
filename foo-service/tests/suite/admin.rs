//! The admin port, over real TCP: every series exists from the start, the metrics equal the ledger and Watch, and readiness
//! ends when a drain begins.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
};

use crate::support::{
    TestBed, demanding, message, ms,
    page::{get, samples},
    until,
};
use foo_proto::v1::{DoorCounts, Snapshot};
use foo_service::{
    admin::{Admin, AdminParts},
    config::{QueueKind, Settings},
    job::{Door, JobOutcome, RequestOutcome},
    lifecycle::Phase,
    log::LostLines,
    metrics::prometheus,
};

/// Starts a service whose callers connect in memory, and its admin port on TCP.
fn start(settings: Settings) -> (TestBed, SocketAddr) {
    let recorder = prometheus();
    let service = crate::support::service(settings, &recorder);
    let parts = AdminParts {
        metrics: service.metrics(),
        turns: service.turns(),
        ledger: service.ledger(),
        enqueue: service.enqueue(),
        role: service.role(),
        lifecycle: service.lifecycle(),
        accepting: service.accepting(),
        lost_lines: LostLines::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    Admin::new(recorder, parts).start(listener).unwrap();
    (TestBed::serve(service), address)
}

async fn metrics(admin: SocketAddr) -> BTreeMap<String, String> {
    let (status, page) = get(admin, "/metrics").await;
    assert_eq!(status, 200);
    samples(&page)
}

#[tokio::test]
async fn every_series_exists_from_the_start() {
    let (_bed, admin) = start(Settings::default());
    let samples = metrics(admin).await;
    let mut zero = vec![
        "foo_connections".to_owned(),
        "foo_connections_refused_total".to_owned(),
        "foo_tls_handshakes_failed_total".to_owned(),
        "foo_accept_failures_total".to_owned(),
        "foo_log_lines_lost_total".to_owned(),
        "foo_admin_connections_closed_total".to_owned(),
        "foo_line_wait_seconds_count".to_owned(),
        "foo_admitted".to_owned(),
        "foo_observed_service_time_seconds".to_owned(),
        "foo_expected_wait_seconds".to_owned(),
        "foo_queue_oldest_age_seconds".to_owned(),
        "foo_queue_commit_seconds_count".to_owned(),
        "foo_queue_duplicates_total".to_owned(),
        "foo_queue_redeliveries_total".to_owned(),
        "foo_queue_write_failures_total".to_owned(),
        "foo_queue_remembered_ids".to_owned(),
        "foo_queue_offer_seconds_count{outcome=\"ok\"}".to_owned(),
    ];
    for door in ["enqueue", "process"] {
        for outcome in [
            "ok",
            "rejected",
            "expired",
            "cancelled",
            "unavailable",
            "invalid",
            "failed",
        ] {
            zero.push(format!("foo_requests_total{{rpc=\"{door}\",outcome=\"{outcome}\"}}"));
        }
        for outcome in [
            "completed",
            "dropped",
            "expired",
            "cancelled",
            "abandoned",
            "failed",
            "work_failed",
        ] {
            zero.push(format!("foo_jobs_total{{door=\"{door}\",outcome=\"{outcome}\"}}"));
        }
        for histogram in ["queue_wait", "service_time", "sojourn_time"] {
            let name = format!("foo_{histogram}_seconds");
            zero.push(format!("{name}_count{{door=\"{door}\"}}"));
            zero.push(format!("{name}_sum{{door=\"{door}\"}}"));
            // Buckets show that it is a histogram and not a summary, so the quantiles of several services can be combined.
            zero.push(format!("{name}_bucket{{door=\"{door}\",le=\"0.25\"}}"));
            zero.push(format!("{name}_bucket{{door=\"{door}\",le=\"+Inf\"}}"));
        }
    }
    for level in ["queue_depth", "queue_bytes", "waiting", "in_service", "in_system"] {
        zero.push(format!("foo_{level}"));
    }
    for series in zero {
        assert_eq!(samples.get(&series).map(|value| &**value), Some("0"), "{series}");
    }
    assert_eq!(
        (&*samples["foo_workers"], &*samples["foo_queue_capacity"]),
        ("1", "1000")
    );
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(samples[&format!("foo_build_info{{version=\"{version}\"}}")], "1");
    assert_eq!(samples["foo_admission_info{limit=\"auto\",line=\"auto\"}"], "1");
    assert_eq!(samples["foo_concurrency_limit"], "1");
    assert_eq!(samples["foo_admin_connections"], "1");
    for series in [
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
    ] {
        assert!(samples.contains_key(series), "{series}");
    }
}

#[tokio::test]
async fn an_unbounded_queue_has_an_infinite_capacity() {
    let (_bed, admin) = start(Settings {
        queue: QueueKind::Unbounded,
        ..Settings::default()
    });
    let capacity: f64 = metrics(admin).await["foo_queue_capacity"].parse().unwrap();
    assert!(capacity.is_infinite());
}

#[tokio::test]
async fn the_counters_are_those_of_the_ledger_and_of_watch() {
    let (bed, admin) = start(Settings {
        service_time: ms(1),
        max_waiting: 0,
        ..Settings::default()
    });
    let caller = bed.caller().await;
    for _ in 0..3 {
        caller.process(message("")).await.unwrap();
        caller.enqueue(message("")).await.unwrap();
        until(|| bed.ledger.levels().in_system == 0).await;
    }
    caller.process(message(&"x".repeat(129))).await.unwrap_err();
    caller
        .process_within(demanding("", ms(60_000)), ms(200))
        .await
        .unwrap_err();
    let gone = tokio::spawn(caller.process(demanding("", ms(60_000))));
    until(|| bed.ledger.levels().in_service == 1).await;
    caller.process(message("")).await.unwrap_err();
    gone.abort();
    until(|| bed.ledger.levels().in_system == 0).await;
    until(|| bed.ledger.requests(Door::Process, RequestOutcome::Cancelled) == 1).await;

    let samples = metrics(admin).await;
    for door in Door::ALL {
        let label = door.label();
        let reading = bed.ledger.door(door);
        for outcome in JobOutcome::ALL {
            let series = format!("foo_jobs_total{{door=\"{label}\",outcome=\"{}\"}}", outcome.label());
            assert_eq!(samples[&series], reading.of(outcome).to_string(), "{series}");
        }
        for outcome in RequestOutcome::ALL {
            let series = format!("foo_requests_total{{rpc=\"{label}\",outcome=\"{}\"}}", outcome.label());
            assert_eq!(
                samples[&series],
                bed.ledger.requests(door, outcome).to_string(),
                "{series}"
            );
        }
        let completed = reading.of(JobOutcome::Completed).to_string();
        for histogram in ["service_time", "sojourn_time"] {
            let series = format!("foo_{histogram}_seconds_count{{door=\"{label}\"}}");
            assert_eq!(samples[&series], completed, "{series}");
        }
    }
    // The queue wait also counts messages that a worker began and did not finish.
    assert_eq!(samples["foo_queue_wait_seconds_count{door=\"process\"}"], "5");

    let Snapshot { enqueue, process, .. } = caller.look().await;
    let counts = |counts: Option<DoorCounts>| {
        let counts = counts.unwrap();
        [
            counts.completed,
            counts.expired,
            counts.cancelled,
            counts.refused,
            counts.inside,
        ]
    };
    assert_eq!(counts(enqueue), [3, 0, 0, 0, 0]);
    assert_eq!(counts(process), [3, 1, 1, 2, 0]);
}

#[tokio::test]
async fn the_levels_are_those_of_the_instant() {
    let (bed, admin) = start(Settings::default());
    let caller = bed.caller().await;
    caller.enqueue(demanding("in service", ms(60_000))).await.unwrap();
    until(|| bed.ledger.levels().in_service == 1).await;
    caller.enqueue(message("12345")).await.unwrap();
    let waiting = tokio::spawn(caller.process(message("")));
    until(|| bed.ledger.levels().waiting == 1).await;
    let samples = metrics(admin).await;
    let level = |name: &str| &*samples[&format!("foo_{name}")];
    assert_eq!(
        [
            "queue_depth",
            "queue_bytes",
            "waiting",
            "in_service",
            "in_system",
            "connections"
        ]
        .map(level),
        ["1", "5", "1", "1", "3", "1"]
    );
    waiting.abort();
}

#[tokio::test]
async fn it_is_alive_all_the_time_and_ready_until_it_drains() {
    let (bed, admin) = start(Settings::default());
    let caller = bed.caller().await;
    assert_eq!(get(admin, "/livez").await, (200, "alive\n".to_owned()));
    assert_eq!(get(admin, "/readyz").await, (200, "ready\n".to_owned()));
    assert_eq!(get(admin, "/nowhere").await.0, 404);

    caller.enqueue(demanding("", ms(60_000))).await.unwrap();
    bed.trigger.drain();
    bed.lifecycle.reached(Phase::Draining).await;
    assert_eq!(get(admin, "/livez").await.0, 200);
    assert_eq!(get(admin, "/readyz").await, (503, "draining\n".to_owned()));
    assert_eq!(metrics(admin).await["foo_in_system"], "1");
    bed.trigger.now();
    bed.ended().await;
}
