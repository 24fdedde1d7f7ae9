//! Guards that count what is in the system while it is there. A guard usually ends with an outcome from the code that uses it. A
//! caller can go away at any `.await`: a guard that is dropped without an outcome finds the reason itself.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use tokio::time::Instant;

use super::totals::Ledger;
use crate::job::{CallEnd, Door, JobOutcome, Reason, Rpc};

impl Ledger {
    /// Counts a call that has reached its handler. A drain waits until the guard is dropped. A call whose body never comes does not
    /// reach its handler, and so does not delay a drain.
    pub fn handle(&self) -> Handled<'_> {
        self.handled.fetch_add(1, SeqCst);
        Handled { ledger: self }
    }

    /// Counts a call that has arrived; the guard counts how it ends.
    pub fn call(self: &Arc<Self>, rpc: Rpc) -> InProgress {
        InProgress::new(Arc::clone(self), rpc)
    }

    /// Counts a caller that joins the line of `door`. For Process this admits its message.
    pub fn join_line(self: &Arc<Self>, door: Door, deadline: Option<Instant>) -> InLine {
        self.levels.raise(|levels| &levels.waiting, 1);
        self.levels.raise(|levels| &levels.in_system, 1);
        if door == Door::Process {
            self.admit(door);
        }
        InLine::new(Arc::clone(self), door, deadline)
    }

    /// Moves a message from the queue to a worker. `bytes` is its size on the queue.
    pub fn take_from_queue(self: &Arc<Self>, bytes: u64) -> InService {
        self.levels.lower(|levels| &levels.queue_depth, 1);
        self.levels.lower(|levels| &levels.queue_bytes, bytes);
        self.levels.raise(|levels| &levels.in_service, 1);
        InService::new(Arc::clone(self), Door::Enqueue)
    }
}

impl Ledger {
    /// Counts a message that a worker takes from a shared queue: from now on it is in this system.
    pub fn take_from_shared_queue(self: &Arc<Self>) -> InService {
        self.count_taken();
        self.levels.raise(|levels| &levels.in_system, 1);
        self.levels.raise(|levels| &levels.in_service, 1);
        InService::new(Arc::clone(self), Door::Enqueue)
    }
}

/// The guard of a call between its arrival and its end. If it is dropped without an end, the caller went away.
#[derive(Debug)]
pub struct InProgress {
    ledger: Arc<Ledger>,
    rpc: Rpc,
    end: CallEnd,
}

impl InProgress {
    fn new(ledger: Arc<Ledger>, rpc: Rpc) -> Self {
        let end = Err(Reason::Cancelled);
        Self { ledger, rpc, end }
    }

    /// Counts the call's message as not admitted, because no handler has taken the call.
    pub fn not_admitted(&self) {
        if let Some(door) = self.rpc.door() {
            self.ledger.refuse(door);
        }
    }

    /// Ends the call, which counts with `end`.
    pub fn finish(mut self, end: CallEnd) {
        self.end = end;
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let end = if std::thread::panicking() {
            Err(Reason::Failed)
        } else {
            self.end
        };
        self.ledger.calls(self.rpc).count(end);
    }
}

/// The guard of a call that has reached its handler.
#[derive(Debug)]
pub struct Handled<'a> {
    ledger: &'a Ledger,
}

impl Drop for Handled<'_> {
    fn drop(&mut self) {
        if self.ledger.handled.fetch_sub(1, SeqCst) == 1 {
            self.ledger.wake_idle();
        }
    }
}

#[derive(Debug)]
struct Presence {
    ledger: Arc<Ledger>,
    door: Door,
    deadline: Option<Instant>,
}

impl Presence {
    /// The outcome of a message whose guard was dropped without one.
    fn cause(&self) -> JobOutcome {
        if std::thread::panicking() {
            JobOutcome::Failed
        } else if self.ledger.abandoning.load(SeqCst) {
            JobOutcome::Abandoned
        } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            JobOutcome::Expired
        } else {
            JobOutcome::Cancelled
        }
    }
}

