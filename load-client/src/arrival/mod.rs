//! Computes when requests are scheduled: a pure function of the plan and a seed, which reads no clock. A client asks
//! for its next scheduled request when it is done with the last one, so a backlog of requests costs no memory.

mod classes;
mod deal;
mod profile;
mod timetable;
pub mod trace;

use std::{sync::Arc, time::Duration};

use self::{classes::Classes, deal::Deal, timetable::Timetable};
pub use self::{deal::MOST_POISSON, timetable::Paced};
use crate::scenario::{Priorities, Scenario, Schedule, TraceRow};

/// A scheduled request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheduled {
    /// The scheduled time, since the start of the run.
    pub at: Duration,
    /// The service time that the message demands; `None`: the service draws it from its own distribution.
    pub demand: Option<Duration>,
    /// The index of its class of urgency in the scenario's list of classes; 0 if requests have no classes.
    pub class: u8,
}

/// The scheduled requests of one client, in order of time.
#[derive(Debug)]
pub struct Arrivals {
    times: Times,
    classes: Option<Box<Classes>>,
}

/// When the requests of one client are due.
#[derive(Debug)]
enum Times {
    /// Requests at a rate, spaced evenly or at random.
    Paced(Paced),
    /// Requests at the times of a trace.
    Recorded {
        /// The rows of all clients.
        rows: Arc<[TraceRow]>,
        /// The index of the client's next row.
        next: usize,
        /// The distance from one of its rows to the next: the number of clients.
        stride: usize,
    },
    /// Each request as soon as the client may send again.
    AsFastAsPossible,
}

/// The schedule of one run and how it is divided among the clients.
#[derive(Debug, Clone)]
pub struct ArrivalPlan {
    timetable: Timetable,
    /// The limit on the number of requests, and the share of each client.
    deal: Deal,
    /// The classes of urgency and their shares, from which the class of each request is drawn; `None`: requests have no
    /// classes.
    priorities: Option<Arc<Priorities>>,
    seed: u64,
}

impl ArrivalPlan {
    /// Divides the schedule among `clients` clients, without a limit on the number of requests and without classes.
    pub fn new(schedule: &Schedule, clients: u32, seed: u64) -> Self {
        Self {
            timetable: Timetable::new(schedule, clients, seed),
            deal: Deal::Unlimited,
            priorities: None,
            seed,
        }
    }

    /// The load of a scenario, with its length, its classes and its number of requests. With a Poisson schedule and a
    /// number of requests this takes up to a few seconds, because the sends are counted one by one.
    pub fn of(scenario: &Scenario) -> Self {
        let mut plan = Self::new(&scenario.schedule, scenario.clients, scenario.seed);
        plan.timetable.until = scenario.length();
        plan.priorities.clone_from(&scenario.priorities);
        if let Some(requests) = scenario.requests {
            plan.deal = Deal::first(requests, &plan.timetable);
        }
        plan
    }

    /// How many requests client `index` schedules at most.
    pub fn share(&self, index: u32) -> u64 {
        self.deal.share(index, self.timetable.clients)
    }

    /// No request is scheduled from this time on; `None`: unlimited.
    pub fn until(&self) -> Option<Duration> {
        self.timetable.until
    }

    /// The time at which the load ends: its length, or the earlier time at which all its requests have been scheduled.
    /// `None` if this is not known beforehand.
    pub fn over(&self) -> Option<Duration> {
        self.deal.over().or(self.timetable.until)
    }

    /// The scheduled requests of client `index`, which is from 0 to clients − 1.
    pub fn client(&self, index: u32) -> Arrivals {
        let times = match (&self.timetable.schedule, &self.timetable.profile) {
            (Schedule::Trace(rows), _) => Times::Recorded {
                rows: Arc::clone(rows),
                next: index as usize,
                stride: self.timetable.clients as usize,
            },
            (Schedule::Rate { spacing, .. } | Schedule::Stages { spacing, .. }, Some(profile)) => {
                Times::Paced(self.timetable.paced(profile, *spacing, index))
            }
            _ => Times::AsFastAsPossible,
        };
        let draws = |priorities| Box::new(Classes::new(priorities, self.seed, index));
        Arrivals {
            times,
            classes: self.priorities.clone().map(draws),
        }
    }
}

