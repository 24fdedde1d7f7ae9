//! The trait of every line, which decides which requests wait, are served or are rejected, and the settings of a line.

use std::time::Duration;

use super::caller::{Caller, Id};
use crate::limit::Outcome;

/// The state of the service outside of the line, as input of the line's decisions.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// The limit in force, at least 1.
    pub limit: u32,
    /// The observed mean time from admission to end; zero before the first observation.
    pub service_time: Duration,
    /// The number of requests that wait in other lines and are served before every request of this line.
    pub ahead: usize,
}

impl Load {
    /// The expected wait of a request if every place is taken and `waiting` others of its line are served first.
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
    /// The line already has as many waiting requests as are allowed.
    Full,
    /// The line is full, and this waiting request had to leave for a newer one.
    Displaced,
    /// The request cannot be answered before its deadline.
    Deadline,
    /// The service is overloaded (every wait has been too long for some time), and this request waited too long too.
    Overload,
}

impl Reason {
    /// All reasons, in the order of their discriminants.
    pub const ALL: [Self; 4] = [Self::Full, Self::Displaced, Self::Deadline, Self::Overload];

    /// The reason as a value of a metric's label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Displaced => "displaced",
            Self::Deadline => "deadline",
            Self::Overload => "overload",
        }
    }

    /// The text of the status that the caller gets. ASCII only, without characters that a header must escape.
    pub fn message(self) -> &'static str {
        match self {
            Self::Full => "no room: as many requests wait as may",
            Self::Displaced => "no room: a newer request took the place of this one",
            Self::Deadline => "no room: the request cannot be answered in time",
            Self::Overload => "no room: requests wait too long",
        }
    }
}

/// A line's answer to a request that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The request waits until [`Line::next`] returns it or it leaves.
    Waits,
    /// The request waits, and this other request leaves the line for it and is rejected.
    Displaces(Id, Reason),
    /// The request is rejected at once.
    Rejected(Reason),
}

/// A line's decision about a waiting request, which is no longer in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The request gets the free place.
    Serve(Caller),
    /// The request is rejected, for this reason.
    Reject(Caller, Reason),
}

/// Times and outcome of an admitted request, when it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The time from the admission to the end.
    pub took: Duration,
    /// The time from the admission to the deadline; `None` without a deadline.
    pub time_left: Option<Duration>,
    /// How the request ended. Only after a success is `took` a whole service time.
    pub outcome: Outcome,
}

/// An algorithm that decides which requests wait, in which order they are served, and which are rejected.
pub trait Line: Send {
    /// Decides about a request that arrives while every place is taken.
    fn arrive(&mut self, now: Duration, caller: Caller, load: &Load) -> Arrival;

    /// The next decision while a place is free, or `None` if no request waits. After a rejection the owner calls it again.
    fn next(&mut self, now: Duration, load: &Load) -> Option<Turn>;

    /// Removes a waiting request whose caller went away or whose time is over. Returns false if it was not in the line.
    fn leave(&mut self, id: Id) -> bool;

    /// The number of waiting requests, patient ones included.
    fn len(&self) -> usize;

    /// Whether no request waits.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells the line that a request was admitted without waiting.
    fn passed(&mut self, _now: Duration) {}

    /// Tells the line that an admitted request has ended.
    fn ended(&mut self, _ended: &Ended, _load: &Load) {}

    /// The time until which waiting makes sense for `caller`, after which the owner rejects it with [`Reason::Deadline`];
    /// `None` for no such time.
    fn patience(&self, caller: &Caller, load: &Load) -> Option<Duration> {
        let deadline = caller.deadline.filter(|_| !caller.patient)?;
        Some(deadline.saturating_sub(load.service_time).max(caller.arrived))
    }
}

/// The settings of a line.
#[derive(Debug, Clone, Copy)]
pub struct LineSettings {
    /// How many requests may wait. Patient requests do not count.
    pub places: usize,
    /// How long a request should wait at most, set by the operator; `None` lets lines use service time and deadlines instead.
    pub target_wait: Option<Duration>,
}

impl Default for LineSettings {
    /// 10,000 places: this number only bounds the memory, and no algorithm depends on it. No `target_wait`.
    fn default() -> Self {
        Self {
            places: 10_000,
            target_wait: None,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{super::caller::Class, *};

    /// A service that runs four requests at once, each for 20 ms.
    pub(in crate::line) const LOAD: Load = Load {
        limit: 4,
        service_time: Duration::from_millis(20),
        ahead: 0,
    };

    pub(in crate::line) fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A request without a deadline.
    pub(in crate::line) fn caller(id: u64, arrived: u64) -> Caller {
        Caller {
            id: Id(id),
            arrived: ms(arrived),
            deadline: None,
            class: Class::default(),
            patient: false,
        }
    }

    pub(in crate::line) fn until(id: u64, arrived: u64, deadline: u64) -> Caller {
        Caller {
            deadline: Some(ms(deadline)),
            ..caller(id, arrived)
        }
    }

    pub(in crate::line) fn patient(id: u64, arrived: u64) -> Caller {
        Caller {
            patient: true,
            ..caller(id, arrived)
        }
    }
}
