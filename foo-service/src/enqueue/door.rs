//! The RPC Enqueue puts messages on the queue. If the queue is full, its capacity decides: the message is refused, takes the place
//! of the oldest one, or its caller waits for a place.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::Instant};

#[cfg(feature = "nats")]
use super::nats::NatsQueue;
use super::{
    backend::Backend,
    backing::Backing,
    capacity::{Capacity, WhenFull},
    completions::CompletionLog,
    enqueued::Enqueued,
    file::{FileQueue, OpenError},
    memory::Queue,
};
use crate::{
    job::{Door, Job, JobOutcome, Reason},
    ledger::Ledger,
    lifecycle::{Lifecycle, Phase},
    metrics::Metrics,
};

/// The RPC Enqueue: puts messages on the queue.
pub struct EnqueueDoor {
    pub(super) queue: Backend,
    /// The places on the queue, if callers wait for them ([`WhenFull::Wait`]).
    places: Option<Places>,
    ledger: Arc<Ledger>,
    pub(super) lifecycle: Arc<Lifecycle>,
    pub(super) metrics: Arc<Metrics>,
    /// The age above which a message is not processed; `None`: every message is processed.
    pub(super) message_ttl: Option<Duration>,
}

struct Places {
    free: Arc<Semaphore>,
    line: Semaphore,
}

impl EnqueueDoor {
    /// Opens the queue. With [`WhenFull::Wait`], `max_waiting` callers may wait for room on it.
    ///
    /// # Errors
    ///
    /// If the file of the queue cannot be opened.
    pub fn open(
        backing: &Backing,
        max_waiting: u32,
        ledger: Arc<Ledger>,
        lifecycle: Arc<Lifecycle>,
        metrics: Arc<Metrics>,
        log: Arc<CompletionLog>,
    ) -> Result<Self, OpenError> {
        match backing {
            Backing::Memory(capacity) => Ok(Self::new(*capacity, max_waiting, ledger, lifecycle, metrics, log)),
            Backing::File(settings) => {
                let queue = FileQueue::open(settings, Arc::clone(&ledger), log, Arc::clone(&metrics))?;
                Ok(Self {
                    queue: Backend::File(Arc::new(queue)),
                    places: None,
                    ledger,
                    lifecycle,
                    metrics,
                    message_ttl: None,
                })
            }
            #[cfg(feature = "nats")]
            Backing::Nats(settings) => {
                let parts = (Arc::clone(&ledger), Arc::clone(&lifecycle), Arc::clone(&metrics));
                let queue = NatsQueue::new(settings.clone(), parts, log);
                Ok(Self {
                    queue: Backend::Nats(Arc::new(queue)),
                    places: None,
                    ledger,
                    lifecycle,
                    metrics,
                    message_ttl: None,
                })
            }
        }
    }

    /// Creates a queue in memory. With [`WhenFull::Wait`], `max_waiting` callers may wait for room on it.
    pub fn new(
        capacity: Capacity,
        max_waiting: u32,
        ledger: Arc<Ledger>,
        lifecycle: Arc<Lifecycle>,
        metrics: Arc<Metrics>,
        log: Arc<CompletionLog>,
    ) -> Self {
        let places = match capacity {
            Capacity::Bounded {
                places,
                when_full: WhenFull::Wait,
            } => Some(Places {
                free: Arc::new(Semaphore::new(places as usize)),
                line: Semaphore::new(max_waiting as usize),
            }),
            _ => None,
        };
        let freed = places.as_ref().map(|places| Arc::clone(&places.free));
        Self {
            queue: Backend::Memory(Arc::new(Queue::new(capacity, freed, Arc::clone(&ledger), log))),
            places,
            ledger,
            lifecycle,
            metrics,
            message_ttl: None,
        }
    }

    /// Sets the age above which a message is not processed when its turn comes, and ends as expired. `None`: every message is
    /// processed.
    #[must_use]
    pub fn message_ttl(mut self, ttl: Option<Duration>) -> Self {
        self.message_ttl = ttl;
        self
    }

    /// The id of a queue that outlives the process; empty for a queue in memory, and for a shared queue that was not reached yet.
    pub fn queue_id(&self) -> &str {
        match &self.queue {
            Backend::Memory(_) => "",
            Backend::File(queue) => queue.queue_id(),
            #[cfg(feature = "nats")]
            Backend::Nats(queue) => queue.queue_id(),
        }
    }

    /// Waits until the queue has written everything. To be called when nothing is taken from it or put on it any more.
    pub async fn close(&self) {
        self.queue.close().await;
    }

