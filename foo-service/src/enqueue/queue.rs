//! The queue: offer and take, in memory.
//!
//! Depth and bytes change with the queue, under its lock, so they are exact. A message that was taken comes with a
//! [`Lease`], by which its end is acknowledged: that is what a durable queue would need to know.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{Capacity, Completion, CompletionLog, WhenFull};
use crate::{
    job::{Door, Job, JobOutcome, Processed, Refusal},
    ledger::{InLine, InService, Ledger},
};

/// First in, first out.
pub struct Queue {
    state: Mutex<State>,
    not_empty: Notify,
    capacity: Capacity,
    /// Where callers wait for places: a message that leaves gives its place back here.
    freed: Option<Arc<Semaphore>>,
    ledger: Arc<Ledger>,
    log: Arc<CompletionLog>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Set when the queue was abandoned: nobody would take a message any more.
    closed: bool,
}

impl Queue {
    pub(super) fn new(
        capacity: Capacity,
        freed: Option<Arc<Semaphore>>,
        ledger: Arc<Ledger>,
        log: Arc<CompletionLog>,
    ) -> Self {
        Self {
            state: Mutex::default(),
            not_empty: Notify::new(),
            capacity,
            freed,
            ledger,
            log,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with the queue locked")
    }

    /// Puts a message on the queue, or refuses it, by the policy. Never waits. Returns the depth with it.
    pub(super) fn offer(&self, job: Job) -> Result<u64, Refusal> {
        let mut state = self.state();
        if let Capacity::Bounded { places, when_full } = self.capacity
            && state.jobs.len() >= places as usize
        {
            match when_full {
                WhenFull::DropOldest => {
                    if let Some(oldest) = state.jobs.pop_front() {
                        self.ended_in_queue(oldest, JobOutcome::Dropped);
                    }
                }
                WhenFull::Reject | WhenFull::Wait => {
                    drop(state);
                    self.ledger.refuse(Door::Enqueue);
                    return Err(Refusal::NoRoom("the queue"));
                }
            }
        }
        self.push(state, job, None)
    }

    /// Fills a place that the caller holds. Never waits.
    pub(super) fn offer_place(
        &self,
        job: Job,
        place: SemaphorePermit<'_>,
        in_line: Option<InLine>,
    ) -> Result<u64, Refusal> {
        let depth = self.push(self.state(), job, in_line)?;
        place.forget();
        Ok(depth)
    }

    fn push(&self, mut state: MutexGuard<'_, State>, mut job: Job, in_line: Option<InLine>) -> Result<u64, Refusal> {
        if state.closed {
            if in_line.is_none() {
                self.ledger.refuse(Door::Enqueue);
            }
            return Err(Refusal::Draining);
        }
        match in_line {
            None => self.ledger.join_queue(job.bytes()),
            Some(in_line) => in_line.enter_queue(job.bytes()),
        }
        job.since = Instant::now();
        state.jobs.push_back(job);
        let depth = state.jobs.len() as u64;
        drop(state);
        self.not_empty.notify_one();
        Ok(depth)
    }

    /// Waits until there is a message. For one consumer. Cancel-safe.
    pub(super) async fn ready(&self) {
        while self.state().jobs.is_empty() {
            self.not_empty.notified().await;
        }
    }

    /// Takes the oldest message, if it is still there.
    pub(super) fn take(&self) -> Option<Lease> {
        let mut state = self.state();
        let job = state.jobs.pop_front()?;
        let in_service = self.ledger.take_from_queue(job.bytes());
        drop(state);
        self.free_place();
        Some(Lease {
            taken: Instant::now(),
            held: Some((job, in_service)),
            log: Arc::clone(&self.log),
        })
    }

    /// Lets everything on the queue go, and refuses what is still to come.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.closed = true;
        for job in std::mem::take(&mut state.jobs) {
            self.ended_in_queue(job, JobOutcome::Abandoned);
            self.free_place();
        }
    }

    fn ended_in_queue(&self, job: Job, outcome: JobOutcome) {
        let bytes = job.bytes();
        self.log.push(Completion {
            queue_wait: job.since.elapsed(),
            service_time: None,
            outcome,
            id: job.id,
        });
        self.ledger.leave_queue(bytes, outcome);
    }

    fn free_place(&self) {
        if let Some(freed) = &self.freed {
            freed.add_permits(1);
        }
    }
}

/// A message that was taken: owed an end. Dropped without one, its work was broken off.
pub(super) struct Lease {
    taken: Instant,
    held: Option<(Job, InService)>,
    log: Arc<CompletionLog>,
}

impl Lease {
    /// The message.
    pub(super) fn job(&self) -> &Job {
        let (job, _) = self.held.as_ref().expect("a lease holds its message until it ends");
        job
    }

    /// When.
    pub(super) fn taken(&self) -> Instant {
        self.taken
    }

    /// It was processed.
    pub(super) fn complete(mut self, processed: Processed) {
        self.end(JobOutcome::Completed, Some(processed));
    }

    fn end(&mut self, outcome: JobOutcome, processed: Option<Processed>) {
        let Some((job, in_service)) = self.held.take() else {
            return;
        };
        // Logged first: whoever sees the system empty must find every end in the log.
        self.log.push(Completion {
            queue_wait: processed.map_or_else(|| self.taken - job.since, |processed| processed.queue_wait),
            service_time: Some(processed.map_or_else(|| self.taken.elapsed(), |processed| processed.service_time)),
            outcome,
            id: job.id,
        });
        in_service.finish(outcome);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let outcome = if std::thread::panicking() {
            JobOutcome::Failed
        } else {
            JobOutcome::Abandoned
        };
        self.end(outcome, None);
    }
}
