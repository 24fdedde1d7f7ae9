//! Requests that never came to their end: no time is long enough for them.

use crate::ledger::{AuditCounts, Column, Ledger, Part};

/// Requests without an answer, or messages that were never done, by the reason. A percentile that reaches them has no upper
/// limit.
pub(super) struct Unended {
    /// The end that they did not come to, as `done`.
    end: &'static str,
    counts: Vec<(&'static str, u64)>,
}

impl Unended {
    pub(super) fn none() -> Self {
        Self {
            end: "",
            counts: Vec::new(),
        }
    }

    /// Withheld requests, requests that are still in flight when the run ends, and acknowledged messages that are not done.
    pub(super) fn new(end: &'static str, ledger: &Ledger, audit: Option<&AuditCounts>) -> Self {
        let unanswered = [("withheld", ledger.withheld), ("in flight", ledger.in_flight)];
        let undone = audit.into_iter().flat_map(|audit| {
            let not_done = |column: &&Column<AuditCounts>| matches!(column.part, Part::Bad | Part::Open);
            let columns = AuditCounts::COLUMNS.iter().filter(not_done);
            columns.map(|column| (column.label, (column.of)(audit)))
        });
        let counts = unanswered.into_iter().chain(undone);
        Self {
            end,
            counts: counts.filter(|(_, count)| *count > 0).collect(),
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// For people: why a time has no upper limit.
    pub(super) fn says(&self, intended: u64) -> String {
        let counts = self.counts.iter().map(|(reason, count)| format!("{count} {reason}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let (total, end) = (self.total(), self.end);
        format!("{total} of {intended} requests were never {end} ({counts}), so it has no upper limit")
    }
}
