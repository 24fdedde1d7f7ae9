//! W slots: the resource that both doors share. Whoever holds a slot may have one message processed.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{
    job::{Door, Job, Processed},
    metrics::Metrics,
    work::Work,
};

/// The pool.
pub struct Workers {
    slots: Arc<Semaphore>,
    work: Work,
    metrics: Arc<Metrics>,
}

/// The right to have one message processed; given back when dropped.
#[derive(Debug)]
pub struct Slot {
    _permit: OwnedSemaphorePermit,
}

impl Workers {
    /// `count` slots for `work`.
    pub fn new(count: u32, work: Work, metrics: Arc<Metrics>) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(count as usize)),
            work,
            metrics,
        }
    }

    /// Waits for a slot, first come first served across both doors. Cancel-safe: whoever leaves loses its place.
    pub async fn slot(&self) -> Slot {
        let permit = Arc::clone(&self.slots).acquire_owned().await;
        Slot {
            _permit: permit.expect("the semaphore is never closed"),
        }
    }

    /// Processes a message in a slot. Dropping the future breaks the work off.
    ///
    /// The caller counts the end, then gives the slot back: so nobody ever sees more in service than there are slots.
    pub async fn process(&self, _in: &Slot, door: Door, job: &Job) -> Processed {
        let queue_wait = Instant::now().saturating_duration_since(job.since);
        self.metrics.waited(door, queue_wait);
        let service_time = self.work.perform(job.demand).await;
        self.metrics.served(door, queue_wait, service_time);
        Processed {
            queue_wait,
            service_time,
        }
    }
}
