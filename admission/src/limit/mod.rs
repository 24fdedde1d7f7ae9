//! How many requests run at once.
//!
//! A limit is a pure value: it sees [`Sample`]s and says a number. It reads no clock and knows no lock, so a test feeds it
//! plain numbers and a simulation drives the code that a server runs. Each algorithm is a file of its own, whose header has
//! the formula, the constants and the source. To add one, write its file and add a row to [`LIMITS`].

pub mod aimd;
pub mod auto;
pub mod fixed;
pub mod gradient2;
pub mod vegas;

use std::time::Duration;

pub use self::{aimd::Aimd, auto::Auto, fixed::Fixed, gradient2::Gradient2, vegas::Vegas};

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

    /// The operator has said a new number: the limit of [`Fixed`], the number of workers of an [`Auto`] that knows it, the
    /// place from which the others go on.
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

    fn clamp(&self, limit: f64) -> f64 {
        limit.clamp(f64::from(self.min.max(1)), f64::from(self.max.max(self.min).max(1)))
    }
}

/// A limit that is chosen by its name.
#[derive(Debug, Clone, Copy)]
pub struct LimitKind {
    /// As a flag names it.
    pub name: &'static str,
    /// What it does, in one sentence, for help texts.
    pub about: &'static str,
    /// Makes one that nothing has been observed by yet.
    pub build: fn(LimitSettings) -> Box<dyn Limit>,
}

/// Every limit, the default first.
pub const LIMITS: [LimitKind; 5] = [
    LimitKind {
        name: "auto",
        about: "The number of workers where it is known; otherwise finds it.",
        build: |settings| Box::new(Auto::new(settings)),
    },
    LimitKind {
        name: "fixed",
        about: "A number that only the operator changes.",
        build: |settings| Box::new(Fixed::new(settings.start)),
    },
    LimitKind {
        name: "aimd",
        about: "Adds one while requests succeed, takes a tenth away when they are dropped or late.",
        build: |settings| Box::new(Aimd::new(settings)),
    },
    LimitKind {
        name: "vegas",
        about: "Holds an estimated queue behind the limit between two bounds, as TCP Vegas does.",
        build: |settings| Box::new(Vegas::new(settings)),
    },
    LimitKind {
        name: "gradient2",
        about: "Follows the ratio of the long-term round trip to the latest one.",
        build: |settings| Box::new(Gradient2::new(settings)),
    },
];

/// The limit of that name.
pub fn by_name(name: &str) -> Option<&'static LimitKind> {
    LIMITS.iter().find(|kind| kind.name == name)
}

/// A limit as a whole number, of at least 1. Rounds down.
fn whole(limit: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let whole = limit.clamp(1.0, f64::from(u32::MAX)) as u32;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_name_of_its_own_and_starts_where_it_is_told() {
        for (place, kind) in LIMITS.iter().enumerate() {
            assert_eq!(LIMITS.iter().position(|other| other.name == kind.name), Some(place));
            assert_eq!((kind.build)(LimitSettings::workers(7)).limit(), 7, "{}", kind.name);
            assert_eq!((kind.build)(LimitSettings::from(40)).limit(), 40, "{}", kind.name);
        }
    }

    /// A sample of a request that ended well after `millis`, with `in_flight` requests.
    pub(super) fn sample(at_millis: u64, millis: u64, in_flight: u32, outcome: Outcome) -> Sample {
        Sample {
            at: Duration::from_millis(at_millis),
            round_trip: Duration::from_millis(millis),
            in_flight,
            outcome,
        }
    }
}
