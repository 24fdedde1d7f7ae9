//! Simulates a controller in front of workers, by discrete events.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::Duration,
};

use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Exp1};
use rand_pcg::Pcg64Mcg;
use tower_admission::{
    controller::{Controller, Decision, Entry, Expiry, Place, Request},
    limit::Outcome,
    line::{Class, Id},
};

use crate::{
    policy::Policy,
    record::{Bucket, Fate, Record},
    scenario::{Late, Phase, SERVICE, Scenario, times},
};

/// How long a request that fails fast takes, in service times.
const FAILURE: f64 = 0.05;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The next phase begins.
    Phase,
    /// The time at which the controller wanted to check whether a waiting request is still in time.
    Expiry(usize),
    /// The deadline of a request passes: its caller stops waiting.
    Deadline(usize),
    /// A worker has processed a request.
    Done(usize),
    /// A request has failed fast.
    Failed(usize),
    /// A request arrives. The event was scheduled in the phase with this number, and counts only in that phase.
    Arrival(usize),
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// The request waits in the line.
    Waits(Id),
    /// The request is admitted, and waits for a worker.
    Queued(Place),
    /// A worker processes the request.
    Runs(Place),
    /// The request is admitted, and will fail fast.
    Fails(Place),
    Over,
}

struct Call {
    arrived: Duration,
    request: Request,
    state: State,
}

struct World<'a> {
    scenario: &'a Scenario,
    controller: Controller,
    now: Duration,
    /// The events to come, ordered by time, then by the order in which they were scheduled.
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    made: u64,
    calls: Vec<Call>,
    /// For each id that the controller gave, the index in `calls`.
    by_id: Vec<usize>,
    phase: Phase,
    next_phase: usize,
    busy: u32,
    /// Admitted requests that wait for a worker. A request that has ended meanwhile stays until it is first, and is then skipped.
    queue: VecDeque<usize>,
    arrivals: Pcg64Mcg,
    services: Pcg64Mcg,
    record: Record,
    bucket: Bucket,
}

/// Simulates a scenario with a policy.
pub fn run(scenario: &Scenario, policy: &Policy) -> Record {
    let mut world = World {
        scenario,
        controller: policy.controller(scenario.workers),
        now: Duration::ZERO,
        events: BinaryHeap::new(),
        made: 0,
        calls: Vec::new(),
        by_id: Vec::new(),
        phase: scenario.phases[0],
        next_phase: 0,
        busy: 0,
        queue: VecDeque::new(),
        arrivals: Pcg64Mcg::seed_from_u64(scenario.seed),
        services: Pcg64Mcg::seed_from_u64(scenario.seed ^ 0x5eed),
        record: Record::default(),
        bucket: Bucket::default(),
    };
    world.at(Duration::ZERO, Event::Phase);
    let end = times(scenario.length());
    while let Some(Reverse((time, _, event))) = world.events.pop() {
        if time >= end {
            break;
        }
        world.go_to(time);
        world.happen(event);
    }
    world.go_to(end);
    world.record
}

/// The index of the bucket of a time.
fn bucket(time: Duration) -> usize {
    usize::try_from(time.as_nanos() / SERVICE.as_nanos()).expect("a record fits in memory")
}

/// The index of an id in `by_id`.
fn index(id: Id) -> usize {
    usize::try_from(id.0).expect("as many requests fit in memory")
}

