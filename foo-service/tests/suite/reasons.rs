//! Reasons of refusal: declared once, told in metrics, Watch and documentation.

use std::{fs, path::Path};

use crate::support::{TestBed, message, ms, watch_request};
use foo_proto::v1::Refusals;
use foo_service::{
    config::Settings,
    job::{Door, Reason, RequestOutcome, Rpc},
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
    // ok, rejected, expired, cancelled, unavailable, invalid, failed
    assert_eq!(ended(), [1, 0, 0, 1, 0, 1, 0]);
    let doors = Door::ALL.map(|door| bed.ledger.door(door));
    assert!(doors.iter().all(|door| door.refused == 0), "Watch carries no message");
}
