//! Counts of everything, in atomics: the truth that Watch, `/metrics` and the drain read.
//!
//! Presence in the system is a guard ([`InLine`], [`InService`], [`Handled`], [`InProgress`]): dropping it is the only way to stop
//! counting, so a caller that goes away at any `.await` cannot leave a count behind. Queued messages carry no guard
//! (there can be millions); [`crate::enqueue`] owns them and moves them in and out.
//!
//! Invariant, per door: admitted = the sum of the outcomes + inside.

mod counts;
mod level;
mod presence;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use tokio::{sync::Notify, time::Instant};

pub use self::{
    counts::DoorReading,
    level::{LevelReading, Levels, MAX_WINDOWS, Window},
    presence::{Handled, InLine, InProgress, InService},
};
use self::{
    counts::{CallCounts, DoorCounts},
    level::Gauges,
};

use crate::job::{Door, JobOutcome, Reason, RequestOutcome, Rpc};

/// The counts of one service.
#[derive(Debug, Default)]
pub struct Ledger {
    doors: [DoorCounts; Door::ALL.len()],
    watches: CallCounts,
    levels: Gauges,
    /// Calls that a handler has: what a drain has to wait for besides `in_system`, since a call that passed the check for
    /// draining may not have been admitted yet.
    handled: AtomicU64,
    /// Set when a drain begins. Before that, no call pays for `idle`.
    wakes_idle: AtomicBool,
    idle: Notify,
    /// Set when the drain ran out of time: messages that are dropped from now on are abandoned.
    abandoning: AtomicBool,
}

