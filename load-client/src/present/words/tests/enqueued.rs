//! Sentences about runs of Enqueue.

use super::{audit, enqueue, service, times};
use crate::report::{Run, StageReport};

#[test]
fn the_workers_keep_up_only_where_everything_was_done_and_the_queue_was_short() {
    assert_eq!(
        enqueue(|_| ()),
        "The workers kept up: the queue never held more than 2 messages. The slowest message was done 0.25 s after its \
         scheduled send."
    );
    // The load was random or had a spike, so the queue was long for a while.
    assert_eq!(
        enqueue(|run| {
            service(run).queue_depth_max = 57;
            run.time_to_done_seconds = Some(times(7.04));
        }),
        "The queue held at most 57 messages, and 0 when the load stopped. The slowest message was done 7.04 s after its \
         scheduled send."
    );
    // The service went away, with the messages that it had.
    assert_eq!(
        enqueue(|run| {
            (audit(run).done, audit(run).unknown) = (41, 39);
            run.time_to_done_seconds = Some(times(0.000_038));
            service(run).queue_depth_end = None;
        }),
        "The queue held at most 2 messages. The slowest processed message was done 38 µs after its scheduled send. What \
         became of 39 accepted messages is unknown."
    );
    assert_eq!(
        enqueue(|run| {
            (audit(run).done, audit(run).unknown) = (79, 1);
            run.time_to_done_seconds = None;
        }),
        "The queue held at most 2 messages, and 0 when the load stopped. What became of 1 accepted message is unknown."
    );
}

#[test]
fn a_growing_queue() {
    let backlog = |run: &mut Run| {
        (service(run).queue_depth_max, service(run).queue_depth_end) = (40, Some(40));
        service(run).drain_seconds = Some(10.2);
        run.time_to_done_seconds = Some(times(10.1));
    };
    let nothing_slows = "The clients do not wait for the processing, so nothing slows them down: the queue held 40 messages \
                         when the load stopped.";
    assert_eq!(
        enqueue(backlog),
        format!(
            "{nothing_slows} It grew by 4.0 messages per second. The service needed another 10.2 s to process them. The \
             slowest message was done 10.1 s after its scheduled send."
        )
    );
    // A queue grows at a constant rate only if the load has one.
    let no_rate = format!(
        "{nothing_slows} The service needed another 10.2 s to process them. The slowest message was done 10.1 s \
                 after its scheduled send."
    );
    assert_eq!(
        enqueue(|run| {
            backlog(run);
            let made = run.configuration.as_mut().unwrap();
            made.rps = None;
            made.stages = Some(Vec::<StageReport>::new());
        }),
        no_rate
    );
    assert_eq!(
        enqueue(|run| {
            backlog(run);
            run.configuration.as_mut().unwrap().arrival = "poisson".to_owned();
        }),
        no_rate
    );
    // The user pressed q before the queue was empty.
    assert_eq!(
        enqueue(|run| {
            backlog(run);
            service(run).drain_seconds = None;
            (audit(run).done, audit(run).queued) = (45, 35);
        }),
        format!(
            "{nothing_slows} It grew by 4.0 messages per second. The slowest processed message was done 10.1 s after its \
             scheduled send. 35 accepted messages were still queued when the load client stopped waiting."
        )
    );
    // The service was told to stop, and its drain was too short.
    assert_eq!(
        enqueue(|run| {
            backlog(run);
            (service(run).drain_seconds, service(run).counts.abandoned) = (None, 22);
            (audit(run).done, audit(run).discarded) = (58, 22);
        }),
        format!(
            "{nothing_slows} It grew by 4.0 messages per second. The slowest processed message was done 10.1 s after its \
             scheduled send. 22 accepted messages were discarded when the service shut down."
        )
    );
}

#[test]
fn a_bounded_queue() {
    assert_eq!(
        enqueue(|run| {
            (
                service(run).counts.dropped,
                service(run).queue_depth_max,
                service(run).queue_depth_end,
            ) = (32, 8, Some(8));
            (audit(run).done, audit(run).discarded) = (48, 32);
            run.time_to_done_seconds = Some(times(2.0));
        }),
        "The service dropped 32 of 80 accepted messages (40 %) because its queue was full, and the senders were not \
         told. The queue held at most 8 messages, and 8 when the load stopped. The slowest processed message was done \
         2.00 s after its scheduled send."
    );
    assert_eq!(
        enqueue(|run| {
            (run.ledger.ok, run.ledger.rejected) = (48, 32);
            (service(run).queue_depth_max, service(run).queue_depth_end) = (9, Some(9));
            (audit(run).acknowledged, audit(run).done) = (48, 48);
        }),
        "32 of 80 requests (40 %) were rejected because the queue was full. The queue held at most 9 messages, and 9 \
         when the load stopped. The slowest message was done 0.25 s after its scheduled send."
    );
    assert_eq!(
        enqueue(|run| (run.ledger.ok, run.ledger.rejected) = (0, 80)),
        "80 of 80 requests (100 %) were rejected because the queue was full. No message was accepted."
    );
}

#[test]
fn enqueue_without_watch() {
    let says = enqueue(|run| (run.service, run.audit) = (None, None));
    assert_eq!(
        says,
        "The service accepted 80 messages. It was not watched, so what became of them is not known."
    );
}
