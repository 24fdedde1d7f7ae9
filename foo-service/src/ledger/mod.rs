//! Counts of everything, in atomics: the truth that Watch, `/metrics` and the drain read.
//!
//! Presence in the system is a guard ([`InLine`], [`InService`], [`Handled`], [`InProgress`]): dropping it is the only way to stop
//! counting, so a caller that goes away at any `.await` cannot leave a count behind. Queued messages carry no guard
//! (there can be millions); [`crate::enqueue`] owns them and moves them in and out.
//!
//! Invariant, per door: admitted = the sum of the outcomes + inside.

mod level;
mod presence;

use std::sync::{
    Arc,
    atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Relaxed, SeqCst},
    },
};

use tokio::{sync::Notify, time::Instant};

use self::level::Gauges;
pub use self::{
    level::{LevelReading, Levels, MAX_WINDOWS, Window},
    presence::{Handled, InLine, InProgress, InService},
};

use crate::job::{Door, JobOutcome, RequestOutcome};

/// The counts of one service.
#[derive(Debug, Default)]
pub struct Ledger {
    doors: [DoorCounts; 2],
    levels: Gauges,
    /// Calls that a handler has: what a drain has to wait for besides `in_system`, since a call that passed the check for
    /// draining may not have been admitted yet.
    handled: AtomicU64,
    /// Set when a drain begins, so that nobody pays for `idle` before.
    wakes_idle: AtomicBool,
    idle: Notify,
    /// Set when the drain ran out of time: whatever is let go from now on is abandoned.
    abandoning: AtomicBool,
}

/// Two lines of the cache for each door, one for its messages and one for its calls: what is counted together comes
/// together from the core that counted last.
#[derive(Debug, Default)]
#[repr(C, align(64))]
struct DoorCounts {
    admitted: AtomicU64,
    /// Counted on its own, not derived, so that a balance over it can fail.
    inside: AtomicU64,
    outcomes: [AtomicU64; JobOutcome::ALL.len()],
    requests: [AtomicU64; RequestOutcome::ALL.len()],
    refused: AtomicU64,
}

/// One door's counts, as read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DoorReading {
    /// Messages let in.
    pub admitted: u64,
    /// Messages turned away at the door.
    pub refused: u64,
    /// Admitted and not ended, as counted.
    pub inside: u64,
    /// By [`JobOutcome`], in the order of [`JobOutcome::ALL`].
    pub outcomes: [u64; JobOutcome::ALL.len()],
}

impl DoorReading {
    /// How many messages ended so.
    pub fn of(&self, outcome: JobOutcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// Whether every admitted message is accounted for. Only of use while nothing moves: the counts are read one by one.
    pub fn balances(&self) -> bool {
        self.admitted == self.outcomes.iter().sum::<u64>() + self.inside
    }
}

impl Ledger {
    /// A call has reached its handler; a drain waits for it until the guard is dropped. A call whose body never comes does
    /// not get there, and holds up no drain.
    pub fn handle(&self) -> Handled<'_> {
        self.handled.fetch_add(1, SeqCst);
        Handled { ledger: self }
    }

    /// A call has arrived; the guard counts how it ends.
    pub fn call(self: &Arc<Self>, rpc: Door) -> InProgress {
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
        let counts = &self.doors[door as usize];
        counts.admitted.fetch_add(1, SeqCst);
        counts.inside.fetch_add(1, SeqCst);
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

    /// A message was turned away at `door`.
    pub fn refuse(&self, door: Door) {
        self.doors[door as usize].refused.fetch_add(1, Relaxed);
    }

    fn count_request(&self, rpc: Door, outcome: RequestOutcome) {
        self.doors[rpc as usize].requests[outcome as usize].fetch_add(1, Relaxed);
    }

    /// How many calls of `rpc` ended so.
    pub fn requests(&self, rpc: Door, outcome: RequestOutcome) -> u64 {
        self.doors[rpc as usize].requests[outcome as usize].load(Relaxed)
    }

    /// The counts of `door`.
    pub fn door(&self, door: Door) -> DoorReading {
        let counts = &self.doors[door as usize];
        DoorReading {
            admitted: counts.admitted.load(SeqCst),
            refused: counts.refused.load(Relaxed),
            inside: counts.inside.load(SeqCst),
            outcomes: std::array::from_fn(|index| counts.outcomes[index].load(SeqCst)),
        }
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

    /// From here on, whatever leaves without an outcome of its own was abandoned.
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
        let counts = &self.doors[door as usize];
        counts.outcomes[outcome as usize].fetch_add(1, SeqCst);
        counts.inside.fetch_sub(1, SeqCst);
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
