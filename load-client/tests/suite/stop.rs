//! Ctrl-C at any moment of a run: the program writes the report so far, and its counts add up.

use crate::support::{Running, Service, assert_balanced, load_client, signal};
use load_client::report::Report;
use rustix::process::Signal;

fn stopped(mut command: std::process::Command, at: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    command.arg("--json").arg(&file);
    let client = Running::start(command);
    client.wait_for_line(at);
    signal(client.child(), Signal::INT);
    let (status, said) = client.wait();
    assert!(status.success(), "{said:?}");
    serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap()
}

#[test]
fn a_comparison_under_load_ends_with_the_report_so_far() {
    let report = stopped(load_client(["compare"]), "sync-shed:");
    assert_eq!(report.runs.len(), 5, "no table in virtual time after a stop");
    for run in &report.runs {
        assert_balanced(run);
        assert!(run.ledger.intended > 0 && run.load.duration_seconds < 20.0);
    }
}

#[test]
fn a_comparison_that_drains_says_what_is_still_queued() {
    let report = stopped(load_client(["compare", "-z", "5s"]), "works off what is left");
    let unbounded = crate::support::named(&report, "async-unbounded");
    assert_balanced(unbounded);
    assert!(unbounded.service.as_ref().unwrap().queued > 0);
    assert!(unbounded.audit.as_ref().unwrap().queued > 0);
}

#[test]
fn a_run_without_end_ends_when_it_is_told_to() {
    let service = Service::start(["--service-time", "5ms"]);
    let report = stopped(load_client(["run", &service.url, "-z", "0s", "-r", "0"]), "ok ");
    let run = &report.runs[0];
    assert_balanced(run);
    assert!(run.ledger.ok > 0);
    assert_eq!(run.load.arrival, "as-fast-as-possible");
}

#[test]
fn calls_that_nobody_answers_do_not_hold_up_the_report() {
    let service = Service::start(["--service-time", "1h"]);
    let report = stopped(
        load_client(["run", &service.url, "-c", "4", "--timeout", "1h", "-z", "0s"]),
        "scheduled",
    );
    assert_balanced(&report.runs[0]);
    assert_eq!(report.runs[0].ledger.in_flight, 4);
}
