//! W slots: the resource that both doors share. A slot is the right to have one message processed. Their number, and how
//! long a message takes, can change while the service runs.

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

/// The worker slots that both RPCs share. A message is processed while it holds one.
pub struct Workers {
    slots: Permits,
    /// How many slots there are, for those that only want to know.
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
    /// `count` slots, in which `work` is done.
    pub fn new(count: u32, work: Work, metrics: Arc<Metrics>) -> Self {
        Self {
            slots: Permits::new(count),
            count: AtomicU32::new(count),
            work,
            metrics,
        }
    }

    /// Waits for a slot, first come first served across both RPCs. Cancel-safe: a caller that leaves loses its place.
    pub async fn slot(self: &Arc<Self>) -> Slot {
        // The slot gives it back.
        Permits::keep(self.slots.acquire().await);
        Slot {
            workers: Arc::clone(self),
        }
    }

    /// A slot, if one is free that no message waits for.
    pub fn try_slot(self: &Arc<Self>) -> Option<Slot> {
        // The slot gives it back.
        Permits::keep(self.slots.try_acquire()?);
        Some(Slot {
            workers: Arc::clone(self),
        })
    }

    /// How many slots are free now.
    pub fn free(&self) -> usize {
        self.slots.free()
    }

    /// Waits until a slot is free, in line with those that take one. It stays free. Cancel-safe.
    pub async fn vacancy(&self) {
        drop(self.slots.acquire().await);
    }

    /// How many slots there are. While their number falls, more can be in use: a message in service is not broken off.
    pub fn count(&self) -> u32 {
        self.count.load(SeqCst)
    }

    /// From now on there are `count` slots. `--work cpu` starts the threads that are missing.
    pub fn resize(&self, count: u32) {
        self.work.make_room(count);
        self.slots.resize(count);
        self.count.store(count, SeqCst);
        self.metrics.workers(count);
    }

    /// The mean service time of messages that do not ask for one.
    pub fn service_time(&self) -> Duration {
        self.work.mean()
    }

    /// From now on that is the mean service time. A message that is in service keeps its own.
    pub fn set_service_time(&self, mean: Duration) {
        self.work.set_mean(mean);
    }

    /// From now on `share` of the messages fail, each `after` that time. A message that is in service is not affected.
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
    /// Processes a message that was `taken` just now. Dropping the future breaks the work off.
    ///
    /// The caller counts the end, then gives the slot back: so the count in service is never above the number of slots.
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
