//! An event of a lab has the effect that arithmetic predicts, in virtual time and over sockets.

use std::fs;

use crate::support::{assert_balanced, load_client, named, report, workspace};
use load_client::report::{Report, Run};

/// The rates of labs/halved-workers.toml, for 16 s. Ten times as many workers take ten times as long for a message, so the time
/// that a busy machine adds to each message matters only a tenth as much.
const HALVED: &str = r#"
[load]
clients = 100
rps = 100
duration = "16s"
[service]
workers = 100
service-time = "800ms"
max-waiting = 1000
[[strategy]]
name = "queue"
mode = "enqueue"
service = { queue = "unbounded" }
[[strategy]]
name = "sync"
mode = "process"
[[event]]
at = "8s"
service = { workers = 50 }
"#;

fn queue_at_end(run: &Run) -> f64 {
    run.service.as_ref().unwrap().queue_depth_end.unwrap() as f64
}

/// The largest queue depth that the series shows before a time.
fn deepest_before(run: &Run, seconds: f64) -> u64 {
    let before = run.series.iter().filter(|point| point.t < seconds);
    before.filter_map(|point| point.queue_depth).max().unwrap()
}

#[test]
fn half_of_the_workers_do_half_of_the_work_to_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let lab = workspace().join("labs/halved-workers.toml");
    let write = |name: &str| {
        let file = folder.path().join(name);
        let mut command = load_client(["compare", lab.to_str().unwrap(), "--virtual-time", "-q", "--json"]);
        assert!(command.arg(&file).status().unwrap().success());
        fs::read(file).unwrap()
    };
    let bytes = write("first.json");
    assert!(bytes == write("second.json"), "the same lab gives the same bytes");
    let report: Report = serde_json::from_slice(&bytes).unwrap();
    report.runs.iter().for_each(assert_balanced);
    for run in &report.runs {
        let events = run.events.as_ref().unwrap();
        assert_eq!((events.len(), events[0].says.as_str()), (1, "5 workers instead of 10"));
        assert!((events[0].at_seconds - 30.0).abs() < f64::EPSILON);
        assert_eq!(run.ledger.intended, 6000);
    }
    let queue = named(&report, "async-unbounded");
    // Ten workers process 125 messages per second, so at 100 no queue forms. Five process 62.5, so the queue grows by 37.5 per
    // second for 30 s. For each of the five workers the result can differ by one message.
    assert!(deepest_before(queue, 29.0) <= 10, "{}", deepest_before(queue, 29.0));
    let left = queue_at_end(queue);
    assert!((left - 37.5 * 30.0).abs() <= 5.0, "{left}");
    let drain = queue.service.as_ref().unwrap().drain_seconds.unwrap();
    assert!((drain - (left + 5.0) / 62.5).abs() < 0.2, "{drain}");
    assert_eq!(queue.audit.as_ref().unwrap().done, 6000);

    // With twenty clients that wait: all of the 100 per second for 30 s, then as many as five workers can process.
    let sync = named(&report, "sync");
    let done = sync.ledger.ok as f64;
    assert!((done - (3000.0 + 62.5 * 30.0)).abs() <= 10.0, "{done}");
    assert_eq!(sync.ledger.withheld, 6000 - sync.ledger.ok);
    assert!(sync.service.as_ref().unwrap().in_system_max <= 20);
}

/// The mean service time of a queued message on this machine, in seconds.
fn service_time(run: &Run) -> f64 {
    run.time_to_done_seconds.unwrap().mean - run.queue_wait_seconds.unwrap().mean
}

#[test]
fn half_of_the_workers_do_half_of_the_work_over_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lab.toml");
    fs::write(&file, HALVED).unwrap();
    // On a busy machine messages take longer, and such an attempt proves nothing about this program.
    for attempt in 1..=5 {
        let (output, report) = report(["compare", file.to_str().unwrap(), "-q"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        report.runs.iter().for_each(assert_balanced);
        assert_eq!(report.runs.len(), 2, "a lab is run once, in real time");
        let (queue, sync) = (named(&report, "queue"), named(&report, "sync"));
        for run in [queue, sync] {
            let events = run.events.as_ref().unwrap();
            assert_eq!(
                (events.len(), events[0].says.as_str()),
                (1, "50 workers instead of 100")
            );
            assert!(!run.virtual_time && run.ledger.intended == 1600);
        }
        assert_eq!(queue.audit.as_ref().unwrap().done, 1600);
        let took = service_time(queue);
        if took > 0.808 {
            eprintln!("attempt {attempt}: a message of 800 ms took {took:.3} s: this machine is too busy to tell");
            continue;
        }
        let share = |seen: f64, expected: f64| (seen / expected - 1.0).abs();
        let left = queue_at_end(queue);
        assert!(share(left, 37.5 * 8.0) <= 0.03, "{left} left, at {took} s a message");
        assert!(deepest_before(queue, 7.0) <= 20, "{}", deepest_before(queue, 7.0));
        let done = sync.ledger.ok as f64;
        // At the end up to 50 clients wait in line, and are answered after it: 25 is the middle.
        let expected = 800.0 + 62.5 * 8.0 + 25.0;
        assert!(share(done, expected) <= 0.03, "{done} done, at {took} s a message");
        return;
    }
}
