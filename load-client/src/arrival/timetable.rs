//! The schedule that all clients of a run have in common, and the share of a rate that each has of it.

use std::{sync::Arc, time::Duration};

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1};
use rand_pcg::Pcg64Mcg;

use super::profile::Profile;
use crate::scenario::{Schedule, Spacing, Stage};

/// A schedule for so many clients.
#[derive(Debug, Clone)]
pub(super) struct Timetable {
    pub(super) schedule: Schedule,
    /// What one client has of a rate; `None` where there is none.
    pub(super) profile: Option<Arc<Profile>>,
    pub(super) clients: u32,
    seed: u64,
    /// No request is scheduled from this time on; `None`: unlimited.
    pub(super) until: Option<Duration>,
}

/// Intents at a rate: a step of the profile's integral each, of 1 or exponential with mean 1.
#[derive(Debug, Clone)]
pub struct Paced {
    profile: Arc<Profile>,
    spacing: Spacing,
    /// How far the integral has come.
    done: f64,
    /// How many steps of 1 that was, kept whole so that an hour adds no rounding.
    steps: u64,
    random: Pcg64Mcg,
}

impl Timetable {
    /// The schedule, dealt to so many clients.
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

    /// What client `index` has of a rate.
    pub(super) fn paced(&self, profile: &Arc<Profile>, spacing: Spacing, index: u32) -> Paced {
        // seed_from_u64 scatters neighbouring seeds.
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
    /// When the next request is scheduled; `None` when there is none left.
    pub(super) fn next(&mut self) -> Option<Duration> {
        let at = self.profile.when(self.target())?;
        self.step();
        Some(at)
    }

    /// The integral at which the next request is scheduled.
    pub(super) fn target(&self) -> f64 {
        self.done + self.steps as f64
    }

    /// Goes on to the next send.
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
