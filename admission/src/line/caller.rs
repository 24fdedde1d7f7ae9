//! A request that waits, and its place among others: its id, its class, its deadline.

use std::time::Duration;

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
    pub(super) fn too_late(&self, now: Duration, service_time: Duration) -> bool {
        !self.patient && self.deadline.is_some_and(|deadline| now + service_time > deadline)
    }
}
