//! A scenario of a simulation: the load, the workers and the service times, and how these change.

use std::time::Duration;

use rand::Rng;
use rand_distr::{Distribution, Exp1, LogNormal, Pareto};
use tower_admission::line::Class;

/// The mean service time. All other times are multiples of it, so its value is arbitrary.
pub const SERVICE: Duration = Duration::from_millis(20);

/// The distribution of the service times. All have a mean of 1, and the same shapes as in foo-service's
/// `--service-time-distribution`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Every request takes the mean service time.
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
    /// The distribution's name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Exponential => "exponential",
            Self::Lognormal => "lognormal",
            Self::Pareto => "pareto",
            Self::Bimodal => "bimodal",
        }
    }

    /// Draws a service time, in multiples of the mean.
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

/// Whether a worker stops or goes on when the deadline of its request passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// The work stops, and the worker is free.
    Stops,
    /// The work goes on to its end.
    GoesOn,
}

/// A part of a scenario, with a constant load and constant workers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phase {
    /// The length of the phase, in service times.
    pub lasts: f64,
    /// The offered load, as a multiple of the nominal capacity.
    pub load: f64,
    /// The number of workers. Admitted requests without a worker wait for one, in the order of their admission.
    pub workers: u32,
    /// A factor on the service times.
    pub slowness: f64,
    /// The share of requests that fail early: after a twentieth of a service time, and without a worker.
    pub failing: f64,
}

impl Phase {
    /// A phase with this length, load and number of workers, normal service times and no failures.
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
    /// The distribution of the service times.
    pub times: Times,
    /// An answer is good if it comes within this time, in service times.
    pub slo: f64,
    /// Whether requests carry the SLO as their deadline.
    pub deadlines: bool,
    /// Whether work goes on after the deadline.
    pub late: Late,
    /// The classes with their shares of the load, which add up to 1. Empty: all requests are of the default class.
    pub classes: Vec<(Class, f64)>,
    /// The phases, in order. The scenario ends with the last one.
    pub phases: Vec<Phase>,
    /// The seed of all random numbers.
    pub seed: u64,
}

impl Scenario {
    /// The total length of all phases, in service times.
    pub fn length(&self) -> f64 {
        self.phases.iter().map(|phase| phase.lasts).sum()
    }
}

/// `count` service times as a duration.
pub fn times(count: f64) -> Duration {
    SERVICE.mul_f64(count)
}
