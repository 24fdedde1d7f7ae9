//! The future of a request that asks for a permit.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Sleep, sleep_until};

use super::{
    permit::Permit,
    shared::{Shared, Waiter},
    sync::Arc,
    ticket::{Rejected, Ticket},
};
use crate::{
    controller::{Entry, Expiry, Request},
    limit::Outcome,
    line::{Id, Reason},
};

/// The future of [`Admission::enter`](super::Admission::enter): resolves to a permit, or to the reason of the rejection.
#[must_use = "a request arrives when the future is polled first"]
pub struct Enter {
    shared: Option<Arc<Shared>>,
    ticket: Ticket,
    waits: Option<Waits>,
}

struct Waits {
    id: Id,
    arrived: Duration,
    request: Request,
    /// Fires when the request cannot be answered in time any more. Boxed to keep [`Enter`] small, because few requests wait.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Enter {
    pub(super) fn new(shared: Arc<Shared>, ticket: Ticket) -> Self {
        Self {
            shared: Some(shared),
            ticket,
            waits: None,
        }
    }

    fn arrive(&mut self, cx: &Context<'_>) -> Option<Result<Permit, Rejected>> {
        let shared = self.shared.as_ref().expect("not polled after its end");
        let now = shared.now();
        let request = shared.request(self.ticket);
        let mut state = shared.lock();
        match state.controller.arrive(now, request) {
            Entry::Admitted(place) => {
                drop(state);
                let shared = self.shared.take().expect("it was there just now");
                Some(Ok(Permit::new(shared, place, self.ticket, Duration::ZERO)))
            }
            Entry::Rejected(reason) => {
                let rejected = state.rejected(reason);
                drop(state);
                shared.observer.rejected(self.ticket.class, reason, Duration::ZERO);
                self.shared = None;
                Some(Err(rejected))
            }
            Entry::Waits { id, until, displaced } => {
                state.waiters.insert(id, Waiter::Waits(cx.waker().clone()));
                let displaced = displaced.and_then(|(id, reason)| state.reject(id, reason));
                drop(state);
                // A time that no clock can show never comes.
                let until = until.and_then(|until| shared.origin.checked_add(until));
                // Before anything that can panic: a request that is not known to wait would stay in the line.
                let waits = self.waits.insert(Waits {
                    id,
                    arrived: now,
                    request,
                    timer: None,
                });
                waits.timer = until.map(|until| Box::pin(sleep_until(until)));
                if let Some(displaced) = displaced {
                    displaced.wake();
                }
                None
            }
        }
    }

    /// The result of the wait; `None` while the request waits, and `cx` is then the task to wake.
    fn decided(&mut self, cx: &Context<'_>) -> Option<Result<Permit, Rejected>> {
        let shared = self.shared.as_ref().expect("not polled after its end");
        let waits = self.waits.as_ref().expect("it waits");
        let mut state = shared.lock();
        let waiter = state
            .waiters
            .get_mut(&waits.id)
            .expect("it is there while the future is");
        if let Waiter::Waits(waker) = waiter {
            waker.clone_from(cx.waker());
            return None;
        }
        let ended = state.waiters.remove(&waits.id);
        drop(state);
        Some(match ended.expect("it was there just now") {
            Waiter::Waits(_) => unreachable!("its wait has ended"),
            Waiter::Admitted(place) => {
                let in_line = place.since.saturating_sub(waits.arrived);
                let shared = self.shared.take().expect("it was there just now");
                Ok(Permit::new(shared, place, self.ticket, in_line))
            }
            Waiter::Rejected(rejected) => Err(self.rejected(rejected)),
        })
    }

    /// Handles a timer that fired. `None` if the request still waits (the timer is then set again) or was decided meanwhile.
    fn expire(&mut self) -> Option<Result<Permit, Rejected>> {
        let shared = self.shared.as_ref().expect("not polled after its end");
        let waits = self.waits.as_mut().expect("it waits");
        let now = shared.now();
        let mut state = shared.lock();
        match state.controller.expire(now, waits.id, waits.arrived, waits.request) {
            Expiry::Gone => None,
            Expiry::Later(until) => {
                drop(state);
                match (shared.origin.checked_add(until), waits.timer.as_mut()) {
                    (Some(until), Some(timer)) => timer.as_mut().reset(until),
                    _ => waits.timer = None,
                }
                None
            }
            Expiry::Expired => {
                state.waiters.remove(&waits.id);
                let rejected = state.rejected(Reason::Deadline);
                drop(state);
                Some(Err(self.rejected(rejected)))
            }
        }
    }

    fn rejected(&mut self, rejected: Rejected) -> Rejected {
        if let (Some(shared), Some(waits)) = (self.shared.take(), self.waits.take()) {
            let waited = shared.now().saturating_sub(waits.arrived);
            shared.observer.rejected(self.ticket.class, rejected.reason, waited);
        }
        rejected
    }
}

impl Future for Enter {
    type Output = Result<Permit, Rejected>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let known = if this.waits.is_none() {
            this.arrive(cx)
        } else {
            this.decided(cx)
        };
        if let Some(known) = known {
            return Poll::Ready(known);
        }
        loop {
            let timer = this.waits.as_mut().and_then(|waits| waits.timer.as_mut());
            match timer.map(|timer| timer.as_mut().poll(cx)) {
                None | Some(Poll::Pending) => return Poll::Pending,
                Some(Poll::Ready(())) => {}
            }
            if let Some(expired) = this.expire() {
                return Poll::Ready(expired);
            }
            // Another task may have decided between `decided` and `expire`. It has woken this task, but this poll can return
            // the decision already.
            if let Some(known) = this.decided(cx) {
                return Poll::Ready(known);
            }
        }
    }
}

impl Drop for Enter {
    fn drop(&mut self) {
        let (Some(shared), Some(waits)) = (self.shared.take(), self.waits.take()) else {
            return;
        };
        let now = shared.now();
        let mut state = shared.lock();
        state.controller.leave(waits.id);
        let ended = state.waiters.remove(&waits.id);
        drop(state);
        if let Some(Waiter::Admitted(place)) = ended {
            // The request was admitted, but this future was not polled again to take the place.
            shared.give_back(now, place, Outcome::Cancelled);
        }
        let waited = now.saturating_sub(waits.arrived);
        shared.observer.left(self.ticket.class, waited);
    }
}

impl fmt::Debug for Enter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enter")
            .field("ticket", &self.ticket)
            .finish_non_exhaustive()
    }
}
