//! The synchronous door: answers when the message has been processed, and by that holds its caller back.
//!
//! The guard decides who may wait; this module decides for how long: until the caller's deadline, an instant taken
//! when the call arrived, so that it covers the line as well as the work.

mod guard;
mod line;

use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use self::guard::Guard;
use crate::{
    job::{Door, Job, Processed, Refusal},
    ledger::Ledger,
    lifecycle::{Lifecycle, Phase},
    workers::Workers,
};

/// The door.
pub struct ProcessDoor {
    guard: Guard,
    ledger: Arc<Ledger>,
    lifecycle: Arc<Lifecycle>,
}

impl ProcessDoor {
    /// A door that lets `limit` calls through at once and `max_waiting` more stand in line.
    pub fn new(
        limit: u32,
        max_waiting: u32,
        workers: Arc<Workers>,
        ledger: Arc<Ledger>,
        lifecycle: Arc<Lifecycle>,
    ) -> Self {
        Self {
            guard: Guard::new(limit, max_waiting, workers, Arc::clone(&ledger)),
            ledger,
            lifecycle,
        }
    }

    /// Has a message processed. Waits in line and for the work; cancel-safe: whoever leaves frees its place at once.
    pub async fn process(&self, job: Job, deadline: Option<Instant>) -> Result<Processed, Refusal> {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.ledger.refuse(Door::Process);
            return Err(Refusal::Expired);
        }
        tokio::select! {
            biased;
            answer = self.guard.admit(job, deadline) => answer,
            () = passed(deadline) => Err(Refusal::Expired),
            () = self.lifecycle.reached(Phase::Abandoning) => Err(Refusal::Abandoned),
        }
    }
}

/// Waits until the deadline; for ever, if there is none.
async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
