//! The state that handles, permits and waiting requests share: a [`Controller`] and the wakers, under one lock.

use std::{collections::BTreeMap, task::Waker, time::Duration};

use tokio::time::Instant;

use super::{
    sync::{Mutex, MutexGuard},
    ticket::{Rejected, Ticket},
};
use crate::{
    controller::{Controller, Decision, Place, Request},
    limit::Outcome,
    line::{Id, Reason},
    observe::Observe,
};

/// The shared state of an [`Admission`](super::Admission), its permits and its waiting requests.
pub(super) struct Shared {
    state: Mutex<State>,
    /// The time at which the controller's clock is zero.
    pub(super) origin: Instant,
    pub(super) observer: Box<dyn Observe>,
}

/// The state under the lock.
pub(super) struct State {
    pub(super) controller: Controller,
    /// The waiting requests, and the decided ones whose future has not been polled since the decision.
    pub(super) waiters: BTreeMap<Id, Waiter>,
    /// The jitter of the last retry time, in [0, 1).
    jitter: f64,
}

/// The state of a request that had to wait.
pub(super) enum Waiter {
    Waits(Waker),
    Admitted(Place),
    Rejected(Rejected),
}

impl Shared {
    /// `controller` must not have admitted any request yet.
    pub(super) fn new(controller: Controller, observer: impl Observe) -> Self {
        Self {
            state: Mutex::new(State {
                controller,
                waiters: BTreeMap::new(),
                jitter: 0.0,
            }),
            origin: Instant::now(),
            observer: Box::new(observer),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with the state locked")
    }

    /// The time since `origin`, by tokio's clock.
    pub(super) fn now(&self) -> Duration {
        self.at(Instant::now())
    }

    pub(super) fn at(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.origin)
    }

    pub(super) fn request(&self, ticket: Ticket) -> Request {
        Request {
            deadline: ticket.deadline.map(|deadline| self.at(deadline)),
            class: ticket.class,
            patient: ticket.patient,
        }
    }

    /// Wakes tasks and reports a changed limit. Called without the lock, because both run foreign code.
    pub(super) fn after(&self, woken: Vec<Waker>, limit_before: u32, limit: u32) {
        woken.into_iter().for_each(Waker::wake);
        if limit != limit_before {
            self.observer.limit_changed(limit);
        }
    }

    /// Takes back the place of a request that ended, and gives it to the next waiting request.
    pub(super) fn give_back(&self, now: Duration, place: Place, outcome: Outcome) {
        let mut state = self.lock();
        let before = state.controller.limit();
        state.controller.end(now, place, outcome);
        let woken = state.serve(now);
        let limit = state.controller.limit();
        drop(state);
        self.after(woken, before, limit);
    }
}

impl State {
    /// Gives free places to requests that wait. Returns the tasks to wake.
    pub(super) fn serve(&mut self, now: Duration) -> Vec<Waker> {
        let mut woken = Vec::new();
        while let Some(decision) = self.controller.next(now) {
            woken.extend(match decision {
                Decision::Admitted(id, place) => self.settle(id, Waiter::Admitted(place)),
                Decision::Rejected(id, reason) => self.reject(id, reason),
            });
        }
        woken
    }

    /// Ends the wait of a request with `end`. Returns the task to wake.
    fn settle(&mut self, id: Id, end: Waiter) -> Option<Waker> {
        let waiter = self.waiters.get_mut(&id)?;
        match std::mem::replace(waiter, end) {
            Waiter::Waits(waker) => Some(waker),
            Waiter::Admitted(_) | Waiter::Rejected(_) => None,
        }
    }

    pub(super) fn reject(&mut self, id: Id, reason: Reason) -> Option<Waker> {
        let rejected = self.rejected(reason);
        self.settle(id, Waiter::Rejected(rejected))
    }

    pub(super) fn rejected(&mut self, reason: Reason) -> Rejected {
        Rejected {
            reason,
            retry_after: self.retry_after(),
        }
    }

    pub(super) fn retry_after(&mut self) -> Duration {
        let controller = &self.controller;
        let wait = controller.expected_wait().max(controller.service_time());
        // Multiples of the golden ratio are spread evenly over the unit interval.
        self.jitter = (self.jitter + 0.618_033_988_75).fract();
        wait.mul_f64(1.0 + self.jitter / 2.0)
    }
}
