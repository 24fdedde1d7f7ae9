//! The worked example in virtual time: four clients send two messages a second each to a service that processes four a second.
//! The figures are known exactly, so they are the reference for all other tests.

use crate::support::{assert_balanced, load_client, long_tests, named, report};
use load_client::report::{Report, Run};

const MINUTE: [&str; 5] = ["compare", "--virtual-time", "--duration", "60s", "-q"];

fn near(what: &str, value: u64, expected: u64) {
    assert!(value.abs_diff(expected) <= 4, "{what}: {value}, expected {expected}");
}

fn max(times: Option<load_client::report::DistributionReport>) -> f64 {
    times.unwrap().max
}

fn service(run: &Run) -> &load_client::report::ServiceReport {
    run.service.as_ref().unwrap()
}

fn done(run: &Run) -> u64 {
    run.audit.as_ref().map_or(run.ledger.ok, |audit| audit.done)
}

fn check(report: &Report, minutes: u64) {
    assert_eq!(report.runs.len(), 5);
    for run in &report.runs {
        assert_balanced(run);
        assert!(run.virtual_time && !run.verdict.client_limited);
        assert_eq!(run.ledger.intended, 480 * minutes, "{}", run.name);
        assert_eq!(
            (run.ledger.failed, run.ledger.unavailable, run.ledger.expired),
            (0, 0, 0)
        );
        assert_eq!(service(run).queued, 0, "virtual time waits for the drain");
        assert!(run.series.len() <= 600);
    }
    let seconds = 60 * minutes;

    let unbounded = named(report, "async-unbounded");
    near(
        "queued at the end",
        service(unbounded).queue_depth_end.unwrap(),
        4 * seconds,
    );
    near("done", done(unbounded), 480 * minutes);
    let newest_waits = max(unbounded.queue_wait_seconds);
    assert!(
        (newest_waits - seconds as f64).abs() < 1.0,
        "the newest waited {newest_waits} s"
    );

    let scaled = named(report, "async-scaled");
    near("done", done(scaled), 480 * minutes);
    assert!(service(scaled).queue_depth_max <= 4, "two workers keep the queue flat");

    let bounded = named(report, "async-bounded");
    near("dropped", service(bounded).counts.dropped, 240 * minutes - 8);
    near("done", done(bounded), 240 * minutes + 8);
    assert!(max(bounded.queue_wait_seconds) <= 2.25);

    let sync = named(report, "sync");
    near("done", done(sync), 240 * minutes);
    near("withheld", sync.ledger.withheld, 240 * minutes);
    assert!(service(sync).in_system_max <= 4);
    assert!(max(sync.time_to_done_seconds) <= 1.0);

    let shed = named(report, "sync-shed");
    near("done", done(shed), 240 * minutes);
    assert!(
        shed.ledger.rejected > shed.ledger.withheld,
        "the rest is rejected, few are withheld"
    );
    // Requests are scheduled between the ticks of the clock (1 ms), so up to a tick is added.
    assert!(max(shed.time_to_done_seconds) <= 0.501);
}

#[test]
fn a_minute_gives_the_table_of_the_worked_example() {
    let (output, report) = report(MINUTE);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    check(&report, 1);
    let screen = String::from_utf8(output.stdout).unwrap();
    let sentences = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "It grew by 4.0 messages per second.",
        "this is backpressure",
        "the senders were not told",
    ] {
        assert!(sentences.contains(words), "{screen}");
    }
    assert!(!screen.contains('\u{1b}'), "no colours where there is no terminal");
}

#[test]
fn a_long_run_goes_the_same_way() {
    // The default duration of `compare --virtual-time` is an hour.
    let minutes = if long_tests() { 60 } else { 5 };
    let duration = format!("{minutes}min");
    let (output, report) = report(["compare", "--virtual-time", "-q", "--duration", &duration]);
    assert!(output.status.success());
    check(&report, minutes);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, seed: &str| {
        let file = folder.path().join(name);
        let status = load_client(MINUTE)
            .args(["--seed", seed, "--json"])
            .arg(&file)
            .output()
            .unwrap()
            .status;
        assert!(status.success());
        std::fs::read(file).unwrap()
    };
    let first = write("first.json", "7");
    assert!(first == write("of-another-name.json", "7"));
    assert!(first != write("first.json", "8"));
}

#[test]
fn an_answer_at_the_tick_of_the_next_send_is_in_time() {
    // The period of the one client is the service time, so in virtual time every answer and the next request are at the same tick.
    // Without `settle` this test fails: 120 of 240 requests are withheld.
    for seed in ["1", "2", "3"] {
        let args = ["compare", "--virtual-time", "--strategy", "sync", "-z", "60s", "-q"];
        let (_, report) = report(args.into_iter().chain(["-c", "1", "-r", "4", "--seed", seed]));
        let ledger = &named(&report, "sync").ledger;
        assert_eq!((ledger.ok, ledger.withheld), (240, 0), "{ledger:?}");
    }
}

#[test]
fn poisson_arrivals_are_as_reproducible() {
    let args = [
        "compare",
        "--virtual-time",
        "-z",
        "120s",
        "--arrival",
        "poisson",
        "--timeout",
        "2s",
        "-q",
    ];
    let (_, first) = report(args);
    let (_, second) = report(args);
    assert_eq!(first, second);
    first.runs.iter().for_each(assert_balanced);
}

#[test]
fn one_strategy_can_be_picked_and_an_unknown_one_is_a_usage_error() {
    let (_, one) = report(["compare", "--virtual-time", "-z", "10s", "--strategy", "sync", "-q"]);
    assert_eq!(one.runs.len(), 1);
    let output = load_client(["compare", "--strategy", "nosuch"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("async-unbounded, async-scaled"));
}
