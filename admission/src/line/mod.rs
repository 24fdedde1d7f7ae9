//! Which requests wait, in which order they are served, and which are rejected.
//!
//! A line is a pure value: it is told the time, and answers *serve this one* or *reject this one, because*. It reads no clock,
//! knows no lock and no task, so a test feeds it plain numbers and a simulation drives the code that a server runs. Each
//! algorithm is a file of its own, whose header has the rule, the constants and the source. To add one, write its file and
//! add a row to [`LINES`].
//!
//! A request that finds a free place never sees the line.

pub mod adaptive_lifo;
pub mod auto;
pub mod codel;
pub mod deadline;
mod delay;
pub mod fifo;
pub mod lifo;
pub mod priority;
pub mod shed;
mod slack;
mod waiting;

use std::time::Duration;

pub use self::{
    adaptive_lifo::AdaptiveLifo, auto::Auto, codel::Codel, deadline::Deadline, fifo::Fifo, lifo::Lifo,
    priority::Priority, shed::Shed,
};

use crate::limit::Outcome;

/// Names a request that waits. Ids rise in the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

/// How urgent a request is, as RFC 9218 counts: 0 is the most urgent, 7 the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(u8);

impl Class {
    /// How many classes there are.
    pub const COUNT: usize = 8;

    /// The class of that urgency; `None` above 7.
    pub fn new(urgency: u8) -> Option<Self> {
        (usize::from(urgency) < Self::COUNT).then_some(Self(urgency))
    }

    /// From 0, the most urgent, to 7.
    pub fn urgency(self) -> u8 {
        self.0
    }
}

/// RFC 9218: a request that says nothing has urgency 3.
impl Default for Class {
    fn default() -> Self {
        Self(3)
    }
}

/// A request that waits, or asks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Given by the owner of the line.
    pub id: Id,
    /// When it arrived, since any fixed start.
    pub arrived: Duration,
    /// When its caller stops waiting for the answer; `None` if it did not say.
    pub deadline: Option<Duration>,
    /// How urgent the request is. Only the line `priority` looks at it.
    pub class: Class,
    /// Whether it waits for its turn however long that takes. A line never rejects such a request.
    pub patient: bool,
}

impl Caller {
    /// How long it has waited.
    pub fn waited(&self, now: Duration) -> Duration {
        now.saturating_sub(self.arrived)
    }

    /// Whether an answer that takes `service_time` from now on comes after the deadline.
    fn too_late(&self, now: Duration, service_time: Duration) -> bool {
        !self.patient && self.deadline.is_some_and(|deadline| now + service_time > deadline)
    }
}

/// What a line knows of what runs beside it.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// The limit in force, at least 1.
    pub limit: u32,
    /// How long a request takes once it is admitted, as observed; zero while nothing is known.
    pub service_time: Duration,
    /// Requests that wait elsewhere and are served before every request of this line.
    pub ahead: usize,
}

impl Load {
    /// How long a request waits if `waiting` others of its line are served first and every place is taken.
    pub fn expected_wait(&self, waiting: usize) -> Duration {
        let turns = u32::try_from(self.ahead + waiting)
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        self.service_time.saturating_mul(turns) / self.limit.max(1)
    }
}

/// Why a request is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// As many requests wait as may.
    Full,
    /// The request took a place in a full line, and a newer or more urgent one needs that place.
    Displaced,
    /// The request cannot be answered before its deadline.
    Deadline,
    /// Requests have waited too long for some time, and this one has as well.
    Overload,
}

impl Reason {
    /// All reasons, in the order of their discriminants.
    pub const ALL: [Self; 4] = [Self::Full, Self::Displaced, Self::Deadline, Self::Overload];

    /// A value for a metric's label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Displaced => "displaced",
            Self::Deadline => "deadline",
            Self::Overload => "overload",
        }
    }

    /// What a caller is told. ASCII only.
    pub fn message(self) -> &'static str {
        match self {
            Self::Full => "no room: as many requests wait as may",
            Self::Displaced => "no room: a newer request took the place of this one",
            Self::Deadline => "no room: the request cannot be answered in time",
            Self::Overload => "no room: requests wait too long",
        }
    }
}

/// What a line says to a request that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It waits, until [`Line::next`] names it or it leaves.
    Waits,
    /// It waits in the place of another one, which is rejected.
    Displaces(Id, Reason),
    /// It is rejected at once.
    Rejected(Reason),
}

/// What becomes of a request that has waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It has the free place, and is out of the line.
    Serve(Caller),
    /// It is rejected, and out of the line.
    Reject(Caller, Reason),
}

/// What a request that was served showed when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// From its admission to its end.
    pub took: Duration,
    /// From its admission to its deadline, if it had one.
    pub time_left: Option<Duration>,
    /// How it ended. Only a success says how long the service takes.
    pub outcome: Outcome,
}

/// An algorithm that says which requests wait, in which order, and which are rejected.
pub trait Line: Send {
    /// A request arrives that finds every place taken.
    fn arrive(&mut self, now: Duration, caller: Caller, load: &Load) -> Arrival;

