//! A message as the service holds it, and the closed sets of what can become of it.
//!
//! The lowest module: every other one speaks in these words.

use std::time::Duration;

use strum::{EnumCount, IntoStaticStr, VariantArray};
use tokio::time::Instant;

/// Every value of a closed set, in the order of their discriminants: as an array, so that tables by it have the right length.
const fn all<T: Copy, const COUNT: usize>(variants: &[T]) -> [T; COUNT] {
    match variants.first_chunk() {
        Some(all) => *all,
        None => panic!("a set has as many values as it counts"),
    }
}

/// Declares a closed set: its values, all of them in order, and their labels in metrics and on the wire.
macro_rules! closed_set {
    ($(#[$doc:meta])* pub enum $set:ident { $( $(#[$about:meta])* $value:ident, )+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, EnumCount, IntoStaticStr, VariantArray)]
        #[strum(serialize_all = "snake_case")]
        #[repr(u8)]
        pub enum $set { $( $(#[$about])* $value, )+ }

        impl $set {
            /// All values, in the order of their discriminants.
            pub const ALL: [Self; Self::COUNT] = all(Self::VARIANTS);

            /// The value's label in metrics and on the wire.
            pub fn label(self) -> &'static str {
                self.into()
            }
        }
    };
}

closed_set! {
    /// The two ways in: the values of the labels `door` and `rpc`.
    pub enum Door {
        /// Fire-and-forget: acknowledged once on the queue.
        Enqueue,
        /// Synchronous: answered once processed.
        Process,
    }
}

closed_set! {
    /// The RPCs whose calls are counted: the label `rpc`.
    pub enum Rpc {
        /// A call of the door.
        Enqueue,
        /// A call of the door.
        Process,
        /// A stream of snapshots. Its call ends with the stream.
        Watch,
    }
}

impl From<Door> for Rpc {
    fn from(door: Door) -> Self {
        match door {
            Door::Enqueue => Self::Enqueue,
            Door::Process => Self::Process,
        }
    }
}

impl Rpc {
    /// The door that the RPC leads to: `None` for Watch, which carries no message.
    pub fn door(self) -> Option<Door> {
        match self {
            Self::Enqueue => Some(Door::Enqueue),
            Self::Process => Some(Door::Process),
            Self::Watch => None,
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

closed_set! {
    /// How an admitted message ended: the label `outcome` of `foo_jobs_total`.
    pub enum JobOutcome {
        /// A worker processed it to the end.
        Completed,
        /// Admitted, then thrown away by the queue's policy.
        Dropped,
        /// Its deadline passed, in line or in service; or it was older than `--message-ttl` when its turn on the queue came.
        Expired,
        /// Its caller went away, in line or in service.
        Cancelled,
        /// Left when the drain ran out of time.
        Abandoned,
        /// A bug of the service.
        Failed,
        /// Admitted to the waiting line, then rejected by the line's policy. Its caller was told.
        Rejected,
        /// A worker had it, and the work failed.
        WorkFailed,
        /// It was delivered as often as is allowed and not processed, and was put aside.
        DeadLettered,
    }
}

closed_set! {
    /// How a call ended: the label `outcome` of `foo_requests_total`. [`Reason`] says more of those that did not succeed.
    pub enum RequestOutcome {
        /// Answered with OK.
        Ok,
        /// Rejected for want of room.
        Rejected,
        /// Its deadline passed, in line or in service.
        Expired,
        /// Its caller went away before the answer.
        Cancelled,
        /// The service is draining, the work on the message failed, the queue is out of reach, or the service has no such role.
        Unavailable,
        /// The request is malformed, so nothing was admitted.
        Invalid,
        /// A bug of the service.
        Failed,
    }
}

closed_set! {
    /// Why a call was not answered with OK: the label `reason` of `foo_refusals_total`, and a name in Watch. A value, not a
    /// fault: counted, and mapped to a gRPC status in one place.
    ///
    /// A new reason is declared here, with what its caller is told; [`outcome`](Self::outcome) says how the call counts.
    #[derive(thiserror::Error)]
    pub enum Reason {
        /// The queue is full, and its policy is to reject.
        #[error("no room: the queue is full")]
        QueueFull,
        /// The queue is full, and so is the line of callers that wait for a place on it.
        #[error("no room: the line for the queue is full")]
        QueueLineFull,
        /// The durable queue cannot be written: its disk is full or broken. Or the shared queue is out of reach.
        #[error("the queue cannot be written; try again with the same id")]
        QueueUnavailable,
        /// The shared queue has not answered in time: the message may be on it.
        #[error("the queue has not confirmed the message in time; try again with the same id")]
        QueueUnsure,
        /// The service has no workers for Process, or accepts no calls: it has another role.
        #[error("this instance does not serve such calls; try again with another one")]
        OtherRole,
        /// The waiting line of Process is full.
        #[error("no room: the line is full")]
        LineFull,
        /// The call took a place in a full line, and the line gave that place to a newer call.
        #[error("no room: a newer request took the place of this one")]
        Displaced,
        /// The call cannot be answered before its deadline, so it is not worth its wait.
        #[error("no room: the request cannot be answered before its deadline")]
        TooLate,
        /// Calls have waited too long for some time, and this one has as well.
        #[error("no room: requests wait too long")]
        Overload,
        /// As many watchers as there can be are watching.
        #[error("no room: the list of watchers is full")]
        WatchersFull,
        /// The service takes no new work, because it is about to stop; another instance may.
        #[error("draining")]
        Draining,
        /// The drain ran out of time with the call in line or in service.
        #[error("abandoned: the drain ran out of time")]
        Abandoned,
        /// The work on the message failed, as it is told to with `--fail-rate`. Another attempt may succeed.
        #[error("the work on the message failed")]
        WorkFailed,
        /// The caller's deadline passed before the answer.
        #[error("deadline passed")]
        Expired,
        /// The caller went away before the answer: only the counts hear of it.
        #[error("the caller went away")]
        Cancelled,
        /// The request is not what it must be; the answer names the field where it can.
        #[error("invalid")]
        Invalid,
        /// A bug of the service; what it was is in the log, not on the wire.
        #[error("internal error")]
        Failed,
    }
}

impl Reason {
    /// How a call counts that was refused for this reason.
    pub fn outcome(self) -> RequestOutcome {
        match self {
            Self::QueueFull
            | Self::QueueLineFull
            | Self::LineFull
            | Self::Displaced
            | Self::TooLate
            | Self::Overload
            | Self::WatchersFull => RequestOutcome::Rejected,
            Self::Draining
            | Self::Abandoned
            | Self::WorkFailed
            | Self::QueueUnavailable
            | Self::QueueUnsure
            | Self::OtherRole => RequestOutcome::Unavailable,
            Self::Expired => RequestOutcome::Expired,
            Self::Cancelled => RequestOutcome::Cancelled,
            Self::Invalid => RequestOutcome::Invalid,
            Self::Failed => RequestOutcome::Failed,
        }
    }
}

impl From<JobOutcome> for foo_proto::v1::JobOutcome {
    fn from(outcome: JobOutcome) -> Self {
        match outcome {
            JobOutcome::Completed => Self::Completed,
            JobOutcome::Dropped => Self::Dropped,
            JobOutcome::Expired => Self::Expired,
            JobOutcome::Cancelled => Self::Cancelled,
            JobOutcome::Abandoned => Self::Abandoned,
            JobOutcome::Failed => Self::Failed,
            JobOutcome::Rejected => Self::Rejected,
            JobOutcome::WorkFailed => Self::WorkFailed,
            JobOutcome::DeadLettered => Self::DeadLettered,
        }
    }
}

/// The work on a message failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkFailed;

impl From<WorkFailed> for Reason {
    fn from(_: WorkFailed) -> Self {
        Self::WorkFailed
    }
}

/// How a call ended: with OK, or not, and why.
pub type CallEnd = Result<(), Reason>;

/// A message that was processed, as its caller hears of it.
#[derive(Debug)]
pub struct Done {
    /// The message's id, as the caller gave it.
    pub id: Box<str>,
    /// How long the message waited and was in service.
    pub processed: Processed,
}

/// What a worker measured of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processed {
    /// From [`Job::since`] until a worker took it.
    pub queue_wait: Duration,
    /// As measured, not as demanded.
    pub service_time: Duration,
}
