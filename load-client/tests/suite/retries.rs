//! Retries of failed requests: attempts add up, clients pause as long as the service asks, and Ctrl-C ends a run between two
//! attempts.

use std::{fmt::Write, fs, time::Duration};

use load_client::report::{Report, Run};
use rustix::process::Signal;

use crate::support::{
    Running, Service, assert_balanced, load_client, named, own_server::serve_pushback, report, scrape::Page, signal,
};

/// Runs strategies in virtual time for a minute, at twice the capacity of one worker that takes 250 ms for a message.
fn at_twice_the_capacity(strategies: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("retries.toml");
    let load =
        "[load]\nclients = 64\nrps = 8\nduration = \"60s\"\ntimeout = \"10s\"\n[service]\nservice-time = \"250ms\"\n";
    fs::write(&file, format!("{load}{strategies}")).unwrap();
    let (output, report) = report(["compare", file.to_str().unwrap(), "--virtual-time", "-q"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    report.runs.iter().for_each(assert_balanced);
    report
}

fn attempts(run: &Run) -> &load_client::ledger::AttemptCounts {
    let attempts = run.attempts.as_ref().unwrap();
    assert!(attempts.counts.balances(), "{:?}", attempts.counts);
    &attempts.counts
}

#[test]
fn three_retries_at_once_multiply_the_load_by_the_closed_form_and_help_no_request() {
    let report = at_twice_the_capacity(
        r#"
[[strategy]]
name = "once"
mode = "process"
service = { max-waiting = 0 }

[[strategy]]
name = "naive"
mode = "process"
service = { max-waiting = 0 }
load = { retries = 3, pushback = "ignore" }
"#,
    );
    let (once, naive) = (named(&report, "once"), named(&report, "naive"));
    assert!(once.attempts.is_none());
    // A retry at the same instant finds the worker still busy, so it gains nothing, and each rejected request makes four attempts.
    assert_eq!(once.ledger, naive.ledger);
    let counts = attempts(naive);
    let ledger = &naive.ledger;
    assert!(ledger.rejected > 100 && ledger.ok > 100, "{ledger:?}");
    assert_eq!(counts.attempts, ledger.ok + 4 * ledger.rejected);
    assert_eq!((counts.ok, counts.rejected), (ledger.ok, 4 * ledger.rejected));
    assert_eq!(counts.retried_then_ok, 0);
    let sent = (ledger.ok + ledger.rejected) as f64;
    let expected = 1.0 + 3.0 * ledger.rejected as f64 / sent;
    let amplification = naive.attempts.as_ref().unwrap().per_request.unwrap();
    assert!((amplification - expected).abs() < 1e-9, "{amplification} {expected}");
}

#[test]
fn pauses_budgets_hedges_and_throttles_do_what_they_say_and_are_the_same_every_time() {
    let strategies = r#"
[[strategy]]
name = "patient"
mode = "process"
service = { max-waiting = 0 }
load = { retries = 9, backoff = "100ms..2s", pushback = "ignore" }

[[strategy]]
name = "pushed"
mode = "process"
service = { max-waiting = 0 }
load = { retries = 9 }

[[strategy]]
name = "budget"
mode = "process"
service = { max-waiting = 0 }
load = { retries = 3, retry-budget = "10%" }

[[strategy]]
name = "hedged"
mode = "process"
service = { workers = 4, service-time-distribution = "exponential" }
load = { hedge = "300ms" }

[[strategy]]
name = "throttled"
mode = "process"
service = { service-time = "2s", max-waiting = 0 }
load = { throttle = "adaptive:10s" }
"#;
    let report = at_twice_the_capacity(strategies);
    let patient = attempts(named(&report, "patient"));
    assert!(patient.retried_then_ok > 50, "{patient:?}");
    let pushed = attempts(named(&report, "pushed"));
    assert!(pushed.retried_then_ok > 50, "{pushed:?}");
    let budget = attempts(named(&report, "budget"));
    // The budget allows at most half of its ten tokens, and a tenth of a token for each OK answer.
    let retries = budget.attempts - named(&report, "budget").ledger.intended;
    assert!(retries as f64 <= 5.0 + 0.1 * budget.ok as f64, "{budget:?}");
    assert!(budget.given_up_by_budget > 100, "{budget:?}");
    let hedged = attempts(named(&report, "hedged"));
    assert!(
        hedged.hedges_won > 10 && hedged.cancelled > 10 && hedged.hedges > hedged.hedges_won,
        "{hedged:?}"
    );
    let throttled = named(&report, "throttled");
    assert!(throttled.ledger.throttled > 100, "{:?}", throttled.ledger);
    assert_eq!(
        attempts(throttled).attempts + throttled.ledger.throttled,
        throttled.ledger.intended
    );
    assert_eq!(report.runs, at_twice_the_capacity(strategies).runs);
}

#[test]
fn the_service_sees_each_attempt() {
    let service = Service::start(["--service-time", "20ms", "--max-waiting", "0"]);
    let flags = [
        "-c",
        "16",
        "-r",
        "200",
        "-n",
        "300",
        "--retries",
        "2",
        "--pushback",
        "ignore",
        "-q",
    ];
    let (_, report) = report(["run", &service.url].into_iter().chain(flags));
    let run = &report.runs[0];
    assert_balanced(run);
    let counts = attempts(run);
    assert!(counts.attempts > run.ledger.intended, "{counts:?}");
    let page = Page::scrape(&service.admin);
    assert_eq!(page.sum("foo_requests_total"), counts.attempts, "{counts:?}");
}

#[test]
fn a_server_that_names_a_time_is_not_tried_earlier_and_one_that_forbids_it_not_at_all() {
    let (url, arrived) = serve_pushback("200");
    let (_, first) = report(["run", &url, "-n", "1", "--retries", "2", "-q"]);
    let arrivals = arrived.lock().unwrap().clone();
    assert_eq!(arrivals.len(), 3);
    for pair in arrivals.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(200), "{arrivals:?}");
    }
    assert_eq!(
        (attempts(&first.runs[0]).rejected, first.runs[0].ledger.rejected),
        (3, 1)
    );

    let (url, arrived) = serve_pushback("-1");
    let (_, never) = report(["run", &url, "-n", "5", "-r", "100", "--retries", "2", "-q"]);
    assert_eq!(arrived.lock().unwrap().len(), 5);
    assert_eq!(attempts(&never.runs[0]).given_up_by_pushback, 5);
    let ignoring = ["-n", "5", "-r", "100", "--retries", "2", "--pushback", "ignore", "-q"];
    report(["run", &url].into_iter().chain(ignoring));
    assert_eq!(arrived.lock().unwrap().len(), 5 + 15);
}

