//! What a policy is asked, and what it answers.

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
    /// What the service said about another attempt.
    pub pushback: Option<Pushback>,
    /// The attempts of the request so far, this one included.
    pub attempts: u32,
    /// The same since the last pushback that named a time.
    pub since_pushback: u32,
    /// The deadline of the request.
    pub deadline: Duration,
}

/// What becomes of a request after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The request ends as this attempt did.
    Done(Why),
    /// The request is tried again.
    Again {
        /// When the next attempt is due.
        at: Duration,
        /// Whether the service named that time. Then the backoff starts from its beginning.
        told: bool,
    },
}

/// Why there is no further attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The attempt was ok, or it failed in a way after which the client does not retry.
    Ended,
    /// As many attempts were made as the client may.
    Exhausted,
    /// The next attempt would be due after the deadline of the request.
    Late,
    /// The retry budget was used up.
    Budget,
    /// The service said that there must be none.
    Pushback,
}

/// Whether an attempt is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// The attempt is sent.
    Send,
    /// It is not: the client itself holds it back.
    GiveUp,
}

/// What a client does about its requests to one target.
pub trait Policy: fmt::Debug + Send {
    /// An attempt is about to be sent.
    fn before(&mut self, _now: Duration) -> Before {
        Before::Send
    }

    /// A second attempt is about to be sent while the first is still under way.
    fn may_hedge(&mut self, _now: Duration) -> bool {
        true
    }

    /// An attempt has ended, and the policies before this one want `next`. Returns what this one makes of it.
    fn after(&mut self, _end: &AttemptEnd, next: After) -> After {
        next
    }
}