impl Arrivals {
    /// The next scheduled request; `None` if none is left. Without a schedule, the request is due at `now`.
    pub fn next(&mut self, now: Duration) -> Option<Scheduled> {
        let (at, demand) = match &mut self.times {
            Times::Paced(paced) => (paced.next()?, None),
            Times::Recorded { rows, next, stride } => {
                let row = rows.get(*next)?;
                *next += *stride;
                (row.at, row.demand)
            }
            Times::AsFastAsPossible => (now, None),
        };
        let class = self.classes.as_mut().map_or(0, |classes| classes.draw());
        Some(Scheduled { at, demand, class })
    }

    /// True if the load has a schedule: then a client can fall behind it.
    pub fn scheduled(&self) -> bool {
        !matches!(self.times, Times::AsFastAsPossible)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Spacing, Stage};

    fn count(schedule: &Schedule, clients: u32, within: Duration) -> usize {
        let plan = ArrivalPlan::new(schedule, clients, 1);
        (0..clients)
            .map(|index| {
                let mut arrivals = plan.client(index);
                std::iter::from_fn(|| arrivals.next(Duration::ZERO))
                    .take_while(|scheduled| scheduled.at < within)
                    .count()
            })
            .sum()
    }

    #[test]
    fn a_constant_rate_intends_exactly_its_number_whatever_the_phases() {
        let schedule = Schedule::Rate {
            rps: 8.0,
            spacing: Spacing::Constant,
        };
        assert_eq!(count(&schedule, 4, Duration::from_secs(60)), 480);
        assert_eq!(count(&schedule, 4, Duration::from_secs(3600)), 28_800);
    }

    #[test]
    fn poisson_intends_its_number_on_average() {
        let schedule = Schedule::Rate {
            rps: 1000.0,
            spacing: Spacing::Poisson,
        };
        let intended = count(&schedule, 10, Duration::from_secs(100));
        // Five standard deviations of a Poisson count of mean 100,000.
        assert!(intended.abs_diff(100_000) < 5 * 316, "{intended}");
    }

    #[test]
    fn stages_follow_each_other_and_end() {
        let stages = [(10, 100.0), (10, 0.0), (10, 500.0)]
            .map(|(seconds, rps)| Stage::steady(Duration::from_secs(seconds), rps));
        let schedule = |repeat| Schedule::Stages {
            stages: stages.into(),
            repeat,
            spacing: Spacing::Constant,
        };
        assert_eq!(count(&schedule(false), 2, Duration::MAX), 6000);
        assert_eq!(count(&schedule(true), 2, Duration::from_secs(60)), 12_000);
        assert_eq!(count(&schedule(true), 2, Duration::from_secs(40)), 7000);
    }

    #[test]
    fn a_ramp_intends_its_integral_evenly_or_at_random() {
        let ramp = |spacing| Schedule::Stages {
            stages: [Stage {
                length: Duration::from_secs(10),
                rps: 0.0,
                end_rps: 100.0,
            }]
            .into(),
            repeat: false,
            spacing,
        };
        let within = |spacing, seconds| count(&ramp(spacing), 4, Duration::from_secs(seconds));
        assert_eq!(within(Spacing::Constant, 99), 500);
        // After t seconds the integral is 5 t², so 125; each of the four clients is at most one send away from its
        // quarter.
        assert!(within(Spacing::Constant, 5).abs_diff(125) <= 4);
        let random = count(&ramp(Spacing::Poisson), 4, Duration::MAX);
        assert!(random.abs_diff(500) < 5 * 23, "{random}");
    }

    #[test]
    fn a_trace_is_dealt_in_turn() {
        let rows: Arc<[TraceRow]> = (0..5)
            .map(|second| TraceRow {
                at: Duration::from_secs(second),
                demand: None,
            })
            .collect();
        let plan = ArrivalPlan::new(&Schedule::Trace(rows), 2, 1);
        let mut second = plan.client(1);
        let scheduled: Vec<_> = std::iter::from_fn(|| second.next(Duration::ZERO))
            .map(|scheduled| scheduled.at.as_secs())
            .collect();
        assert_eq!(scheduled, [1, 3]);
    }

    #[test]
    fn clients_have_phases_of_their_own_and_the_same_seed_the_same_ones() {
        let schedule = Schedule::Rate {
            rps: 8.0,
            spacing: Spacing::Constant,
        };
        let phases = |seed| {
            let plan = ArrivalPlan::new(&schedule, 4, seed);
            [0, 1, 2, 3].map(|index| plan.client(index).next(Duration::ZERO).unwrap().at)
        };
        assert_eq!(phases(1), phases(1));
        assert_ne!(phases(1), phases(2));
        let mut distinct = phases(1).to_vec();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), 4);
    }
}
