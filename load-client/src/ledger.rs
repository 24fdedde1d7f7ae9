//! Counts of everything: how every scheduled request ended, what became of every queued message.
//!
//! Each count is declared once, in a table: its name in JSON, its label for people, and its part in the sum. Reports,
//! tables, pages, comparisons, gates and metrics take the counts from these tables.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;

/// A count of a table, and where it is found in a `T`.
#[derive(Debug)]
pub struct Column<T> {
    /// The field's name in JSON, and the label's value in metrics.
    pub name: &'static str,
    /// The word for it in tables and pages.
    pub label: &'static str,
    /// Its part in the sum.
    pub part: Part,
    /// Reads the count from its table.
    pub of: fn(&T) -> u64,
}

/// The part that a count has in the sum of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The sum of the good, the bad and the open ones.
    Total,
    /// It ended well.
    Good,
    /// It ended badly.
    Bad,
    /// It has not ended.
    Open,
    /// A further count that is not in the sum.
    Beside,
}

impl Part {
    /// Whether the sum has it.
    pub fn is_summand(self) -> bool {
        matches!(self, Self::Good | Self::Bad | Self::Open)
    }
}

/// Declares a table of counts as a struct of them: `name: Part "label"`.
macro_rules! counts {
    (
        $(#[$doc:meta])*
        pub struct $table:ident { $( $(#[$about:meta])* $name:ident: $part:ident $label:literal, )+ }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
        pub struct $table { $( $(#[$about])* pub $name: u64, )+ }

        impl $table {
            /// The table's columns, in the order of the report.
            pub const COLUMNS: [Column<Self>; [$( stringify!($name) ),+].len()] = [
                $( Column {
                    name: stringify!($name),
                    label: $label,
                    part: Part::$part,
                    of: |counts| counts.$name,
                } ),+
            ];

            /// The counts, in the order of the columns.
            pub fn values(&self) -> [u64; Self::COLUMNS.len()] {
                [$( self.$name ),+]
            }

            /// Adds the counts of another one, column by column.
            pub fn add(&mut self, other: &Self) {
                $( self.$name += other.$name; )+
            }

            /// Whether the total is the sum of its parts.
            pub fn balances(&self) -> bool {
                self.sum(|part| part == Part::Total) == self.sum(Part::is_summand)
            }

            /// How many have ended, well or badly.
            pub fn ended(&self) -> u64 {
                self.sum(|part| matches!(part, Part::Good | Part::Bad))
            }

            fn sum(&self, of: impl Fn(Part) -> bool) -> u64 {
                let columns = Self::COLUMNS.iter().filter(|column| of(column.part));
                columns.map(|column| (column.of)(self)).sum()
            }
        }

        impl From<[u64; $table::COLUMNS.len()]> for $table {
            fn from([$( $name ),+]: [u64; $table::COLUMNS.len()]) -> Self {
                Self { $( $name ),+ }
            }
        }
    };
}

counts! {
    /// How every scheduled request ended, without those of the warm-up: `intended` is the sum of the others.
    pub struct Ledger {
        /// All requests that were scheduled.
        intended: Total "scheduled",
        /// Requests that were answered with OK.
        ok: Good "ok",
        /// Rejected by the service, because it had no room.
        rejected: Bad "rejected",
        /// Requests whose deadline passed before the answer.
        expired: Bad "expired",
        /// The service could not be reached, went away, or is draining.
        unavailable: Bad "unavailable",
        /// Requests with any other status.
        failed: Bad "failed",
        /// Never sent: the client itself held it back, because the service had refused too many.
        #[serde(default)]
        throttled: Bad "throttled",
        /// Never sent: the client was blocked.
        withheld: Bad "withheld",
        /// Sent, and not waited for to the end.
        in_flight: Open "in flight",
    }
}

counts! {
    /// What became of queued messages, without those of the warm-up: `acknowledged` is the sum of `done`, `discarded`,
    /// `queued`, `lost` and `unknown`.
    pub struct AuditCounts {
        /// Messages that the service has accepted.
        acknowledged: Total "acknowledged",
        /// Of those, the messages that were processed.
        done: Good "done",
        /// Of those, ended otherwise, and the service said so.
        discarded: Bad "discarded",
        /// Of those, still with the service.
        queued: Open "queued",
        /// Of those, gone: the service has nothing left, and never said what became of them.
        lost: Bad "lost",
        /// Of those, beyond knowing: the instance that accepted them is gone, or some completions were not heard of.
        unknown: Bad "unknown",
        /// Messages that ended more than once.
        duplicated: Beside "done twice",
        /// Processed, though never acknowledged: a deadline or a connection cut the acknowledgement off.
        done_unacknowledged: Beside "done without acknowledgement",
        /// Ended more than once, and the client had sent them again because an acknowledgement was lost.
        #[serde(default)]
        done_again: Beside "done again after a retry",
    }
}

counts! {
    /// The attempts of all requests, without those of the warm-up: `attempts` is the sum of those that ended in some way and
    /// those in flight. The other counts are of requests.
    pub struct AttemptCounts {
        /// All of them, the first of each request included.
        attempts: Total "attempts",
        /// Attempts that were answered with OK.
        ok: Good "ok",
        /// Rejected by the service, because it had no room.
        rejected: Bad "rejected",
        /// The deadline of the attempt or of the request passed.
        expired: Bad "expired",
        /// The service could not be reached, went away, or is draining.
        unavailable: Bad "unavailable",
        /// Attempts with any other status.
        failed: Bad "failed",
        /// Broken off, because the other attempt of a hedged request had won.
        cancelled: Bad "cancelled",
        /// Sent, and not waited for to the end.
        in_flight: Open "in flight",
        /// Requests that were ok after at least one failed attempt.
        retried_then_ok: Beside "ok after a retry",
        /// Requests that were not tried again, because the retry budget was used up.
        given_up_by_budget: Beside "given up by the budget",
        /// Requests that were not tried again, because the service said so.
        given_up_by_pushback: Beside "given up by pushback",
        /// Requests whose next attempt the client held back.
        given_up_by_throttle: Beside "given up by the throttle",
        /// Requests with a second attempt beside one under way.
        hedges: Beside "hedged",
        /// Of those, the requests that the second attempt decided.
        hedges_won: Beside "hedges won",
    }
}

impl AttemptCounts {
    /// The count of the attempts that ended so. A request that was throttled has no attempt.
    pub fn count(&mut self, outcome: Outcome) -> Option<&mut u64> {
        Some(match outcome {
            Outcome::Ok => &mut self.ok,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Expired => &mut self.expired,
            Outcome::Unavailable => &mut self.unavailable,
            Outcome::Failed => &mut self.failed,
            Outcome::Throttled => return None,
        })
    }
}

impl Ledger {
    /// The count of the requests that ended so.
    pub fn count(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Ok => &mut self.ok,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Expired => &mut self.expired,
            Outcome::Unavailable => &mut self.unavailable,
            Outcome::Failed => &mut self.failed,
            Outcome::Throttled => &mut self.throttled,
        }
    }

    /// How many requests ended so.
    pub fn of(&self, outcome: Outcome) -> u64 {
        let mut counts = *self;
        *counts.count(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Each count another power of two, so that none can stand for another.
    fn distinct<const N: usize>() -> [u64; N] {
        std::array::from_fn(|place| 1 << place)
    }

    fn keys(json: &Value) -> BTreeSet<&str> {
        json.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn every_count_is_in_json_under_the_name_of_its_column() {
        let ledger = Ledger::from(distinct());
        let json = serde_json::to_value(ledger).unwrap();
        for (column, value) in Ledger::COLUMNS.iter().zip(ledger.values()) {
            assert_eq!((json[column.name].as_u64(), (column.of)(&ledger)), (Some(value), value));
        }
        assert_eq!(keys(&json), Ledger::COLUMNS.iter().map(|column| column.name).collect());
        let audit = AuditCounts::from(distinct());
        let json = serde_json::to_value(audit).unwrap();
        for (column, value) in AuditCounts::COLUMNS.iter().zip(audit.values()) {
            assert_eq!((json[column.name].as_u64(), (column.of)(&audit)), (Some(value), value));
        }
        assert_eq!(
            keys(&json),
            AuditCounts::COLUMNS.iter().map(|column| column.name).collect()
        );
    }

    #[test]
    fn every_outcome_has_a_column_of_its_name_and_counts_there() {
        for outcome in Outcome::ALL {
            let mut ledger = Ledger::default();
            *ledger.count(outcome) += 1;
            assert_eq!(ledger.of(outcome), 1);
            let mut counted = Ledger::COLUMNS.iter().filter(|column| (column.of)(&ledger) == 1);
            let column = counted.next().unwrap();
            assert_eq!((column.name, counted.count()), (outcome.label(), 0));
            let good = if outcome == Outcome::Ok { Part::Good } else { Part::Bad };
            assert_eq!(column.part, good);
        }
        // An outcome more, a column more: the others are the total, what was not sent, and what was not waited for.
        assert_eq!(Ledger::COLUMNS.len(), Outcome::ALL.len() + 3);
    }

    #[test]
    fn a_table_balances_if_its_total_is_the_sum_and_what_stands_beside_does_not_matter() {
        let balanced = Ledger::from([36, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(balanced.balances() && balanced.ended() == 28);
        for place in 0..Ledger::COLUMNS.len() {
            let mut values = balanced.values();
            values[place] += 1;
            assert!(!Ledger::from(values).balances(), "{}", Ledger::COLUMNS[place].name);
        }
        let balanced = AuditCounts::from([15, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(balanced.balances() && balanced.ended() == 12);
        for (place, column) in AuditCounts::COLUMNS.iter().enumerate() {
            let mut values = balanced.values();
            values[place] += 1;
            let beside = column.part == Part::Beside;
            assert_eq!(AuditCounts::from(values).balances(), beside, "{}", column.name);
        }
    }

    #[test]
    fn adding_adds_every_count() {
        let mut sum = Ledger::from(distinct());
        sum.add(&Ledger::from(distinct()));
        assert_eq!(sum.values(), distinct().map(|count| 2 * count));
    }
}
