//! Instances that share a queue: the audit finds the outcome of each message, no matter which instance processed it.

use std::{fs, path::Path};

use load_client::report::{PointReport, Report, Run};
use rustix::process::Signal;

use crate::support::{Running, Service, assert_balanced, load_client, named, nats::Nats, report, signal};

/// Starts an instance on the shared queue of `nats`, with additional flags.
fn instance(nats: &Nats, more: &[&str]) -> Service {
    let flags = ["--queue", &nats.url, "--queue-lease", "1s", "--service-time", "5ms"];
    Service::start(flags.iter().chain(more))
}

/// The arguments for a load on the instances at `urls`, with additional flags.
fn load<'a>(urls: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let run = ["run", urls, "--mode", "enqueue", "-c", "8", "-r", "200", "--no-tui"];
    run.iter().chain(more).copied().collect()
}

#[test]
fn each_message_is_followed_over_all_instances_of_a_shared_queue() {
    let Some(nats) = Nats::start() else { return };
    let (front, other) = (
        instance(&nats, &["--workers", "0"]),
        instance(&nats, &["--workers", "2"]),
    );
    let _worker = instance(&nats, &["--accept", "none"]);
    let urls = format!("{},{}", front.url, other.url);
    let (output, report) = report(load(&urls, &["-n", "200", "--connections", "2"]));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let run = &report.runs[0];
    assert_balanced(run);
    let audit = run
        .audit
        .as_ref()
        .unwrap_or_else(|| panic!("no message was audited: {said}"));
    assert_eq!(
        (audit.acknowledged, audit.done, audit.unknown),
        (200, 200, 0),
        "{audit:?}"
    );
    assert!(run.service.is_none(), "one instance's word does not stand for both");
}

