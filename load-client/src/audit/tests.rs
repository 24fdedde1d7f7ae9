//! Tests of the audit, with few messages each.

use std::{sync::Arc, time::Duration};

use metrics::Histogram;

use super::{Audit, Closing, End, Fate};
use crate::ledger::AuditCounts;

const SECOND: Duration = Duration::from_secs(1);
const END: End = End {
    fate: Fate::Completed,
    redelivered: false,
    queue_wait: SECOND,
    service_time: SECOND,
};

fn audit() -> Audit {
    Audit::new(1, Duration::ZERO, SECOND, Histogram::noop(), Arc::default())
}

fn close(mut audit: Audit, inside: u64, complete: bool) -> AuditCounts {
    let counts = Audit::close([&mut audit].into_iter(), Closing { inside, complete }).counts;
    assert!(counts.balances(), "{counts:?}");
    counts
}

#[test]
fn the_end_may_be_heard_of_before_the_acknowledgement() {
    let mut audit = audit();
    let number = audit.sent(0, Duration::ZERO);
    audit.completed(0, number, END, SECOND);
    audit.acknowledged(0, number, SECOND);
    assert_eq!(audit.last_done, Some(3 * SECOND));
    let counts = close(audit, 0, true);
    assert_eq!((counts.acknowledged, counts.done, counts.lost), (1, 1, 0));
}

#[test]
fn a_message_that_the_service_forgot_is_lost_and_one_done_twice_is_duplicated() {
    let mut audit = audit();
    for _ in 0..3 {
        let number = audit.sent(0, Duration::ZERO);
        audit.acknowledged(0, number, SECOND);
    }
    audit.completed(0, 0, END, SECOND);
    audit.completed(0, 0, END, SECOND);
    assert!(audit.waits());
    let counts = close(audit, 1, true);
    assert_eq!(
        (counts.done, counts.duplicated, counts.queued, counts.lost),
        (1, 1, 1, 1)
    );
}

#[test]
fn what_an_instance_took_with_it_is_unknown_not_lost() {
    let mut audit = audit();
    let before = audit.sent(0, Duration::ZERO);
    audit.acknowledged(0, before, SECOND);
    let cut_off = audit.sent(0, Duration::ZERO);
    audit.unacknowledged(0, cut_off, SECOND);
    audit.restarted(SECOND);
    assert_eq!((audit.open, audit.so_far().counts.unknown), (0, 1), "settled at once");
    let after = audit.sent(0, Duration::ZERO);
    audit.acknowledged(0, after, SECOND);
    let counts = close(audit, 0, true);
    assert_eq!((counts.unknown, counts.lost), (1, 1));
}

#[test]
fn the_new_instance_is_not_held_to_what_was_on_its_way_to_the_old_one() {
    let mut audit = audit();
    let number = audit.sent(0, Duration::ZERO);
    audit.restarted(SECOND);
    audit.acknowledged(0, number, 2 * SECOND);
    assert!(!audit.waits());
    let counts = close(audit, 0, true);
    assert_eq!((counts.unknown, counts.lost), (1, 0));
}

#[test]
fn what_the_new_instance_accepted_before_it_was_heard_of_is_followed_to_its_end() {
    let mut audit = audit();
    let [old, new] = [SECOND, 3 * SECOND].map(|at| {
        let number = audit.sent(0, Duration::ZERO);
        audit.acknowledged(0, number, at);
        number
    });
    audit.restarted(2 * SECOND);
    assert!(!audit.waits(), "which instance has it is not known for sure");
    audit.completed(0, new, END, 4 * SECOND);
    // The old instance may have reported this late, or twice; the audit cannot tell which.
    audit.completed(0, old, END, 4 * SECOND);
    let counts = close(audit, 0, true);
    assert_eq!((counts.done, counts.unknown, counts.duplicated), (1, 1, 0));
}

