//! The worker slots that both RPCs share. A slot is the right to have one message processed. The number of slots and the service
//! time can change while the service runs.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    job::{Door, Job, Processed, WorkFailed},
    metrics::Metrics,
    permits::Permits,
    work::{Share, Work},
};

/// The worker slots that both RPCs share. A message needs one for as long as it is processed.
pub struct Workers {
    slots: Permits,
    /// The number of slots, readable without the lock of `slots`.
    count: AtomicU32,
    work: Work,
    metrics: Arc<Metrics>,
}

/// The right to have one message processed; given back when dropped.
pub struct Slot {
    workers: Arc<Workers>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.workers.slots.give_back();
    }
}

impl Workers {
    /// Creates `count` slots; a message that has one is processed by `work`.
    pub fn new(count: u32, work: Work, metrics: Arc<Metrics>) -> Self {
        Self {
            slots: Permits::new(count),
            count: AtomicU32::new(count),
            work,
            metrics,
        }
    }

    /// Waits for a slot, first come first served across both RPCs. Cancel-safe: a caller that leaves also leaves the line.
    pub async fn slot(self: &Arc<Self>) -> Slot {
        // `Slot` gives the permit back when it is dropped.
        Permits::keep(self.slots.acquire().await);
        Slot {
            workers: Arc::clone(self),
        }
    }

    /// Takes a slot without waiting; `None` if all are in use, or if a message waits for the free one.
    pub fn try_slot(self: &Arc<Self>) -> Option<Slot> {
        // `Slot` gives the permit back when it is dropped.
        Permits::keep(self.slots.try_acquire()?);
        Some(Slot {
            workers: Arc::clone(self),
        })
    }

    /// The number of free slots.
    pub fn free(&self) -> usize {
        self.slots.free()
    }

    /// Waits until a slot is free, in line with the callers of [`slot`](Self::slot), and does not take it. Cancel-safe.
    pub async fn vacancy(&self) {
        drop(self.slots.acquire().await);
    }

    /// The number of slots. After it was lowered, more can still be in use, because a message in service is not interrupted.
    pub fn count(&self) -> u32 {
        self.count.load(SeqCst)
    }

    /// Changes the number of slots to `count`. With `--work cpu`, starts the threads that are missing.
    pub fn resize(&self, count: u32) {
        self.work.make_room(count);
        self.slots.resize(count);
        self.count.store(count, SeqCst);
        self.metrics.workers(count);
    }

    /// The mean service time of messages whose request does not ask for one.
    pub fn service_time(&self) -> Duration {
        self.work.mean()
    }

    /// Changes the mean service time. A message in service keeps the time it has.
    pub fn set_service_time(&self, mean: Duration) {
        self.work.set_mean(mean);
    }

    /// From now on `share` of the messages fail, each after the time `after`. A message in service is not affected.
    pub fn set_failures(&self, share: Share, after: Duration) {
        self.work.set_failures(share, after);
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

impl Slot {
    /// Processes a message that was taken from the queue or line at `taken`, which is now. Dropping the future stops the work.
    ///
    /// The caller counts the outcome first and drops the slot then, so that never more are counted in service than there are slots.
    ///
    /// # Errors
    ///
    /// If the work on the message failed.
    pub async fn process(&self, door: Door, job: &Job, taken: Instant) -> Result<Processed, WorkFailed> {
        let Workers { work, metrics, .. } = &*self.workers;
        let queue_wait = taken.saturating_duration_since(job.since);
        metrics.waited(door, queue_wait);
        let service_time = work.perform(job.demand).await?;
        metrics.served(door, queue_wait, service_time);
        Ok(Processed {
            queue_wait,
            service_time,
        })
    }
}
