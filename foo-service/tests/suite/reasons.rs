//! Reasons of refusals: they are declared once, and appear in metrics, in Watch and in the documentation.

use std::{fs, path::Path};

use crate::support::{TestBed, message, ms, watch_request};
use foo_proto::v1::Refusals;
use foo_service::{
    config::Settings,
    job::{Door, JobOutcome, Reason, RequestOutcome, Rpc},
};
use tonic::Code;

#[test]
fn the_reference_has_a_row_for_each_reason() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = |reason: Reason| {
        let cell = format!("| `{}` |", reason.label());
        page.lines().filter(|line| line.ends_with(&cell)).count()
    };
    assert_eq!(Reason::ALL.map(rows), Reason::ALL.map(|_| 1));
}

#[test]
fn the_reference_and_the_dashboard_name_every_outcome_of_calls_and_messages() {
    let read = |file: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap();
    let (page, board) = (read("docs/reference.md"), read("grafana/boards/service.py"));
    let (_, page) = page.split_once("\n## Outcomes\n").unwrap();
    let (calls, messages) = board.split_once("    fates = (").unwrap();
    let check = |metric: &str, outcomes: &[&str], board: &str| {
        let (_, rows) = page.split_once(&format!("`{metric}{{")).unwrap();
        let rows = rows.split("\n\n| metric").next().unwrap();
        for outcome in outcomes {
            assert!(
                rows.contains(&format!("| `{outcome}` |")),
                "docs/reference.md has no row of {metric} for {outcome}"
            );
            let mut drawn = board.split(['"', '|', ',']);
            assert!(
                drawn.any(|name| name == *outcome),
                "grafana/boards/service.py does not draw {outcome} of {metric}"
            );
        }
    };
    check(
        "foo_requests_total",
        &RequestOutcome::ALL.map(RequestOutcome::label),
        calls,
    );
    check("foo_jobs_total", &JobOutcome::ALL.map(JobOutcome::label), messages);
}

#[test]
fn every_outcome_of_a_message_has_its_name_on_the_wire() {
    for outcome in JobOutcome::ALL {
        let name = format!("JOB_OUTCOME_{}", outcome.label().to_uppercase());
        assert!(foo_proto::v1::JobOutcome::from_str_name(&name).is_some(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn watch_tells_each_reason_that_happened() {
    let bed = TestBed::start(Settings {
        queue_capacity: 1,
        max_waiting: 0,
        ..Settings::default()
    });
    let caller = bed.caller().await;
    let served = tokio::spawn(caller.process(message("served")));
    bed.at(10).await;
    caller.enqueue(message("queued")).await.unwrap();
    for _ in 0..2 {
        caller.enqueue(message("too many")).await.unwrap_err();
    }
    caller.process(message("too many")).await.unwrap_err();
    caller.enqueue(message(&"x".repeat(129))).await.unwrap_err();
    served.await.unwrap().unwrap();

    let told = caller.look().await.refusals;
    let refusals = |rpc: Rpc, reason: Reason, calls| Refusals {
        rpc: rpc.label().to_owned(),
        reason: reason.label().to_owned(),
        calls,
    };
    let expected = [
        refusals(Rpc::Enqueue, Reason::QueueFull, 2),
        refusals(Rpc::Enqueue, Reason::Invalid, 1),
        refusals(Rpc::Process, Reason::LineFull, 1),
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn a_watch_is_counted_when_its_stream_ends() {
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    let ended = || RequestOutcome::ALL.map(|outcome| bed.ledger.requests(Rpc::Watch, outcome));
    let mut stays = caller.watch(watch_request("", ms(100))).await.unwrap();
    let mut leaves = caller.watch(watch_request("", ms(100))).await.unwrap();
    for watch in [&mut stays, &mut leaves] {
        watch.message().await.unwrap().unwrap();
    }
    assert_eq!((ended(), bed.ledger.windows()), ([0; 7], 2));

    drop(leaves);
    let malformed = caller.watch(watch_request("", ms(1))).await.unwrap_err();
    assert_eq!(malformed.code(), Code::InvalidArgument);
    bed.at(50).await;
    assert_eq!(bed.ledger.refusals(Rpc::Watch, Reason::Cancelled), 1);
    assert_eq!(bed.ledger.refusals(Rpc::Watch, Reason::Invalid), 1);
    assert_eq!(bed.ledger.windows(), 1);

    bed.trigger.drain();
    while stays.message().await.unwrap().is_some() {}
    // In this order: ok, rejected, expired, cancelled, unavailable, invalid, failed.
    assert_eq!(ended(), [1, 0, 0, 1, 0, 1, 0]);
    let doors = Door::ALL.map(|door| bed.ledger.door(door));
    assert!(doors.iter().all(|door| door.refused == 0), "Watch carries no message");
}
