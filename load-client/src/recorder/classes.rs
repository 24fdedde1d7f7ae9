//! What was seen of the requests of one class of urgency.

use std::time::Duration;

use super::distribution::Distribution;
use crate::{ledger::Ledger, outcome::Outcome};

/// The figures of one class, without its requests of the warm-up.
#[derive(Debug, Clone, Default)]
pub struct ClassFigures {
    /// As in the metadata `priority: u=0`: 0 is the most urgent.
    pub urgency: u8,
    /// How its scheduled requests ended.
    pub ledger: Ledger,
    /// By [`Outcome`], from the scheduled send to the end.
    pub response_time: [Distribution; Outcome::ALL.len()],
    /// Requests whose answer within the SLO says that they are done. Answers of Enqueue do not say it.
    pub good: u64,
}

impl ClassFigures {
    /// Nothing yet.
    pub fn new(urgency: u8) -> Self {
        Self {
            urgency,
            ..Self::default()
        }
    }

    /// A request ended so, this long after it was scheduled. `good`: it is done within the SLO.
    pub fn ended(&mut self, outcome: Outcome, response_time: Duration, good: bool) {
        *self.ledger.count(outcome) += 1;
        self.response_time[outcome as usize].record(response_time);
        self.good += u64::from(good);
    }

    /// Adds another shard's figures of the same class.
    pub fn merge(&mut self, other: &Self) {
        self.ledger.add(&other.ledger);
        for (mine, theirs) in self.response_time.iter_mut().zip(&other.response_time) {
            mine.merge(theirs);
        }
        self.good += other.good;
    }
}
