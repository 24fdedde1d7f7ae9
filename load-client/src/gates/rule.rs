//! What a rule is made of.

use std::{fmt, time::Duration};

use crate::{
    ledger::{AttemptCounts, AuditCounts, Column, Ledger, Part},
    outcome::Outcome,
};

/// Describes a failure: a run that meets it has failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The rule as it was written, for reports and errors.
    pub(super) text: String,
    /// The class of urgency that it is about; `None`: all requests.
    pub(crate) class: Option<u8>,
    pub(crate) condition: Condition,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Condition {
    /// The load client was the limit.
    ClientLimited,
    /// A time beside a duration.
    Time(Statistic, Scope, Comparison, Duration),
    /// A count beside a number, or a share of what was scheduled.
    Count(Count, Comparison, Bound),
    /// Goodput beside a share of what was scheduled, or a rate.
    Goodput(Comparison, Bound),
}

/// Which figure of a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// In percent, as written: more than 0, less than 100.
    Percentile(f64),
    /// The arithmetic mean.
    Mean,
    /// The largest.
    Max,
}

/// Which distribution a time is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// None is written: time to done where messages are queued, response time of ok answers otherwise.
    Unwritten,
    /// From the scheduled send to the OK of Enqueue.
    Acknowledgement,
    Response(Outcome),
    ServiceTime,
    TimeToDone,
    QueueWait,
    StartLag,
}

/// Which count of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Count {
    /// A column of the client's ledger.
    Ledger(&'static Column<Ledger>),
    /// Of the audit of queued messages.
    Audit(&'static Column<AuditCounts>),
    /// Of the service's own counts.
    Dropped,
    /// Of the attempts of all requests.
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
    /// Of what was scheduled, in percent, as written.
    Percent(f64),
    PerSecond(f64),
}

impl Count {
    /// All that can be judged, each by its name in a rule. A total cannot; what the audit counts as good or open neither,
    /// because where nothing is queued there would be none of it.
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

    /// Whether it is known for each class of urgency: the clients' own counts are.
    pub(super) fn is_by_class(self) -> bool {
        matches!(self, Self::Ledger(_))
    }

    /// Whether it counts scheduled requests, each at most once. The service counts what other clients sent too, and the audit
    /// a message as often as it ended.
    pub(super) fn is_of_scheduled(self) -> bool {
        match self {
            Self::Ledger(_) => true,
            Self::Audit(column) => column.part != Part::Beside,
            Self::Dropped | Self::Attempts(_) => false,
        }
    }

    /// Its name in a rule.
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

/// Counts with the same name are the same.
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

    /// The urgency of the class that it is about, as in `p99(u=0)>250ms`; `None`: all requests.
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
