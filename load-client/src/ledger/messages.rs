//! What became of messages: of those that were queued, by the audit; of all that the service had, by its own counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Column, Part, counts};

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
        /// Of the discarded ones, those that were too old when their turn came (`--message-ttl` of the service).
        #[serde(default)]
        discarded_expired: Beside "discarded, as expired",
        /// Of the discarded ones, those that were put aside after their last delivery.
        #[serde(default)]
        discarded_dead_lettered: Beside "discarded, as dead letters",
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
    /// What became of the messages that a service admitted, through both RPCs, since the run began: `admitted` is the sum of
    /// the others and of what is still waiting or in service. Each end that a service reports has its column.
    pub struct ServiceCounts {
        /// Messages that the service accepted.
        admitted: Total "admitted",
        /// Of those, the messages that were processed.
        completed: Good "completed",
        /// Of those, thrown away by policy.
        dropped: Bad "dropped",
        /// Of those, out of time in line or in service.
        expired: Bad "expired",
        /// Of those, left by their callers.
        cancelled: Bad "cancelled",
        /// Of those, left when a drain ran out.
        abandoned: Bad "abandoned",
        /// Of those, broken by a bug.
        failed: Bad "failed",
        /// Of those, rejected while they waited in line. Their callers were told.
        #[serde(default)]
        rejected: Bad "rejected in line",
        /// Of those, messages whose work failed.
        #[serde(default)]
        work_failed: Bad "work failed",
        /// Of those, put aside by a shared queue that had delivered them too often.
        #[serde(default)]
        dead_lettered: Bad "dead-lettered",
    }
}
