//! The way in: one lock around a [`Controller`], and permits that give their place back.
//!
//! [`Admission::enter`] waits for a permit inside a handler. The permit ends with an outcome; one that is dropped counts as
//! cancelled. A caller that goes away drops its future, and is forgotten at once wherever it was.
//!
//! The cost of a request that finds a free place: the lock twice, the clock twice, no allocation.

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

/// Admission at one moment, for gauges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The limit in force, at least 1.
    pub limit: u32,
    /// Requests that have a permit.
    pub in_flight: u32,
    /// Requests that wait, patient ones included.
    pub waiting: usize,
    /// How long a request takes once it is admitted, as observed; zero while nothing is known.
    pub service_time: Duration,
    /// How long a request waits that arrives now and is served last.
    pub expected_wait: Duration,
}

/// Makes an [`Admission`]. The default is the limit `auto`, which starts at 20, and the line `auto`.
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
    /// The number of requests that the resource does at once is known.
    #[must_use]
    pub fn workers(mut self, count: u32) -> Self {
        self.limit_settings = LimitSettings::workers(count);
        self
    }

    /// Another limit than `auto`: a row of [`limit::LIMITS`].
    #[must_use]
    pub fn limit(mut self, kind: &'static limit::LimitKind, settings: LimitSettings) -> Self {
        self.limit = kind;
        self.limit_settings = settings;
        self
    }

    /// Another line than `auto`: a row of [`line::LINES`].
    #[must_use]
    pub fn line(mut self, kind: &'static line::LineKind) -> Self {
        self.line = kind;
        self
    }

    /// How many requests may wait. With classes: of each class.
    #[must_use]
    pub fn places(mut self, places: usize) -> Self {
        self.line_settings.places = places;
        self
    }

    /// How long a request should wait at most, if it has no deadline.
    #[must_use]
    pub fn target_wait(mut self, wait: impl Into<Option<Duration>>) -> Self {
        self.line_settings.target_wait = wait.into();
        self
    }

    /// More urgent classes are served first. A class that waits gets one turn in `share`; `None` is the strict order.
    #[must_use]
    pub fn classes(mut self, share: Option<NonZeroU32>) -> Self {
        self.classes = true;
        self.share = share;
        self
    }

    /// The decisions alone, without a lock and a clock.
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

    /// An admission that tells `observer` what it does.
    pub fn observed(&self, observer: impl Observe) -> Admission {
        Admission::new(self.controller(), observer)
    }
}

/// Admits requests. Clones are handles on the same one.
#[derive(Clone)]
pub struct Admission(Arc<Shared>);

impl Admission {
    /// Limit `auto` and line `auto`, if nothing else is said.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// An admission by `controller`, which must not have admitted any request.
    pub fn new(controller: Controller, observer: impl Observe) -> Self {
        Self(Arc::new(Shared::new(controller, observer)))
    }

    /// Waits for a permit. The request arrives when the future is polled first. Cancel-safe: a caller that drops the future is
    /// forgotten, and a permit that was on its way to it goes to the next request.
    ///
    /// # Errors
    ///
    /// If the request is rejected, on arrival or while it waits. A [patient](Ticket::patient) one is not.
    pub fn enter(&self, ticket: Ticket) -> Enter {
        Enter::new(Arc::clone(&self.0), ticket)
    }

    /// Waits for a permit however long that takes, as a [patient](Ticket::patient) request. Cancel-safe.
    pub async fn turn(&self, class: Class) -> Permit {
        let entered = self.enter(Ticket::new().class(class).patient()).await;
        entered.expect("a patient request is never rejected")
    }

    /// The operator has said a new number: of workers, where that is known, or the limit. Requests in flight are not broken
    /// off: a lower limit waits until enough of them have ended.
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

    /// When a request should come back that was refused elsewhere for want of room: as [`Rejected::retry_after`]. Zero while
    /// nothing is known of the service time.
    pub fn retry_after(&self) -> Duration {
        self.0.lock().retry_after()
    }

    /// Limit, permits and line at this moment.
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
