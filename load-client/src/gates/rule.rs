//! The parts of a rule: the figure, the comparison and the bound.

use std::{fmt, time::Duration};

use crate::{
    ledger::{AttemptCounts, AuditCounts, Column, Ledger, Part},
    outcome::Outcome,
};

/// A rule describes a failure: a run that meets it has failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The rule as it was written, for reports and errors.
    pub(super) text: String,
    /// The class of urgency that the rule is about; `None`: all requests.
    pub(crate) class: Option<u8>,
    pub(crate) condition: Condition,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Condition {
    /// The load client was the limit.
    ClientLimited,
    /// Compares a time with a duration.
    Time(Statistic, Scope, Comparison, Duration),
    /// Compares a count with a number, or with a share of the scheduled requests.
    Count(Count, Comparison, Bound),
    /// Compares goodput with a share of the scheduled requests, or with a rate.
    Goodput(Comparison, Bound),
}

/// A figure of a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// A percentile; its number is in percent, more than 0 and less than 100.
    Percentile(f64),
    /// The arithmetic mean.
    Mean,
    /// The largest value.
    Max,
}

/// The distribution from which a time is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The rule has no scope: the time to done if messages are queued, otherwise the response time of ok answers.
    Unwritten,
    /// The time from the scheduled send to the OK of Enqueue.
    Acknowledgement,
    Response(Outcome),
    ServiceTime,
    TimeToDone,
    QueueWait,
    StartLag,
}

/// A count that a rule can name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Count {
    /// A column of the client's ledger.
    Ledger(&'static Column<Ledger>),
    /// A column of the audit of queued messages.
    Audit(&'static Column<AuditCounts>),
    /// The dropped messages, as the service counts them.
    Dropped,
    /// A column of the attempts of all requests.
    Attempts(&'static Column<AttemptCounts>),
}

/// How a figure is compared with a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    Number(f64),
    /// A share of the scheduled requests, in percent.
    Percent(f64),
    PerSecond(f64),
}

impl Count {
    /// All counts that a rule can name. Of the requests, these are the ends; of the attempts, the total and the counts
    /// beside the sum; of the audit, the bad counts and those beside the sum, because the others are 0 if nothing is
    /// queued.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let ledger = Ledger::COLUMNS.iter().filter(|column| column.part.is_summand());
        let audit = AuditCounts::COLUMNS.iter();
        let audit = audit.filter(|column| matches!(column.part, Part::Bad | Part::Beside));
        let attempts = AttemptCounts::COLUMNS.iter();
        let attempts = attempts.filter(|column| matches!(column.part, Part::Total | Part::Beside));
        ledger
            .map(Self::Ledger)
            .chain([Self::Dropped])
            .chain(audit.map(Self::Audit))
            .chain(attempts.map(Self::Attempts))
    }

    /// True if the count is known for each class of urgency, as the counts of the clients are.
    pub(super) fn is_by_class(self) -> bool {
        matches!(self, Self::Ledger(_))
    }

    /// True if it counts scheduled requests, each at most once, so that a share of it is at most 100 %. The service
    /// also counts messages of other clients, and a request may have several attempts and its message several ends.
    pub(super) fn is_of_scheduled(self) -> bool {
        match self {
            Self::Ledger(_) => true,
            Self::Audit(column) => column.part != Part::Beside,
            Self::Dropped | Self::Attempts(_) => false,
        }
    }

    /// The name of the count in a rule.
    pub(super) fn name(self) -> String {
        let column = match self {
            Self::Ledger(column) => column.name,
            Self::Audit(column) => column.name,
            Self::Dropped => "dropped",
            Self::Attempts(column) => column.name,
        };
        column.replace('_', "-")
    }
}

/// Counts are equal if they have the same name.
impl PartialEq for Count {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Rule {
    /// The rule as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The urgency of the class that the rule is about, as in `p99(u=0)>250ms`; `None`: all requests.
    pub fn class(&self) -> Option<u8> {
        self.class
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(percent) => write!(f, "p{percent}"),
            Self::Mean => f.write_str("mean"),
            Self::Max => f.write_str("max"),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
