//! Observations of a service, over all its instances: counters since the run began, maxima, a time series, and whether
//! completions were missed.

use std::{collections::BTreeMap, time::Duration};

use foo_proto::v1::{Completion, DoorCounts, JobOutcome, Level, Snapshot};
use tokio::time::Instant;

use super::refusals::Refusals;
use crate::{call::measured, ledger::ServiceCounts, live::Levels, recorder::Series};

/// The highest levels since the load began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Maxima {
    /// The most messages on the queue at once.
    pub queue_depth: u64,
    /// The most bytes of ids and payloads on the queue at once.
    pub queue_bytes: u64,
    /// The most messages and callers that waited or were in service at once.
    pub in_system: u64,
    /// The most resident memory of the service's process, in bytes; `None` if the service does not report it.
    pub resident_bytes: Option<u64>,
}

/// Everything that the observer has seen of a service, over all its instances.
#[derive(Debug, Clone)]
pub struct Observed {
    /// When the load began; `None` before that.
    pub(super) start: Option<Instant>,
    /// When the latest snapshot arrived.
    pub(super) heard: Instant,
    /// The latest snapshot, without its completions.
    pub last: Snapshot,
    /// The number of snapshots that arrived, the first included.
    pub(super) snapshots: u64,
    /// The number of instances that were seen after the first.
    pub restarts: u64,
    /// The service's log overwrote completions before the observer could read them.
    pub missed: bool,
    /// Levels of the queue and the process over time.
    pub series: Series,
    /// The highest levels since the load began.
    pub maxima: Maxima,
    /// The counts of earlier instances, from the start of the run.
    earlier: ServiceCounts,
    /// Subtracted from the counts of the present instance: its counts when the run began, or the messages that it found on
    /// its queue.
    base: ServiceCounts,
    /// Ends of messages of a shared queue, by their completions.
    by_completions: ServiceCounts,
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
            by_completions: ServiceCounts::default(),
            refusals: Refusals::new(first),
        }
    }

    /// Whether the snapshot is of another instance than the last.
    pub(super) fn restarted(&self, snapshot: &Snapshot) -> bool {
        self.last.instance_id != snapshot.instance_id
    }

    /// Whether the queued messages were lost with the last instance. A durable queue keeps them.
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
            // Both instances count the messages of a durable queue as admitted. Those that were there at the last snapshot
            // are subtracted.
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
            slot.in_system = in_system(&snapshot).map(|level| level.now);
            slot.queue_bytes = snapshot.queue_bytes.map(|level| level.now);
            slot.resident_bytes = snapshot.resident_bytes;
            slot.concurrency_limit = snapshot.concurrency_limit;
            self.maxima.take_in(&snapshot);
        }
        self.last = snapshot;
        self.heard = now;
    }

    /// Queue depth and number in the system at the last snapshot.
    pub(super) fn levels(&self) -> Levels {
        let now = |level: Option<Level>| level.map_or(0, |level| level.now);
        Levels {
            queue_depth: now(self.last.queue_depth),
            in_system: now(in_system(&self.last)),
        }
    }

    /// The number of messages that were waiting or in service at the last snapshot.
    pub fn inside(&self) -> u64 {
        self.levels().in_system
    }

    /// Messages of Enqueue that are on the queue or in service. For a shared queue: with any instance.
    pub fn inside_enqueue(&self) -> u64 {
        match &self.last.shared_queue {
            Some(shared) => self.levels().queue_depth.saturating_add(shared.leased),
            None => self.last.enqueue.map_or(0, |door| door.inside),
        }
    }

    /// Whether the state of the queue is newer than `instant`. A queue that is not shared is read with each snapshot.
    pub(super) fn queue_seen_since(&self, instant: Instant) -> bool {
        let Some(shared) = &self.last.shared_queue else {
            return true;
        };
        let ago = shared.seen_ago.and_then(measured).unwrap_or_default();
        self.heard.checked_sub(ago).is_some_and(|seen| seen > instant)
    }

    /// Whether a shared queue could not be looked at for longer than that: its server is away.
    pub(super) fn queue_out_of_sight(&self, limit: Duration) -> bool {
        let ago = self.last.shared_queue.as_ref().and_then(|shared| shared.seen_ago);
        ago.and_then(measured).is_some_and(|ago| ago > limit)
    }

    /// Calls of Enqueue and Process that the service did not answer with OK since the run began, by its reason, over all
    /// instances; without those that did not occur.
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        self.refusals.since_the_start()
    }

    /// How messages ended since the run began, over all instances.
    pub fn counters(&self) -> ServiceCounts {
        let mut all = self.earlier;
        all.add(&since(&self.base, &counts(&self.last)));
        all.add(&self.by_completions);
        all
    }

    /// Counts the ends of messages of a shared queue: any instance may have had them.
    pub(super) fn count_ends(&mut self, completions: &[Completion]) {
        for completion in completions {
            let ends = &mut self.by_completions;
            let count = match completion.outcome() {
                JobOutcome::Completed => &mut ends.completed,
                JobOutcome::Dropped => &mut ends.dropped,
                JobOutcome::Expired => &mut ends.expired,
                JobOutcome::Cancelled => &mut ends.cancelled,
                JobOutcome::Abandoned => &mut ends.abandoned,
                JobOutcome::Failed => &mut ends.failed,
                JobOutcome::Rejected => &mut ends.rejected,
                JobOutcome::WorkFailed => &mut ends.work_failed,
                JobOutcome::DeadLettered => &mut ends.dead_lettered,
                JobOutcome::Unspecified => continue,
            };
            *count += 1;
        }
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
        self.in_system = self.in_system.max(max(in_system(snapshot)));
        self.resident_bytes = self.resident_bytes.max(snapshot.resident_bytes);
    }
}

/// The saturating sum: no figures of a service may make the load client panic.
fn total(figures: impl IntoIterator<Item = u64>) -> u64 {
    figures.into_iter().fold(0, u64::saturating_add)
}

/// What waits or is in service. Messages of a shared queue may be in service with any instance, so that they count as the queue was
/// last looked at.
fn in_system(snapshot: &Snapshot) -> Option<Level> {
    let Some(shared) = &snapshot.shared_queue else {
        return snapshot.in_system;
    };
    let process = snapshot.process.map_or(0, |door| door.inside);
    let beside = shared.leased.saturating_add(process);
    let depth = snapshot.queue_depth?;
    Some(Level {
        now: depth.now.saturating_add(beside),
        max: depth.max.saturating_add(beside),
    })
}

/// The counts of both doors together. Of a shared queue, the instance counts the ends of the messages that it took itself, so only what it
/// admitted is taken: how messages ended is counted by their completions, whichever instance had them.
fn counts(snapshot: &Snapshot) -> ServiceCounts {
    let mut enqueue = snapshot.enqueue.unwrap_or_default();
    if snapshot.shared_queue.is_some() {
        enqueue = DoorCounts {
            admitted: enqueue.admitted,
            ..DoorCounts::default()
        };
    }
    let doors = [enqueue, snapshot.process.unwrap_or_default()];
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

/// The increase of each count since `earlier`.
fn since(earlier: &ServiceCounts, now: &ServiceCounts) -> ServiceCounts {
    let (before, after) = (earlier.values(), now.values());
    ServiceCounts::from(std::array::from_fn(|column| {
        after[column].saturating_sub(before[column])
    }))
}

#[cfg(test)]
mod tests;
