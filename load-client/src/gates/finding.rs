//! What a rule finds in a run: a value, or why there is none.

use std::time::Duration;

use super::rule::{Comparison, Statistic};
use crate::ledger::{AuditCounts, Column, Ledger, Part};

/// A rule, and what the run says about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The rule as it was written.
    pub rule: String,
    /// Whether the rule is true, which fails the run; `None` if that is not known, which fails the run too.
    pub met: Option<bool>,
    /// What the rule was judged by.
    pub finding: Finding,
    /// Since the start of the run, if the rule stopped it.
    pub stopped_at: Option<Duration>,
}

/// What a rule is judged by.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Whether the load client was the limit.
    ClientLimited(bool),
    /// A time, beside the bound of the rule in seconds.
    Time(Duration, Comparison, Duration),
    /// A number of requests or messages.
    Number(u64),
    /// So many of so many.
    Share(u64, u64),
    /// Per second.
    Rate(f64),
    /// Longer than any bound, because requests never came to their end.
    Never(Unended),
    /// There was no answer of that kind, and so none that could be too slow.
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
    /// The same, of a rule without a scope: the statistic of the acknowledgement time is known.
    NoTimeToDoneBut(Statistic),
    /// Only Enqueue acknowledges; the statistic of the response time is known.
    NoAcknowledgement(Statistic),
    /// No request has the class of urgency `u=` that the rule is about.
    NoClass(u8),
    /// Answers of Enqueue do not say that a message is done, and nothing else tells its class.
    NoGoodputOfClass(u8),
    /// Nothing of that kind was measured.
    NoTimes,
    /// Nothing was scheduled, so there is nothing to be a share of.
    NoRequests,
    /// The load is too short for a rate.
    NoRate,
}

impl Finding {
    /// In the rule's unit: seconds, a number, a share from 0 to 1, or a rate per second; `None` where there is no such value.
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

/// The end that a request did not come to.
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
    /// How many, by the label of the count; none is zero.
    pub counts: Vec<(&'static str, u64)>,
    /// How many requests there were in all.
    pub of: u64,
}

impl Unended {
    /// Withheld requests, requests that are still in flight when the run ends, and acknowledged messages that are not done.
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

    /// How many have not ended, over all counts.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }
}
