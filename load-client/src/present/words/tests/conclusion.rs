//! The conclusions about runs.

use super::{audit, changed, queued, run, service, times};
use crate::{present::words::conclude, report::Run};

/// `run` without an SLO of its own.
fn without_slo(mut run: Run) -> Run {
    let made = run.configuration.as_mut().unwrap();
    made.slo_seconds = made.timeout_seconds;
    run
}

fn enqueue(change: impl FnOnce(&mut Run)) -> String {
    conclude(&changed(without_slo(queued()), change))
}

fn process(change: impl FnOnce(&mut Run)) -> String {
    conclude(&changed(without_slo(run("process")), change))
}

#[test]
fn how_many_were_done_and_how_fast() {
    assert_eq!(process(|_| ()), "All 80 requests were done, the slowest after 0.25 s.");
    assert_eq!(process(|run| run.ledger.intended = 0), "No requests were sent.");
    assert_eq!(
        process(|run| (run.ledger.intended, run.ledger.ok) = (1, 1)),
        "The only request was done after 0.25 s."
    );
    assert_eq!(
        process(|run| run.time_to_done_seconds = None),
        "All 80 requests were done."
    );
    assert_eq!(
        process(|run| {
            run.virtual_time = true;
            run.time_to_done_seconds = Some(times(0.000_4));
        }),
        "All 80 requests were done, the slowest after 1 ms."
    );
}

#[test]
fn what_was_not_done_is_told_by_its_end() {
    assert_eq!(
        process(|run| (run.ledger.ok, run.ledger.rejected, run.ledger.withheld) = (40, 39, 1)),
        "40 of 80 requests (50 %) were done, the slowest after 0.25 s. Not done: 39 rejected, 1 withheld."
    );
    assert_eq!(
        process(|run| (run.ledger.ok, run.ledger.failed) = (1, 79)),
        "1 of 80 requests (1 %) was done after 0.25 s. Not done: 79 failed."
    );
    assert_eq!(
        process(|run| {
            (run.ledger.ok, run.ledger.expired) = (0, 80);
            run.time_to_done_seconds = None;
        }),
        "None of 80 requests was done. Not done: 80 expired."
    );
    assert_eq!(
        enqueue(|run| {
            service(run).counts.dropped = 32;
            (audit(run).done, audit(run).discarded) = (48, 32);
        }),
        "48 of 80 requests (60 %) were done, the slowest after 0.25 s. Not done: 32 dropped."
    );
}

#[test]
fn what_became_of_messages_that_were_not_followed_is_not_known() {
    assert_eq!(
        enqueue(|run| {
            (run.service, run.audit, run.time_to_done_seconds) = (None, None, None);
            (run.ledger.ok, run.ledger.rejected) = (60, 20);
        }),
        "60 of 80 requests (75 %) were accepted. What became of 60 messages is not known. Not done: 20 rejected."
    );
    assert_eq!(
        enqueue(|run| {
            (run.service, run.audit, run.time_to_done_seconds) = (None, None, None);
            (run.ledger.ok, run.ledger.rejected) = (0, 80);
        }),
        "None of 80 requests was accepted. Not done: 80 rejected."
    );
}

#[test]
fn a_backlog_and_an_slo_are_told_where_there_are_any() {
    assert_eq!(
        enqueue(|run| {
            service(run).queue_depth_end = Some(40);
            run.time_to_done_seconds = Some(times(10.2));
        }),
        "All 80 requests were done, the slowest after 10.2 s. When the load stopped, 40 messages were still on the queue."
    );
    assert_eq!(
        enqueue(|run| {
            service(run).queue_depth_end = Some(1);
            run.load.offered_rps = Some(0.5);
        }),
        "All 80 requests were done, the slowest after 0.25 s.",
        "a message is no backlog"
    );
    for (goodput, held) in [(8.0, "100 %"), (2.0, "25 %"), (0.01, "less than 1 %"), (0.0, "0 %")] {
        let says = conclude(&changed(run("process"), |run| run.goodput_rps = Some(goodput)));
        assert_eq!(
            says,
            format!(
                "All 80 requests were done, the slowest after 0.25 s. The SLO of 1.00 s held for {held} of the requests."
            )
        );
    }
    let unknown = conclude(&changed(run("process"), |run| run.goodput_rps = None));
    assert_eq!(unknown, "All 80 requests were done, the slowest after 0.25 s.");
}