#[test]
fn calls_that_end_without_telling_do_not_pile_up() {
    let mut audit = audit();
    for _ in 0..3 {
        let number = audit.sent(0, Duration::ZERO);
        audit.unacknowledged(0, number, SECOND);
    }
    audit.completed(0, 1, END, SECOND);
    audit.forget_uncertain(1);
    assert_eq!(audit.open, 1);
    audit.completed(0, 0, END, SECOND);
    audit.completed(0, 2, END, SECOND);
    let counts = close(audit, 0, true);
    assert_eq!((counts.done_unacknowledged, counts.duplicated), (2, 0));
}

#[test]
fn after_a_gap_everything_open_is_unknown() {
    let mut audit = audit();
    let number = audit.sent(0, Duration::ZERO);
    audit.acknowledged(0, number, SECOND);
    assert_eq!(close(audit, 0, false).unknown, 1);
}

#[test]
fn a_message_done_though_its_call_failed_is_told_apart() {
    let mut audit = audit();
    let cut_off = audit.sent(0, Duration::ZERO);
    audit.unacknowledged(0, cut_off, SECOND);
    audit.completed(0, cut_off, END, SECOND);
    let refused = audit.sent(0, Duration::ZERO);
    audit.not_there(0, refused);
    // The audit ignores numbers that it never gave: they are from another run.
    audit.completed(0, 99, END, SECOND);
    audit.completed(7, 0, END, SECOND);
    let counts = close(audit, 0, true);
    assert_eq!(
        (counts.acknowledged, counts.done_unacknowledged, counts.duplicated),
        (0, 1, 0)
    );
}

#[test]
fn what_was_not_processed_is_told_by_its_reason() {
    let mut audit = audit();
    for fate in [
        Fate::Expired,
        Fate::DeadLettered,
        Fate::DeadLettered,
        Fate::Other,
        Fate::Completed,
    ] {
        let number = audit.sent(0, Duration::ZERO);
        audit.acknowledged(0, number, SECOND);
        audit.completed(0, number, End { fate, ..END }, SECOND);
    }
    let counts = close(audit, 0, true);
    assert_eq!((counts.acknowledged, counts.done, counts.discarded), (5, 1, 4));
    assert_eq!((counts.discarded_expired, counts.discarded_dead_lettered), (1, 2));
    assert!(counts.balances());
}

#[test]
fn each_end_of_a_message_that_was_delivered_again_counts_beside_the_sum() {
    let mut audit = audit();
    for _ in 0..3 {
        let number = audit.sent(0, Duration::ZERO);
        audit.acknowledged(0, number, SECOND);
    }
    let again = End {
        redelivered: true,
        ..END
    };
    audit.completed(0, 0, END, SECOND);
    audit.completed(0, 0, again, SECOND);
    audit.completed(0, 1, again, SECOND);
    audit.completed(0, 2, END, SECOND);
    let counts = close(audit, 0, true);
    assert_eq!((counts.done, counts.duplicated, counts.redelivered), (3, 1, 2));
}

#[test]
fn what_happens_to_messages_of_the_warm_up_is_not_counted() {
    for (intended, counted) in [(Duration::ZERO, 0), (SECOND, 1)] {
        let mut audit = Audit::new(1, SECOND, SECOND, Histogram::noop(), Arc::default());
        let end = End {
            redelivered: true,
            ..END
        };
        let twice = audit.sent(0, intended);
        audit.completed(0, twice, END, SECOND);
        audit.completed(0, twice, end, SECOND);
        audit.acknowledged(0, twice, SECOND);
        let again = audit.sent(0, intended);
        audit.sent_again(0, again);
        audit.completed(0, again, END, SECOND);
        audit.completed(0, again, END, SECOND);
        audit.acknowledged(0, again, SECOND);
        let counts = close(audit, 0, true);
        let seen = (counts.redelivered, counts.duplicated, counts.done_again);
        assert_eq!(seen, (counted, counted, counted), "{intended:?}");
    }
}
