//! What was seen of a service, over all its instances: counters since the run began, maxima, a time series, and whether
//! anything was missed.

use std::collections::BTreeMap;

use foo_proto::v1::{DoorCounts, Level, Snapshot};
use tokio::time::Instant;

use super::refusals::Refusals;
use crate::{call::measured, ledger::ServiceCounts, live::Levels, recorder::Series};

/// The highest levels since the load began; `None` before anything was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Maxima {
    /// The most messages on the queue at once.
    pub queue_depth: u64,
    /// The most bytes of ids and payloads on the queue at once.
    pub queue_bytes: u64,
    /// The most messages and callers that waited or were in service at once.
    pub in_system: u64,
    /// Of the process; `None` where that is not the service's own.
    pub resident_bytes: Option<u64>,
}

/// What was seen of a service, over all its instances.
#[derive(Debug, Clone)]
pub struct Observed {
    /// When the load began; `None` before that.
    pub(super) start: Option<Instant>,
    /// When the latest snapshot was heard.
    pub(super) heard: Instant,
    /// The latest snapshot, without its completions.
    pub last: Snapshot,
    /// Snapshots that came, the first included.
    pub(super) snapshots: u64,
    /// Instances that came after the first.
    pub restarts: u64,
    /// Whether completions were overwritten before they were seen.
    pub missed: bool,
    /// Levels of the queue and the process over time.
    pub series: Series,
    /// The highest levels since the load began.
    pub maxima: Maxima,
    /// Of instances that are gone, from the start of the run.
    earlier: ServiceCounts,
    /// Of the present instance, when the run began.
    base: ServiceCounts,
    refusals: Refusals,
}

impl Observed {
    pub(super) fn new(first: &Snapshot) -> Self {
        Self {
            start: None,
            heard: Instant::now(),
            last: Snapshot {
                completions: Vec::new(),
                ..first.clone()
            },
            snapshots: 1,
            restarts: 0,
            missed: false,
            series: Series::default(),
            maxima: Maxima::default(),
            earlier: ServiceCounts::default(),
            base: counts(first),
            refusals: Refusals::new(first),
        }
    }

    /// Whether the snapshot is of another instance than the last.
    pub(super) fn restarted(&self, snapshot: &Snapshot) -> bool {
        self.last.instance_id != snapshot.instance_id
    }

    /// Whether the messages of the last instance went with it. A durable queue outlives its instances.
    pub(super) fn queue_lost(&self, snapshot: &Snapshot) -> bool {
        let kept = !snapshot.queue_id.is_empty() && snapshot.queue_id == self.last.queue_id;
        self.restarted(snapshot) && !kept
    }

    pub(super) fn take_in(&mut self, snapshot: Snapshot, now: Instant) {
        let restarted = self.restarted(&snapshot);
        self.refusals.take_in(&snapshot, restarted);
        if restarted {
            self.restarts += 1;
            self.earlier = self.counters();
            // What waited on a durable queue as it was last seen counts as admitted in both instances.
            let kept = !self.queue_lost(&snapshot);
            let found = kept && snapshot.shared_queue.is_none();
            self.base = ServiceCounts {
                admitted: if found { self.inside_enqueue() } else { 0 },
                ..ServiceCounts::default()
            };
        }
        self.snapshots += 1;
        self.missed |= snapshot.missed > 0;
        if let Some(start) = self.start {
            let slot = self.series.slot(now.saturating_duration_since(start));
            slot.queue_depth = snapshot.queue_depth.map(|level| level.now);
            slot.in_system = snapshot.in_system.map(|level| level.now);
            slot.queue_bytes = snapshot.queue_bytes.map(|level| level.now);
            slot.resident_bytes = snapshot.resident_bytes;
            slot.concurrency_limit = snapshot.concurrency_limit;
            self.maxima.take_in(&snapshot);
        }
        self.last = snapshot;
        self.heard = now;
    }

    /// Queue depth and number in the system, as last seen.
    pub(super) fn levels(&self) -> Levels {
        let now = |level: Option<Level>| level.map_or(0, |level| level.now);
        Levels {
            queue_depth: now(self.last.queue_depth),
            in_system: now(self.last.in_system),
        }
    }

