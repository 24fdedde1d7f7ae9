//! What a request says when it asks to be admitted, and what it is told when it is not.

use std::{fmt, time::Duration};

use tokio::time::Instant;

use crate::line::{Class, Reason};

/// What a request says when it asks to be admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticket {
    pub(super) deadline: Option<Instant>,
    pub(super) class: Class,
    pub(super) patient: bool,
}

impl Ticket {
    /// A request without a deadline, of the default class.
    pub fn new() -> Self {
        Self::default()
    }

    /// The request is rejected if it cannot be answered by then.
    #[must_use]
    pub fn deadline(mut self, deadline: impl Into<Option<Instant>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// How urgent the request is. Of effect only where [classes](super::Builder::classes) are on.
    #[must_use]
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The request waits for its turn however long that takes, and is never rejected: a message from a queue, for example.
    /// Deadlines do not hold for it, and bounds do not count it.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.patient = true;
        self
    }
}

/// Why a request was not admitted, and when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// Why: a value for the caller's status and for metrics.
    pub reason: Reason,
    /// When a place is expected, from now on: at least one service time. Differs by up to a half between requests that are
    /// rejected together, so that they do not come back together.
    pub retry_after: Duration,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.message())
    }
}

impl std::error::Error for Rejected {}
