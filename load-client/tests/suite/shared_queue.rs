//! Instances that share a queue: the audit follows each message over all of them, whichever instance did it.

use crate::support::{Service, assert_balanced, nats::Nats, report};

/// An instance that shares the queue of `nats`.
fn instance(nats: &Nats, more: &[&str]) -> Service {
    let flags = ["--queue", &nats.url, "--queue-lease", "1s", "--service-time", "5ms"];
    Service::start(flags.iter().chain(more))
}

/// A load on these instances.
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
