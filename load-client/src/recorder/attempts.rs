//! The attempts of requests whose clients try again: how they ended, and how long each of them took.

use std::time::Duration;

use super::distribution::Distribution;
use crate::{ledger::AttemptCounts, outcome::Outcome};

/// The attempts of a run's requests that were scheduled after the warm-up.
#[derive(Debug, Clone, Default)]
pub struct Attempts {
    /// The number of attempts by how they ended, and figures of their requests.
    pub counts: AttemptCounts,
    /// The time from the send of an attempt to its end, by [`Outcome`].
    pub time: [Distribution; Outcome::ALL.len()],
}

impl Attempts {
    /// Records an attempt that ended with `outcome` after `took`. A throttled attempt was never sent, so it is not counted.
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
