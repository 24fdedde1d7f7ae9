//! The one place where a refusal becomes a gRPC status.

use std::time::Duration;

use tonic::{Code, Status};

use crate::job::Refusal;

/// Tells a client that retries how long to stay away (gRPC retry design, A6).
const PUSHBACK: &str = "grpc-retry-pushback-ms";

impl From<&Refusal> for Status {
    fn from(refusal: &Refusal) -> Self {
        let code = match refusal {
            Refusal::NoRoom(_) => Code::ResourceExhausted,
            Refusal::Draining | Refusal::Abandoned => Code::Unavailable,
            Refusal::Expired => Code::DeadlineExceeded,
            Refusal::Invalid { .. } => Code::InvalidArgument,
            Refusal::Bug => Code::Internal,
        };
        Self::new(code, refusal.to_string())
    }
}

/// The status of a refusal; where it is for want of room, with how long to stay away.
pub fn of(refusal: &Refusal, pushback: Duration) -> Status {
    let mut status = Status::from(refusal);
    if let Refusal::NoRoom(_) = refusal {
        let millis = u64::try_from(pushback.as_millis()).unwrap_or(u64::MAX).max(1);
        status.metadata_mut().insert(PUSHBACK, millis.into());
    }
    status
}
