//! A message inside the service, and the closed sets of its possible outcomes and labels.
//!
//! The lowest module: all others use its types.

use std::time::Duration;

use strum::{EnumCount, IntoStaticStr, VariantArray};
use tokio::time::Instant;

/// All values of a closed set, in the order of their discriminants. An array, so that tables indexed by a value have its length.
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
    /// The two RPCs that carry messages: the values of the label `door`, and two of the label `rpc`.
    pub enum Door {
        /// Fire-and-forget: acknowledged as soon as the message is on the queue.
        Enqueue,
        /// Synchronous: answered when the message is processed.
        Process,
    }
}

closed_set! {
    /// The RPCs whose calls are counted: the label `rpc`.
    pub enum Rpc {
        /// Puts a message on the queue: [`Door::Enqueue`].
        Enqueue,
        /// Processes a message: [`Door::Process`].
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
    /// The door with the same name; `None` for Watch, which carries no message.
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
/// A queue can hold millions of them, so a message carries one instant and no spare capacity.
#[derive(Debug)]
pub struct Job {
    /// Never empty; at most [`MAX_ID_BYTES`].
    pub id: Box<str>,
    /// Kept in memory while the message is in the system; its content is never read.
    pub payload: Box<[u8]>,
    /// The service time that the request asks for; `None`: the service draws one from its own distribution.
    pub demand: Option<Duration>,
    /// When its queue wait began: for Process when the call arrived, for Enqueue when the message joined the queue.
    pub since: Instant,
}

/// The longest message id that is accepted, in bytes.
pub const MAX_ID_BYTES: usize = 128;

impl Job {
    /// The bytes that the message adds to `queue_bytes`: id and payload, without the structures around them.
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
        /// Its deadline passed while it waited or was in service; or it was older than `--message-ttl` when its turn came.
        Expired,
        /// Its caller went away while it waited or was in service.
        Cancelled,
        /// It was still in the system when the drain ran out of time.
        Abandoned,
        /// The service has a bug.
        Failed,
        /// Admitted to the waiting line, then rejected by the line's policy. Its caller got an error.
        Rejected,
        /// A worker processed it, and the work failed.
        WorkFailed,
        /// It was delivered as often as is allowed and not processed, so it is now a dead letter.
        DeadLettered,
    }
}

closed_set! {
    /// How a call ended: the label `outcome` of `foo_requests_total`. [`Reason`] says why a call did not succeed.
    pub enum RequestOutcome {
        /// Answered with OK.
        Ok,
        /// Rejected, because there was no room.
        Rejected,
        /// Its deadline passed while it waited or was in service.
        Expired,
        /// Its caller went away before the answer.
        Cancelled,
        /// The service is draining, the work failed, the queue cannot be reached, or the role of the service serves no such calls.
        Unavailable,
        /// The request is malformed, so nothing was admitted.
        Invalid,
        /// The service has a bug.
        Failed,
    }
}

closed_set! {
    /// Why a call was not answered with OK: the label `reason` of `foo_refusals_total`, and a name in Watch. It is a value, not an
    /// exception: it is counted, and mapped to a gRPC status in one place (`rpc/status.rs`).
    ///
    /// A new reason is declared here, with the text for its caller; [`outcome`](Self::outcome) says which outcome the call has.
    #[derive(thiserror::Error)]
    pub enum Reason {
        /// The queue is full, and its policy is to reject.
        #[error("no room: the queue is full")]
        QueueFull,
        /// The queue is full, and so is the line of callers that wait for room on it.
        #[error("no room: the line for the queue is full")]
        QueueLineFull,
        /// The message cannot be stored: the disk of the durable queue is full or broken, or the shared queue cannot be reached.
        #[error("the queue cannot be written; try again with the same id")]
        QueueUnavailable,
        /// The shared queue has not answered in time, so the message may or may not be on it.
        #[error("the queue has not confirmed the message in time; try again with the same id")]
        QueueUnsure,
        /// The role of this instance does not serve the call: it has no workers for Process, or accepts no calls.
        #[error("this instance does not serve such calls; try again with another one")]
        OtherRole,
        /// The waiting line of Process is full.
        #[error("no room: the line is full")]
        LineFull,
        /// The call waited in a full line, and the line rejected it in favour of a newer call.
        #[error("no room: a newer request took the place of this one")]
        Displaced,
        /// The call cannot be answered before its deadline, so the line does not let it wait.
        #[error("no room: the request cannot be answered before its deadline")]
        TooLate,
        /// Calls have waited too long for some time, and so has this one.
        #[error("no room: requests wait too long")]
        Overload,
        /// As many callers of Watch as are allowed are connected already.
        #[error("no room: the list of watchers is full")]
        WatchersFull,
        /// The service takes no new work, because it will stop soon. Another instance may take the call.
        #[error("draining")]
        Draining,
        /// The drain ran out of time while the call waited or was in service.
        #[error("abandoned: the drain ran out of time")]
        Abandoned,
        /// The work on the message failed, because `--fail-rate` simulates failures. Another attempt may succeed.
        #[error("the work on the message failed")]
        WorkFailed,
        /// The caller's deadline passed before the answer.
        #[error("deadline passed")]
        Expired,
        /// The caller went away before the answer. This is counted and never sent.
        #[error("the caller went away")]
        Cancelled,
        /// The request is malformed. The answer names the field where it can.
        #[error("invalid")]
        Invalid,
        /// The service has a bug. Details are in the log, and are not sent to the caller.
        #[error("internal error")]
        Failed,
    }
}

impl Reason {
    /// The outcome of a call that was refused for this reason.
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

/// The error if the work on a message failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkFailed;

impl From<WorkFailed> for Reason {
    fn from(_: WorkFailed) -> Self {
        Self::WorkFailed
    }
}

/// How a call ended: `Ok`, or the reason why it was not answered with OK.
pub type CallEnd = Result<(), Reason>;

/// A processed message, as it is reported to its caller.
#[derive(Debug)]
pub struct Done {
    /// The message's id, as the caller gave it.
    pub id: Box<str>,
    /// How long the message waited and was in service.
    pub processed: Processed,
}

/// The durations that a worker measured for one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processed {
    /// From [`Job::since`] until a worker took the message.
    pub queue_wait: Duration,
    /// As measured; the request may have asked for another one.
    pub service_time: Duration,
}
