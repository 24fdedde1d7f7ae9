//! The figures of the requests of one class of urgency.

use std::time::Duration;

use super::distribution::Distribution;
use crate::{ledger::Ledger, outcome::Outcome};

/// The figures of one class, without its requests of the warm-up.
#[derive(Debug, Clone, Default)]
pub struct ClassFigures {
    /// The urgency as in the metadata `priority: u=0`: 0 is the most urgent.
    pub urgency: u8,
    /// How the scheduled requests of the class ended.
    pub ledger: Ledger,
    /// The time from the scheduled send to the end, by [`Outcome`].
    pub response_time: [Distribution; Outcome::ALL.len()],
    /// Requests that were done within the SLO, as far as their answers say so. An answer of Enqueue does not mean done.
    pub good: u64,
}

impl ClassFigures {
    /// Empty figures of the class with this urgency.
    pub fn new(urgency: u8) -> Self {
        Self {
            urgency,
            ..Self::default()
        }
    }

    /// Records a request that ended this long after it was scheduled. `good`: it was done within the SLO.
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
