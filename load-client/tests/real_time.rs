//! The worked example in real time, over loopback: the invariants, not the exact figures. Timers run a millisecond over,
//! so a message takes 251 ms rather than 250.

mod support;

use support::{assert_balanced, named, report};

fn within(what: &str, value: u64, expected: f64, share: f64) {
    let off = (value as f64 - expected).abs() / expected;
    assert!(off <= share, "{what}: {value}, expected {expected} within {share}");
}

/// 40 s: with fewer, the two sends that every run has over its rate (the first finds an idle service, the last one is
/// waited for) would be more than 2 %.
#[test]
fn the_worked_example_holds_over_sockets() {
    let (output, report) = report(["compare", "-z", "40s", "-q"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (real, virtual_time) = report.runs.split_at(5);
    assert!(real.iter().all(|run| !run.virtual_time) && virtual_time.iter().all(|run| run.virtual_time));
    for run in real {
        assert_balanced(run);
        assert_eq!(run.ledger.intended, 320, "{}", run.name);
        if let Some(audit) = &run.audit {
            assert_eq!((audit.unknown, audit.queued), (0, 0), "{audit:?}");
        }
    }

    let unbounded = named(&report, "async-unbounded");
    let service = unbounded.service.as_ref().unwrap();
    // A busy machine works off less than 4 a second, and never more.
    let backlog = service.queue_depth_end.unwrap();
    assert!((155..320).contains(&backlog), "backlog: {backlog}");
    assert_eq!(unbounded.audit.as_ref().unwrap().done, 320);

    let sync = named(&report, "sync");
    assert!(sync.service.as_ref().unwrap().in_system_max <= 4);
    within("done", sync.ledger.ok, 160.0, 0.02);
    within("withheld", sync.ledger.withheld, 160.0, 0.02);
    let slowest = sync.response_time_seconds["ok"].max;
    assert!(slowest <= 1.02, "{slowest}");
}
