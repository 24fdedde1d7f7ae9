//! The permit of an admitted request.

use std::{fmt, time::Duration};

use super::{shared::Shared, sync::Arc, ticket::Ticket};
use crate::{controller::Place, limit::Outcome, line::Class};

/// The right of an admitted request to run. [`finish`](Self::finish) ends it with an outcome, which the limit observes. A
/// permit that is dropped counts as cancelled, or as expired if the deadline of its ticket has passed.
#[must_use = "a permit that is dropped counts as cancelled"]
pub struct Permit {
    shared: Arc<Shared>,
    place: Place,
    class: Class,
    waited: Duration,
    /// When the caller stops waiting, as time since the admission's start; `None` without a deadline.
    deadline: Option<Duration>,
    outcome: Outcome,
}

impl Permit {
    pub(super) fn new(shared: Arc<Shared>, place: Place, ticket: Ticket, waited: Duration) -> Self {
        let permit = Self {
            place,
            class: ticket.class,
            waited,
            deadline: ticket.deadline.map(|deadline| shared.at(deadline)),
            outcome: Outcome::Cancelled,
            shared,
        };
        // The permit is there already: if the observer panics, dropping the permit gives the place back.
        permit.shared.observer.admitted(permit.class, waited);
        permit
    }

    /// How long the request waited for this permit; zero if a place was free.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Ends the request with this outcome, and frees its place.
    pub fn finish(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now = self.shared.now();
        // A caller that goes away after its deadline goes because of the deadline.
        if self.outcome == Outcome::Cancelled && self.deadline.is_some_and(|deadline| now >= deadline) {
            self.outcome = Outcome::Expired;
        }
        self.shared.give_back(now, self.place, self.outcome);
        let round_trip = now.saturating_sub(self.place.since);
        self.shared.observer.ended(self.class, self.outcome, round_trip);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("class", &self.class)
            .finish_non_exhaustive()
    }
}
