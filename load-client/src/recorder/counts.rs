//! The counts of a shard while the run lasts.

use crate::ledger::{AttemptCounts, Ledger};

/// What a shard's clients have done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClientCounts {
    /// How scheduled requests ended. Its `in_flight` stays 0 until the clients stop waiting for answers.
    pub ledger: Ledger,
    /// Requests that were scheduled in the warm-up, whether sent or withheld. They are not in the ledger.
    pub warmup: u64,
    /// Messages that are known to be done within the SLO, counted from the scheduled send.
    pub good: u64,
    /// Requests that are in flight now, those of the warm-up included.
    pub in_flight: u64,
    /// Clients that have a request due, but cannot send it because they wait for an answer.
    pub blocked: u64,
    /// How attempts ended; `None` if each request is sent once.
    pub attempts: Option<AttemptCounts>,
}
