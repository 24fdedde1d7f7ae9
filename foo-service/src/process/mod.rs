//! The synchronous RPC Process: the answer comes when the message is processed, so a slow service slows its callers down.
//!
//! The guard decides which calls may wait. The caller's deadline decides how long: `rpc/calls.rs` turns it into an instant when
//! the call arrives, and drops the whole call at that instant, waiting or in service.

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
    /// Calls wait for their turns in `turns`. `bound` is a limit and a number of calls that may wait: a call over their sum is
    /// rejected before it asks for a turn.
    pub fn new(bound: Option<(u32, u32)>, turns: Arc<Turns>, ledger: Arc<Ledger>, lifecycle: Arc<Lifecycle>) -> Self {
        Self {
            guard: Guard::new(bound, turns, Arc::clone(&ledger)),
            ledger,
            lifecycle,
        }
    }

    /// Changes the limit in `bound` to `limit`. Without a bound, does nothing.
    pub fn resize(&self, limit: u32) {
        self.guard.resize(limit);
    }

    /// Has a message processed for a call with this `deadline` and `class`. Waits for a turn and for the work. Cancel-safe: a
    /// caller that leaves frees its place at once. A call that is dropped after `deadline` counts as expired.
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
