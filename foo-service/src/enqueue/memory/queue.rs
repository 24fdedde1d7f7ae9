//! The messages that wait in memory. Depth and bytes change under the lock of the queue, so they are exact.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::Instant,
};

use crate::{
    enqueue::{Capacity, Completion, CompletionLog, WhenFull},
    job::{Door, Job, JobOutcome, Reason},
    ledger::{InLine, InService, Ledger},
};

/// A queue in memory. Messages are taken first in, first out.
pub struct Queue {
    state: Mutex<State>,
    not_empty: Notify,
    capacity: Capacity,
    /// The free places for callers that wait for room. A message that leaves the queue gives its place back here.
    freed: Option<Arc<Semaphore>>,
    ledger: Arc<Ledger>,
    /// The log to which the outcomes of messages are added, also of those that were taken.
    pub(super) log: Arc<CompletionLog>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// How many messages the queue has above its capacity: their places were given to others before they were put back.
    overdrawn: usize,
    /// Set when the queue was abandoned: no consumer takes messages any more.
    closed: bool,
}

impl Queue {
    /// An empty queue. If callers wait for room, they take places from `freed`, which starts with as many as the capacity.
    pub fn new(
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

    /// Puts a message on the queue, or refuses it, as the capacity says. Never waits. Returns the depth, this message included.
    ///
    /// # Errors
    ///
    /// If the queue is full or was abandoned. The message counts as refused.
    pub fn offer(&self, job: Job) -> Result<u64, Reason> {
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
                    return Err(Reason::QueueFull);
                }
            }
        }
        self.push(state, job, None)
    }

    /// Puts a message on the queue, on a place that the caller has taken. Never waits. Returns the depth.
    ///
    /// # Errors
    ///
    /// If the queue was abandoned. The message counts as refused.
    pub fn offer_place(&self, job: Job, place: SemaphorePermit<'_>, in_line: Option<InLine>) -> Result<u64, Reason> {
        let depth = self.push(self.state(), job, in_line)?;
        place.forget();
        Ok(depth)
    }

    fn push(&self, mut state: MutexGuard<'_, State>, mut job: Job, in_line: Option<InLine>) -> Result<u64, Reason> {
        if state.closed {
            if in_line.is_none() {
                self.ledger.refuse(Door::Enqueue);
            }
            return Err(Reason::Draining);
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

    /// How long the oldest message has waited.
    pub fn oldest_age(&self) -> Duration {
        let state = self.state();
        state
            .jobs
            .front()
            .map_or(Duration::ZERO, |oldest| oldest.since.elapsed())
    }

    /// Waits until there is a message. Only one consumer may wait. Cancel-safe.
    pub async fn ready(&self) {
        while self.state().jobs.is_empty() {
            self.not_empty.notified().await;
        }
    }

    /// Removes the oldest message, which then counts as in service; `None` if there is none any more.
    pub(super) fn pop(&self) -> Option<(Job, InService)> {
        let mut state = self.state();
        let job = state.jobs.pop_front()?;
        let in_service = self.ledger.take_from_queue(job.bytes());
        self.free_place(&mut state);
        Some((job, in_service))
    }

    /// Puts a message that was taken back to the front. Another message may have its place by now, so the queue can be above its
    /// capacity by as many messages as were put back.
    ///
    /// # Errors
    ///
    /// Returns the message if the queue was abandoned.
    pub(super) fn take_back(&self, job: Job, in_service: InService) -> Result<(), (Job, InService)> {
        let mut state = self.state();
        if state.closed {
            return Err((job, in_service));
        }
        in_service.back_to_queue(job.bytes());
        state.jobs.push_front(job);
        if let Some(freed) = &self.freed {
            state.overdrawn += 1 - freed.forget_permits(1);
        }
        drop(state);
        self.not_empty.notify_one();
        Ok(())
    }

    /// Ends all messages on the queue as abandoned, and refuses new ones.
    pub fn abandon(&self) {
        let mut state = self.state();
        state.closed = true;
        for job in std::mem::take(&mut state.jobs) {
            self.ended_in_queue(job, JobOutcome::Abandoned);
            self.free_place(&mut state);
        }
    }

    fn ended_in_queue(&self, job: Job, outcome: JobOutcome) {
        let bytes = job.bytes();
        self.log.push(Completion {
            queue_wait: job.since.elapsed(),
            service_time: None,
            outcome,
            deliveries: None,
            id: job.id,
        });
        self.ledger.leave_queue(bytes, outcome);
    }

    fn free_place(&self, state: &mut State) {
        if state.overdrawn > 0 {
            state.overdrawn -= 1;
        } else if let Some(freed) = &self.freed {
            freed.add_permits(1);
        }
    }
}
