//! What clients do about requests that fail: pure values behind one trait, [`Policy`].
//!
//! A policy is asked before each attempt whether the client sends it, and after each attempt whether there is another one and
//! when. It sees times, outcomes and what the service says about retries, and nothing else: no clock, no socket, no task.
//! What it draws comes from the seed, so that a run in virtual time is the same every time.

mod backoff;
mod budget;
mod chain;
mod hedge;
mod pushback;
mod retries;
mod settings;
mod throttle;

use std::{fmt, time::Duration};

pub use self::{
    backoff::Backoff,
    budget::BudgetSettings,
    chain::Chain,
    hedge::wins,
    pushback::{PUSHBACK, Pushback},
    settings::{PolicySettings, RetryOn, ThrottleKind, ThrottleSettings},
};
use crate::outcome::Outcome;

/// An attempt that has ended. Times are since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptEnd {
    /// When.
    pub at: Duration,
    /// How.
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

/// What follows an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The request ends as this attempt did.
    Done(Why),
    /// There is another attempt.
    Again {
        /// When it is due.
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
    /// All attempts were made.
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
    /// It is.
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