#[test]
fn messages_that_no_worker_takes_are_queued_and_not_lost() {
    let Some(nats) = Nats::start() else { return };
    let front = instance(&nats, &["--workers", "0"]);
    let (output, report) = report(load(&front.url, &["-n", "50", "--drain-limit", "0s"]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let audit = report.runs[0].audit.as_ref().unwrap();
    assert_eq!(
        (audit.acknowledged, audit.queued, audit.lost, audit.unknown),
        (50, 50, 0, 0),
        "{audit:?}"
    );
}

#[test]
fn messages_of_a_killed_worker_are_delivered_again_and_the_audit_counts_them() {
    let Some(nats) = Nats::start() else { return };
    let shares = ["--queue", &nats.url, "--queue-lease", "1s", "--service-time", "100ms"];
    let start = |more: &[&str]| Service::start(shares.iter().chain(more));
    let front = start(&["--workers", "0"]);
    let workers = ["--accept", "none", "--workers", "2"];
    let (killed, _other) = (start(&workers), start(&workers));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    // More than the workers can do, so that each of them has a message all the time.
    let flags = [
        "-c",
        "8",
        "-r",
        "60",
        "-n",
        "300",
        "--no-tui",
        "--json",
        file.to_str().unwrap(),
    ];
    let running = Running::start(load_client(
        ["run", &front.url, "--mode", "enqueue"].iter().chain(&flags),
    ));
    running.wait_for_line("scheduled");
    killed.kill();
    let (status, said) = running.wait();
    assert!(status.success(), "{said:?}");
    let report: Report = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let audit = report.runs[0].audit.as_ref().unwrap();
    assert!(audit.balances(), "{audit:?}");
    assert_eq!((audit.acknowledged, audit.done, audit.lost), (300, 300, 0), "{audit:?}");
    assert!(
        audit.redelivered >= 1 && audit.duplicated <= audit.redelivered,
        "{audit:?}"
    );
}

/// What must hold of a run of so many requests whose queue is shared: each is done once, and the server has nothing left of it.
fn assert_all_done(run: &Run, requests: u64, nats: &Nats) {
    assert_balanced(run);
    let audit = run.audit.as_ref().unwrap();
    assert_eq!(
        (audit.acknowledged, audit.done, audit.unknown),
        (requests, requests, 0),
        "{audit:?}"
    );
    let service = run.service.as_ref().unwrap();
    assert_eq!(
        (service.counts.admitted, service.counts.completed, service.queued),
        (requests, requests, 0),
        "{service:?}"
    );
    assert_nothing_is_left(nats);
}

fn assert_nothing_is_left(nats: &Nats) {
    let streams = nats.streams();
    assert!(streams.contains("\"total\":0"), "{streams}");
}

#[test]
fn two_services_that_share_a_queue_keep_up_where_one_worker_does_not() {
    let Some(nats) = Nats::start() else { return };
    let strategies = "async-unbounded,async-durable";
    let (output, report) = report([
        "compare",
        "--nats",
        &nats.url,
        "--strategy",
        strategies,
        "-n",
        "80",
        "-q",
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names: Vec<_> = report
        .runs
        .iter()
        .map(|run| (run.name.as_str(), run.virtual_time))
        .collect();
    // A server knows no virtual time.
    assert_eq!(
        names,
        [
            ("async-unbounded", false),
            ("async-durable", false),
            ("async-unbounded", true)
        ]
    );
    let durable = named(&report, "async-durable");
    assert_all_done(durable, 80, &nats);
    assert_eq!(durable.audit.as_ref().unwrap().redelivered, 0);
    let end = |run: &Run| run.service.as_ref().unwrap().queue_depth_end.unwrap();
    // Half of what is sent is left with one worker. With two nothing is, on a machine that is at rest.
    let unbounded = end(named(&report, "async-unbounded"));
    assert!(
        unbounded >= 30 && end(durable) < unbounded / 2,
        "{} and {unbounded}",
        end(durable)
    );
}

#[test]
fn a_lab_has_several_instances_and_an_event_changes_the_workers_of_all() {
    let Some(nats) = Nats::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lab.toml");
    let lab = format!(
        "[load]\nclients = 4\nrps = 16\nduration = \"6s\"\n[[strategy]]\nname = \"shared\"\nmode = \"enqueue\"\ninstances = 2\n\
         queue = \"{}\"\nservice = {{ workers = 2, service-time = \"250ms\" }}\n[[event]]\nat = \"3s\"\nservice = {{ workers = 6 }}\n",
        nats.url
    );
    fs::write(&file, lab).unwrap();
    let (output, report) = report(["compare", file.to_str().unwrap(), "-q"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = named(&report, "shared");
    assert_all_done(run, 96, &nats);
    assert_eq!(
        run.events.as_ref().unwrap()[0].says,
        "6 workers instead of 2",
        "{:?}",
        run.events
    );
    // 16 per second are too many for two workers, so all workers are busy: each instance has at most one message more than it
    // has workers.
    let taken = |point: &PointReport| Some(point.in_system?.saturating_sub(point.queue_depth?));
    let most = |from: f64, to: f64| {
        let points = run.series.iter().filter(|point| (from..to).contains(&point.t));
        points.filter_map(taken).max().unwrap()
    };
    assert!(most(0.0, 3.0) <= 4, "{:?}", run.series);
    assert!(most(4.0, 60.0) > 4, "{:?}", run.series);
}

/// Starts `compare --nats` with a shared queue alone, and waits until it sends. `file` is for its report.
fn sending(nats: &Nats, file: &Path, more: &[&str]) -> Running {
    let mut command = load_client([
        "compare",
        "--nats",
        &nats.url,
        "--strategy",
        "async-durable",
        "--no-tui",
    ]);
    command.args(more).arg("--json").arg(file);
    let running = Running::start(command);
    running.wait_for_line("scheduled");
    running
}

#[test]
fn a_stop_ends_with_a_report_and_leaves_nothing_on_the_server() {
    let Some(nats) = Nats::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let running = sending(&nats, &file, &["-z", "10min"]);
    assert!(nats.streams().contains("FOO_load-client-"), "{}", nats.streams());
    signal(running.child(), Signal::INT);
    let (status, said) = running.wait();
    assert!(status.success(), "{said:?}");
    let report: Report = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert_balanced(&report.runs[0]);
    assert_nothing_is_left(&nats);
}

#[test]
fn a_server_that_goes_away_for_good_ends_in_a_report_and_a_word_about_what_is_left_there() {
    let Some(nats) = Nats::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let running = sending(&nats, &file, &["-z", "5s", "--drain-limit", "1s"]);
    drop(nats);
    let (status, said) = running.wait();
    assert!(status.success(), "{said:?}");
    assert!(
        said.iter()
            .any(|line| line.starts_with("load-client: the queue of this run is left on its server: ")),
        "{said:?}"
    );
    let report: Report = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let run = &report.runs[0];
    assert_balanced(run);
    assert!(run.ledger.ok > 0 && run.ledger.unavailable > 0, "{:?}", run.ledger);
}

#[test]
fn a_server_that_is_away_and_what_cannot_be_are_said_in_one_line() {
    let refused = |flags: &[&str]| {
        // The flags come later, so that this build runs: another one may know no shared queues.
        let output = load_client(["compare", "-q", "-z", "1s"]).args(flags).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // The first service is started before it, and ended again.
    let (code, said) = refused(&["--nats", "nats://127.0.0.1:1"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.starts_with("load-client: async-durable: cannot reach the queue's server 127.0.0.1:1: ")
            && said.ends_with("Start the server, or name another one\n")
            && said.lines().count() == 1,
        "{said}"
    );
    for (flags, says) in [
        (
            &["--nats", "nats://localhost", "--virtual-time"][..],
            "--nats and --virtual-time contradict each other",
        ),
        (&["--nats", "http://localhost"], "must begin with nats:// or tls://"),
        (&["--nats", "nats://me:secret@localhost"], "--queue-credentials"),
        (
            &["--strategy", "async-durable"],
            "async-durable needs the server of its queue: add --nats nats://HOST:PORT",
        ),
    ] {
        let (code, said) = refused(flags);
        assert_eq!(code, Some(2), "{flags:?}: {said}");
        assert!(said.contains(says) && !said.contains("secret"), "{flags:?}: {said}");
    }
    let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/../labs/spike.toml");
    let (code, said) = refused(&[lab, "--nats", "nats://localhost"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("--nats means nothing here"), "{said}");
}
