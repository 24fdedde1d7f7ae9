//! The trait of every limit, which follows the outcomes of requests, and the settings of a limit.

use std::time::Duration;

/// How an admitted request ended, as far as a limit needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The request was answered. Only its time is a whole service time.
    Success,
    /// The request failed for a reason that has nothing to do with load, so its time says nothing about the capacity.
    Failure,
    /// The protected resource refused the request because it has no room.
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

    /// The outcome as a value of a metric's label.
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

/// The observation of one admitted request, made when it ends.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// When the request ended, as time since a start that is the same for all.
    pub at: Duration,
    /// The time from the admission to the end, without the time in the line.
    pub round_trip: Duration,
    /// The number of requests in flight when this one was admitted, itself included.
    pub in_flight: u32,
    /// How the request ended. Only after a success is `round_trip` a whole service time.
    pub outcome: Outcome,
}

/// An algorithm that decides how many requests may run at once.
pub trait Limit: Send {
    /// The limit in force, at least 1.
    fn limit(&self) -> u32;

    /// Adjusts the limit after a request has ended.
    fn observe(&mut self, sample: &Sample);

    /// Takes a number from the operator. For [`Fixed`](super::Fixed) it is the limit, for an [`Auto`](super::Auto) with a known
    /// number of workers the new number of workers; the others go on from it.
    fn set(&mut self, number: u32);
}

/// The settings of a limit.
#[derive(Debug, Clone, Copy)]
pub struct LimitSettings {
    /// The limit at the start.
    pub start: u32,
    /// The limit is never lower than this.
    pub min: u32,
    /// The limit is never higher than this.
    pub max: u32,
    /// Whether `start` is the number of workers, so that `auto` need not search.
    pub known: bool,
}

impl LimitSettings {
    /// Settings for a known number of workers. `auto` then stays at `count`; the other limits only start there.
    pub fn workers(count: u32) -> Self {
        Self {
            start: count,
            known: true,
            ..Self::from(count)
        }
    }

    /// Settings for an unknown number of workers: the limit starts at `start`, and stays within 1 and the larger of `start`
    /// and 1000.
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

/// The limit rounded down to a whole number, at least 1.
pub(super) fn whole(limit: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let whole = limit.clamp(1.0, f64::from(u32::MAX)) as u32;
    whole
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A sample of a request that ended at `at_millis` with this outcome, after a round trip of `millis`.
    pub(in crate::limit) fn sample(at_millis: u64, millis: u64, in_flight: u32, outcome: Outcome) -> Sample {
        Sample {
            at: Duration::from_millis(at_millis),
            round_trip: Duration::from_millis(millis),
            in_flight,
            outcome,
        }
    }
}
