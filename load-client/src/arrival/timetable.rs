//! The schedule that all clients of a run have in common, and the share of its rate that each client has.

use std::{sync::Arc, time::Duration};

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1};
use rand_pcg::Pcg64Mcg;

use super::profile::Profile;
use crate::scenario::{Schedule, Spacing, Stage};

/// A schedule, and the number of clients that share it.
#[derive(Debug, Clone)]
pub(super) struct Timetable {
    pub(super) schedule: Schedule,
    /// One client's share of the rate over time; `None` for a schedule without a rate.
    pub(super) profile: Option<Arc<Profile>>,
    pub(super) clients: u32,
    seed: u64,
    /// No request is scheduled from this time on; `None`: unlimited.
    pub(super) until: Option<Duration>,
}

/// The scheduled requests of one client at a rate. From one request to the next the profile's integral grows by 1, or
/// by an exponentially distributed number with mean 1.
#[derive(Debug, Clone)]
pub struct Paced {
    profile: Arc<Profile>,
    spacing: Spacing,
    /// The value of the integral at the next request, without the whole steps.
    done: f64,
    /// The number of steps of 1 made so far. It is a whole number, so that rounding errors do not add up.
    steps: u64,
    random: Pcg64Mcg,
}

impl Timetable {
    /// Divides the schedule among `clients` clients.
    pub(super) fn new(schedule: &Schedule, clients: u32, seed: u64) -> Self {
        let share = |rps: f64| rps / f64::from(clients);
        let profile = match schedule {
            Schedule::Rate { rps, .. } => Some(Profile::constant(share(*rps))),
            Schedule::Stages { stages, repeat, .. } => {
                let shares = stages.iter().map(|stage| Stage {
                    rps: share(stage.rps),
                    end_rps: share(stage.end_rps),
                    ..*stage
                });
                Some(Profile::stages(shares, *repeat))
            }
            Schedule::Trace(_) | Schedule::AsFastAsPossible => None,
        };
        Self {
            schedule: schedule.clone(),
            profile: profile.map(Arc::new),
            clients,
            seed,
            until: schedule.length(),
        }
    }

    /// The scheduled requests of client `index`; `profile` is the share of the rate that each client has.
    pub(super) fn paced(&self, profile: &Arc<Profile>, spacing: Spacing, index: u32) -> Paced {
        // Seeds of neighbouring clients differ by 1; `seed_from_u64` makes unrelated sequences of them.
        let seed = self
            .seed
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(u64::from(index));
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let done = match spacing {
            Spacing::Constant => random.random::<f64>(),
            Spacing::Poisson => Exp1.sample(&mut random),
        };
        Paced {
            profile: Arc::clone(profile),
            spacing,
            done,
            steps: 0,
            random,
        }
    }
}

impl Paced {
    /// The time of the next scheduled request; `None` if none is left.
    pub(super) fn next(&mut self) -> Option<Duration> {
        let at = self.profile.when(self.target())?;
        self.step();
        Some(at)
    }

    /// The integral at which the next request is scheduled.
    pub(super) fn target(&self) -> f64 {
        self.done + self.steps as f64
    }

    /// Moves the target on to the next request.
    pub(super) fn step(&mut self) {
        match self.spacing {
            Spacing::Constant => self.steps += 1,
            Spacing::Poisson => {
                let gap: f64 = Exp1.sample(&mut self.random);
                self.done += gap;
            }
        }
    }
}
