//! The fire-and-forget door: acknowledges as soon as the message is on the queue. A dispatcher takes it from there.

mod backend;
mod completions;
mod dispatcher;
mod file;
#[cfg(feature = "nats")]
mod nats;
mod queue;
mod sharing;

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::Instant};

use self::backend::Backend;
#[cfg(feature = "nats")]
use self::nats::NatsQueue;
#[cfg(feature = "nats")]
pub use self::nats::{DeadLetter, DeadLetters, NatsSettings};
pub use self::{
    completions::{Completion, CompletionLog, LOG_CAPACITY, LogChunk},
    file::{FileQueue, FileSettings, OpenError},
    queue::{Lease, Queue},
    sharing::{CAN_SHARE, SharedSeen, UnfitQueue},
};
use crate::{
    job::{Door, Job, JobOutcome, Reason},
    ledger::Ledger,
    lifecycle::{Lifecycle, Phase},
    metrics::Metrics,
};

/// How much the queue holds, and what happens to a message that finds it full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// Everything that is sent, until memory ends. A strategy that a user asks for by name.
    Unbounded,
    /// Up to a number of messages.
    Bounded {
        /// The number of messages, at least 1.
        places: u32,
        /// What happens to a new message when the queue is full.
        when_full: WhenFull,
    },
}

/// What happens to a message that finds the queue full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum WhenFull {
    /// It is refused: the sender learns of it, at once.
    Reject,
    /// It takes the place of the oldest, which is lost: the sender never learns of it.
    DropOldest,
    /// Its caller waits for a place, in a bounded line: backpressure at the queue.
    Wait,
}

/// What the queue stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backing {
    /// Memory: the queue ends with the process.
    Memory(Capacity),
    /// A file: what was acknowledged outlives the process.
    File(FileSettings),
    /// A server: what was acknowledged outlives the process, and other processes take it.
    #[cfg(feature = "nats")]
    Nats(NatsSettings),
}

/// What a caller is told of a message that is on the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enqueued {
    /// Messages on the queue then.
    pub depth: u64,
    /// Whether the message is a repeat of one that was queued before, and was not queued again.
    pub duplicate: bool,
}

/// The RPC Enqueue: takes messages for the queue.
pub struct EnqueueDoor {
    queue: Backend,
    /// Places on the queue, where callers wait for them.
    places: Option<Places>,
    ledger: Arc<Ledger>,
    lifecycle: Arc<Lifecycle>,
    metrics: Arc<Metrics>,
    /// The age above which a message is not processed.
    message_ttl: Option<Duration>,
}

struct Places {
    free: Arc<Semaphore>,
    line: Semaphore,
}

impl EnqueueDoor {
    /// A queue on `backing`. With [`WhenFull::Wait`], `max_waiting` callers may wait for a place on it.
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

    /// A queue in memory, of that capacity. With [`WhenFull::Wait`], `max_waiting` callers may wait for a place on it.
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

    /// A message that is older than this when its turn comes is not processed, and ends as expired. `None`: every message is
    /// processed.
    #[must_use]
    pub fn message_ttl(mut self, ttl: Option<Duration>) -> Self {
        self.message_ttl = ttl;
        self
    }

    /// The name of a queue that outlives the process; empty for one in memory, and for a shared one until it was reached.
    pub fn queue_id(&self) -> &str {
        match &self.queue {
            Backend::Memory(_) => "",
            Backend::File(queue) => queue.queue_id(),
            #[cfg(feature = "nats")]
            Backend::Nats(queue) => queue.queue_id(),
        }
    }

    /// Waits until the queue has nothing left to write. Nothing is taken from it or put on it any more.
    pub async fn close(&self) {
        self.queue.close().await;
    }

    /// Puts a message on the queue and says how many are on it then.
    ///
    /// In memory, waits only with [`WhenFull::Wait`]; a caller that leaves while it waits has put nothing on the queue. In a
    /// file, waits for the disk, and on a server for its answer; the message of a caller that leaves meanwhile is perhaps on the queue.
    pub async fn enqueue(&self, job: Job, deadline: Option<Instant>) -> Result<Enqueued, Reason> {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.ledger.refuse(Door::Enqueue);
            return Err(Reason::Expired);
        }
        // Boxed, so that calls which never wait are not as large as those that do.
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
                // Some calls get a place after their deadline, when their callers have given up.
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    in_line.leave(JobOutcome::Expired);
                    return Err(Reason::Expired);
                }
                // From here to the end nothing waits: a place that was taken is filled.
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

    /// A door to a queue of one place, which is taken.
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
        // A caller can go away wherever its future waits. Between taking a place and filling it, that could leave the
        // place empty for ever.
        // Tried with an `.await` there: not filled in that turn.
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
        // Tried without the look at the deadline: it was filled.
        let (door, ledger) = full_door().await;
        let second = Duration::from_secs(1);
        let mut waiting = pin!(door.enqueue(job(), Some(Instant::now() + second)));
        assert!(waiting.as_mut().now_or_never().is_none());
        tokio::time::advance(second).await;
        let taken = door.queue.take();
        let answer = waiting.now_or_never().unwrap();
        assert!(matches!(answer, Err(Reason::Expired)), "{answer:?}");
        assert_eq!(ledger.door(Door::Enqueue).refused, 1);
        // The next one gets the place.
        door.enqueue(job(), None).now_or_never().unwrap().unwrap();
        drop(taken);
    }
}
