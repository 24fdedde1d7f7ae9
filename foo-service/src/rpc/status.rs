//! The one place where a refusal becomes a gRPC status.

use std::time::Duration;

use http::HeaderValue;
use tonic::{Code, Status};

use crate::job::Refusal;

/// Tells a client that retries how long to stay away (gRPC retry design, A6).
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The status of a refusal; where it is for want of room, with how long to stay away.
pub fn of(refusal: &Refusal, pushback: Duration) -> Status {
    let code = match refusal {
        Refusal::NoRoom(_) => Code::ResourceExhausted,
        Refusal::Draining | Refusal::Abandoned => Code::Unavailable,
        Refusal::Expired => Code::DeadlineExceeded,
        Refusal::Invalid { .. } => Code::InvalidArgument,
    };
    let mut status = Status::new(code, refusal.to_string());
    if code == Code::ResourceExhausted {
        status.metadata_mut().insert(
            PUSHBACK,
            u64::try_from(pushback.as_millis()).unwrap_or(u64::MAX).max(1).into(),
        );
    }
    status
}

/// tonic answers a message over its decoding limit with OUT_OF_RANGE; gRPC has RESOURCE_EXHAUSTED for that. Nothing here
/// uses OUT_OF_RANGE for anything else.
pub fn too_large_as_grpc_has_it<B>(mut response: http::Response<B>) -> http::Response<B> {
    if let Some(code) = response.headers_mut().get_mut("grpc-status")
        && code.as_bytes() == b"11"
    {
        *code = HeaderValue::from_static("8");
    }
    response
}
