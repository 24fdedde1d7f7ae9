//! How requests and their attempts ended, as the load client saw it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Column, Part, counts};
use crate::outcome::Outcome;

counts! {
    /// How every scheduled request ended, without those of the warm-up: `intended` is the sum of the others.
    pub struct Ledger {
        /// Requests that were due, whether or not they could be sent.
        intended: Total "scheduled",
        /// Requests that were answered with OK.
        ok: Good "ok",
        /// Requests that the service rejected, because it had no room.
        rejected: Bad "rejected",
        /// Requests whose deadline passed before the answer.
        expired: Bad "expired",
        /// Requests for which the service could not be reached, went away, or was draining.
        unavailable: Bad "unavailable",
        /// Requests that were answered with any other status.
        failed: Bad "failed",
        /// Requests that were never sent: the client itself held them back, because the service had refused too many.
        #[serde(default)]
        throttled: Bad "throttled",
        /// Requests that were never sent, because the client was still waiting for earlier answers.
        withheld: Bad "withheld",
        /// Requests that were sent, and not answered when the run ended.
        in_flight: Open "in flight",
    }
}

counts! {
    /// The attempts of all requests, without those of the warm-up: `attempts` is the sum of those that ended in some way and
    /// those in flight. The other counts are of requests.
    pub struct AttemptCounts {
        /// All attempts, the first of each request included.
        attempts: Total "attempts",
        /// Attempts that were answered with OK.
        ok: Good "ok",
        /// Attempts that the service rejected, because it had no room.
        rejected: Bad "rejected",
        /// Attempts whose deadline, or that of their request, passed.
        expired: Bad "expired",
        /// Attempts for which the service could not be reached, went away, or was draining.
        unavailable: Bad "unavailable",
        /// Attempts that were answered with any other status.
        failed: Bad "failed",
        /// Attempts that were broken off, because the other attempt of a hedged request had won.
        cancelled: Bad "cancelled",
        /// Attempts that were sent, and not answered when the run ended.
        in_flight: Open "in flight",
        /// Requests that were ok after at least one failed attempt.
        retried_then_ok: Beside "ok after a retry",
        /// Requests that were not tried again, because the retry budget was used up.
        given_up_by_budget: Beside "given up by the budget",
        /// Requests that were not tried again, because the service refused further attempts.
        given_up_by_pushback: Beside "given up by pushback",
        /// Requests whose next attempt the client held back.
        given_up_by_throttle: Beside "given up by the throttle",
        /// Requests with a second attempt that was sent while the first was under way.
        hedges: Beside "hedged",
        /// Hedged requests that the second attempt decided.
        hedges_won: Beside "hedges won",
    }
}

impl AttemptCounts {
    /// The count of the attempts with this outcome; `None` for throttled requests, because they have no attempt.
    pub fn count(&mut self, outcome: Outcome) -> Option<&mut u64> {
        Some(match outcome {
            Outcome::Ok => &mut self.ok,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Expired => &mut self.expired,
            Outcome::Unavailable => &mut self.unavailable,
            Outcome::Failed => &mut self.failed,
            Outcome::Throttled => return None,
        })
    }
}

impl Ledger {
    /// The count of the requests with this outcome.
    pub fn count(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Ok => &mut self.ok,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Expired => &mut self.expired,
            Outcome::Unavailable => &mut self.unavailable,
            Outcome::Failed => &mut self.failed,
            Outcome::Throttled => &mut self.throttled,
        }
    }

    /// The number of requests with this outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        let mut counts = *self;
        *counts.count(outcome)
    }
}
