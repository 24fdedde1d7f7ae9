//! Admission as a layer around any tower service.
//!
//! The layer's service is always ready. A call waits for a permit inside its future, so outer layers see a call that waits,
//! never a service that is not ready. The permit ends when the inner future does. For responses whose body is sent
//! afterwards, use the feature `grpc`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    limit::Outcome,
    room::{Admission, Enter, Permit, Rejected, Ticket},
};

/// Why a call of a protected service failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error<E> {
    /// The call was not admitted; the service inside has not seen it.
    Rejected(Rejected),
    /// The call was admitted, and the service inside failed with this error.
    Inner(E),
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => rejected.fmt(f),
            Self::Inner(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rejected(_) => None,
            Self::Inner(error) => error.source(),
        }
    }
}

/// Lets each call of a service wait for a permit. `T` makes the ticket of a request.
#[derive(Debug, Clone)]
pub struct AdmissionLayer<T> {
    admission: Admission,
    ticket: T,
}

impl<R> AdmissionLayer<fn(&R) -> Ticket> {
    /// A layer that gives all requests the default class and no deadline.
    pub fn new(admission: Admission) -> Self {
        Self::with_tickets(admission, |_| Ticket::new())
    }
}

impl<T> AdmissionLayer<T> {
    /// A layer that asks `ticket`, a `Fn(&Request) -> Ticket`, for the deadline and class of each request.
    pub fn with_tickets(admission: Admission, ticket: T) -> Self {
        Self { admission, ticket }
    }
}

impl<S, T: Clone> Layer<S> for AdmissionLayer<T> {
    type Service = Admitted<S, T>;

    fn layer(&self, inner: S) -> Self::Service {
        Admitted {
            inner,
            admission: self.admission.clone(),
            ticket: self.ticket.clone(),
        }
    }
}

/// A service whose calls need a permit.
#[derive(Debug, Clone)]
pub struct Admitted<S, T> {
    inner: S,
    admission: Admission,
    ticket: T,
}

impl<S, T, R> Service<R> for Admitted<S, T>
where
    S: Service<R> + Clone,
    T: Fn(&R) -> Ticket,
{
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = AdmittedFuture<S, R>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let enter = self.admission.enter((self.ticket)(&request));
        AdmittedFuture {
            request: Some(request),
            permit: None,
            stage: Stage::Enters {
                enter,
                inner: Some(self.inner.clone()),
            },
        }
    }
}

pin_project! {
    /// A call that waits for a permit, then for the service inside.
    pub struct AdmittedFuture<S: Service<R>, R> {
        request: Option<R>,
        #[pin]
        stage: Stage<S, S::Future>,
        // The last field is dropped last: a call that is dropped gives its place back after it has let go of everything
        // that it used.
        permit: Option<Permit>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<S, F> {
        Enters { #[pin] enter: Enter, inner: Option<S> },
        Readies { inner: S },
        Runs { #[pin] future: F },
    }
}

impl<S: Service<R>, R> Future for AdmittedFuture<S, R> {
    type Output = Result<S::Response, Error<S::Error>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.stage.as_mut().project() {
                StageProjection::Enters { enter, inner } => {
                    let permit = ready!(enter.poll(cx)).map_err(Error::Rejected)?;
                    *this.permit = Some(permit);
                    let inner = inner.take().expect("taken once");
                    Stage::Readies { inner }
                }
                StageProjection::Readies { inner } => {
                    // If the inner service fails to become ready, the permit is dropped and counts as cancelled.
                    ready!(inner.poll_ready(cx)).map_err(Error::Inner)?;
                    let request = this.request.take().expect("taken once");
                    let future = inner.call(request);
                    Stage::Runs { future }
                }
                StageProjection::Runs { future } => {
                    let answer = ready!(future.poll(cx));
                    if let Some(permit) = this.permit.take() {
                        permit.finish(if answer.is_ok() {
                            Outcome::Success
                        } else {
                            Outcome::Failure
                        });
                    }
                    return Poll::Ready(answer.map_err(Error::Inner));
                }
            };
            this.stage.set(next);
        }
    }
}