#[test]
fn a_request_that_is_stopped_between_two_attempts_counts_as_what_it_was_last() {
    let (url, _) = serve_pushback("3600000");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let flags = [
        "-c",
        "4",
        "-z",
        "0s",
        "-r",
        "20",
        "--timeout",
        "2h",
        "--retries",
        "2",
        "--json",
    ];
    let client = Running::start(load_client(
        ["run", &url].into_iter().chain(flags).chain([file.to_str().unwrap()]),
    ));
    client.wait_for_line("scheduled     4");
    signal(client.child(), Signal::INT);
    let (_, said) = client.wait();
    let report: Report =
        serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap_or_else(|_| panic!("{said:?}"));
    let ledger = &report.runs[0].ledger;
    assert!(ledger.balances(), "{ledger:?}");
    assert_eq!((ledger.rejected, ledger.in_flight), (4, 0), "{ledger:?}");
    assert_eq!(attempts(&report.runs[0]).attempts, 4);
}

/// Script j: the service fails for a minute. The same load is run with an end after each second of that minute, so the difference
/// between two runs is what happened in one second.
#[test]
fn a_throttle_tries_a_service_that_is_away_in_each_second() {
    let mut lab = r#"
[load]
clients = 4
max-in-flight = 100
rps = 4
arrival = "poisson"
timeout = "1s"
throttle = "adaptive:30s"

[service]
workers = 10
service-time = "100ms"
fail-time = "10ms"

[[event]]
at = "9s"
service = { fail-rate = "100%" }
"#
    .to_owned();
    for second in 10..=70 {
        let strategy = format!("[[strategy]]\nname = \"s{second}\"\nmode = \"process\"");
        writeln!(lab, "{strategy}\nload = {{ duration = \"{second}s\" }}").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("away.toml");
    fs::write(&file, lab).unwrap();
    let (output, report) = report(["compare", file.to_str().unwrap(), "--virtual-time", "-q"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    report.runs.iter().for_each(assert_balanced);
    let ended = |run: &Run| {
        let failed = run.ledger.unavailable;
        assert_eq!(failed, attempts(run).attempts - run.ledger.ok, "{:?}", run.ledger);
        (run.ledger.intended, failed, run.ledger.throttled)
    };
    for pair in report.runs.windows(2) {
        let (before, after) = (ended(&pair[0]), ended(&pair[1]));
        let (due, tried, held_back) = (after.0 - before.0, after.1 - before.1, after.2 - before.2);
        assert_eq!(due, tried + held_back, "{}", pair[1].name);
        assert!(
            tried > 0 || due == 0,
            "{}: {due} requests and none was tried",
            pair[1].name
        );
    }
    let (tried, held_back) = (
        ended(report.runs.last().unwrap()).1,
        ended(report.runs.last().unwrap()).2,
    );
    assert!(held_back > tried / 2, "{held_back} held back, {tried} tried");
}
