//! Counts of everything, plain: how every intended send ended, what became of every queued message.

use crate::outcome::Outcome;

/// How every intended send ended, without those of the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ledger {
    /// All.
    pub intended: u64,
    /// Those that were made and ended, by [`Outcome`].
    pub ended: [u64; Outcome::ALL.len()],
    /// Those that were not made: the client was blocked.
    pub withheld: u64,
    /// Those that were made and not waited for to the end.
    pub in_flight: u64,
}

impl Ledger {
    /// How many ended so.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.ended[outcome as usize]
    }

    /// Whether every intended send ended in exactly one way.
    pub fn balances(&self) -> bool {
        self.intended == self.ended.iter().sum::<u64>() + self.withheld + self.in_flight
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.intended += other.intended;
        self.withheld += other.withheld;
        self.in_flight += other.in_flight;
        for (mine, theirs) in self.ended.iter_mut().zip(other.ended) {
            *mine += theirs;
        }
    }
}

/// What became of queued messages, without those of the warm-up. acknowledged = done + discarded + queued + lost + unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditCounts {
    /// Accepted by the service.
    pub acknowledged: u64,
    /// Of those, processed.
    pub done: u64,
    /// Of those, ended otherwise, and the service said so.
    pub discarded: u64,
    /// Of those, still with the service.
    pub queued: u64,
    /// Of those, gone: the service has nothing left, and never said what became of them.
    pub lost: u64,
    /// Of those, beyond knowing: the instance that accepted them is gone, or there was a gap in what was heard.
    pub unknown: u64,
    /// Ended more than once.
    pub duplicated: u64,
    /// Processed, though never acknowledged: a deadline or a connection cut the acknowledgement off.
    pub done_unacknowledged: u64,
}

impl AuditCounts {
    /// Whether every acknowledged message is accounted for.
    pub fn balances(&self) -> bool {
        self.acknowledged == self.done + self.discarded + self.queued + self.lost + self.unknown
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.done += other.done;
        self.discarded += other.discarded;
        self.queued += other.queued;
        self.lost += other.lost;
        self.unknown += other.unknown;
        self.duplicated += other.duplicated;
        self.done_unacknowledged += other.done_unacknowledged;
    }
}
