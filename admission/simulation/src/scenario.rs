//! What happens to a service: the load, the workers, the service times, and how these change.

use std::time::Duration;

use rand::Rng;
use rand_distr::{Distribution, Exp1, LogNormal, Pareto};
use tower_admission::line::Class;

/// The mean service time. All other times are multiples of it, so its value is arbitrary.
pub const SERVICE: Duration = Duration::from_millis(20);

/// How the service times vary. All have a mean of 1, and the shapes of foo-service's `--service-time-distribution`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Every request takes the mean.
    Constant,
    /// Exponential: coefficient of variation 1.
    Exponential,
    /// Lognormal with sigma 1: coefficient of variation 1.31.
    Lognormal,
    /// Pareto with shape 2.1: a heavy tail.
    Pareto,
    /// One request in 20 takes 20 times as long as the others.
    Bimodal,
}

impl Times {
    /// As the tables name them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Exponential => "exponential",
            Self::Lognormal => "lognormal",
            Self::Pareto => "pareto",
            Self::Bimodal => "bimodal",
        }
    }

    /// A service time, in mean service times.
    pub fn draw(self, random: &mut impl Rng) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Exponential => Exp1.sample(random),
            Self::Lognormal => LogNormal::new(-0.5, 1.0).expect("sigma is finite").sample(random),
            Self::Pareto => Pareto::new(1.1 / 2.1, 2.1).expect("both are positive").sample(random),
            Self::Bimodal => {
                let long = random.next_u32() < u32::MAX / 20;
                (if long { 20.0 } else { 1.0 }) / 1.95
            }
        }
    }
}

/// What becomes of a request that is in work when its deadline passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// Its work stops, and the worker is free.
    Stops,
    /// Its work goes on to the end.
    GoesOn,
}

/// A part of a scenario, during which nothing changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phase {
    /// How long it lasts, in service times.
    pub lasts: f64,
    /// Requests that arrive, relative to the nominal capacity.
    pub load: f64,
    /// Workers; requests beyond them wait for one in the order in which they were admitted.
    pub workers: u32,
    /// A factor on the service time.
    pub slowness: f64,
    /// The share of requests that fail at once, after a twentieth of a service time, without a worker.
    pub failing: f64,
}

impl Phase {
    /// A phase of that length and load, with the nominal workers.
    pub fn new(lasts: f64, load: f64, workers: u32) -> Self {
        Self {
            lasts,
            load,
            workers,
            slowness: 1.0,
            failing: 0.0,
        }
    }
}

/// A service and its load.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The nominal number of workers, from which the nominal capacity follows.
    pub workers: u32,
    /// How service times vary.
    pub times: Times,
    /// An answer is good if it comes within this time, in service times.
    pub slo: f64,
    /// Whether requests carry the SLO as their deadline.
    pub deadlines: bool,
    /// What becomes of late work.
    pub late: Late,
    /// Classes, with their shares of the load, which add up to 1.
    pub classes: Vec<(Class, f64)>,
    /// One after the other; the scenario is over when the last one is.
    pub phases: Vec<Phase>,
    /// Of all that is drawn.
    pub seed: u64,
}

impl Scenario {
    /// The length of all phases, in service times.
    pub fn length(&self) -> f64 {
        self.phases.iter().map(|phase| phase.lasts).sum()
    }
}

/// So many service times, as time.
pub fn times(count: f64) -> Duration {
    SERVICE.mul_f64(count)
}
