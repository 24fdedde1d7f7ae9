//! A request of a shard: to be sent, what was tried of it, and how it ended.

use std::time::Duration;

use crate::{arrival::Intent, call::Reply, outcome::Outcome, policy::AttemptEnd, recorder::Crowd};

/// A send to be made now.
#[derive(Debug)]
pub(super) struct Send {
    pub(super) client: usize,
    pub(super) number: u64,
    pub(super) intent: Intent,
    /// When it could have been made.
    pub(super) possible: Duration,
    /// How many slots of the shard are taken with it.
    pub(super) crowd: Crowd,
    /// What was tried before; `None` of a first attempt.
    pub(super) tried: Option<Box<Tried>>,
}

/// What became of the second call of an attempt.
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

/// What has been tried of a request.
#[derive(Debug, Default)]
pub(super) struct Tried {
    pub(super) attempts: u32,
    pub(super) since_pushback: u32,
    /// When the first attempt was sent, and how late.
    pub(super) first: Option<(Duration, Duration)>,
    pub(super) deadline: Duration,
    pub(super) demand: Option<Duration>,
    /// Whether the service may have the message of an earlier attempt.
    pub(super) maybe_there: bool,
    /// How the last attempt ended, and that of its hedge.
    pub(super) ends: [Option<(Outcome, Duration)>; 2],
    pub(super) hedge: Hedge,
    /// Whether the client itself did not send the last attempt.
    pub(super) held_back: bool,
    pub(super) last: Option<Reply>,
}

impl Tried {
    /// Whether there was an attempt before the last one, a hedge of the last one aside.
    pub(super) fn is_retried(&self) -> bool {
        self.attempts > 1 + u32::from(self.hedge != Hedge::None)
    }

    /// What the policies hear of the last attempt.
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

/// A send that was made and has ended; times since the start of the run.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) client: usize,
    pub(super) number: u64,
    pub(super) intended: Duration,
    /// Its class of urgency, by the place among those of the load.
    pub(super) class: u8,
    pub(super) started: Duration,
    pub(super) start_lag: Duration,
    pub(super) crowd: Crowd,
    pub(super) ended: Duration,
    pub(super) reply: Reply,
    /// What was tried; `None` where each request is sent once.
    pub(super) tried: Option<Box<Tried>>,
}