impl Ledger {
    /// A call has reached its handler; a drain waits for it until the guard is dropped. A call whose body never comes does
    /// not get there, and holds up no drain.
    pub fn handle(&self) -> Handled<'_> {
        self.handled.fetch_add(1, SeqCst);
        Handled { ledger: self }
    }

    /// A call has arrived; the guard counts how it ends.
    pub fn call(self: &Arc<Self>, rpc: Rpc) -> InProgress {
        InProgress::new(Arc::clone(self), rpc)
    }

    /// A caller joins the line of `door`. At Process that admits its message.
    pub fn join_line(self: &Arc<Self>, door: Door, deadline: Option<Instant>) -> InLine {
        self.levels.raise(|levels| &levels.waiting, 1);
        self.levels.raise(|levels| &levels.in_system, 1);
        if door == Door::Process {
            self.admit(door);
        }
        InLine::new(Arc::clone(self), door, deadline)
    }

    /// A message joins the queue from outside.
    pub fn join_queue(&self, bytes: u64) {
        self.levels.raise(|levels| &levels.in_system, 1);
        self.count_queued(bytes);
    }

    fn count_queued(&self, bytes: u64) {
        self.admit(Door::Enqueue);
        self.levels.raise(|levels| &levels.queue_depth, 1);
        self.levels.raise(|levels| &levels.queue_bytes, bytes);
    }

    fn admit(&self, door: Door) {
        self.doors[door as usize].admit();
    }

    /// A message leaves the queue without having been served.
    pub fn leave_queue(&self, bytes: u64, outcome: JobOutcome) {
        self.levels.lower(|levels| &levels.queue_depth, 1);
        self.levels.lower(|levels| &levels.queue_bytes, bytes);
        self.end(Door::Enqueue, outcome);
    }

    /// A message leaves the queue for a worker.
    pub fn take_from_queue(self: &Arc<Self>, bytes: u64) -> InService {
        self.levels.lower(|levels| &levels.queue_depth, 1);
        self.levels.lower(|levels| &levels.queue_bytes, bytes);
        self.levels.raise(|levels| &levels.in_service, 1);
        InService::new(Arc::clone(self), Door::Enqueue)
    }

    /// A message was not let in at `door`.
    pub fn refuse(&self, door: Door) {
        self.doors[door as usize].refuse();
    }

    fn calls(&self, rpc: Rpc) -> &CallCounts {
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

    /// The counts of `door`.
    pub fn door(&self, door: Door) -> DoorReading {
        self.doors[door as usize].read()
    }

    /// The levels at this instant.
    pub fn levels(&self) -> Levels<u64> {
        self.levels.read()
    }

    /// How many messages ended so, through either door.
    pub fn ended(&self, outcome: JobOutcome) -> u64 {
        Door::ALL.iter().map(|door| self.door(*door).of(outcome)).sum()
    }

    /// Opens a view with maxima of its own; `None` while [`MAX_WINDOWS`] are open.
    pub fn open_window(self: &Arc<Self>) -> Option<Window> {
        Window::open(self)
    }

    /// How many views are open.
    pub fn windows(&self) -> u32 {
        self.levels.open_windows()
    }

    /// From now on, a message that leaves without an outcome of its own counts as abandoned.
    pub fn abandon(&self) {
        self.abandoning.store(true, SeqCst);
    }

    /// Waits until no handler has a call and nothing is in the system. Cancel-safe.
    pub async fn idle(&self) {
        self.wakes_idle.store(true, SeqCst);
        loop {
            let woken = self.idle.notified();
            let mut woken = std::pin::pin!(woken);
            woken.as_mut().enable();
            if self.handled.load(SeqCst) == 0 && self.levels().in_system == 0 {
                return;
            }
            woken.await;
        }
    }

    fn end(&self, door: Door, outcome: JobOutcome) {
        self.doors[door as usize].end(outcome);
        self.leave_system();
    }

    fn leave_system(&self) {
        self.levels.lower(|levels| &levels.in_system, 1);
        self.wake_idle();
    }

    fn wake_idle(&self) {
        if self.wakes_idle.load(SeqCst) {
            self.idle.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_leaves_the_line_is_counted_by_its_reason() {
        let ledger = Arc::new(Ledger::default());
        drop(ledger.join_line(Door::Process, None));
        let late = ledger.join_line(Door::Process, Some(Instant::now() + Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        drop(late);
        drop(ledger.join_line(Door::Enqueue, None));

        let process = ledger.door(Door::Process);
        assert_eq!((process.admitted, process.inside), (2, 0));
        assert!(process.balances());
        assert_eq!(process.of(JobOutcome::Cancelled), 1);
        assert_eq!(process.of(JobOutcome::Expired), 1);
        let enqueue = ledger.door(Door::Enqueue);
        assert_eq!((enqueue.admitted, enqueue.refused), (0, 1));
        assert_eq!(ledger.levels(), Levels::default());
    }

    #[test]
    fn each_window_has_maxima_of_its_own() {
        let ledger = Arc::new(Ledger::default());
        let early = ledger.open_window().unwrap();
        ledger.join_queue(10);
        ledger.join_queue(10);
        drop(ledger.take_from_queue(10));
        let late = ledger.open_window().unwrap();
        assert_eq!(early.read().queue_depth, LevelReading { now: 1, max: 2 });
        assert_eq!(late.read().queue_depth, LevelReading { now: 1, max: 1 });
        assert_eq!(early.read().queue_depth, LevelReading { now: 1, max: 1 });
    }

    #[test]
    fn windows_are_bounded_and_come_back() {
        let ledger = Arc::new(Ledger::default());
        let open: Vec<_> = (0..MAX_WINDOWS).map(|_| ledger.open_window().unwrap()).collect();
        assert!(ledger.open_window().is_none());
        drop(open);
        assert!(ledger.open_window().is_some());
    }

    #[tokio::test]
    async fn idle_waits_for_calls_and_for_messages() {
        let ledger = Arc::new(Ledger::default());
        let call = ledger.handle();
        ledger.join_queue(1);
        let waiter = tokio::spawn({
            let ledger = Arc::clone(&ledger);
            async move { ledger.idle().await }
        });
        drop(call);
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        ledger.take_from_queue(1).finish(JobOutcome::Completed);
        waiter.await.unwrap();
    }
}
