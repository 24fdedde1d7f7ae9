//! The decisions of admission, without lock, clock and tasks: a limit, a line, and what is in flight.
//!
//! [`Admission`](crate::room::Admission) puts a lock around a controller. A simulation drives one by discrete events.

use std::{fmt, time::Duration};

use crate::{
    limit::{Limit, Outcome, Sample},
    line::{Arrival, Caller, Class, Ended, Id, Line, Load, Reason, Turn},
    service_time::ServiceTime,
};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Request {
    /// When its caller stops waiting for the answer, since the controller's start; `None` if it did not say.
    pub deadline: Option<Duration>,
    /// How urgent the request is. Only the line `priority` looks at it.
    pub class: Class,
    /// Whether it waits for its turn however long that takes. Such a request is never rejected.
    pub patient: bool,
}

/// A place that a request has. It must come back by [`Controller::end`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a place that does not come back by `end` is lost"]
pub struct Place {
    /// When the request was admitted, since the controller's start.
    pub since: Duration,
    /// Requests in flight then, itself included.
    pub in_flight: u32,
    /// When its caller stops waiting, since the controller's start.
    pub deadline: Option<Duration>,
}

/// What becomes of a request that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It has a place, which must come back by [`Controller::end`].
    Admitted(Place),
    /// It waits; [`Controller::next`] or [`Controller::expire`] says how that ends, unless it [leaves](Controller::leave).
    Waits {
        /// Its name from now on.
        id: Id,
        /// When the owner must call [`Controller::expire`]; `None` if never.
        until: Option<Duration>,
        /// Another request that waited and is rejected for this one.
        displaced: Option<(Id, Reason)>,
    },
    /// It is rejected, and the controller knows nothing of it any more.
    Rejected(Reason),
}

/// How the wait of a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The request with this id has a place now.
    Admitted(Id, Place),
    /// The request with this id is rejected, and out of the line.
    Rejected(Id, Reason),
}

/// What [`Controller::expire`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The request cannot be answered in time any more, and is out of the line.
    Expired,
    /// It still can: ask again then.
    Later(Duration),
    /// No such request waits: it was admitted or rejected, or it left.
    Gone,
}

/// A limit, a line, and what is in flight.
pub struct Controller {
    limit: Box<dyn Limit>,
    line: Box<dyn Line>,
    /// The value of the limit when it was last asked.
    in_force: u32,
    in_flight: u32,
    waiting: usize,
    next_id: u64,
    service_time: ServiceTime,
}

impl Controller {
    /// Nothing is in flight, and no request waits.
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

    /// A request arrives. Never waits: the answer says whether it was admitted, waits or was rejected.
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

    /// The next decision about a request that waits; `None` when no place is free or no request waits. To be asked until it
    /// says `None`, after [`end`](Self::end), [`set_limit`](Self::set_limit), and nothing else.
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

    /// A request that waits goes away by itself. Returns whether it was there.
    pub fn leave(&mut self, id: Id) -> bool {
        let was_there = self.line.leave(id);
        self.waiting = self.line.len();
        was_there
    }

    /// The time has come that [`Entry::Waits`] named for the request `id`, which arrived then with that `request`.
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

    /// A request gives its place back.
    pub fn end(&mut self, now: Duration, place: Place, outcome: Outcome) {
        let round_trip = now.saturating_sub(place.since);
        match outcome {
            // How long a request takes at least is better than nothing.
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

    /// The operator has said a new number (see [`Limit::set`]). Requests in flight are not broken off.
    pub fn set_limit(&mut self, number: u32) {
        self.limit.set(number);
        self.in_force = self.limit.limit();
    }

    /// The limit in force, at least 1.
    pub fn limit(&self) -> u32 {
        self.in_force
    }

    /// How many requests have a place.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// How many requests wait, patient ones included.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// How long a request takes once it is admitted, as observed; zero while nothing is known.
    pub fn service_time(&self) -> Duration {
        self.service_time.mean()
    }

    /// How long a request waits that arrives now and is served last.
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
