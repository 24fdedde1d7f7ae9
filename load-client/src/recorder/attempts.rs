//! The attempts of requests whose clients try again: how they ended, and how long each of them took.

use std::time::Duration;

use super::distribution::Distribution;
use crate::{ledger::AttemptCounts, outcome::Outcome};

/// What is known of the attempts of a run.
#[derive(Debug, Clone, Default)]
pub struct Attempts {
    /// How they ended, and what became of their requests.
    pub counts: AttemptCounts,
    /// By [`Outcome`], from the send of an attempt to its end.
    pub time: [Distribution; Outcome::ALL.len()],
}

impl Attempts {
    /// An attempt ended so, after this time.
    pub fn ended(&mut self, outcome: Outcome, took: Duration) {
        if let Some(count) = self.counts.count(outcome) {
            *count += 1;
            self.counts.attempts += 1;
            self.time[outcome as usize].record(took);
        }
    }

    /// Adds the attempts of another shard.
    pub fn merge(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        for (mine, theirs) in self.time.iter_mut().zip(&other.time) {
            mine.merge(theirs);
        }
    }
}
