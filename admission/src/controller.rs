//! The decisions of admission, without lock, clock and tasks: a limit, a line, and what is in flight.
//!
//! [`Admission`](crate::room::Admission) puts a lock around a controller. A simulation drives one by discrete events.

use std::{fmt, time::Duration};

use crate::{
    limit::{Limit, Outcome, Sample},
    line::{Arrival, Caller, Class, Ended, Id, Line, Load, Reason, Turn},
    service_time::ServiceTime,
};

/// The properties of an arriving request that decide whether it runs, waits or is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Request {
    /// When the caller stops waiting for the answer, as time since the controller's start; `None` if the caller set no deadline.
    pub deadline: Option<Duration>,
    /// How urgent the request is. Only the line `priority` uses it.
    pub class: Class,
    /// Whether the request waits for its turn however long that takes. Such a request is never rejected.
    pub patient: bool,
}

/// The place of an admitted request, one of as many as the limit. Its owner must return it with [`Controller::end`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a place that does not come back by `end` is lost"]
pub struct Place {
    /// When the request was admitted, as time since the controller's start.
    pub since: Duration,
    /// The number of requests in flight when this one was admitted, itself included.
    pub in_flight: u32,
    /// When the caller stops waiting, as time since the controller's start; `None` without a deadline.
    pub deadline: Option<Duration>,
}

/// The controller's answer to a request that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// The request is admitted: the owner must return its place with [`Controller::end`].
    Admitted(Place),
    /// The request waits. [`Controller::next`] or [`Controller::expire`] ends the wait, unless the request
    /// [leaves](Controller::leave) first.
    Waits {
        /// The id under which the request waits.
        id: Id,
        /// When the owner must call [`Controller::expire`]; `None` if never.
        until: Option<Duration>,
        /// Another waiting request, now rejected to make room for this one, and the reason to report for it.
        displaced: Option<(Id, Reason)>,
    },
    /// The request is rejected, and the controller does not remember it.
    Rejected(Reason),
}

/// The controller's decision about a waiting request, which ends the wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The request with this id is admitted, and has this place.
    Admitted(Id, Place),
    /// The request with this id is rejected, and no longer in the line.
    Rejected(Id, Reason),
}

/// The answer of [`Controller::expire`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The request cannot be answered in time any more. It is no longer in the line.
    Expired,
    /// The request can still be answered in time. The owner must call [`Controller::expire`] again at this time.
    Later(Duration),
    /// The request does not wait any more: it was admitted or rejected, or it left.
    Gone,
}

/// Decides about requests by a limit and a line, and counts the requests in flight.
pub struct Controller {
    limit: Box<dyn Limit>,
    line: Box<dyn Line>,
    /// The limit as of the last change; read once after each change and not for each request.
    in_force: u32,
    in_flight: u32,
    waiting: usize,
    next_id: u64,
    service_time: ServiceTime,
}

impl Controller {
    /// A controller with no request in flight and none waiting.
    pub fn new(limit: Box<dyn Limit>, line: Box<dyn Line>) -> Self {
        Self {
            in_force: limit.limit(),
            limit,
            line,
            in_flight: 0,
            waiting: 0,
            next_id: 0,
            service_time: ServiceTime::default(),
        }
    }

    /// Decides about an arriving request: it is admitted, waits in the line or is rejected. Does not block.
    pub fn arrive(&mut self, now: Duration, request: Request) -> Entry {
        if self.waiting == 0 && self.in_flight < self.in_force {
            self.line.passed(now);
            return Entry::Admitted(self.take(now, request.deadline));
        }
        let id = Id(self.next_id);
        self.next_id += 1;
        let caller = Caller {
            id,
            arrived: now,
            deadline: request.deadline,
            class: request.class,
            patient: request.patient,
        };
        let load = self.load();
        let arrival = self.line.arrive(now, caller, &load);
        self.waiting = self.line.len();
        let displaced = match arrival {
            Arrival::Waits => None,
            Arrival::Displaces(other, reason) => Some((other, reason)),
            Arrival::Rejected(reason) => return Entry::Rejected(reason),
        };
        let until = self.line.patience(&caller, &load);
        Entry::Waits { id, until, displaced }
    }

    /// The next decision about a waiting request; `None` when no place is free or no request waits. The owner must call it
    /// after [`end`](Self::end) and [`set_limit`](Self::set_limit) until it returns `None`: only these two free a place.
    pub fn next(&mut self, now: Duration) -> Option<Decision> {
        if self.waiting == 0 || self.in_flight >= self.in_force {
            return None;
        }
        let load = self.load();
        let turn = self.line.next(now, &load);
        self.waiting = self.line.len();
        Some(match turn? {
            Turn::Serve(caller) => Decision::Admitted(caller.id, self.take(now, caller.deadline)),
            Turn::Reject(caller, reason) => Decision::Rejected(caller.id, reason),
        })
    }

    /// Removes a waiting request whose caller went away. Returns false if it does not wait (any more).
    pub fn leave(&mut self, id: Id) -> bool {
        let was_there = self.line.leave(id);
        self.waiting = self.line.len();
        was_there
    }

