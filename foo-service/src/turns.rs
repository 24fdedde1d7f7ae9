//! The order of work: calls of Process and messages of the queue wait together in one room, and its line decides which is next.
//!
//! The room admits as many as its limit allows. The default limit is the number of workers: a worker is then free for each
//! admitted one, and all waiting happens in this room. A limit that is higher or adaptive admits more than there are workers.
//! These wait for a worker as well, in the order in which they were admitted, and that wait has a metric of its own.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tower_admission::{
    limit::{LimitKind, LimitSettings, Outcome},
    line::{self, Class, LineKind, Priority},
    room::{Admission, Enter, Permit, Ticket},
};

use crate::{
    job::{Door, Job, Processed, Reason, WorkFailed},
    metrics::Metrics,
    workers::{Slot, Workers},
};

/// Whether calls of Process have classes of urgency, by the metadata `priority: u=0` to `u=7` (RFC 9218). 0 is the most
/// urgent. Calls without the metadata have class 3, and so have messages of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Classes {
    /// All calls are equal: the metadata is ignored.
    Off,
    /// The most urgent class that waits is first. A class that waits gets at least one turn in 20.
    Shared,
    /// The most urgent class that waits is first, always.
    Strict,
}

/// The settings of the room: how many are admitted, and in which order the others wait.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The kind of the limit on how many are admitted at once.
    pub limit: &'static LimitKind,
    /// The value with which the limit starts.
    pub start: u32,
    /// True if `start` is the number of workers, false if the operator set it.
    pub follows_workers: bool,
    /// The kind of the waiting line: which calls may wait, and which is next.
    pub line: &'static LineKind,
    /// Whether more urgent calls are first. If so, each class has a line of its own.
    pub classes: Classes,
    /// How many calls may wait; with classes, per class. This limit is not applied to queued messages; the dispatcher puts only
    /// one of them in line at a time.
    pub places: usize,
    /// The longest time that a call without a deadline should wait; `None` leaves that to the line.
    pub target_wait: Option<Duration>,
}

/// The room that admits calls and messages, and the workers that process them.
pub struct Turns {
    room: Admission,
    workers: Arc<Workers>,
    metrics: Arc<Metrics>,
}

/// The right to have one message processed now. If it is dropped without [`finish`](Self::finish), the work was interrupted.
pub struct Turn {
    // Dropped before `permit`, so that the worker is free before the next one is admitted.
    slot: Slot,
    permit: Permit,
}

impl Turns {
    /// Creates the room with these `rules`, in front of `workers`.
    pub fn new(rules: &Rules, workers: Arc<Workers>, metrics: Arc<Metrics>) -> Self {
        let settings = if rules.follows_workers {
            LimitSettings::workers(rules.start)
        } else {
            LimitSettings::from(rules.start)
        };
        let room = Admission::builder();
        let room = match rules.classes {
            Classes::Off => room,
            Classes::Shared => room.classes(Some(Priority::DEFAULT_SHARE)),
            Classes::Strict => room.classes(None),
        };
        let room = room
            .limit(rules.limit, settings)
            .line(rules.line)
            .places(rules.places)
            .target_wait(rules.target_wait)
            .build();
        Self { room, workers, metrics }
    }

    /// Asks for the turn of a call. The call arrives when the future is first polled, and leaves when the future is dropped.
    ///
    /// # Errors
    ///
    /// If the line rejects the call, on arrival or while it waits; [`reason`] maps the error to the service's [`Reason`].
    pub fn call(&self, deadline: Option<Instant>, class: Class) -> Enter {
        self.room.enter(Ticket::new().deadline(deadline).class(class))
    }

    /// Waits until it is the turn of a message from the queue. Such a message is never rejected. Cancel-safe.
    pub async fn message(&self) -> Turn {
        let permit = self.room.turn(Class::default()).await;
        self.worker(Door::Enqueue, permit).await
    }

    /// Waits for a worker: at once, unless more are admitted than there are workers. Cancel-safe: the permit goes back.
    pub async fn worker(&self, door: Door, permit: Permit) -> Turn {
        if let Some(slot) = self.workers.try_slot() {
            return Turn { slot, permit };
        }
        let admitted = Instant::now();
        let slot = self.workers.slot().await;
        self.metrics.waited_for_worker(door, admitted.elapsed());
        Turn { slot, permit }
    }

    /// The workers behind the room.
    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    /// Sets the limit, after the operator changed it or the number of workers that it follows. A higher limit admits more at once;
    /// a lower one is reached as soon as enough messages have ended.
    pub fn resize(&self, number: u32) {
        self.room.set_limit(number);
    }

    /// The limit that is in force: how many are admitted at once.
    pub fn limit(&self) -> u32 {
        self.room.status().limit
    }

    /// How long a call that is rejected now should wait before it is sent again: until room is expected, and at least one service
    /// time. Differs by up to a half between calls that are rejected together, so that they do not come back together.
    pub fn retry_after(&self) -> Duration {
        let expected = self.room.retry_after();
        if expected.is_zero() {
            // No message has been processed yet.
            self.workers.service_time()
        } else {
            expected
        }
    }

    /// Copies the state of the room into the gauges.
    pub fn publish(&self) {
        self.metrics.admission(&self.room.status());
    }
}

impl Turn {
    /// Processes a message that was taken from the queue or line at `taken`, which is now. Dropping the future stops the work.
    ///
    /// The caller counts the outcome first and calls [`finish`](Self::finish) then, so that never more are counted in service than
    /// there are workers.
    ///
    /// # Errors
    ///
    /// If the work on the message failed.
    pub async fn process(&self, door: Door, job: &Job, taken: Instant) -> Result<Processed, WorkFailed> {
        self.slot.process(door, job, taken).await
    }

    /// Ends the turn with the result of the work: frees the worker, and lets the next one in.
    pub fn finish(self, end: Result<Processed, WorkFailed>) {
        drop(self.slot);
        // How long work takes until it fails says nothing about the capacity.
        self.permit.finish(end.map_or(Outcome::Failure, |_| Outcome::Success));
    }
}

/// The [`Reason`] for a call with this `deadline` that the line has rejected.
pub fn reason(reason: line::Reason, deadline: Option<Instant>) -> Reason {
    match reason {
        // Lines that ignore deadlines let a call wait until its deadline has passed: it then counts as expired, not as rejected.
        line::Reason::Deadline if deadline.is_some_and(|deadline| Instant::now() >= deadline) => Reason::Expired,
        line::Reason::Full => Reason::LineFull,
        line::Reason::Displaced => Reason::Displaced,
        line::Reason::Deadline => Reason::TooLate,
        line::Reason::Overload => Reason::Overload,
    }
}
