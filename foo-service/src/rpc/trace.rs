//! Tracing of every call with tower-http, under a request id.
//!
//! All of it is at debug level: under overload, a line per rejection would be additional load. Rejections are counted instead.
//! If the log does not show debug, the layers are left out, because ids and spans cost a fifth of a small call
//! (`scripts/bench`). The layers are around the routes, where types are erased, so they do not make a call without them larger.

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

/// Makes the ids of requests that come without an `x-request-id`: the instance id and a number.
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

/// True if the log shows spans of calls.
pub fn wanted() -> bool {
    tracing::enabled!(Level::DEBUG) || tracing::enabled!(target: "tower_http::trace", Level::DEBUG)
}

/// Gives every call a span and an id. The answer repeats the id.
pub fn around(routes: Routes, instance_id: &str) -> Routes {
    let ids = RequestIds {
        instance_id: instance_id.into(),
        next: Arc::new(AtomicU64::new(1)),
    };
    // The layer that is added last is the outermost.
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
