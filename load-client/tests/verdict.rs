//! Whether a report says that its figures are the generator's own, and with which numbers.

mod support;

use std::time::Duration;

use support::{
    assert_balanced,
    own_server::{Behaviour, serve},
    report,
};

/// Eight at once, 50 ms each, over connections that let two streams be open.
fn narrow(connections: &str, rules: &[&str]) -> (std::process::Output, load_client::report::Run) {
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
    // Two at once have a stream from the start, and whoever comes later waits for one of their 50 ms at least.
    assert!(verdict.stream_waits >= 70, "{verdict:?}");
    assert!(verdict.stream_wait_max_seconds.unwrap() >= 0.05, "{verdict:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("CLIENT-LIMITED: run: "), "{text}");
    assert!(text.contains("--connections"), "{text}");
}

#[test]
fn with_connections_enough_no_send_waits_for_a_stream() {
    let (_, run) = narrow("4", &[]);
    assert_eq!(run.verdict.stream_waits, 0, "{:?}", run.verdict);
    assert_eq!(run.verdict.stream_wait_max_seconds, None);
    // Whatever else this machine has to do: the processor time of the sending threads is known, and is no wait.
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
}