    /// Removes the waiting request `id` if it cannot be answered in time any more. The owner must call it at the time that
    /// [`Entry::Waits`] named, with the `arrived` and `request` that it gave to [`arrive`](Self::arrive).
    pub fn expire(&mut self, now: Duration, id: Id, arrived: Duration, request: Request) -> Expiry {
        let caller = Caller {
            id,
            arrived,
            deadline: request.deadline,
            class: request.class,
            patient: request.patient,
        };
        match self.line.patience(&caller, &self.load()) {
            Some(until) if until > now => Expiry::Later(until),
            _ if self.leave(id) => Expiry::Expired,
            _ => Expiry::Gone,
        }
    }

    /// Takes the place of a request that has ended, and reports the outcome to the limit and the line.
    pub fn end(&mut self, now: Duration, place: Place, outcome: Outcome) {
        let round_trip = now.saturating_sub(place.since);
        match outcome {
            // An expired request took at least this long: a lower bound is better than no observation.
            Outcome::Success | Outcome::Expired => self.service_time.observe(round_trip),
            Outcome::Failure | Outcome::Overload | Outcome::Cancelled => {}
        }
        self.limit.observe(&Sample {
            at: now,
            round_trip,
            in_flight: place.in_flight,
            outcome,
        });
        self.in_force = self.limit.limit();
        self.in_flight -= 1;
        let ended = Ended {
            took: round_trip,
            time_left: place.deadline.map(|deadline| deadline.saturating_sub(place.since)),
            outcome,
        };
        let load = self.load();
        self.line.ended(&ended, &load);
    }

    /// Sets the operator's new number (see [`Limit::set`]). Requests in flight go on, even above the new limit.
    pub fn set_limit(&mut self, number: u32) {
        self.limit.set(number);
        self.in_force = self.limit.limit();
    }

    /// The limit in force, at least 1.
    pub fn limit(&self) -> u32 {
        self.in_force
    }

    /// The number of requests that are admitted and have not ended.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The number of waiting requests, patient ones included.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// The observed mean time from admission to end; zero before the first observation.
    pub fn service_time(&self) -> Duration {
        self.service_time.mean()
    }

    /// The wait that a request can expect that arrives now and is served after all others; zero while a place is free.
    pub fn expected_wait(&self) -> Duration {
        if self.waiting == 0 && self.in_flight < self.in_force {
            return Duration::ZERO;
        }
        self.load().expected_wait(self.waiting)
    }

    fn load(&self) -> Load {
        Load {
            limit: self.in_force,
            service_time: self.service_time.mean(),
            ahead: 0,
        }
    }

    fn take(&mut self, now: Duration, deadline: Option<Duration>) -> Place {
        self.in_flight += 1;
        Place {
            since: now,
            in_flight: self.in_flight,
            deadline,
        }
    }
}

impl fmt::Debug for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller")
            .field("limit", &self.in_force)
            .field("in_flight", &self.in_flight)
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limit::Fixed,
        line::{Fifo, LineSettings},
    };

    fn controller(limit: u32, places: usize) -> Controller {
        let settings = LineSettings {
            places,
            ..LineSettings::default()
        };
        Controller::new(Box::new(Fixed::new(limit)), Box::new(Fifo::new(settings)))
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_place_that_comes_back_goes_to_the_next_request() {
        let mut controller = controller(1, 1);
        let Entry::Admitted(place) = controller.arrive(ms(0), Request::default()) else {
            panic!("a place is free");
        };
        let Entry::Waits { id, until: None, .. } = controller.arrive(ms(1), Request::default()) else {
            panic!("one request may wait");
        };
        assert_eq!(
            controller.arrive(ms(2), Request::default()),
            Entry::Rejected(Reason::Full)
        );
        assert_eq!(controller.next(ms(3)), None, "no place is free");
        controller.end(ms(20), place, Outcome::Success);
        let place = Place {
            since: ms(20),
            in_flight: 1,
            deadline: None,
        };
        assert_eq!(controller.next(ms(20)), Some(Decision::Admitted(id, place)));
        assert_eq!(controller.next(ms(20)), None);
        assert_eq!(controller.service_time(), ms(20));
    }

    #[test]
    fn a_lower_limit_waits_for_places_that_are_out() {
        let mut controller = controller(2, 9);
        let places = [0, 1].map(|_| match controller.arrive(ms(0), Request::default()) {
            Entry::Admitted(place) => place,
            other => panic!("{other:?}"),
        });
        controller.arrive(ms(0), Request::default());
        controller.set_limit(1);
        controller.end(ms(9), places[0], Outcome::Cancelled);
        assert_eq!((controller.next(ms(9)), controller.in_flight()), (None, 1));
        controller.set_limit(2);
        assert!(controller.next(ms(9)).is_some());
    }

    #[test]
    fn a_request_that_cannot_be_answered_in_time_expires() {
        let mut controller = controller(1, 9);
        let _ = controller.arrive(ms(0), Request::default());
        let request = Request {
            deadline: Some(ms(50)),
            ..Request::default()
        };
        let Entry::Waits { id, until, .. } = controller.arrive(ms(1), request) else {
            panic!("no place is free");
        };
        assert_eq!(until, Some(ms(50)));
        assert_eq!(controller.expire(ms(49), id, ms(1), request), Expiry::Later(ms(50)));
        assert_eq!(controller.expire(ms(50), id, ms(1), request), Expiry::Expired);
        assert_eq!(controller.expire(ms(50), id, ms(1), request), Expiry::Gone);
        assert_eq!(controller.waiting(), 0);
    }
}
