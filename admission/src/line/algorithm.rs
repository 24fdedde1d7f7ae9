//! What every line is: it says which requests wait, which are served and which are rejected; and what it is made from.

use std::time::Duration;

use super::caller::{Caller, Id};
use crate::limit::Outcome;

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

#[cfg(test)]
pub(super) mod tests {
    use super::{super::caller::Class, *};

    /// Four places, 20 ms a request.
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
