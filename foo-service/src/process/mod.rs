//! The synchronous RPC: the answer comes when the message has been processed, and this holds the caller back.
//!
//! The guard decides which calls may wait. The deadline of the caller decides for how long: it is an instant that is taken when
//! the call arrives, and at that instant the whole call is dropped (`rpc/calls.rs`), in line or in service.

mod guard;
mod line;
mod places;

use std::sync::Arc;

use tokio::time::Instant;
use tower_admission::line::Class;

use self::guard::Guard;
use crate::{
    job::{Done, Door, Job, Reason},
    ledger::Ledger,
    lifecycle::{Lifecycle, Phase},
    turns::Turns,
};

/// The RPC Process: a caller waits until its message is processed.
pub struct ProcessDoor {
    guard: Guard,
    ledger: Arc<Ledger>,
    lifecycle: Arc<Lifecycle>,
}

impl ProcessDoor {
    /// A door whose calls take their turns in `turns`. With a `bound`, of a limit and a number of calls that may wait, a call
    /// over it is rejected before it asks for a turn.
    pub fn new(bound: Option<(u32, u32)>, turns: Arc<Turns>, ledger: Arc<Ledger>, lifecycle: Arc<Lifecycle>) -> Self {
        Self {
            guard: Guard::new(bound, turns, Arc::clone(&ledger)),
            ledger,
            lifecycle,
        }
    }

    /// From now on `limit` calls are let through at once.
    pub fn resize(&self, limit: u32) {
        self.guard.resize(limit);
    }

    /// Has a message processed, whose call is of that `class`. Waits in line and for the work; cancel-safe: a caller that leaves frees its place at once. A call
    /// that is dropped after `deadline` counts as expired.
    pub async fn process(&self, job: Job, deadline: Option<Instant>, class: Class) -> Result<Done, Reason> {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.ledger.refuse(Door::Process);
            return Err(Reason::Expired);
        }
        tokio::select! {
            biased;
            answer = self.guard.admit(job, deadline, class) => answer,
            () = self.lifecycle.reached(Phase::Abandoning) => Err(Reason::Abandoned),
        }
    }
}
