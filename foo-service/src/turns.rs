//! The order of work: calls of Process and messages of the queue take their turns in one room, in the order that its line decides.
//!
//! The room admits as many as its limit says. With the default limit that is the number of workers, so that a worker is free
//! for each that is admitted, and waiting happens in this one place. A limit that is higher, or that has to find the number
//! out, admits more: these wait for a worker as well, in the order in which they were admitted, and that wait has a metric
//! of its own.

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

/// Whether calls of Process have classes of urgency, by the metadata `priority: u=0` to `u=7` (RFC 9218): 0 is the most
/// urgent, 3 holds for calls that do not say. Messages of the queue count as 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Classes {
    /// All calls are alike: what they say of their class is not looked at.
    Off,
    /// The most urgent class that waits is first. A class that waits gets at least one turn in 20.
    Shared,
    /// The most urgent class that waits is first, always.
    Strict,
}

/// How the turns are given.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// How many are admitted at once.
    pub limit: &'static LimitKind,
    /// From which number the limit starts.
    pub start: u32,
    /// Whether that is the number of workers.
    pub follows_workers: bool,
    /// Which calls wait, in which order.
    pub line: &'static LineKind,
    /// Whether more urgent calls come first. Each class has a line of its own then.
    pub classes: Classes,
    /// How many calls may wait; with classes, of each class. Messages of the queue wait there without a bound: the dispatcher lets one wait at a time.
    pub places: usize,
    /// How long a call without a deadline should wait at most; `None` leaves that to the line.
    pub target_wait: Option<Duration>,
}

/// The room, and the workers behind it.
pub struct Turns {
    room: Admission,
    workers: Arc<Workers>,
    metrics: Arc<Metrics>,
}

/// The right to have one message processed now. Dropped without an end, its work was broken off.
pub struct Turn {
    // The worker is free before the next one is admitted.
    slot: Slot,
    permit: Permit,
}

impl Turns {
    /// Turns at `workers` by `rules`.
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

    /// A call asks for its turn. It arrives when the future is polled first, and leaves when the future is dropped.
    ///
    /// # Errors
    ///
    /// If the line rejects the call, on arrival or while it waits; [`reason`] says how that counts.
    pub fn call(&self, deadline: Option<Instant>, class: Class) -> Enter {
        self.room.enter(Ticket::new().deadline(deadline).class(class))
    }

    /// Waits until it is the turn of a message from the queue. Such a message is never rejected. Cancel-safe.
    pub async fn message(&self) -> Turn {
        let permit = self.room.turn(Class::default()).await;
        self.worker(Door::Enqueue, permit).await
    }

    /// Waits for a worker, where more are admitted than there are. Cancel-safe: the permit goes back.
    pub async fn worker(&self, door: Door, permit: Permit) -> Turn {
        if let Some(slot) = self.workers.try_slot() {
            return Turn { slot, permit };
        }
        let admitted = Instant::now();
        let slot = self.workers.slot().await;
        self.metrics.waited_for_worker(door, admitted.elapsed());
        Turn { slot, permit }
    }

    /// The workers that the turns lead to.
    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    /// The operator has said a new limit, or a new number of workers that the limit follows. More are admitted at once; fewer
    /// as soon as enough have ended.
    pub fn resize(&self, number: u32) {
        self.room.set_limit(number);
    }

    /// How many are admitted at once: the limit in force.
    pub fn limit(&self) -> u32 {
        self.room.status().limit
    }

    /// When a call that is rejected now should be sent again, from now on: when a place is expected, and at least one service
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
    /// Processes a message that was `taken` just now. Dropping the future breaks the work off.
    ///
    /// The caller counts the end, then calls [`finish`](Self::finish): so there are never more counted in service than there
    /// are workers.
    ///
    /// # Errors
    ///
    /// If the work on the message failed.
    pub async fn process(&self, door: Door, job: &Job, taken: Instant) -> Result<Processed, WorkFailed> {
        self.slot.process(door, job, taken).await
    }

    /// The work on the message has ended so: the worker is free, and the turn is the next one's.
    pub fn finish(self, end: Result<Processed, WorkFailed>) {
        drop(self.slot);
        // How long work takes until it fails says nothing about the capacity.
        self.permit.finish(end.map_or(Outcome::Failure, |_| Outcome::Success));
    }
}

/// How a call with `deadline` counts that the line has rejected.
pub fn reason(reason: line::Reason, deadline: Option<Instant>) -> Reason {
    match reason {
        // The plain lines let a call wait until its deadline.
        line::Reason::Deadline if deadline.is_some_and(|deadline| Instant::now() >= deadline) => Reason::Expired,
        line::Reason::Full => Reason::LineFull,
        line::Reason::Displaced => Reason::Displaced,
        line::Reason::Deadline => Reason::TooLate,
        line::Reason::Overload => Reason::Overload,
    }
}
