//! The questions that a policy is asked, and its answers.

use std::{fmt, time::Duration};

use super::pushback::Pushback;
use crate::outcome::Outcome;

/// An attempt that has ended. Times are since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptEnd {
    /// When the attempt ended.
    pub at: Duration,
    /// How the attempt ended.
    pub outcome: Outcome,
    /// The service's pushback, which says whether and when it wants another attempt; `None` if the answer had none.
    pub pushback: Option<Pushback>,
    /// The attempts of the request so far, this one included.
    pub attempts: u32,
    /// The attempts since the last pushback that named a time, this one included.
    pub since_pushback: u32,
    /// The deadline of the request.
    pub deadline: Duration,
}

/// The decision about a request after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// No further attempt: the request ends as this attempt did.
    Done(Why),
    /// The request is tried again.
    Again {
        /// When the next attempt is due.
        at: Duration,
        /// The service named that time. Then the next backoff begins with the first pause again.
        by_service: bool,
    },
}

/// Why there is no further attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The attempt was ok, or it failed in a way after which the client does not retry.
    Ended,
    /// The client has made as many attempts as it may.
    Exhausted,
    /// The next attempt would be due after the deadline of the request.
    Late,
    /// The retry budget was used up.
    Budget,
    /// The service asked for no further attempt.
    Pushback,
}

/// Whether an attempt is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// The attempt is sent.
    Send,
    /// The attempt is not sent: the client itself holds it back.
    GiveUp,
}

/// Decides about a client's requests to one target: which attempts are sent, and when.
pub trait Policy: fmt::Debug + Send {
    /// Decides whether the attempt that is due now is sent. Asked before each attempt.
    fn before(&mut self, _now: Duration) -> Before {
        Before::Send
    }

    /// Whether a second attempt may be sent while the first is still under way.
    fn may_hedge(&mut self, _now: Duration) -> bool {
        true
    }

    /// Decides what follows the attempt that ended. `next` is what the policies before this one decided.
    fn after(&mut self, _end: &AttemptEnd, next: After) -> After {
        next
    }
}
