//! The counts of messages by how they ended: the audit's counts of queued messages, and the service's own counts of all
//! messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Column, Part, counts};

counts! {
    /// What became of queued messages, without those of the warm-up: `acknowledged` is the sum of `done`, `discarded`,
    /// `queued`, `lost` and `unknown`.
    pub struct AuditCounts {
        /// Messages that the service accepted.
        acknowledged: Total "acknowledged",
        /// Accepted messages that were processed.
        done: Good "done",
        /// Accepted messages that the service dropped, or gave up in another way, and reported as such.
        discarded: Bad "discarded",
        /// Accepted messages that were still with the service when the load client stopped waiting.
        queued: Open "queued",
        /// Accepted messages that are gone: the service has nothing left, and never said what became of them.
        lost: Bad "lost",
        /// Accepted messages whose end cannot be known any more: the instance that accepted them is gone, or some
        /// completions did not arrive.
        unknown: Bad "unknown",
        /// Discarded messages that were too old when their turn came (`--message-ttl` of the service).
        #[serde(default)]
        discarded_expired: Beside "discarded, as expired",
        /// Discarded messages that a shared queue moved to the dead letters after their last delivery.
        #[serde(default)]
        discarded_dead_lettered: Beside "discarded, as dead letters",
        /// Messages that a shared queue had delivered more than once when they were done or given up: an instance that had the message
        /// before was killed, frozen or cut off, or gave it back.
        #[serde(default)]
        redelivered: Beside "redelivered",
        /// Messages that the service reported done more than once, though the client had sent them once.
        duplicated: Beside "done twice",
        /// Messages that were processed, though a deadline or a lost connection had cut their acknowledgement off.
        done_unacknowledged: Beside "done without acknowledgement",
        /// Messages that the service reported done more than once, because the client had sent them again after an acknowledgement was lost.
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
        /// Messages that were processed.
        completed: Good "completed",
        /// Messages that the policy of a full queue threw away.
        dropped: Bad "dropped",
        /// Messages whose time ran out while they waited or were being processed.
        expired: Bad "expired",
        /// Messages whose callers went away.
        cancelled: Bad "cancelled",
        /// Messages that were left over when the service shut down and its drain ran out of time.
        abandoned: Bad "abandoned",
        /// Messages that were lost by an internal error of the service.
        failed: Bad "failed",
        /// Messages that were rejected while they waited in line. Their callers received the rejection.
        #[serde(default)]
        rejected: Bad "rejected in line",
        /// Messages whose processing returned an error.
        #[serde(default)]
        work_failed: Bad "work failed",
        /// Messages that a shared queue moved to the dead letters, because it had delivered them as often as is
        /// allowed.
        #[serde(default)]
        dead_lettered: Bad "dead-lettered",
    }
}
