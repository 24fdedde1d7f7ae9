//! Admission for gRPC: deadlines, priorities, outcomes and rejections as headers. Needs the feature `grpc`.
//!
//! - The deadline is the arrival plus `grpc-timeout`.
//! - The class is the urgency of `priority: u=0…7` (RFC 9218).
//! - The outcome is the `grpc-status` in the headers or the trailers of the response, so the permit lasts as long as the response's
//!   body. A stream that never ends keeps its permit: [exempt](GrpcAdmissionLayer::exempt) its path.
//! - A rejected request gets RESOURCE_EXHAUSTED, with `grpc-retry-pushback-ms`.

mod body;
mod headers;
mod layer;

pub use self::{
    body::AdmittedBody,
    headers::{PUSHBACK, class, outcome, pushback, ticket, ticket_of, timeout},
    layer::{AdmittedGrpc, GrpcAdmissionLayer, GrpcFuture},
};
