//! A message as the service holds it, and the closed sets of what can become of it.
//!
//! The lowest module: every other one speaks in these words.

use std::time::Duration;

use tokio::time::Instant;

/// The two ways in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Fire-and-forget: acknowledged once on the queue.
    Enqueue,
    /// Synchronous: answered once processed.
    Process,
}

impl Door {
    /// Both, in the order of their discriminants.
    pub const ALL: [Self; 2] = [Self::Enqueue, Self::Process];

    /// The value of the `door` and `rpc` labels.
    pub fn label(self) -> &'static str {
        match self {
            Self::Enqueue => "enqueue",
            Self::Process => "process",
        }
    }
}

/// A message to be processed.
///
/// A queue can hold millions, so it carries one instant and no spare capacity.
#[derive(Debug)]
pub struct Job {
    /// Never empty; at most [`MAX_ID_BYTES`].
    pub id: Box<str>,
    /// Held for as long as the message is in the system, never looked at.
    pub payload: Box<[u8]>,
    /// How long to work on it; `None` leaves that to the service's own distribution.
    pub demand: Option<Duration>,
    /// When its queue wait began: at Process on arrival, at Enqueue when it joined the queue.
    pub since: Instant,
}

/// The longest message id accepted.
pub const MAX_ID_BYTES: usize = 128;

impl Job {
    /// What the message counts for in `queue_bytes`: id and payload, without the bookkeeping around them.
    pub fn bytes(&self) -> u64 {
        (self.id.len() + self.payload.len()) as u64
    }
}

/// How an admitted message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOutcome {
    /// A worker processed it.
    Completed,
    /// Admitted, then thrown away by policy.
    Dropped,
    /// Its deadline passed, in line or in service.
    Expired,
    /// Its caller went away.
    Cancelled,
    /// Left when the drain ran out of time.
    Abandoned,
    /// Our bug.
    Failed,
}

impl JobOutcome {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; 6] = [
        Self::Completed,
        Self::Dropped,
        Self::Expired,
        Self::Cancelled,
        Self::Abandoned,
        Self::Failed,
    ];

    /// The value of the `outcome` label of `foo_jobs_total`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Dropped => "dropped",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
            Self::Failed => "failed",
        }
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    /// Answered with OK.
    Ok,
    /// No room: refused at the door.
    Rejected,
    /// Its deadline passed.
    Expired,
    /// Its caller went away.
    Cancelled,
    /// The service is draining.
    Unavailable,
    /// Malformed.
    Invalid,
    /// Our bug.
    Failed,
}

impl RequestOutcome {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Rejected,
        Self::Expired,
        Self::Cancelled,
        Self::Unavailable,
        Self::Invalid,
        Self::Failed,
    ];

    /// The value of the `outcome` label of `foo_requests_total`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Unavailable => "unavailable",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
        }
    }
}

/// What a worker measured of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processed {
    /// From [`Job::since`] until a worker took it.
    pub queue_wait: Duration,
    /// As measured, not as demanded.
    pub service_time: Duration,
}

/// Why a call was not answered with OK. A value, not a fault: counted, and mapped to a gRPC status in one place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The queue, or the line, is full.
    #[error("no room: {0} is full")]
    NoRoom(&'static str),
    /// The service is going away; try another instance.
    #[error("draining")]
    Draining,
    /// The caller's deadline passed.
    #[error("deadline passed")]
    Expired,
    /// The drain ran out of time with this call in line or in service.
    #[error("abandoned: the drain ran out of time")]
    Abandoned,
    /// Our bug; what it was is in the log, not on the wire.
    #[error("internal error")]
    Bug,
    /// A field is not what it must be.
    #[error("{field}: {reason}")]
    Invalid {
        /// As foo.proto names it.
        field: &'static str,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
}
