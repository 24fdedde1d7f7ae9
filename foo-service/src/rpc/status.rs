//! The one place where a refusal becomes a gRPC status.

use std::time::Duration;

use tonic::{Code, Status};

use crate::job::{Reason, RequestOutcome};

/// The metadata that tells a client how many milliseconds to wait before it retries (gRPC retry design, A6).
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// A refused call: the reason for the counts, and more details for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// A field has a wrong value.
    #[error("{field}: {reason}")]
    Invalid {
        /// The name of the field in foo.proto.
        field: &'static str,
        /// What is wrong with the field, and what would be right.
        reason: String,
    },
    /// A part of the call is larger than a limit for which gRPC prescribes a status.
    #[error("{field}: {reason}")]
    TooLarge {
        /// The part of the call that is too large.
        field: &'static str,
        /// How large it is, and what the limit is.
        reason: String,
    },
    /// The reason says everything.
    #[error(transparent)]
    For(#[from] Reason),
}

impl Refusal {
    /// The reason with which the refusal is counted.
    pub(super) fn reason(&self) -> Reason {
        match self {
            // The request is wrong; it is not rejected because there is no room.
            Self::Invalid { .. } | Self::TooLarge { .. } => Reason::Invalid,
            Self::For(reason) => *reason,
        }
    }
}

fn code(reason: Reason) -> Code {
    match reason.outcome() {
        RequestOutcome::Ok => Code::Ok,
        RequestOutcome::Rejected => Code::ResourceExhausted,
        RequestOutcome::Unavailable => Code::Unavailable,
        RequestOutcome::Expired => Code::DeadlineExceeded,
        RequestOutcome::Cancelled => Code::Cancelled,
        RequestOutcome::Invalid => Code::InvalidArgument,
        RequestOutcome::Failed => Code::Internal,
    }
}

/// The status for `reason` alone, without the time to wait before a retry.
pub(super) fn plain(reason: Reason) -> Status {
    Status::new(code(reason), reason.to_string())
}

/// The status of a refusal. If there was no room, it includes the time to wait before a retry, from `retry_after`.
pub(super) fn of(refusal: &Refusal, retry_after: impl FnOnce() -> Duration) -> Status {
    let reason = refusal.reason();
    let code = match refusal {
        Refusal::TooLarge { .. } => Code::ResourceExhausted,
        Refusal::Invalid { .. } | Refusal::For(_) => code(reason),
    };
    let mut status = Status::new(code, refusal.to_string());
    if reason.outcome() == RequestOutcome::Rejected {
        let millis = u64::try_from(retry_after().as_millis()).unwrap_or(u64::MAX).max(1);
        status.metadata_mut().insert(PUSHBACK, millis.into());
    }
    status
}
