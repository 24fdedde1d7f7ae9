//! Whether a report says that its figures are the load client's own, and with which numbers.

use std::time::Duration;

use crate::support::{
    Service, assert_balanced,
    own_server::{Behaviour, serve},
    report,
};
use load_client::{
    report::{Limit, Run},
    verdict::LATE,
};

/// Eight at once, 50 ms each, over connections that let two streams be open.
fn narrow(connections: &str, rules: &[&str]) -> (std::process::Output, Run) {
    let url = serve(Behaviour {
        refused_of_ten: 0,
        takes: Duration::from_millis(50),
        streams: Some(2),
    });
    let load = [
        "run",
        &url,
        "-c",
        "8",
        "--connections",
        connections,
        "-r",
        "0",
        "-n",
        "80",
    ];
    let (output, report) = report(load.iter().chain(rules));
    let run = report.runs.into_iter().next().unwrap();
    assert_balanced(&run);
    assert_eq!(run.ledger.ok, 80);
    (output, run)
}

#[test]
fn sends_that_wait_for_a_stream_are_the_generators_own_limit() {
    let (output, run) = narrow("1", &["--fail-if", "client-limited"]);
    assert_eq!(output.status.code(), Some(99));
    let verdict = &run.verdict;
    assert!(verdict.client_limited, "{verdict:?}");
    // Two at once have a stream from the start, and later calls wait for one of their 50 ms at least.
    assert!(verdict.stream_waits >= 70, "{verdict:?}");
    assert!(verdict.stream_wait_max_seconds.unwrap() >= 0.05, "{verdict:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("CLIENT-LIMITED: Process: "), "{text}");
    assert!(text.contains("--connections"), "{text}");
}

#[test]
fn with_connections_enough_no_send_waits_for_a_stream() {
    let (_, run) = narrow("4", &[]);
    assert_eq!(run.verdict.stream_waits, 0, "{:?}", run.verdict);
    assert_eq!(run.verdict.stream_wait_max_seconds, None);
    // Even on a busy machine: the processor time of the sending threads is known, and is no wait.
    let cpu = run.verdict.cpu_share.unwrap();
    assert!(cpu > 0.0 && cpu < 1.1, "{cpu}");
    assert_eq!(run.verdict.withheld_share, Some(0.0));
}

#[test]
fn in_virtual_time_no_processor_is_asked() {
    let (_, report) = report(["compare", "--virtual-time", "-z", "10s", "--strategy", "sync", "-q"]);
    let verdict = &report.runs[0].verdict;
    assert_eq!((verdict.cpu_share, verdict.client_limited), (None, false));
    assert!(verdict.withheld_share.unwrap() > 0.3);
    assert_eq!(verdict.limited_by, Some(Limit::Service));
}

/// Four clients with one request in flight each; the rate is far more than they can make at the service time.
fn four_clients(url: &str, flags: &[&str]) -> (std::process::Output, Run) {
    let load = [
        "run",
        url,
        "-c",
        "4",
        "-r",
        "50",
        "-z",
        "2s",
        "--connections",
        "1",
        "--fail-if",
        "client-limited",
    ];
    // A machine with other work may make the load client late. Then the load client is the limit, as its verdict says, and the
    // run shows nothing of the service or the clients: another one is made.
    let one_run = || {
        let (output, report) = report(load.iter().chain(flags));
        let run = report.runs.into_iter().next().unwrap();
        assert_balanced(&run);
        (output, run)
    };
    let was_late = |run: &Run| run.verdict.start_lag_p99_seconds.unwrap() > LATE.as_secs_f64();
    let (output, run) = (0..3)
        .map(|_| one_run())
        .find(|(_, run)| !was_late(run))
        .unwrap_or_else(one_run);
    assert!(run.verdict.withheld_share.unwrap() > 0.1, "{:?}", run.verdict);
    (output, run)
}

#[test]
fn too_few_clients_for_a_service_without_a_line_are_the_limit_and_the_number_needed_is_told() {
    // It admits every call at once, and shows nothing of itself.
    let url = serve(Behaviour {
        refused_of_ten: 0,
        takes: Duration::from_millis(200),
        streams: None,
    });
    let (output, run) = four_clients(&url, &[]);
    assert_eq!(output.status.code(), Some(99));
    let verdict = &run.verdict;
    assert_eq!(
        (verdict.limited_by, verdict.client_limited),
        (Some(Limit::Clients), true),
        "{verdict:?}"
    );
    assert!(
        verdict
            .reason
            .starts_with("4 clients with 1 request in flight each can make at most "),
        "{verdict:?}"
    );
    assert!(
        verdict.reason.ends_with("raise --clients or --max-in-flight"),
        "{verdict:?}"
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&verdict.reason), "{text}");
}

#[test]
fn a_service_that_lets_its_callers_wait_is_the_limit_and_no_client_is_blamed() {
    // One worker: with four clients each answer takes four times as long.
    let service = Service::start(["--service-time", "200ms", "--workers", "1", "--max-waiting", "10"]);
    for call in [
        &[][..],
        &[
            "--call",
            "foo.v1.FooService/Process",
            "--data",
            r#"{"message": {"id": "{{id}}"}}"#,
        ],
    ] {
        let (output, run) = four_clients(&service.url, call);
        let verdict = &run.verdict;
        assert_eq!(
            (verdict.limited_by, verdict.client_limited),
            (Some(Limit::Service), false),
            "{verdict:?}"
        );
        assert_eq!(output.status.code(), Some(0), "{verdict:?}");
    }
}

#[test]
fn a_run_of_one_request_is_over_before_its_threads_can_be_judged() {
    let service = Service::start(["--service-time", "1ms"]);
    let (_, report) = report([
        "run",
        &service.url,
        "-n",
        "1",
        "-c",
        "8",
        "--connections",
        "8",
        "--threads",
        "8",
    ]);
    let verdict = &report.runs[0].verdict;
    // Seven of the threads had nothing to send, and were over at once.
    assert!(verdict.cpu_share.is_none_or(|share| share < 0.9), "{verdict:?}");
}
