//! The input and the error of [`Admission::enter`](super::Admission::enter): a ticket, and a rejection.

use std::{fmt, time::Duration};

use tokio::time::Instant;

use crate::line::{Class, Reason};

/// The deadline, the class and the patience with which a request asks for a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticket {
    pub(super) deadline: Option<Instant>,
    pub(super) class: Class,
    pub(super) patient: bool,
}

impl Ticket {
    /// A ticket without a deadline, of the default class.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the deadline: a request that has to wait is rejected if it cannot be answered by then. A request that finds a
    /// free place is always admitted.
    #[must_use]
    pub fn deadline(mut self, deadline: impl Into<Option<Instant>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Sets how urgent the request is. Without [classes](super::Builder::classes) this has no effect.
    #[must_use]
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Lets the request wait for its turn however long that takes: it is never rejected, its deadline is ignored, and it does
    /// not count against the number of requests that may wait. For a message from a queue, for example.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.patient = true;
        self
    }
}

/// Why a request was not admitted, and when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// The reason, for the caller's status and for metrics.
    pub reason: Reason,
    /// The time from now until a place is expected to be free: at least one service time. Up to half of it is added,
    /// differently for each rejection, so that requests that are rejected together do not retry together.
    pub retry_after: Duration,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.message())
    }
}

impl std::error::Error for Rejected {}
