//! A waiting request as a line sees it: its id, class and deadline.

use std::time::Duration;

/// The id of a waiting request. Ids rise in the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

/// How urgent a request is, as RFC 9218 counts: 0 is the most urgent, 7 the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(u8);

impl Class {
    /// How many classes there are.
    pub const COUNT: usize = 8;

    /// The class with this urgency; `None` above 7.
    pub fn new(urgency: u8) -> Option<Self> {
        (usize::from(urgency) < Self::COUNT).then_some(Self(urgency))
    }

    /// The urgency, from 0 (the most urgent) to 7.
    pub fn urgency(self) -> u8 {
        self.0
    }
}

/// Urgency 3, which RFC 9218 gives to requests without a priority.
impl Default for Class {
    fn default() -> Self {
        Self(3)
    }
}

/// A request that waits, or that arrives while every place is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The id, which the owner of the line gives.
    pub id: Id,
    /// When the request arrived, as time since a start that is the same for all.
    pub arrived: Duration,
    /// When the caller stops waiting for the answer, by the same clock; `None` if the caller set no deadline.
    pub deadline: Option<Duration>,
    /// How urgent the request is. Only the line `priority` uses it.
    pub class: Class,
    /// Whether the request waits for its turn however long that takes. A line never rejects such a request.
    pub patient: bool,
}

impl Caller {
    /// How long the request has waited at the time `now`.
    pub fn waited(&self, now: Duration) -> Duration {
        now.saturating_sub(self.arrived)
    }

    /// Whether the answer would come after the deadline if the request were served at `now` and took `service_time`.
    pub(super) fn too_late(&self, now: Duration, service_time: Duration) -> bool {
        !self.patient && self.deadline.is_some_and(|deadline| now + service_time > deadline)
    }
}
