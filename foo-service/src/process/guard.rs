//! Admission to Process: a tower stack, applied inside the handler.
//!
//! ```text
//! load_shed ─ limit (L + max_waiting places) ─ line ─ limit (L) ─ a worker
//! ```
//!
//! The outer limit has a place for everyone who may be in line or past it; where it has none left, `load_shed` (outside
//! it: the other way round nothing is ever shed) turns the call away at once. Both counts are per service, not per
//! connection. On `Server` the same stack would also shed health checks and hold unread bodies.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use futures_util::FutureExt;
use tokio::{sync::Semaphore, time::Instant};
use tower::{
    ServiceBuilder, ServiceExt,
    limit::{ConcurrencyLimit, GlobalConcurrencyLimitLayer},
    load_shed::LoadShed,
};

use super::line::{Line, Standing};
use crate::{
    job::{Door, Job, Processed, Reason},
    ledger::Ledger,
    workers::Workers,
};

/// Lets calls in, or turns them away at once.
pub(super) struct Guard {
    stack: LoadShed<ConcurrencyLimit<Line>>,
    line: Line,
    places: Arc<Semaphore>,
    /// Places that are taken and must not be given to anybody again: the limit was lowered.
    owed: AtomicUsize,
    /// What the places were made for. Changes of it happen one at a time.
    limit: Mutex<u32>,
    ledger: Arc<Ledger>,
}

impl Guard {
    pub(super) fn new(limit: u32, max_waiting: u32, workers: Arc<Workers>, ledger: Arc<Ledger>) -> Self {
        let places = Arc::new(Semaphore::new(limit as usize + max_waiting as usize));
        let line = Line::new(limit, workers, Arc::clone(&ledger));
        let stack = ServiceBuilder::new()
            .load_shed()
            .layer(GlobalConcurrencyLimitLayer::with_semaphore(Arc::clone(&places)))
            .service(line.clone());
        Self {
            stack,
            line,
            places,
            owed: AtomicUsize::new(0),
            limit: Mutex::new(limit),
            ledger,
        }
    }

    /// From now on `limit` calls are let through at once, and as many as before may wait.
    pub(super) fn resize(&self, limit: u32) {
        let mut now = self.limit.lock().expect("no code panics with the limit locked");
        self.line.resize(limit);
        if limit >= *now {
            self.places.add_permits((limit - *now) as usize);
        } else {
            self.owed.fetch_add((*now - limit) as usize, SeqCst);
        }
        self.settle();
        *now = limit;
    }

    /// Takes places that are owed from those that are free. Nobody waits for a place, so that one that was given back is
    /// still free when the next call comes.
    fn settle(&self) {
        let owed = self.owed.swap(0, SeqCst);
        let paid = self.places.forget_permits(owed);
        self.owed.fetch_add(owed - paid, SeqCst);
    }

    /// Waits in line and for the work, or is turned away without waiting.
    pub(super) fn admit(
        &self,
        job: Job,
        deadline: Option<Instant>,
    ) -> impl Future<Output = Result<Processed, Reason>> + Send {
        if self.owed.load(SeqCst) > 0 {
            self.settle();
        }
        // A clone is a handle on the same permits. One that is kept for many calls, and was once refused, asks through
        // tokio's budget from then on, and could be refused with permits free.
        let answered = self.stack.clone().oneshot(Standing { job, deadline });
        answered.map(|answer| {
            // Line never fails, so what fails is load_shed.
            answer.unwrap_or_else(|_overloaded| {
                self.ledger.refuse(Door::Process);
                Err(Reason::LineFull)
            })
        })
    }
}
