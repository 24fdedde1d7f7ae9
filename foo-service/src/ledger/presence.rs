//! Presence as guards: what is counted while it is there is counted by one of these. A guard ends with an outcome that a
//! policy gives. A caller can go away at any `.await`: a guard that is dropped without an outcome finds the reason itself.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use tokio::time::Instant;

use super::totals::Ledger;
use crate::job::{CallEnd, Door, JobOutcome, Reason, Rpc};

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

    /// A message leaves the queue for a worker.
    pub fn take_from_queue(self: &Arc<Self>, bytes: u64) -> InService {
        self.levels.lower(|levels| &levels.queue_depth, 1);
        self.levels.lower(|levels| &levels.queue_bytes, bytes);
        self.levels.raise(|levels| &levels.in_service, 1);
        InService::new(Arc::clone(self), Door::Enqueue)
    }
}

impl Ledger {
    /// A worker takes a message that waited on a shared queue: from now on it is in this system.
    pub fn take_from_shared_queue(self: &Arc<Self>) -> InService {
        self.count_taken();
        self.levels.raise(|levels| &levels.in_system, 1);
        self.levels.raise(|levels| &levels.in_service, 1);
        InService::new(Arc::clone(self), Door::Enqueue)
    }
}

/// A call between its arrival and its end. Dropped without an end, its caller went away.
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

    /// No handler has had its message: a message that did not get in.
    pub fn not_admitted(&self) {
        if let Some(door) = self.rpc.door() {
            self.ledger.refuse(door);
        }
    }

    /// Counts the call by its end.
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

/// A call that a handler has.
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
    /// Why a message left without an outcome.
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

/// A caller in line. Dropped without an outcome, it counts as abandoned, expired or cancelled.
///
/// At Process the caller's message is admitted, and ends with the outcome. At Enqueue it is not admitted before it has a
/// place on the queue: a caller that leaves the line counts as refused there, with any outcome.
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

    /// A worker has its message.
    pub fn enter_service(mut self) -> InService {
        let presence = self.presence.take();
        if let Some(presence) = &presence {
            presence.ledger.levels.lower(|levels| &levels.waiting, 1);
            presence.ledger.levels.raise(|levels| &levels.in_service, 1);
        }
        InService { presence }
    }

    /// Its message is on the queue.
    pub fn enter_queue(mut self, bytes: u64) {
        if let Some(presence) = self.presence.take() {
            presence.ledger.levels.lower(|levels| &levels.waiting, 1);
            presence.ledger.count_queued(bytes);
            presence.ledger.wake_idle();
        }
    }

    /// Its message is on a shared queue, and no longer in this system.
    pub fn enter_shared_queue(mut self) {
        if let Some(presence) = self.presence.take() {
            presence.ledger.levels.lower(|levels| &levels.waiting, 1);
            presence.ledger.admit_to_shared_queue();
            presence.ledger.leave_system();
        }
    }

    /// The queue has its message already: it counts as neither admitted nor refused. For Enqueue alone.
    pub fn leave_uncounted(mut self) {
        if let Some(presence) = self.presence.take() {
            presence.ledger.levels.lower(|levels| &levels.waiting, 1);
            presence.ledger.leave_system();
        }
    }

    /// The line's policy ends the wait: the message is not served.
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

/// A message that a worker has. Dropped without an outcome, its work was broken off.
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

    /// The message ends with `outcome`.
    pub fn finish(mut self, outcome: JobOutcome) {
        self.end(|_| outcome);
    }

    /// The message does not end: it goes back to the queue, on which it takes `bytes`.
    pub fn back_to_queue(mut self, bytes: u64) {
        if let Some(presence) = self.presence.take() {
            let levels = &presence.ledger.levels;
            levels.lower(|levels| &levels.in_service, 1);
            levels.raise(|levels| &levels.queue_depth, 1);
            levels.raise(|levels| &levels.queue_bytes, bytes);
            presence.ledger.wake_idle();
        }
    }

    /// The message does not end: it is on the shared queue again.
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
