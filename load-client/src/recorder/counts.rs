//! The counts of a shard while the run lasts.

use crate::ledger::{AttemptCounts, Ledger};

/// What a shard's clients have done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClientCounts {
    /// How scheduled requests ended; `in_flight` only when they are not waited for any more.
    pub ledger: Ledger,
    /// Sends of the warm-up, made or withheld: they are not in the ledger.
    pub warmup: u64,
    /// Messages known to be done within the SLO, from the scheduled send.
    pub good: u64,
    /// Sends without an answer now, those of the warm-up included.
    pub in_flight: u64,
    /// Clients that would send and wait for an answer instead.
    pub blocked: u64,
    /// How attempts ended; `None` where each request is sent once.
    pub attempts: Option<AttemptCounts>,
}