impl World<'_> {
    fn at(&mut self, time: Duration, event: Event) {
        self.made += 1;
        self.events.push(Reverse((time, self.made, event)));
    }

    fn go_to(&mut self, time: Duration) {
        self.now = time;
        while self.record.buckets.len() < bucket(time) {
            self.bucket.limit = self.controller.limit();
            self.bucket.in_flight = self.controller.in_flight();
            let bucket = std::mem::take(&mut self.bucket);
            self.bucket.most_in_flight = bucket.in_flight;
            self.record.buckets.push(bucket);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Phase => self.begin_phase(),
            Event::Arrival(phase) if phase == self.next_phase => self.arrive(),
            Event::Arrival(_) => {}
            Event::Expiry(call) => self.expire(call),
            Event::Deadline(call) => self.deadline(call),
            Event::Done(call) => self.done(call),
            Event::Failed(call) => {
                if let State::Fails(place) = self.calls[call].state {
                    self.end(call, place, Outcome::Failure, Fate::Failed);
                }
            }
        }
    }

    fn begin_phase(&mut self) {
        self.phase = self.scenario.phases[self.next_phase];
        self.next_phase += 1;
        if self.next_phase < self.scenario.phases.len() {
            self.at(self.now + times(self.phase.lasts), Event::Phase);
        }
        self.schedule_arrival();
        self.start_queued();
    }

    /// Schedules the next arrival. Poisson arrivals have no memory, so each phase can draw its first arrival anew.
    fn schedule_arrival(&mut self) {
        let rate = self.phase.load * f64::from(self.scenario.workers);
        if rate <= 0.0 {
            return;
        }
        let gap: f64 = Exp1.sample(&mut self.arrivals);
        self.at(self.now + times(gap / rate), Event::Arrival(self.next_phase));
    }

    fn class(&mut self) -> Class {
        let mut drawn = self.uniform();
        for &(class, share) in &self.scenario.classes {
            drawn -= share;
            if drawn < 0.0 {
                return class;
            }
        }
        Class::default()
    }

    /// A random number in [0, 1).
    fn uniform(&mut self) -> f64 {
        f64::from(self.arrivals.next_u32()) / 4_294_967_296.0
    }

    fn arrive(&mut self) {
        self.schedule_arrival();
        let class = if self.scenario.classes.is_empty() {
            Class::default()
        } else {
            self.class()
        };
        let deadline = self.scenario.deadlines.then(|| self.now + times(self.scenario.slo));
        let request = Request {
            deadline,
            class,
            patient: false,
        };
        self.bucket.arrived += 1;
        self.record.classes[usize::from(class.urgency())].0 += 1;
        let entry = self.controller.arrive(self.now, request);
        if let Entry::Rejected(_) = entry {
            self.bucket.ended[Fate::Rejected as usize] += 1;
            return;
        }
        let call = self.calls.len();
        self.calls.push(Call {
            arrived: self.now,
            request,
            state: State::Over,
        });
        if let Some(deadline) = deadline {
            self.at(deadline, Event::Deadline(call));
        }
        match entry {
            Entry::Admitted(place) => self.admit(call, place),
            Entry::Waits { id, until, displaced } => {
                self.calls[call].state = State::Waits(id);
                self.by_id.resize(index(id) + 1, 0);
                self.by_id[index(id)] = call;
                if let Some(until) = until {
                    self.at(until, Event::Expiry(call));
                }
                if let Some((other, _)) = displaced {
                    self.over(self.by_id[index(other)], Fate::Rejected);
                }
            }
            Entry::Rejected(_) => unreachable!("handled above"),
        }
    }

    fn admit(&mut self, call: usize, place: Place) {
        let arrived = self.calls[call].arrived;
        let since = self.record.buckets.get_mut(bucket(arrived)).unwrap_or(&mut self.bucket);
        since.admitted += 1;
        since.waits += self.now.saturating_sub(arrived).as_secs_f64();
        self.bucket.most_in_flight = self.bucket.most_in_flight.max(self.controller.in_flight());
        if self.phase.failing > 0.0 && self.uniform() < self.phase.failing {
            self.calls[call].state = State::Fails(place);
            self.at(self.now + times(FAILURE), Event::Failed(call));
            return;
        }
        self.calls[call].state = State::Queued(place);
        self.queue.push_back(call);
        self.start_queued();
    }

    fn start_queued(&mut self) {
        while self.busy < self.phase.workers {
            let Some(call) = self.queue.pop_front() else { return };
            if let State::Queued(place) = self.calls[call].state {
                self.busy += 1;
                self.calls[call].state = State::Runs(place);
                let took = self.scenario.times.draw(&mut self.services) * self.phase.slowness;
                self.at(self.now + times(took), Event::Done(call));
            }
        }
    }

    fn expire(&mut self, call: usize) {
        let State::Waits(id) = self.calls[call].state else {
            return;
        };
        let Call { arrived, request, .. } = self.calls[call];
        match self.controller.expire(self.now, id, arrived, request) {
            Expiry::Later(until) => self.at(until, Event::Expiry(call)),
            Expiry::Expired => self.over(call, Fate::Rejected),
            Expiry::Gone => unreachable!("it waits"),
        }
    }

    fn deadline(&mut self, call: usize) {
        match self.calls[call].state {
            State::Waits(id) => {
                assert!(self.controller.leave(id), "it waits");
                self.over(call, Fate::Left);
            }
            State::Queued(place) if self.scenario.late == Late::Stops => {
                self.end(call, place, Outcome::Expired, Fate::Late);
            }
            State::Runs(place) if self.scenario.late == Late::Stops => {
                self.busy -= 1;
                self.end(call, place, Outcome::Expired, Fate::Late);
                self.start_queued();
            }
            State::Queued(_) | State::Runs(_) | State::Fails(_) | State::Over => {}
        }
    }

    fn done(&mut self, call: usize) {
        let State::Runs(place) = self.calls[call].state else {
            return;
        };
        self.busy -= 1;
        let took = self.now.saturating_sub(self.calls[call].arrived);
        let good = took <= times(self.scenario.slo);
        self.record.longest = self.record.longest.max(took);
        if good {
            let class = usize::from(self.calls[call].request.class.urgency());
            self.record.classes[class].1 += 1;
            if class == 0 {
                self.record.urgent.push(took);
            }
        }
        let outcome = if good || !self.scenario.deadlines {
            Outcome::Success
        } else {
            Outcome::Expired
        };
        self.end(call, place, outcome, if good { Fate::Good } else { Fate::Late });
        self.start_queued();
    }

    fn end(&mut self, call: usize, place: Place, outcome: Outcome, fate: Fate) {
        self.over(call, fate);
        self.controller.end(self.now, place, outcome);
        self.serve();
    }

    fn over(&mut self, call: usize, fate: Fate) {
        self.calls[call].state = State::Over;
        self.bucket.ended[fate as usize] += 1;
    }

    fn serve(&mut self) {
        while let Some(decision) = self.controller.next(self.now) {
            match decision {
                Decision::Admitted(id, place) => self.admit(self.by_id[index(id)], place),
                Decision::Rejected(id, _) => self.over(self.by_id[index(id)], Fate::Rejected),
            }
        }
    }
}
