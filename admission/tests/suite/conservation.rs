//! For every limit and line: each request ends in exactly one way, no place is lost, and none is given twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    time::Duration,
};

use proptest::prelude::*;
use tower_admission::{
    controller::{Controller, Decision, Entry, Expiry, Place, Request},
    limit::{LIMITS, LimitSettings, Outcome},
    line::{Class, Id, LINES},
    room::Admission,
};

/// A random step of a test.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A request of this class arrives, with a deadline in `deadline` milliseconds, or without one if that is 0.
    Arrives { class: u8, deadline: u64, patient: bool },
    /// The waiting request with this index goes away.
    Leaves(usize),
    /// The timer of the waiting request with this index fires.
    Expires(usize),
    /// The request in flight with this index ends.
    Ends(usize, Outcome),
    /// The operator sets a new number.
    Sets(u32),
    /// This many milliseconds pass.
    Passes(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..8u8, 0..200u64, prop::bool::weighted(0.1))
            .prop_map(|(class, deadline, patient)| Step::Arrives { class, deadline, patient }),
        1 => any::<usize>().prop_map(Step::Leaves),
        2 => any::<usize>().prop_map(Step::Expires),
        4 => (any::<usize>(), prop::sample::select(&Outcome::ALL[..])).prop_map(|(at, outcome)| Step::Ends(at, outcome)),
        1 => (1..12u32).prop_map(Step::Sets),
        2 => (0..60u64).prop_map(Step::Passes),
    ];
    prop::collection::vec(step, 1..300)
}

/// A request that waits.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    arrived: Duration,
    request: Request,
    /// Whether the controller asked for a timer.
    timed: bool,
}

/// A controller, and the counts and sets that its answers are checked against.
struct Checked {
    controller: Controller,
    now: Duration,
    waiting: BTreeMap<Id, Waiting>,
    in_flight: Vec<Place>,
    arrived: usize,
    rejected: usize,
    left: usize,
    ended: usize,
    names: BTreeSet<Id>,
}

impl Checked {
    fn over(&mut self, id: Id) {
        let Waiting { request, .. } = self
            .waiting
            .remove(&id)
            .expect("only a request that waits is decided about");
        assert!(!request.patient, "a patient request is never rejected");
        self.rejected += 1;
    }

    fn serve(&mut self) {
        while let Some(decision) = self.controller.next(self.now) {
            match decision {
                Decision::Admitted(id, place) => {
                    assert!(
                        self.waiting.remove(&id).is_some(),
                        "only a request that waits is admitted"
                    );
                    self.in_flight.push(place);
                    assert!(self.in_flight.len() <= self.controller.limit() as usize);
                }
                Decision::Rejected(id, _) => self.over(id),
            }
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Arrives {
                class,
                deadline,
                patient,
            } => {
                let request = Request {
                    deadline: (deadline > 0).then(|| self.now + Duration::from_millis(deadline)),
                    class: Class::new(class).unwrap(),
                    patient,
                };
                self.arrived += 1;
                match self.controller.arrive(self.now, request) {
                    Entry::Admitted(place) => {
                        self.in_flight.push(place);
                        assert!(self.in_flight.len() <= self.controller.limit() as usize);
                    }
                    Entry::Waits { id, until, displaced } => {
                        assert!(self.names.insert(id), "a name is given once");
                        let timed = until.is_some();
                        let arrived = self.now;
                        self.waiting.insert(
                            id,
                            Waiting {
                                arrived,
                                request,
                                timed,
                            },
                        );
                        if let Some((other, _)) = displaced {
                            self.over(other);
                        }
                    }
                    Entry::Rejected(_) => {
                        assert!(!patient, "a patient request is never rejected");
                        self.rejected += 1;
                    }
                }
            }
            Step::Leaves(at) => {
                if let Some(&id) = nth(self.waiting.keys(), at) {
                    assert!(self.controller.leave(id));
                    assert!(!self.controller.leave(id), "it is forgotten at once");
                    self.waiting.remove(&id);
                    self.left += 1;
                }
            }
            Step::Expires(at) => {
                if let Some((&id, &waits)) = nth(self.waiting.iter(), at).filter(|(_, waits)| waits.timed) {
                    match self.controller.expire(self.now, id, waits.arrived, waits.request) {
                        Expiry::Expired => self.over(id),
                        Expiry::Later(until) => assert!(until > self.now),
                        Expiry::Gone => panic!("it waits"),
                    }
                }
            }
            Step::Ends(at, outcome) => {
                if !self.in_flight.is_empty() {
                    let place = self.in_flight.swap_remove(at % self.in_flight.len());
                    self.controller.end(self.now, place, outcome);
                    self.ended += 1;
                    self.serve();
                }
            }
            Step::Sets(number) => {
                self.controller.set_limit(number);
                self.serve();
            }
            Step::Passes(millis) => self.now += Duration::from_millis(millis),
        }
        self.check();
    }

    fn check(&self) {
        assert_eq!(self.controller.in_flight() as usize, self.in_flight.len());
        assert_eq!(self.controller.waiting(), self.waiting.len());
        assert!(self.controller.limit() >= 1);
        let there = self.waiting.len() + self.in_flight.len();
        assert_eq!(self.arrived, there + self.rejected + self.left + self.ended);
        let idle = self.in_flight.len() < self.controller.limit() as usize;
        assert!(
            !idle || self.waiting.is_empty(),
            "no request waits while a place is free"
        );
    }
}

fn nth<T>(items: impl ExactSizeIterator<Item = T>, at: usize) -> Option<T> {
    let count = items.len();
    let mut items = items;
    (count > 0).then(|| items.nth(at % count)).flatten()
}

proptest! {
    #[test]
    fn what_arrives_ends_in_exactly_one_way_under_every_limit_and_line(
        steps in steps(),
        limit in prop::sample::select(&LIMITS[..]),
        line in prop::sample::select(&LINES[..]),
        known in any::<bool>(),
        places in 0..20usize,
        classes in prop::option::of(prop::option::of(1..5u32)),
    ) {
        let settings = if known { LimitSettings::workers(4) } else { LimitSettings::from(4) };
        let kind = LIMITS.iter().find(|kind| kind.name == limit.name).unwrap();
        let line = LINES.iter().find(|kind| kind.name == line.name).unwrap();
        let mut builder = Admission::builder().limit(kind, settings).line(line).places(places);
        if let Some(share) = classes {
            builder = builder.classes(share.and_then(NonZeroU32::new));
        }
        let mut checked = Checked {
            controller: builder.controller(),
            now: Duration::ZERO,
            waiting: BTreeMap::new(),
            in_flight: Vec::new(),
            arrived: 0,
            rejected: 0,
            left: 0,
            ended: 0,
            names: BTreeSet::new(),
        };
        for step in steps {
            checked.step(step);
        }
        // At the end all requests in flight end, so that no place stays taken.
        while !checked.in_flight.is_empty() {
            checked.step(Step::Ends(0, Outcome::Success));
        }
        prop_assert_eq!(checked.controller.waiting(), 0);
        prop_assert_eq!(checked.arrived, checked.rejected + checked.left + checked.ended);
    }
}
