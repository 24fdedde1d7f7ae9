//! Admission to Process: a tower stack, applied inside the handler.
//!
//! ```text
//! load_shed ─ limit (L + max_waiting places) ─ line ─ a turn in the room ─ a worker
//! ```
//!
//! The tower limit has a place for each call that may be in line or past it; where it has none left, `load_shed` (outside
//! it: the other way round nothing is ever shed) rejects the call at once. Both counts are per service, not per connection.
//! On `Server` the same stack would also shed health checks and hold unread bodies.
//!
//! The tower limit is there with `--line fifo` without classes, where a number of places is all that decides, as long as L is known: the
//! number of workers, or a fixed one. Every other line decides itself which call it rejects, and a call that arrives can be the better one to keep: there the line is the bound.

use std::sync::Arc;

use futures_util::FutureExt;
use tokio::time::Instant;
use tower::{
    ServiceBuilder, ServiceExt,
    limit::{ConcurrencyLimit, GlobalConcurrencyLimitLayer},
    load_shed::LoadShed,
    util::Either,
};
use tower_admission::line::Class;

use super::{
    line::{Line, Standing},
    places::Places,
};
use crate::{
    job::{Done, Door, Job, Reason},
    ledger::Ledger,
    turns::Turns,
};

/// Lets calls in, or rejects them.
pub(super) struct Guard {
    stack: LoadShed<Either<ConcurrencyLimit<Line>, Line>>,
    bound: Option<Bound>,
    ledger: Arc<Ledger>,
}

/// The places of tower's limit, and how many calls may wait for one.
struct Bound {
    places: Places,
    max_waiting: usize,
}

impl Guard {
    /// `bound` is the limit and how many calls may wait: for a line that is bounded from outside.
    pub(super) fn new(bound: Option<(u32, u32)>, turns: Arc<Turns>, ledger: Arc<Ledger>) -> Self {
        let bound = bound.map(|(limit, max_waiting)| Bound {
            places: Places::new(limit as usize + max_waiting as usize),
            max_waiting: max_waiting as usize,
        });
        let limit = bound
            .as_ref()
            .map(|bound| GlobalConcurrencyLimitLayer::with_semaphore(bound.places.semaphore()));
        let stack = ServiceBuilder::new()
            .load_shed()
            .option_layer(limit)
            .service(Line::new(turns, Arc::clone(&ledger)));
        Self { stack, bound, ledger }
    }

    /// From now on `limit` calls are let through at once, and as many as before may wait.
    pub(super) fn resize(&self, limit: u32) {
        if let Some(bound) = &self.bound {
            bound.places.resize(limit as usize + bound.max_waiting);
        }
    }

    /// Waits in line and for the work, or is rejected.
    pub(super) fn admit(
        &self,
        job: Job,
        deadline: Option<Instant>,
        class: Class,
    ) -> impl Future<Output = Result<Done, Reason>> + Send {
        if let Some(bound) = &self.bound {
            bound.places.before_taking();
        }
        // A clone is a handle on the same permits. One that is kept for many calls, and was once refused, asks through
        // tokio's budget from then on, and could be refused with permits free.
        let answered = self.stack.clone().oneshot(Standing { job, deadline, class });
        answered.map(|answer| {
            // Line never fails, so what fails is load_shed.
            answer.unwrap_or_else(|_overloaded| {
                self.ledger.refuse(Door::Process);
                Err(Reason::LineFull)
            })
        })
    }
}
