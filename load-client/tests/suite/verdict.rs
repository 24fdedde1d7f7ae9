//! The verdict of a report: whether the load client or the service limited the load, and the figures behind that.

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

/// A run with eight requests at once, of 50 ms each, over connections that allow only two open streams.
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
    // Only two calls get a stream at once. Later calls wait for a stream, some for at least 50 ms.
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
    // This is right on a busy machine too: the share counts the processor time of the sending threads, without time that they wait.
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

/// A run with four clients, each with one request in flight. The rate is much higher than they can reach at this service time.
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
    // On a busy machine the load client may be late. Then the verdict names the load client as the limit, and the run proves
    // nothing about the service or the clients, so another run is made.
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
    // This service admits every call at once, and has no Watch.
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
    // With one worker and four clients, each answer takes four times the service time.
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
    // Seven of the threads had nothing to send, and ended at once.
    assert!(verdict.cpu_share.is_none_or(|share| share < 0.9), "{verdict:?}");
}
