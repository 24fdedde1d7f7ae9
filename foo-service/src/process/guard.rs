//! Admission to Process: a tower stack inside the handler.
//!
//! ```text
//! load_shed ─ limit (L + max_waiting places) ─ line ─ a turn in the room ─ a worker
//! ```
//!
//! The tower limit has a place for each call that may wait or be admitted. When all are taken, `load_shed` rejects the next
//! call at once (it must be outside: inside, it would never reject). Both counts are per service, not per connection. A stack
//! on `Server` would also reject health checks and would keep unread bodies in memory.
//!
//! The tower limit is used only with `--line fifo` without classes, and if L is known: the number of workers, or a fixed one. A
//! number of places then decides all. Every other line decides itself which call it rejects, and may prefer a new call to a
//! waiting one: there the line itself is the bound.

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

/// The admission of calls of Process: each is let in or rejected.
pub(super) struct Guard {
    stack: LoadShed<Either<ConcurrencyLimit<Line>, Line>>,
    bound: Option<Bound>,
    ledger: Arc<Ledger>,
}

/// The places of the tower limit, and the part of them that is for waiting.
struct Bound {
    places: Places,
    max_waiting: usize,
}

impl Guard {
    /// `bound` is the limit and how many calls may wait; `None` if the line itself decides which calls it rejects.
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

    /// Changes the limit; as many calls as before may wait.
    pub(super) fn resize(&self, limit: u32) {
        if let Some(bound) = &self.bound {
            bound.places.resize(limit as usize + bound.max_waiting);
        }
    }

    /// Waits for the turn of the call and for the work on its message, or rejects the call.
    pub(super) fn admit(
        &self,
        job: Job,
        deadline: Option<Instant>,
        class: Class,
    ) -> impl Future<Output = Result<Done, Reason>> + Send {
        if let Some(bound) = &self.bound {
            bound.places.before_taking();
        }
        // Each call uses a new clone; all clones share the permits. A clone that was refused once would from then on ask through
        // tokio's cooperative budget, and could be refused although permits are free.
        let answered = self.stack.clone().oneshot(Standing { job, deadline, class });
        answered.map(|answer| {
            // `Line` never fails, so an error comes from `load_shed`.
            answer.unwrap_or_else(|_overloaded| {
                self.ledger.refuse(Door::Process);
                Err(Reason::LineFull)
            })
        })
    }
}
