//! A response body that keeps the permit until its trailers.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::outcome;
use crate::{limit::Outcome, room::Permit};

pin_project! {
    /// A response body that has the request's permit. If the body is dropped before its end, the permit counts as cancelled, or
    /// as expired after the deadline.
    pub struct AdmittedBody<B> {
        #[pin]
        inner: Option<B>,
        permit: Option<Permit>,
    }
}

impl<B> AdmittedBody<B> {
    /// `permit` is `None` if the call is exempt, or if its permit ended with a status in the response's headers.
    pub(super) fn new(inner: B, permit: Option<Permit>) -> Self {
        Self {
            inner: Some(inner),
            permit,
        }
    }

    /// The empty body of the response to a rejected request.
    pub(super) fn empty() -> Self {
        Self {
            inner: None,
            permit: None,
        }
    }
}

impl<B: Body> Body for AdmittedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(None);
        };
        let frame = inner.poll_frame(cx);
        let ended = match &frame {
            Poll::Ready(Some(Ok(frame))) => frame.trailers_ref().map(|trailers| {
                // gRPC requires a status in the trailers; a response without one has failed.
                outcome(trailers).unwrap_or(Outcome::Failure)
            }),
            Poll::Ready(Some(Err(_)) | None) => Some(Outcome::Failure),
            Poll::Pending => None,
        };
        if let Some(outcome) = ended
            && let Some(permit) = this.permit.take()
        {
            permit.finish(outcome);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let empty = SizeHint::with_exact(0);
        self.inner.as_ref().map_or(empty, Body::size_hint)
    }
}