    /// A place is free: the next decision, or `None` if no request waits. The owner asks again after a rejection.
    fn next(&mut self, now: Duration, load: &Load) -> Option<Turn>;

    /// A request goes away by itself. Returns whether it was there.
    fn leave(&mut self, id: Id) -> bool;

    /// How many requests wait, patient ones included.
    fn len(&self) -> usize;

    /// Whether no request waits.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A request was admitted without waiting.
    fn passed(&mut self, _now: Duration) {}

    /// A request that was served has ended.
    fn ended(&mut self, _ended: &Ended, _load: &Load) {}

    /// Until when it is of use for `caller` to wait; the owner then takes it out as [`Reason::Deadline`].
    fn patience(&self, caller: &Caller, load: &Load) -> Option<Duration> {
        let deadline = caller.deadline.filter(|_| !caller.patient)?;
        Some(deadline.saturating_sub(load.service_time).max(caller.arrived))
    }
}

/// What a line is made from.
#[derive(Debug, Clone, Copy)]
pub struct LineSettings {
    /// How many requests may wait. Patient ones do not count.
    pub places: usize,
    /// How long a request should wait at most, where the operator knows; else lines follow the service time and deadlines.
    pub target_wait: Option<Duration>,
}

impl Default for LineSettings {
    /// 10,000 places: a bound for memory, not a length that anything is tuned to.
    fn default() -> Self {
        Self {
            places: 10_000,
            target_wait: None,
        }
    }
}

/// A line that is chosen by its name.
#[derive(Debug, Clone, Copy)]
pub struct LineKind {
    /// As a flag names it.
    pub name: &'static str,
    /// What it does, in one sentence, for help texts.
    pub about: &'static str,
    /// Makes an empty one.
    pub build: fn(LineSettings) -> Box<dyn Line>,
}

/// Every line, the default first.
pub const LINES: [LineKind; 7] = [
    LineKind {
        name: "auto",
        about: "Oldest first; newest first while overload lasts. Rejects requests that cannot be answered in time.",
        build: |settings| Box::new(Auto::new(settings)),
    },
    LineKind {
        name: "shed",
        about: "No request waits.",
        build: |_| Box::new(Shed::default()),
    },
    LineKind {
        name: "fifo",
        about: "Oldest first, up to a number of requests.",
        build: |settings| Box::new(Fifo::new(settings)),
    },
    LineKind {
        name: "lifo",
        about: "Newest first. A full line gives up its oldest request.",
        build: |settings| Box::new(Lifo::new(settings)),
    },
    LineKind {
        name: "codel",
        about: "Oldest first. Rejects requests that waited long while every wait is long.",
        build: |settings| Box::new(Codel::new(settings)),
    },
    LineKind {
        name: "adaptive-lifo",
        about: "Oldest first, as codel; newest first while every wait is long.",
        build: |settings| Box::new(AdaptiveLifo::new(settings)),
    },
    LineKind {
        name: "deadline",
        about: "Oldest first. Rejects on arrival requests that cannot be answered in time.",
        build: |settings| Box::new(Deadline::new(settings)),
    },
];

/// The line of that name.
pub fn by_name(name: &str) -> Option<&'static LineKind> {
    LINES.iter().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four places, 20 ms a request.
    pub(super) const LOAD: Load = Load {
        limit: 4,
        service_time: Duration::from_millis(20),
        ahead: 0,
    };

    pub(super) fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A request without a deadline.
    pub(super) fn caller(id: u64, arrived: u64) -> Caller {
        Caller {
            id: Id(id),
            arrived: ms(arrived),
            deadline: None,
            class: Class::default(),
            patient: false,
        }
    }

    pub(super) fn until(id: u64, arrived: u64, deadline: u64) -> Caller {
        Caller {
            deadline: Some(ms(deadline)),
            ..caller(id, arrived)
        }
    }

    pub(super) fn patient(id: u64, arrived: u64) -> Caller {
        Caller {
            patient: true,
            ..caller(id, arrived)
        }
    }

    #[test]
    fn every_line_has_a_name_of_its_own_and_forgets_requests_that_leave() {
        for (place, kind) in LINES.iter().enumerate() {
            assert_eq!(LINES.iter().position(|other| other.name == kind.name), Some(place));
            let mut line = (kind.build)(LineSettings::default());
            assert_eq!(
                line.arrive(ms(0), patient(1, 0), &LOAD),
                Arrival::Waits,
                "{}",
                kind.name
            );
            assert_eq!(
                line.arrive(ms(0), patient(2, 0), &LOAD),
                Arrival::Waits,
                "{}",
                kind.name
            );
            assert!(line.leave(Id(2)), "{}", kind.name);
            assert_eq!(line.len(), 1);
            assert_eq!(
                line.next(ms(60_000), &LOAD),
                Some(Turn::Serve(patient(1, 0))),
                "{}",
                kind.name
            );
            assert!(line.is_empty() && line.next(ms(60_000), &LOAD).is_none());
        }
    }
}
