//! What every limit is: a number that follows the ends of requests, and what it is made from.

use std::time::Duration;

/// How a request ended, as the limit needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Answered. Only such a request says how long a request takes.
    Success,
    /// Failed for a reason that has nothing to do with load. How long that took says nothing about the capacity.
    Failure,
    /// The resource behind said that it has no room.
    Overload,
    /// The deadline passed before the answer.
    Expired,
    /// The caller went away, or the permit was dropped.
    Cancelled,
}

impl Outcome {
    /// All outcomes, in the order of their discriminants.
    pub const ALL: [Self; 5] = [
        Self::Success,
        Self::Failure,
        Self::Overload,
        Self::Expired,
        Self::Cancelled,
    ];

    /// A value for a metric's label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Overload => "overload",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What one request showed when it ended.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// When it ended, since any fixed start.
    pub at: Duration,
    /// From its admission to its end. The time in line does not count.
    pub round_trip: Duration,
    /// Requests in flight when it was admitted, itself included.
    pub in_flight: u32,
    /// How it ended. Only a success says how long the service takes.
    pub outcome: Outcome,
}

/// An algorithm that says how many requests may run at once.
pub trait Limit: Send {
    /// The limit in force, at least 1.
    fn limit(&self) -> u32;

    /// Takes the end of a request into account.
    fn observe(&mut self, sample: &Sample);

    /// The operator has said a new number: the limit of [`Fixed`](super::Fixed), the number of workers of an
    /// [`Auto`](super::Auto) that knows it, the place from which the others go on.
    fn set(&mut self, number: u32);
}

/// What a limit is made from.
#[derive(Debug, Clone, Copy)]
pub struct LimitSettings {
    /// The limit at the start.
    pub start: u32,
    /// The limit is never lower than this.
    pub min: u32,
    /// The limit is never higher than this.
    pub max: u32,
    /// Whether `start` is known to be the number of workers.
    pub known: bool,
}

impl LimitSettings {
    /// The number of workers is known: the limits that can use that do.
    pub fn workers(count: u32) -> Self {
        Self {
            start: count,
            known: true,
            ..Self::from(count)
        }
    }

    /// The number of workers is not known; the search starts at `start`.
    pub fn from(start: u32) -> Self {
        Self {
            start: start.max(1),
            min: 1,
            max: start.max(1000),
            known: false,
        }
    }

    pub(super) fn clamp(&self, limit: f64) -> f64 {
        limit.clamp(f64::from(self.min.max(1)), f64::from(self.max.max(self.min).max(1)))
    }
}

/// A limit as a whole number, of at least 1. Rounds down.
pub(super) fn whole(limit: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let whole = limit.clamp(1.0, f64::from(u32::MAX)) as u32;
    whole
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A sample of a request that ended well after `millis`, with `in_flight` requests.
    pub(in crate::limit) fn sample(at_millis: u64, millis: u64, in_flight: u32, outcome: Outcome) -> Sample {
        Sample {
            at: Duration::from_millis(at_millis),
            round_trip: Duration::from_millis(millis),
            in_flight,
            outcome,
        }
    }
}
