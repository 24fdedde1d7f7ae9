//! A layer around a gRPC service.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use super::{AdmittedBody, headers, outcome, ticket};
use crate::room::{Admission, Enter, Permit};

/// Lets each call of a gRPC service wait for a permit, except exempt ones.
#[derive(Debug, Clone)]
pub struct GrpcAdmissionLayer {
    admission: Admission,
    exempt: Arc<[&'static str]>,
}

impl GrpcAdmissionLayer {
    /// A layer in which every call needs a permit.
    pub fn new(admission: Admission) -> Self {
        Self {
            admission,
            exempt: Arc::new([]),
        }
    }

    /// Exempts calls whose path begins with `prefix`, such as a stream that never ends (`"/foo.v1.FooService/Watch"`).
    #[must_use]
    pub fn exempt(mut self, prefix: &'static str) -> Self {
        self.exempt = self.exempt.iter().copied().chain([prefix]).collect();
        self
    }

    /// Exempts health checks and reflection. A health check that waits or is rejected makes an orchestrator restart a busy
    /// service.
    #[must_use]
    pub fn exempt_health_and_reflection(self) -> Self {
        self.exempt("/grpc.health.").exempt("/grpc.reflection.")
    }
}

impl<S> Layer<S> for GrpcAdmissionLayer {
    type Service = AdmittedGrpc<S>;

    fn layer(&self, inner: S) -> AdmittedGrpc<S> {
        AdmittedGrpc {
            inner,
            admission: self.admission.clone(),
            exempt: Arc::clone(&self.exempt),
        }
    }
}

/// A gRPC service whose calls need a permit.
#[derive(Debug, Clone)]
pub struct AdmittedGrpc<S> {
    inner: S,
    admission: Admission,
    exempt: Arc<[&'static str]>,
}

impl<S, B, ResBody> Service<Request<B>> for AdmittedGrpc<S>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<AdmittedBody<ResBody>>;
    type Error = S::Error;
    type Future = GrpcFuture<S, B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> GrpcFuture<S, B> {
        let path = request.uri().path();
        let exempt = self.exempt.iter().any(|prefix| path.starts_with(prefix));
        let enter = (!exempt).then(|| self.admission.enter(ticket(request.headers(), Instant::now())));
        GrpcFuture {
            enter,
            permit: None,
            request: Some(request),
            inner: self.inner.clone(),
            future: None,
        }
    }
}

pin_project! {
    /// A call that waits for a permit, then for the service inside.
    pub struct GrpcFuture<S: Service<Request<B>>, B> {
        #[pin]
        enter: Option<Enter>,
        request: Option<Request<B>>,
        inner: S,
        #[pin]
        future: Option<S::Future>,
        // The last field is dropped last: a call that is dropped gives its place back after it has let go of everything
        // that it used.
        permit: Option<Permit>,
    }
}

impl<S, B, ResBody> Future for GrpcFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
{
    type Output = Result<Response<AdmittedBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(enter) = this.enter.as_mut().as_pin_mut() {
            match ready!(enter.poll(cx)) {
                Ok(permit) => *this.permit = Some(permit),
                Err(rejected) => return Poll::Ready(Ok(headers::refusal(rejected, AdmittedBody::empty()))),
            }
            this.enter.set(None);
        }
        if let Some(request) = this.request.take() {
            match this.inner.poll_ready(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => {
                    *this.request = Some(request);
                    return Poll::Pending;
                }
            }
            this.future.set(Some(this.inner.call(request)));
        }
        let future = this.future.as_mut().as_pin_mut().expect("set above");
        let response = ready!(future.poll(cx))?;
        let mut permit = this.permit.take();
        if let Some(outcome) = outcome(response.headers())
            && let Some(permit) = permit.take()
        {
            permit.finish(outcome);
        }
        Poll::Ready(Ok(response.map(|body| AdmittedBody::new(body, permit))))
    }
}
