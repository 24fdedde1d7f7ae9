//! What a rule is made of.

use std::{fmt, time::Duration};

use crate::outcome::Outcome;

/// What must not be.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// As it was written.
    pub(super) text: String,
    pub(super) condition: Condition,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Condition {
    /// The generator was the limit.
    ClientLimited,
    /// A time beside a duration.
    Time(Statistic, Scope, Comparison, Duration),
    /// A count beside a number, or a share of what was intended.
    Count(Count, Comparison, Bound),
    /// Goodput beside a share of what was intended, or a rate.
    Goodput(Comparison, Bound),
}

/// Which figure of a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Statistic {
    /// In percent, as written: more than 0, less than 100.
    Percentile(f64),
    Mean,
    Max,
}

/// Which distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Response(Outcome),
    ServiceTime,
    TimeToDone,
    QueueWait,
    StartLag,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Ended(Outcome),
    Withheld,
    InFlight,
    Dropped,
    Discarded,
    Lost,
    Unknown,
    Duplicated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    More,
    AtLeast,
    Less,
    AtMost,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bound {
    Number(f64),
    /// Of what was intended, in percent, as written.
    Percent(f64),
    PerSecond(f64),
}

impl Rule {
    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
