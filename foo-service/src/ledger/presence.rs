//! Presence as guards: whatever is counted while it is there is counted by one of these, and dropping it is the only way
//! to stop. A caller can go away at any `.await`; its guards then say why it left.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use tokio::time::Instant;

use super::Ledger;
use crate::job::{Door, JobOutcome, RequestOutcome};

/// A call between its arrival and its end. Dropped without an outcome, its caller went away.
#[derive(Debug)]
pub struct InProgress {
    ledger: Arc<Ledger>,
    rpc: Door,
    outcome: RequestOutcome,
}

impl InProgress {
    pub(super) fn new(ledger: Arc<Ledger>, rpc: Door) -> Self {
        let outcome = RequestOutcome::Cancelled;
        Self { ledger, rpc, outcome }
    }

    /// Its message was turned away before any handler had it, unless one was `reached`.
    pub fn refuse_unless(&self, reached: bool) {
        if !reached {
            self.ledger.refuse(self.rpc);
        }
    }

    /// The call ended so.
    pub fn finish(mut self, outcome: RequestOutcome) {
        self.outcome = outcome;
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let outcome = if std::thread::panicking() {
            RequestOutcome::Failed
        } else {
            self.outcome
        };
        self.ledger.count_request(self.rpc, outcome);
    }
}

/// A call that a handler has.
#[derive(Debug)]
pub struct Handled<'a> {
    pub(super) ledger: &'a Ledger,
}

impl Drop for Handled<'_> {
    fn drop(&mut self) {
        if self.ledger.handled.fetch_sub(1, SeqCst) == 1 {
            self.ledger.wake_idle();
        }
    }
}

/// One unit of `in_system`.
#[derive(Debug)]
struct Presence {
    ledger: Arc<Ledger>,
    door: Door,
    deadline: Option<Instant>,
}

impl Presence {
    /// Why a message left without anyone saying so.
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

/// A caller in line. Dropped, it left the line: at Process that ends its message, at Enqueue it was never let in.
#[derive(Debug)]
pub struct InLine {
    presence: Option<Presence>,
}

impl InLine {
    pub(super) fn new(ledger: Arc<Ledger>, door: Door, deadline: Option<Instant>) -> Self {
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
        }
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        if let Some(presence) = self.presence.take() {
            let ledger = &presence.ledger;
            ledger.levels.lower(|levels| &levels.waiting, 1);
            match presence.door {
                Door::Process => ledger.end(presence.door, presence.cause()),
                Door::Enqueue => {
                    ledger.refuse(presence.door);
                    ledger.leave_system();
                }
            }
        }
    }
}

/// A message that a worker has. Dropped without an outcome, its work was broken off.
#[derive(Debug)]
pub struct InService {
    presence: Option<Presence>,
}

impl InService {
    pub(super) fn new(ledger: Arc<Ledger>, door: Door) -> Self {
        let deadline = None;
        let presence = Presence { ledger, door, deadline };
        Self {
            presence: Some(presence),
        }
    }

    /// The work ended so.
    pub fn finish(mut self, outcome: JobOutcome) {
        if let Some(presence) = self.presence.take() {
            presence.ledger.levels.lower(|levels| &levels.in_service, 1);
            presence.ledger.end(presence.door, outcome);
        }
    }
}

impl Drop for InService {
    fn drop(&mut self) {
        if let Some(presence) = self.presence.take() {
            presence.ledger.levels.lower(|levels| &levels.in_service, 1);
            presence.ledger.end(presence.door, presence.cause());
        }
    }
}
