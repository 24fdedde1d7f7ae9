//! What is made of the snapshots of a service, of one instance and of several.

use foo_proto::v1::SharedQueue;

use super::*;

fn snapshot(instance_id: &str, queue_id: &str, enqueue: DoorCounts) -> Snapshot {
    Snapshot {
        instance_id: instance_id.to_owned(),
        queue_id: queue_id.to_owned(),
        enqueue: Some(enqueue),
        ..Snapshot::default()
    }
}

#[test]
fn a_durable_queue_outlives_its_instances_and_a_queue_in_memory_does_not() {
    let counts = DoorCounts::default();
    for (before, after, lost) in [("", "", true), ("q", "q", false), ("q", "other", true), ("q", "", true)] {
        let observed = Observed::new(&snapshot("a", before, counts));
        assert_eq!(
            observed.queue_lost(&snapshot("b", after, counts)),
            lost,
            "{before:?} {after:?}"
        );
        assert!(!observed.queue_lost(&snapshot("a", before, counts)));
    }
}

#[test]
fn messages_that_a_later_instance_found_on_the_queue_are_counted_once() {
    let mut observed = Observed::new(&snapshot("a", "q", DoorCounts::default()));
    let before = DoorCounts {
        admitted: 5,
        completed: 2,
        inside: 3,
        ..DoorCounts::default()
    };
    observed.take_in(snapshot("a", "q", before), Instant::now());
    let after = DoorCounts {
        admitted: 6,
        // The last two came after the last snapshot of the earlier instance.
        recovered: 5,
        completed: 6,
        ..DoorCounts::default()
    };
    observed.take_in(snapshot("b", "q", after), Instant::now());
    let counters = observed.counters();
    assert_eq!((counters.admitted, counters.completed), (8, 8));
}

#[test]
fn of_a_shared_queue_the_ends_and_the_level_are_those_of_all_instances() {
    let shared = |admitted, depth, leased| Snapshot {
        shared_queue: Some(SharedQueue {
            leased,
            ..SharedQueue::default()
        }),
        queue_depth: Some(Level { now: depth, max: depth }),
        in_system: Some(Level::default()),
        process: Some(DoorCounts::default()),
        ..snapshot(
            "front",
            "q",
            DoorCounts {
                admitted,
                taken: Some(0),
                ..DoorCounts::default()
            },
        )
    };
    let mut observed = Observed::new(&shared(2, 0, 0));
    observed.start = Some(Instant::now());
    let ended = |outcome: JobOutcome| Completion {
        outcome: outcome.into(),
        ..Completion::default()
    };
    observed.count_ends(&[ended(JobOutcome::Completed), ended(JobOutcome::DeadLettered)]);
    observed.take_in(shared(7, 3, 2), Instant::now());
    let counters = observed.counters();
    assert_eq!(
        (counters.admitted, counters.completed, counters.dead_lettered),
        (5, 1, 1)
    );
    assert_eq!((observed.inside(), observed.maxima.in_system), (5, 5));
    assert_eq!(observed.balances(), Some(true));
}

#[test]
fn figures_at_the_largest_number_are_added_up_without_an_overflow() {
    let huge = DoorCounts {
        admitted: u64::MAX,
        completed: u64::MAX,
        dropped: u64::MAX,
        inside: u64::MAX,
        ..DoorCounts::default()
    };
    let hostile = |instance_id: &str| Snapshot {
        process: Some(huge),
        in_system: Some(Level::default()),
        ..snapshot(instance_id, "", huge)
    };
    let mut observed = Observed::new(&snapshot("a", "", DoorCounts::default()));
    for instance_id in ["a", "b", "c"] {
        observed.take_in(hostile(instance_id), Instant::now());
        let counters = observed.counters();
        assert_eq!((counters.admitted, counters.completed), (u64::MAX, u64::MAX));
    }
    // A sum beyond the largest number is that number, which is what was admitted.
    assert_eq!(observed.balances(), Some(true));
}