    /// What is still waiting or in service.
    pub fn inside(&self) -> u64 {
        self.levels().in_system
    }

    /// Messages with the queue's door: on the queue or, from there, in service. Of a shared queue: with any instance.
    pub fn inside_enqueue(&self) -> u64 {
        match &self.last.shared_queue {
            Some(shared) => self.levels().queue_depth.saturating_add(shared.leased),
            None => self.last.enqueue.map_or(0, |door| door.inside),
        }
    }

    /// Whether the queue was looked at after that instant. One that is not shared is looked at with each snapshot.
    pub(super) fn queue_seen_since(&self, instant: Instant) -> bool {
        let Some(shared) = &self.last.shared_queue else {
            return true;
        };
        let ago = shared.seen_ago.and_then(measured).unwrap_or_default();
        self.heard.checked_sub(ago).is_some_and(|seen| seen > instant)
    }

    /// Calls of Enqueue and Process that the service did not answer with OK since the run began, by its reason, over all
    /// instances; without those that did not occur.
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        self.refusals.since_the_start()
    }

    /// What the run's messages came to, over all instances.
    pub fn counters(&self) -> ServiceCounts {
        let mut all = self.earlier;
        all.add(&since(&self.base, &counts(&self.last)));
        all
    }

    /// Whether both doors of the last snapshot account for every message; `None` where messages have moved since the one
    /// before: counts that are read one by one need not fit together then.
    pub fn balances(&self) -> Option<bool> {
        if self.last.in_system.is_none_or(|level| level.max > 0) {
            return None;
        }
        let doors = [self.last.enqueue?, self.last.process?];
        Some(doors.iter().all(|door| {
            let ended = [
                door.completed,
                door.dropped,
                door.expired,
                door.cancelled,
                door.abandoned,
                door.failed,
                door.rejected,
                door.work_failed,
                door.dead_lettered,
            ];
            // Another instance may take what this one has admitted to a shared queue.
            door.taken.unwrap_or(door.admitted) == total(ended).saturating_add(door.inside)
        }))
    }
}

impl Maxima {
    fn take_in(&mut self, snapshot: &Snapshot) {
        let max = |level: Option<Level>| level.map_or(0, |level| level.max);
        self.queue_depth = self.queue_depth.max(max(snapshot.queue_depth));
        self.queue_bytes = self.queue_bytes.max(max(snapshot.queue_bytes));
        self.in_system = self.in_system.max(max(snapshot.in_system));
        self.resident_bytes = self.resident_bytes.max(snapshot.resident_bytes);
    }
}

/// The sum, or the largest number where a service's figures are beyond it: no peer can bring the load client down.
fn total(figures: impl IntoIterator<Item = u64>) -> u64 {
    figures.into_iter().fold(0, u64::saturating_add)
}

/// The counts of both doors together.
fn counts(snapshot: &Snapshot) -> ServiceCounts {
    let doors = [
        snapshot.enqueue.unwrap_or_default(),
        snapshot.process.unwrap_or_default(),
    ];
    let sum = |count: fn(&DoorCounts) -> u64| total(doors.iter().map(count));
    ServiceCounts {
        admitted: sum(|door| door.admitted),
        completed: sum(|door| door.completed),
        dropped: sum(|door| door.dropped),
        expired: sum(|door| door.expired),
        cancelled: sum(|door| door.cancelled),
        abandoned: sum(|door| door.abandoned),
        failed: sum(|door| door.failed),
        rejected: sum(|door| door.rejected),
        work_failed: sum(|door| door.work_failed),
        dead_lettered: sum(|door| door.dead_lettered),
    }
}

/// What has been added to each count since `earlier`.
fn since(earlier: &ServiceCounts, now: &ServiceCounts) -> ServiceCounts {
    let (before, after) = (earlier.values(), now.values());
    ServiceCounts::from(std::array::from_fn(|column| {
        after[column].saturating_sub(before[column])
    }))
}

#[cfg(test)]
mod tests {
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
}
