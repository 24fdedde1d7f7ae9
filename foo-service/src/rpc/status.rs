//! The one place where a refusal becomes a gRPC status.

use std::time::Duration;

use tonic::{Code, Status};

use crate::job::{Reason, RequestOutcome};

/// Tells a client that retries how long to stay away (gRPC retry design, A6).
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// A call that is not answered with OK: the reason by which it is counted, and what its caller is told besides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// A field is not what it must be.
    #[error("{field}: {reason}")]
    Invalid {
        /// The name of the field in foo.proto.
        field: &'static str,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// What came with the call is over a limit that gRPC itself has a status for.
    #[error("{field}: {reason}")]
    TooLarge {
        /// What it is.
        field: &'static str,
        /// How large it is, and what the limit is.
        reason: String,
    },
    /// There is no more to say than the reason.
    #[error(transparent)]
    For(#[from] Reason),
}

impl Refusal {
    /// What the refusal is counted by.
    pub(super) fn reason(&self) -> Reason {
        match self {
            // It is not for want of room, and not counted so.
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

/// The status for `reason` alone, without how long to stay away.
pub(super) fn plain(reason: Reason) -> Status {
    Status::new(code(reason), reason.to_string())
}

/// The status of a refusal; where it is for want of room, with how long to stay away, which `retry_after` says.
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
