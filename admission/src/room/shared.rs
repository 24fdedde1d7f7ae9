//! One lock around a [`Controller`], and the requests that wait outside of it.

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

/// An admission, as its handles, its permits and the requests that wait share it.
pub(super) struct Shared {
    state: Mutex<State>,
    /// The time at which the controller's clock is zero.
    pub(super) origin: Instant,
    pub(super) observer: Box<dyn Observe>,
}

/// What the lock holds.
pub(super) struct State {
    pub(super) controller: Controller,
    /// For each request that waits, and each that has waited and does not know yet how that ended.
    pub(super) waiters: BTreeMap<Id, Waiter>,
    /// Of the last refusal, in [0, 1).
    jitter: f64,
}

/// How far the wait of a request is.
pub(super) enum Waiter {
    Waits(Waker),
    Admitted(Place),
    Rejected(Rejected),
}

impl Shared {
    /// Of a controller that has admitted no request.
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

    /// Since the start, by the clock of tokio.
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

    /// What must be done outside of the lock.
    pub(super) fn after(&self, woken: Vec<Waker>, limit_before: u32, limit: u32) {
        woken.into_iter().for_each(Waker::wake);
        if limit != limit_before {
            self.observer.limit_changed(limit);
        }
    }

    /// A place comes back, and goes to the next request.
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

    /// The wait of a request ends so. Returns the task to wake.
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
