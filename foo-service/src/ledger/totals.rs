//! The counts of one service, and the changes of them. Guards (`presence.rs`) count what is in the system.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use tokio::sync::Notify;

use super::{
    counts::{CallCounts, DoorCounts, DoorReading},
    level::{Gauges, Levels},
};
use crate::job::{Door, JobOutcome, Reason, RequestOutcome, Rpc};

/// All counts of one service.
#[derive(Debug, Default)]
pub struct Ledger {
    doors: [DoorCounts; Door::ALL.len()],
    watches: CallCounts,
    pub(super) levels: Gauges,
    /// Calls that have reached their handlers. A drain waits for these too: a call that has passed the check for draining may not
    /// have been admitted yet, so `in_system` does not have it.
    pub(super) handled: AtomicU64,
    /// True if the queue outlives the process: a drain does not wait for its messages.
    keeps_queue: AtomicBool,
    /// True if other instances put messages on the queue, and take them from it.
    shares_queue: AtomicBool,
    /// Set when a drain begins. Until then, no call has the cost of waking `idle`.
    wakes_idle: AtomicBool,
    idle: Notify,
    /// Set when the drain has run out of time: messages whose guards are dropped from then on count as abandoned.
    pub(super) abandoning: AtomicBool,
}

impl Ledger {
    /// Counts the messages that an earlier process has left on a queue that outlives the process. They count as admitted.
    pub fn recover(&self, messages: u64, bytes: u64) {
        self.keeps_queue.store(true, SeqCst);
        self.doors[Door::Enqueue as usize].recover(messages);
        self.levels.raise(|levels| &levels.in_system, messages);
        self.levels.raise(|levels| &levels.queue_depth, messages);
        self.levels.raise(|levels| &levels.queue_bytes, bytes);
    }

    /// Marks the queue as shared with other instances. Such a queue outlives the process.
    pub fn share_queue(&self) {
        self.keeps_queue.store(true, SeqCst);
        self.shares_queue.store(true, SeqCst);
    }

    /// Sets the waiting messages of a shared queue, and their bytes, for all instances together.
    pub fn set_shared_queue(&self, depth: u64, bytes: u64) {
        self.levels.set(|levels| &levels.queue_depth, depth);
        self.levels.set(|levels| &levels.queue_bytes, bytes);
    }

    pub(super) fn admit_to_shared_queue(&self) {
        self.doors[Door::Enqueue as usize].admit_to_shared();
    }

    pub(super) fn count_taken(&self) {
        self.doors[Door::Enqueue as usize].take();
    }

    pub(super) fn count_given_back(&self) {
        self.doors[Door::Enqueue as usize].give_back();
    }

    /// Counts a message that joins the queue without a wait in line.
    pub fn join_queue(&self, bytes: u64) {
        self.levels.raise(|levels| &levels.in_system, 1);
        self.count_queued(bytes);
    }

    pub(super) fn count_queued(&self, bytes: u64) {
        self.admit(Door::Enqueue);
        self.levels.raise(|levels| &levels.queue_depth, 1);
        self.levels.raise(|levels| &levels.queue_bytes, bytes);
    }

    pub(super) fn admit(&self, door: Door) {
        self.doors[door as usize].admit();
    }

    /// Counts a message that ends while it is on the queue.
    pub fn leave_queue(&self, bytes: u64, outcome: JobOutcome) {
        self.levels.lower(|levels| &levels.queue_depth, 1);
        self.levels.lower(|levels| &levels.queue_bytes, bytes);
        self.end(Door::Enqueue, outcome);
    }

    /// Counts a message that was not admitted at `door`.
    pub fn refuse(&self, door: Door) {
        self.doors[door as usize].refuse();
    }

    pub(super) fn calls(&self, rpc: Rpc) -> &CallCounts {
        match rpc {
            Rpc::Enqueue => &self.doors[Door::Enqueue as usize].calls,
            Rpc::Process => &self.doors[Door::Process as usize].calls,
            Rpc::Watch => &self.watches,
        }
    }

    /// How many calls of `rpc` ended with `outcome`.
    pub fn requests(&self, rpc: impl Into<Rpc>, outcome: RequestOutcome) -> u64 {
        self.calls(rpc.into()).ended(outcome)
    }

    /// How many calls of `rpc` were not answered with OK for `reason`.
    pub fn refusals(&self, rpc: impl Into<Rpc>, reason: Reason) -> u64 {
        self.calls(rpc.into()).refused(reason)
    }

    /// The counts of messages of `door`. They are read one by one, so they may not add up while messages move.
    pub fn door(&self, door: Door) -> DoorReading {
        let shared = door == Door::Enqueue && self.shares_queue.load(SeqCst);
        self.doors[door as usize].read(shared)
    }

    /// The levels at this instant.
    pub fn levels(&self) -> Levels<u64> {
        self.levels.read()
    }

    /// How many messages of both RPCs ended with `outcome`.
    pub fn ended(&self, outcome: JobOutcome) -> u64 {
        Door::ALL.iter().map(|door| self.door(*door).of(outcome)).sum()
    }

    /// From now on, a message whose guard is dropped without an outcome counts as abandoned.
    pub fn abandon(&self) {
        self.abandoning.store(true, SeqCst);
    }

    /// Waits until no handler has a call and nothing is in the system. Messages on a queue that outlives the process are not waited
    /// for. Cancel-safe.
    pub async fn idle(&self) {
        self.wakes_idle.store(true, SeqCst);
        loop {
            let woken = self.idle.notified();
            let mut woken = std::pin::pin!(woken);
            woken.as_mut().enable();
            if self.handled.load(SeqCst) == 0 && self.is_empty() {
                return;
            }
            woken.await;
        }
    }

    fn is_empty(&self) -> bool {
        let levels = self.levels();
        if self.keeps_queue.load(SeqCst) {
            levels.waiting == 0 && levels.in_service == 0
        } else {
            levels.in_system == 0
        }
    }

    pub(super) fn end(&self, door: Door, outcome: JobOutcome) {
        self.doors[door as usize].end(outcome);
        self.leave_system();
    }

    pub(super) fn leave_system(&self) {
        self.levels.lower(|levels| &levels.in_system, 1);
        self.wake_idle();
    }

    pub(super) fn wake_idle(&self) {
        if self.wakes_idle.load(SeqCst) {
            self.idle.notify_waiters();
        }
    }
}
