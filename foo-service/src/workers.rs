//! W slots: the resource that both doors share. Whoever holds a slot may have one message processed.

use std::sync::Arc;

use tokio::{sync::Semaphore, time::Instant};

use crate::{
    job::{Door, Job, Processed},
    metrics::Metrics,
    work::Work,
};

/// The pool.
pub struct Workers {
    slots: Semaphore,
    work: Work,
    metrics: Arc<Metrics>,
}

/// The right to have one message processed; given back when dropped.
pub struct Slot {
    workers: Arc<Workers>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.workers.slots.add_permits(1);
    }
}

impl Workers {
    /// `count` slots for `work`.
    pub fn new(count: u32, work: Work, metrics: Arc<Metrics>) -> Self {
        Self {
            slots: Semaphore::new(count as usize),
            work,
            metrics,
        }
    }

    /// Waits for a slot, first come first served across both doors. Cancel-safe: whoever leaves loses its place.
    pub async fn slot(self: &Arc<Self>) -> Slot {
        let permit = self.slots.acquire().await.expect("the semaphore is never closed");
        // The slot gives it back.
        permit.forget();
        Slot {
            workers: Arc::clone(self),
        }
    }
}

impl Slot {
    /// Processes a message that was `taken` just now. Dropping the future breaks the work off.
    ///
    /// The caller counts the end, then gives the slot back: so nobody ever sees more in service than there are slots.
    pub async fn process(&self, door: Door, job: &Job, taken: Instant) -> Processed {
        let Workers { work, metrics, .. } = &*self.workers;
        let queue_wait = taken.saturating_duration_since(job.since);
        metrics.waited(door, queue_wait);
        let service_time = work.perform(job.demand).await;
        metrics.served(door, queue_wait, service_time);
        Processed {
            queue_wait,
            service_time,
        }
    }
}
