//! Two processes: the load client, and a service that starts late or is restarted during the run.

use crate::support::{Running, Service, assert_balanced, free_address, load_client, report};
use rustix::process::Signal;

fn read_report(file: &std::path::Path) -> load_client::report::Run {
    let text = std::fs::read_to_string(file).unwrap();
    let report: load_client::report::Report = serde_json::from_str(&text).unwrap();
    report.runs.into_iter().next().unwrap()
}

#[test]
fn waits_for_a_service_that_comes_late() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let address = free_address();
    let mut command = load_client([
        "run",
        &format!("http://{address}"),
        "-n",
        "8",
        "--connect-timeout",
        "60s",
    ]);
    command.arg("--json").arg(&file);
    let client = Running::start(command);
    client.wait_for_line("waiting for the service to answer");
    let _service = Service::start_at(&address, ["--service-time", "1ms"]);
    let (status, said) = client.wait();
    assert!(status.success(), "{said:?}");
    assert_eq!(read_report(&file).ledger.ok, 8);
}

#[test]
fn gives_up_on_a_service_that_never_comes() {
    let url = format!("http://{}", free_address());
    let output = load_client(["run", &url, "--connect-timeout", "300ms"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains(&url) && said.contains("300ms") && said.contains("refused"),
        "{said}"
    );
    assert!(output.stdout.is_empty(), "nothing is printed as a result");
}

/// Kills the service in the middle of a run and starts it again. The run must go on. Returns it.
fn survives_a_restart(mode: &str, flags: &[&str]) -> load_client::report::Run {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let flags = [&["--service-time", "30ms"], flags].concat();
    let service = Service::start(&flags);
    let address = service.address();
    let mut command = load_client(["run", &service.url, "--mode", mode, "-c", "10", "-r", "100", "-z", "0s"]);
    command.args(["--drain-limit", "60s", "--json"]).arg(&file);
    let client = Running::start(command);
    // At this line, some requests have been answered and others are in flight.
    client.wait_for_line("scheduled");
    service.kill();
    client.wait_for_line("unavailable");
    let _service = Service::start_at(&address, &flags);
    client.wait_for_line("in system");
    client.wait_for_line("in system");
    crate::support::signal(client.child(), Signal::INT);
    let (status, said) = client.wait();
    assert!(status.success(), "{said:?}");
    let run = read_report(&file);
    assert_balanced(&run);
    assert!(run.ledger.unavailable > 0, "{:?}", run.ledger);
    let service = run.service.as_ref().unwrap();
    assert_eq!(service.restarts, 1);
    assert!(service.counts.completed > 0, "the new instance has done something");
    run
}

#[test]
fn a_synchronous_run_goes_on_when_the_service_is_killed_and_restarted() {
    let run = survives_a_restart("process", &[]);
    assert!(run.audit.is_none());
}

#[test]
fn what_a_killed_service_had_accepted_is_unknown_not_lost() {
    let run = survives_a_restart("enqueue", &[]);
    // 100 messages a second are queued and 33 are processed, so the killed instance had a backlog.
    assert!(run.audit.unwrap().unknown > 0);
}

#[test]
fn what_a_killed_service_had_accepted_on_a_durable_queue_is_neither_lost_nor_unknown() {
    let queue = tempfile::tempdir().unwrap();
    let queue = queue.path().to_str().unwrap();
    let run = survives_a_restart("enqueue", &["--queue", "durable", "--queue-dir", queue]);
    let audit = run.audit.unwrap();
    assert_eq!((audit.lost, audit.unknown), (0, 0), "{audit:?}");
    // All acknowledged messages that are not done are still on the queue.
    assert_eq!(audit.acknowledged, audit.done + audit.queued, "{audit:?}");
    let service = run.service.unwrap();
    let inside = service.counts.admitted - service.counts.completed;
    // The two numbers are read one after the other while the service works, so they can differ a little.
    assert!(inside.abs_diff(service.queued) <= 10, "{service:?}");
}

#[test]
fn running_services_can_be_compared() {
    let service = Service::start(["--service-time", "20ms"]);
    let target = |name: &str| format!("{name}:{}", service.url);
    let (output, report) = report([
        "compare",
        "--target",
        &target("sync=enqueue"),
        "--target",
        &target("async=process"),
        "-z",
        "2s",
        "-q",
    ]);
    assert!(output.status.success());
    let doors: Vec<_> = report
        .runs
        .iter()
        .map(|run| (run.name.as_str(), run.rpc.as_str()))
        .collect();
    assert_eq!(
        doors,
        [("sync", "enqueue"), ("async", "process")],
        "nothing follows from a name"
    );
    let table = String::from_utf8_lossy(&output.stdout);
    for row in ["sync   Enqueue", "async  Process"] {
        assert!(table.lines().any(|line| line.starts_with(row)), "{table}");
    }
    report.runs.iter().for_each(assert_balanced);
    assert_eq!(report.runs[0].audit.as_ref().unwrap().done, 16);
}

#[test]
fn a_mode_is_the_rpc_of_targets_that_name_none() {
    let service = Service::start(["--service-time", "1ms"]);
    let [plain, own] = ["a=", "b=process:"].map(|name| format!("{name}{}", service.url));
    let args = [
        "compare", "--mode", "enqueue", "--target", &plain, "--target", &own, "-z", "1s", "-q",
    ];
    let (output, report) = report(args);
    assert!(output.status.success());
    let doors: Vec<&str> = report.runs.iter().map(|run| run.rpc.as_str()).collect();
    assert_eq!(doors, ["enqueue", "process"]);
}

#[test]
fn a_target_without_an_rpc_is_refused_with_the_right_spelling() {
    let output = load_client(["compare", "--target", "queue=http://127.0.0.1:1"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    for part in [
        "queue=enqueue:http://127.0.0.1:1",
        "queue=process:http://127.0.0.1:1",
        "--mode",
    ] {
        assert!(said.contains(part), "{said}");
    }
}
