//! Admission for async code: one lock around a [`Controller`], and permits that return their place when dropped.
//!
//! [`Admission::enter`] waits for a permit inside a handler. The permit ends with an outcome; one that is dropped counts as
//! cancelled. A caller that goes away drops its future, which removes the request at once, whether it waits or runs.
//!
//! A request that finds a free place takes the lock twice, reads the clock twice and allocates nothing.

mod enter;
#[cfg(test)]
mod model;
mod permit;
mod shared;
mod sync;
mod ticket;

use std::{fmt, num::NonZeroU32, time::Duration};

pub use self::{
    enter::Enter,
    permit::Permit,
    ticket::{Rejected, Ticket},
};
use self::{shared::Shared, sync::Arc};
use crate::{
    controller::Controller,
    limit::{self, Limit, LimitSettings},
    line::{self, Class, Line, LineSettings, Priority},
    observe::Observe,
};

/// The state of an [`Admission`] at one moment, for gauges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The limit in force, at least 1.
    pub limit: u32,
    /// Requests that have a permit.
    pub in_flight: u32,
    /// Requests that wait, patient ones included.
    pub waiting: usize,
    /// The observed mean time from admission to end; zero before the first observation.
    pub service_time: Duration,
    /// The wait that a request can expect that arrives now and is served after all others; zero while a place is free.
    pub expected_wait: Duration,
}

/// Settings for an [`Admission`]. The default is the limit `auto`, which starts at 20, and the line `auto`.
#[derive(Debug, Clone, Copy)]
pub struct Builder {
    limit: &'static limit::LimitKind,
    limit_settings: LimitSettings,
    line: &'static line::LineKind,
    line_settings: LineSettings,
    classes: bool,
    share: Option<NonZeroU32>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            limit: &limit::LIMITS[0],
            limit_settings: LimitSettings::from(20),
            line: &line::LINES[0],
            line_settings: LineSettings::default(),
            classes: false,
            share: Some(Priority::DEFAULT_SHARE),
        }
    }
}

impl Builder {
    /// Sets the known number of requests that the protected resource processes at once.
    #[must_use]
    pub fn workers(mut self, count: u32) -> Self {
        self.limit_settings = LimitSettings::workers(count);
        self
    }

    /// Replaces the limit `auto` by another row of [`limit::LIMITS`].
    #[must_use]
    pub fn limit(mut self, kind: &'static limit::LimitKind, settings: LimitSettings) -> Self {
        self.limit = kind;
        self.limit_settings = settings;
        self
    }

    /// Replaces the line `auto` by another row of [`line::LINES`].
    #[must_use]
    pub fn line(mut self, kind: &'static line::LineKind) -> Self {
        self.line = kind;
        self
    }

    /// Sets how many requests may wait, or, with classes, how many of each class.
    #[must_use]
    pub fn places(mut self, places: usize) -> Self {
        self.line_settings.places = places;
        self
    }

    /// Sets how long a request should wait at most, for lines that use it. The line `deadline` applies it only to requests
    /// without a deadline.
    #[must_use]
    pub fn target_wait(mut self, wait: impl Into<Option<Duration>>) -> Self {
        self.line_settings.target_wait = wait.into();
        self
    }

    /// Serves more urgent classes first. A less urgent class that waits gets one turn in `share`; with `None` it gets none
    /// while a more urgent request waits.
    #[must_use]
    pub fn classes(mut self, share: Option<NonZeroU32>) -> Self {
        self.classes = true;
        self.share = share;
        self
    }

    /// A controller with these settings: the decisions without lock and clock.
    pub fn controller(&self) -> Controller {
        let line = || (self.line.build)(self.line_settings);
        let line: Box<dyn Line> = if self.classes {
            Box::new(Priority::new(line, self.share))
        } else {
            line()
        };
        let limit: Box<dyn Limit> = (self.limit.build)(self.limit_settings);
        Controller::new(limit, line)
    }

    /// An admission without an observer.
    pub fn build(&self) -> Admission {
        self.observed(())
    }

    /// An admission that calls `observer`.
    pub fn observed(&self, observer: impl Observe) -> Admission {
        Admission::new(self.controller(), observer)
    }
}

/// Admits requests up to a limit, and lets the others wait or rejects them. Clones share the same limit and line.
#[derive(Clone)]
pub struct Admission(Arc<Shared>);

impl Admission {
    /// A builder with the limit `auto` and the line `auto`.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// An admission that decides by `controller`, which must not have admitted any request yet.
    pub fn new(controller: Controller, observer: impl Observe) -> Self {
        Self(Arc::new(Shared::new(controller, observer)))
    }

    /// Waits for a permit. The request arrives when the future is first polled. Cancel-safe: dropping the future removes the
    /// request from the line, and a place that it was already given goes to the next request.
    ///
    /// # Errors
    ///
    /// If the request is rejected, on arrival or while it waits. A [patient](Ticket::patient) request is never rejected.
    pub fn enter(&self, ticket: Ticket) -> Enter {
        Enter::new(Arc::clone(&self.0), ticket)
    }

    /// Waits for a permit however long that takes, as a [patient](Ticket::patient) request. Cancel-safe.
    pub async fn turn(&self, class: Class) -> Permit {
        let entered = self.enter(Ticket::new().class(class).patient()).await;
        entered.expect("a patient request is never rejected")
    }

    /// Sets the operator's new number: the number of workers if the limit knows it, otherwise the limit (see
    /// [`Limit::set`]). Requests in flight go on; no other is admitted until fewer run than the new limit.
    pub fn set_limit(&self, number: u32) {
        let now = self.0.now();
        let mut state = self.0.lock();
        let before = state.controller.limit();
        state.controller.set_limit(number);
        let woken = state.serve(now);
        let limit = state.controller.limit();
        drop(state);
        self.0.after(woken, before, limit);
    }

    /// After how long a caller should retry that another part of the service refused for want of room, computed as
    /// [`Rejected::retry_after`]. Zero before the first request has ended.
    pub fn retry_after(&self) -> Duration {
        self.0.lock().retry_after()
    }

    /// The limit, the permits and the line at this moment.
    pub fn status(&self) -> Status {
        let state = self.0.lock();
        let controller = &state.controller;
        Status {
            limit: controller.limit(),
            in_flight: controller.in_flight(),
            waiting: controller.waiting(),
            service_time: controller.service_time(),
            expected_wait: controller.expected_wait(),
        }
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("status", &self.status()).finish()
    }
}