    /// Puts a message on the queue, and returns how many messages are then on it.
    ///
    /// In memory, waits only with [`WhenFull::Wait`]; if the caller leaves while it waits, the message is not queued. In a file,
    /// waits for the disk, and on a server for its answer; if the caller leaves meanwhile, the message may be queued or not.
    pub async fn enqueue(&self, job: Job, deadline: Option<Instant>) -> Result<Enqueued, Reason> {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.ledger.refuse(Door::Enqueue);
            return Err(Reason::Expired);
        }
        // In a box, so that the future of a call that never waits stays small.
        let depth = match (&self.queue, &self.places) {
            (Backend::Memory(queue), None) => queue.offer(job)?,
            (Backend::Memory(queue), Some(places)) => {
                Box::pin(self.wait_for_place(queue, places, job, deadline)).await?
            }
            (Backend::File(queue), _) => return Box::pin(self.within_drain(queue.offer(job, deadline))).await,
            #[cfg(feature = "nats")]
            (Backend::Nats(queue), _) => return Box::pin(self.within_drain(queue.offer(job, deadline))).await,
        };
        Ok(Enqueued {
            depth,
            duplicate: false,
        })
    }

    async fn within_drain(&self, offer: impl Future<Output = Result<Enqueued, Reason>>) -> Result<Enqueued, Reason> {
        tokio::select! {
            biased;
            enqueued = offer => enqueued,
            () = self.lifecycle.reached(Phase::Abandoning) => Err(Reason::Abandoned),
        }
    }

    async fn wait_for_place(
        &self,
        queue: &Queue,
        places: &Places,
        job: Job,
        deadline: Option<Instant>,
    ) -> Result<u64, Reason> {
        if let Ok(place) = places.free.try_acquire() {
            return queue.offer_place(job, place, None);
        }
        let Ok(_standing) = places.line.try_acquire() else {
            self.ledger.refuse(Door::Enqueue);
            return Err(Reason::QueueLineFull);
        };
        let in_line = self.ledger.join_line(Door::Enqueue, deadline);
        tokio::select! {
            biased;
            place = places.free.acquire() => {
                let place = place.expect("the semaphore is never closed");
                // The place can come after the caller's deadline.
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    in_line.leave(JobOutcome::Expired);
                    return Err(Reason::Expired);
                }
                // No `.await` from here to the end, so a place that was taken is always filled.
                self.metrics.stood_in_line(job.since.elapsed());
                queue.offer_place(job, place, Some(in_line))
            }
            () = self.lifecycle.reached(Phase::Abandoning) => Err(Reason::Abandoned),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, time::Duration};

    use futures_util::FutureExt;
    use metrics::NoopRecorder;

    use super::*;

    fn job() -> Job {
        Job {
            id: "id".into(),
            payload: Box::default(),
            demand: None,
            since: Instant::now(),
        }
    }

    /// Enqueue with a queue for one message, which is full.
    async fn full_door() -> (EnqueueDoor, Arc<Ledger>) {
        let capacity = Capacity::Bounded {
            places: 1,
            when_full: WhenFull::Wait,
        };
        let ledger = Arc::new(Ledger::default());
        let metrics = Arc::new(Metrics::new(&NoopRecorder, 1, Some(1)));
        let door = EnqueueDoor::new(
            capacity,
            1,
            Arc::clone(&ledger),
            Arc::default(),
            metrics,
            Arc::default(),
        );
        door.enqueue(job(), None).await.unwrap();
        (door, ledger)
    }

    #[tokio::test]
    async fn a_place_is_filled_in_the_turn_in_which_it_is_taken() {
        // A caller can go away wherever its future waits. Between taking a place and filling it, that could leave the place empty
        // for ever. With an `.await` added there, this test fails.
        let (door, ledger) = full_door().await;
        let mut waiting = pin!(door.enqueue(job(), None));
        assert!(waiting.as_mut().now_or_never().is_none());
        let taken = door.queue.take();
        assert_eq!(ledger.levels().queue_depth, 0);
        assert!(waiting.now_or_never().is_some());
        assert_eq!(ledger.levels().queue_depth, 1);
        drop(taken);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_comes_with_the_deadline_is_not_filled() {
        // Without the check of the deadline, this test fails: the place is then filled.
        let (door, ledger) = full_door().await;
        let second = Duration::from_secs(1);
        let mut waiting = pin!(door.enqueue(job(), Some(Instant::now() + second)));
        assert!(waiting.as_mut().now_or_never().is_none());
        tokio::time::advance(second).await;
        let taken = door.queue.take();
        let answer = waiting.now_or_never().unwrap();
        assert!(matches!(answer, Err(Reason::Expired)), "{answer:?}");
        assert_eq!(ledger.door(Door::Enqueue).refused, 1);
        // The next message gets the place.
        door.enqueue(job(), None).now_or_never().unwrap().unwrap();
        drop(taken);
    }
}
