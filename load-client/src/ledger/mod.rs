//! The counts of a run: how every scheduled request ended, and what became of every queued message.
//!
//! Each count is declared once, in a table: its name in JSON, its label for people, and its part in the sum. Reports,
//! tables, pages, comparisons, gates and metrics take the counts from these tables.

mod messages;
mod requests;
mod table;

pub use self::{
    messages::{AuditCounts, ServiceCounts},
    requests::{AttemptCounts, Ledger},
    table::{Column, Part},
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use foo_proto::v1::JobOutcome;
    use serde_json::Value;

    use super::*;
    use crate::outcome::Outcome;

    /// A different power of two for each count, so that a test notices if two are mixed up.
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
        // Only a throttled request has no attempt.
        for outcome in Outcome::ALL
            .into_iter()
            .filter(|outcome| *outcome != Outcome::Throttled)
        {
            let mut attempts = AttemptCounts::default();
            *attempts.count(outcome).unwrap() += 1;
            let mut counted = AttemptCounts::COLUMNS
                .iter()
                .filter(|column| (column.of)(&attempts) == 1);
            assert_eq!(counted.next().unwrap().name, outcome.label());
        }
        // Each outcome has a column. The three others are the total, the withheld requests, and those in flight at the
        // end.
        assert_eq!(Ledger::COLUMNS.len(), Outcome::ALL.len() + 3);
    }

    #[test]
    fn every_end_of_a_message_that_a_service_reports_has_a_column() {
        let wire = (1..).map_while(|number| JobOutcome::try_from(number).ok());
        let wire = wire.map(|end| end.as_str_name().trim_start_matches("JOB_OUTCOME_").to_lowercase());
        let columns = ServiceCounts::COLUMNS.iter().filter(|column| column.part.is_summand());
        assert_eq!(
            columns.map(|column| column.name.to_owned()).collect::<BTreeSet<_>>(),
            wire.collect()
        );
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
        let balanced = AuditCounts::from([15, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
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
