//! The fire-and-forget door: acknowledges as soon as the message is on the queue. A dispatcher takes it from there.

mod completions;
mod dispatcher;
mod queue;

use std::sync::Arc;

use tokio::{sync::Semaphore, time::Instant};

pub use self::{
    completions::{Completion, CompletionLog, LogChunk},
    queue::Queue,
};
use crate::{
    job::{Door, Job, Refusal},
    ledger::Ledger,
    lifecycle::{Lifecycle, Phase},
    metrics::Metrics,
    workers::Workers,
};

/// How much the queue holds, and what happens to a message that finds it full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// Everything that is sent, until memory ends. A strategy that a user asks for by name.
    Unbounded,
    /// So many messages.
    Bounded {
        /// At least 1.
        places: u32,
        /// What then.
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

/// The door.
pub struct EnqueueDoor {
    queue: Arc<Queue>,
    /// Places on the queue, where callers wait for them.
    places: Option<Places>,
    ledger: Arc<Ledger>,
    lifecycle: Arc<Lifecycle>,
    metrics: Arc<Metrics>,
}

struct Places {
    free: Arc<Semaphore>,
    line: Semaphore,
}

impl EnqueueDoor {
    /// A door to a queue of that capacity; with [`WhenFull::Wait`], `max_waiting` callers may stand in line for it.
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
            queue: Arc::new(Queue::new(capacity, freed, Arc::clone(&ledger), log)),
            places,
            ledger,
            lifecycle,
            metrics,
        }
    }

    /// Moves messages from the queue to workers until the service abandons or closes.
    pub async fn dispatch(&self, workers: Arc<Workers>) {
        dispatcher::run(&self.queue, workers, &self.lifecycle).await;
    }

    /// Puts a message on the queue and says how many are on it then. Waits only with [`WhenFull::Wait`]; cancel-safe:
    /// whoever leaves while waiting has put nothing on the queue.
    pub async fn enqueue(&self, job: Job, deadline: Option<Instant>) -> Result<u64, Refusal> {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.ledger.refuse(Door::Enqueue);
            return Err(Refusal::Expired);
        }
        match &self.places {
            None => self.queue.offer(job),
            // Boxed, so that calls which never wait are not as large as one that does.
            Some(places) => Box::pin(self.wait_for_place(places, job, deadline)).await,
        }
    }

    async fn wait_for_place(&self, places: &Places, job: Job, deadline: Option<Instant>) -> Result<u64, Refusal> {
        if let Ok(place) = places.free.try_acquire() {
            return self.queue.offer_place(job, place, None);
        }
        let Ok(_standing) = places.line.try_acquire() else {
            self.ledger.refuse(Door::Enqueue);
            return Err(Refusal::NoRoom("the line for the queue"));
        };
        let in_line = self.ledger.join_line(Door::Enqueue, deadline);
        tokio::select! {
            biased;
            place = places.free.acquire() => {
                let place = place.expect("the semaphore is never closed");
                // Some get a place when nobody is left to be told.
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    return Err(Refusal::Expired);
                }
                // From here to the end nothing waits: a place that was taken is filled.
                self.metrics.stood_in_line(job.since.elapsed());
                self.queue.offer_place(job, place, Some(in_line))
            }
            () = self.lifecycle.reached(Phase::Abandoning) => Err(Refusal::Abandoned),
        }
    }
}
