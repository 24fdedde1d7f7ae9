//! A request in a shard: before an attempt, its attempts so far, and after an attempt.

use std::time::Duration;

use crate::{arrival::Scheduled, call::Reply, outcome::Outcome, policy::AttemptEnd, recorder::Crowd};

/// An attempt to be sent now.
#[derive(Debug)]
pub(super) struct Send {
    pub(super) client: usize,
    pub(super) number: u64,
    pub(super) scheduled: Scheduled,
    /// The earliest time at which the client could have sent it, from which the start lag is measured.
    pub(super) possible: Duration,
    /// How many of the shard's slots are taken, including this request.
    pub(super) crowd: Crowd,
    /// The attempts before; `None` for a first attempt.
    pub(super) tried: Option<Box<Tried>>,
}

/// Whether an attempt had a second call, and which call decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Hedge {
    /// The attempt had one call only.
    #[default]
    None,
    /// The first call decided.
    Lost,
    /// The second call decided.
    Won,
}

/// The attempts of a request so far.
#[derive(Debug, Default)]
pub(super) struct Tried {
    pub(super) attempts: u32,
    pub(super) since_pushback: u32,
    /// When the first attempt was sent, and its start lag.
    pub(super) first: Option<(Duration, Duration)>,
    pub(super) deadline: Duration,
    pub(super) demand: Option<Duration>,
    /// True if the service may have the message from an earlier attempt.
    pub(super) maybe_there: bool,
    /// The outcome and duration of the last attempt's two calls: first the call that counts, then the other one if it
    /// ended.
    pub(super) ends: [Option<(Outcome, Duration)>; 2],
    pub(super) hedge: Hedge,
    /// True if the client itself held back the last attempt.
    pub(super) held_back: bool,
    pub(super) last: Option<Reply>,
}

impl Tried {
    /// True if there was a retry. A second call of the last attempt does not count as one.
    pub(super) fn is_retried(&self) -> bool {
        self.attempts > 1 + u32::from(self.hedge != Hedge::None)
    }

    /// The end of the last attempt in the form that the policies need.
    pub(super) fn end(&self, sent: &Sent) -> AttemptEnd {
        AttemptEnd {
            at: sent.ended,
            outcome: sent.reply.outcome,
            pushback: sent.reply.pushback,
            attempts: self.attempts,
            since_pushback: self.since_pushback,
            deadline: self.deadline,
        }
    }
}

/// An attempt that has ended. Times are since the start of the run.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) client: usize,
    pub(super) number: u64,
    pub(super) intended: Duration,
    /// The index of its class of urgency in the scenario's list of classes.
    pub(super) class: u8,
    pub(super) started: Duration,
    pub(super) start_lag: Duration,
    pub(super) crowd: Crowd,
    pub(super) ended: Duration,
    pub(super) reply: Reply,
    /// The attempts so far, including this one; `None` if the clients send each request once.
    pub(super) tried: Option<Box<Tried>>,
}
