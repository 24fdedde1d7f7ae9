//! tower-http's tracing for every call, under a request id.
//!
//! Everything is at debug level: under overload, a line per rejection would be one more load. Rejections are counted, not
//! logged. If the log does not show that level, the layers are left out, because ids and spans cost a fifth of a small call
//! (`scripts/bench`). The layers are around the routes, where types are erased, so a call without them is not larger.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use http::{HeaderValue, Request};
use tonic::service::Routes;
use tower_http::{
    classify::{GrpcErrorsAsFailures, SharedClassifier},
    request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    trace::{DefaultOnEos, DefaultOnFailure, DefaultOnRequest, DefaultOnResponse, TraceLayer},
};
use tracing::{Level, Span};

/// Makes the ids of requests that come without an `x-request-id`: the instance and a number.
#[derive(Debug, Clone)]
struct RequestIds {
    instance_id: Arc<str>,
    next: Arc<AtomicU64>,
}

impl MakeRequestId for RequestIds {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        HeaderValue::try_from(format!("{}-r{number}", self.instance_id))
            .ok()
            .map(RequestId::new)
    }
}

/// Whether the log's level has room for spans of calls.
pub fn wanted() -> bool {
    tracing::enabled!(Level::DEBUG) || tracing::enabled!(target: "tower_http::trace", Level::DEBUG)
}

/// Gives every call an id, which it is answered with, and a span.
pub fn around(routes: Routes, instance_id: &str) -> Routes {
    let ids = RequestIds {
        instance_id: instance_id.into(),
        next: Arc::new(AtomicU64::new(1)),
    };
    // From the inside out.
    let traced = routes
        .into_axum_router()
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(spans())
        .layer(SetRequestIdLayer::x_request_id(ids));
    Routes::from(traced)
}

fn spans<B>() -> TraceLayer<SharedClassifier<GrpcErrorsAsFailures>, impl Fn(&Request<B>) -> Span + Clone> {
    TraceLayer::new_for_grpc()
        .make_span_with(|request: &Request<B>| {
            let id = request.extensions().get::<RequestId>();
            let id = id.and_then(|id| id.header_value().to_str().ok()).unwrap_or_default();
            tracing::debug_span!("call", path = request.uri().path(), request_id = id)
        })
        .on_request(DefaultOnRequest::new().level(Level::DEBUG))
        .on_response(DefaultOnResponse::new().level(Level::DEBUG))
        .on_eos(DefaultOnEos::new().level(Level::DEBUG))
        .on_failure(DefaultOnFailure::new().level(Level::DEBUG))
}