/// The guard of a caller in line. If it is dropped without an outcome, it counts as failed (in a panic), abandoned, expired or
/// cancelled.
///
/// For Process, the caller's message is admitted already and ends with the outcome. For Enqueue, it is admitted only when there
/// is room on the queue: a caller that leaves the line before counts as refused, with any outcome.
#[derive(Debug)]
pub struct InLine {
    presence: Option<Presence>,
}

impl InLine {
    fn new(ledger: Arc<Ledger>, door: Door, deadline: Option<Instant>) -> Self {
        let presence = Presence { ledger, door, deadline };
        Self {
            presence: Some(presence),
        }
    }

    /// Moves the caller's message to a worker.
    pub fn enter_service(mut self) -> InService {
        let presence = self.presence.take();
        if let Some(presence) = &presence {
            presence.ledger.levels.lower(|levels| &levels.waiting, 1);
            presence.ledger.levels.raise(|levels| &levels.in_service, 1);
        }
        InService { presence }
    }

    /// Moves the caller's message to the queue.
    pub fn enter_queue(mut self, bytes: u64) {
        if let Some(presence) = self.presence.take() {
            presence.ledger.levels.lower(|levels| &levels.waiting, 1);
            presence.ledger.count_queued(bytes);
            presence.ledger.wake_idle();
        }
    }

    /// The caller's message is now on a shared queue, and no longer in this system.
    pub fn enter_shared_queue(mut self) {
        if let Some(presence) = self.presence.take() {
            presence.ledger.levels.lower(|levels| &levels.waiting, 1);
            presence.ledger.admit_to_shared_queue();
            presence.ledger.leave_system();
        }
    }

    /// Ends the wait without a count as admitted or refused, because the queue already has the message. For Enqueue only.
    pub fn leave_uncounted(mut self) {
        if let Some(presence) = self.presence.take() {
            presence.ledger.levels.lower(|levels| &levels.waiting, 1);
            presence.ledger.leave_system();
        }
    }

    /// Ends the wait with `outcome`: the line rejects the caller, or its deadline passed.
    pub fn leave(mut self, outcome: JobOutcome) {
        self.end(|_| outcome);
    }

    fn end(&mut self, outcome: impl FnOnce(&Presence) -> JobOutcome) {
        if let Some(presence) = self.presence.take() {
            let ledger = &presence.ledger;
            ledger.levels.lower(|levels| &levels.waiting, 1);
            match presence.door {
                Door::Process => ledger.end(presence.door, outcome(&presence)),
                Door::Enqueue => {
                    ledger.refuse(presence.door);
                    ledger.leave_system();
                }
            }
        }
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        self.end(Presence::cause);
    }
}

/// The guard of a message in service. If it is dropped without an outcome, the work was interrupted.
#[derive(Debug)]
pub struct InService {
    presence: Option<Presence>,
}

impl InService {
    fn new(ledger: Arc<Ledger>, door: Door) -> Self {
        let deadline = None;
        let presence = Presence { ledger, door, deadline };
        Self {
            presence: Some(presence),
        }
    }

    /// Ends the message with `outcome`.
    pub fn finish(mut self, outcome: JobOutcome) {
        self.end(|_| outcome);
    }

    /// Moves the message back to the queue, where it takes `bytes`. It has not ended.
    pub fn back_to_queue(mut self, bytes: u64) {
        if let Some(presence) = self.presence.take() {
            let levels = &presence.ledger.levels;
            levels.lower(|levels| &levels.in_service, 1);
            levels.raise(|levels| &levels.queue_depth, 1);
            levels.raise(|levels| &levels.queue_bytes, bytes);
            presence.ledger.wake_idle();
        }
    }

    /// The message is on the shared queue again, and no longer in this system. It has not ended.
    pub fn back_to_shared_queue(mut self) {
        if let Some(presence) = self.presence.take() {
            presence.ledger.levels.lower(|levels| &levels.in_service, 1);
            presence.ledger.count_given_back();
            presence.ledger.leave_system();
        }
    }

    fn end(&mut self, outcome: impl FnOnce(&Presence) -> JobOutcome) {
        if let Some(presence) = self.presence.take() {
            presence.ledger.levels.lower(|levels| &levels.in_service, 1);
            presence.ledger.end(presence.door, outcome(&presence));
        }
    }
}

impl Drop for InService {
    fn drop(&mut self) {
        self.end(Presence::cause);
    }
}
