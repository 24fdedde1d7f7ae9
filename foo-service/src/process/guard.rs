//! Admission to Process: a tower stack, applied inside the handler.
//!
//! ```text
//! load_shed ─ limit (L + max_waiting places) ─ line ─ limit (L) ─ a worker
//! ```
//!
//! The outer limit has a place for everyone who may be in line or past it; where it has none left, `load_shed` (outside
//! it: the other way round nothing is ever shed) turns the call away at once. Both counts are per service, not per
//! connection. On `Server` the same stack would also shed health checks and hold unread bodies.

use std::sync::Arc;

use futures_util::FutureExt;
use tokio::time::Instant;
use tower::{
    ServiceBuilder, ServiceExt,
    limit::{ConcurrencyLimit, GlobalConcurrencyLimitLayer},
    load_shed::LoadShed,
};

use super::line::{Line, Standing};
use crate::{
    job::{Door, Job, Processed, Refusal},
    ledger::Ledger,
    workers::Workers,
};

/// Lets calls in, or turns them away at once.
pub(super) struct Guard {
    stack: LoadShed<ConcurrencyLimit<Line>>,
    ledger: Arc<Ledger>,
}

impl Guard {
    pub(super) fn new(limit: u32, max_waiting: u32, workers: Arc<Workers>, ledger: Arc<Ledger>) -> Self {
        let places = limit as usize + max_waiting as usize;
        let stack = ServiceBuilder::new()
            .load_shed()
            .layer(GlobalConcurrencyLimitLayer::new(places))
            .service(Line::new(limit, workers, Arc::clone(&ledger)));
        Self { stack, ledger }
    }

    /// Waits in line and for the work, or is turned away without waiting.
    pub(super) fn admit(
        &self,
        job: Job,
        deadline: Option<Instant>,
    ) -> impl Future<Output = Result<Processed, Refusal>> + Send {
        // A clone is a handle on the same permits. One that is kept for many calls, and was once refused, asks through
        // tokio's budget from then on, and could be refused with permits free.
        let answered = self.stack.clone().oneshot(Standing { job, deadline });
        answered.map(|answer| {
            // Line never fails, so what fails is load_shed.
            answer.unwrap_or_else(|_overloaded| {
                self.ledger.refuse(Door::Process);
                Err(Refusal::NoRoom("the line"))
            })
        })
    }
}
