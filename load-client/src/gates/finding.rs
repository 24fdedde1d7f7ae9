//! The result of a rule in a run: the value that was compared, or the reason that there is none.

use std::time::Duration;

use super::rule::{Comparison, Statistic};
use crate::ledger::{AuditCounts, Column, Ledger, Part};

/// A rule, and its result in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The rule as it was written.
    pub rule: String,
    /// Whether the rule is true, which fails the run; `None` if that is not known, which fails the run too.
    pub met: Option<bool>,
    /// The figure that the rule was judged by.
    pub finding: Finding,
    /// When the rule stopped the run, since its start; `None` if it did not.
    pub stopped_at: Option<Duration>,
}

/// The figure that a rule is judged by.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Whether the load client was the limit.
    ClientLimited(bool),
    /// A time, with the comparison and the bound of the rule.
    Time(Duration, Comparison, Duration),
    /// A number of requests or messages.
    Number(u64),
    /// A share: a number of requests or messages, and the number that is 100 %.
    Share(u64, u64),
    /// A rate per second.
    Rate(f64),
    /// A time longer than any bound, because requests never ended.
    Never(Unended),
    /// There was no answer with that outcome, so none was too slow.
    NoAnswers,
    /// The figure is not known, so the run fails.
    Unknown(Unknown),
}

/// Why a figure is not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unknown {
    /// The service was not watched, so the ends of its messages are not known.
    NotWatched,
    /// The service was not watched, so the times to done are not known.
    NoTimeToDone,
    /// The service was not watched, so the times to done are not known, which a rule without a scope needs. This
    /// statistic of the acknowledgement time is known.
    NoTimeToDoneBut(Statistic),
    /// Only calls of Enqueue have an acknowledgement time. This statistic of the response time is known.
    NoAcknowledgement(Statistic),
    /// No request has the class of urgency `u=` that the rule is about.
    NoClass(u8),
    /// The goodput of a class is not known for Enqueue: its answers do not say that a message is done, and the audit
    /// does not record classes.
    NoGoodputOfClass(u8),
    /// No time of that kind was measured.
    NoTimes,
    /// No request was scheduled, so there are no shares.
    NoRequests,
    /// The load is too short for a rate.
    NoRate,
}

impl Finding {
    /// The value in the unit of the rule: seconds, a number, a share from 0 to 1, or a rate per second; 0 or 1 for
    /// `client-limited`. `None` if there is no value.
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::ClientLimited(limited) => Some(f64::from(u8::from(*limited))),
            Self::Time(time, ..) => Some(time.as_secs_f64()),
            Self::Number(number) => Some(*number as f64),
            Self::Share(part, whole) => Some(*part as f64 / *whole as f64),
            Self::Rate(rate) => Some(*rate),
            Self::Never(_) | Self::NoAnswers | Self::Unknown(_) => None,
        }
    }
}

/// The kind of end that is missing for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The answer to its call.
    Answer,
    /// The processing of its message.
    Done,
}

/// Requests without an answer, or messages that were never done, by the reason. A percentile that reaches them has no upper
/// limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unended {
    /// The end that is missing.
    pub missing: Missing,
    /// The labels and values of the counts that are not zero.
    pub counts: Vec<(&'static str, u64)>,
    /// The number of all requests.
    pub of: u64,
}

impl Unended {
    /// Collects the withheld requests, those still in flight when the run ends, and, with an audit, the acknowledged
    /// messages that are not done.
    pub(super) fn new(missing: Missing, ledger: &Ledger, audit: Option<&AuditCounts>, of: u64) -> Self {
        let unanswered = [("withheld", ledger.withheld), ("in flight", ledger.in_flight)];
        let undone = audit.into_iter().flat_map(|audit| {
            let not_done = |column: &&Column<AuditCounts>| matches!(column.part, Part::Bad | Part::Open);
            let columns = AuditCounts::COLUMNS.iter().filter(not_done);
            columns.map(|column| (column.label, (column.of)(audit)))
        });
        let counts = unanswered.into_iter().chain(undone);
        let counts = counts.filter(|(_, count)| *count > 0).collect();
        Self { missing, counts, of }
    }

    /// The sum of the counts.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }
}
