//! The simulated work: how long a message takes, and what a worker does for so long.

mod cpu;
mod distribution;

use std::time::Duration;

pub use distribution::{ServiceTime, ServiceTimeDistribution};
use tokio::time::Instant;

/// What a worker does while it processes a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum WorkKind {
    /// Waits on a timer: models work that is done elsewhere.
    Sleep,
    /// Burns CPU time on threads of its own: models work that is done here.
    Cpu,
}

/// Performs work.
#[derive(Debug)]
pub struct Work {
    service_time: ServiceTime,
    means: Means,
}

#[derive(Debug)]
enum Means {
    Sleep,
    Cpu(cpu::Pool),
}

impl Work {
    /// Work of `kind` for up to `workers` messages at once.
    pub fn new(kind: WorkKind, service_time: ServiceTime, workers: u32) -> Self {
        let means = match kind {
            WorkKind::Sleep => Means::Sleep,
            WorkKind::Cpu => Means::Cpu(cpu::Pool::new(workers)),
        };
        Self { service_time, means }
    }

    /// Makes sure that up to `workers` messages can be worked on at once.
    pub fn make_room(&self, workers: u32) {
        if let Means::Cpu(pool) = &self.means {
            pool.grow(workers);
        }
    }

    /// The mean of the service times that are drawn.
    pub fn mean(&self) -> Duration {
        self.service_time.mean()
    }

    /// From now on service times are drawn around this mean.
    pub fn set_mean(&self, mean: Duration) {
        self.service_time.set_mean(mean);
    }

    /// Works for `demand`, or for as long as the distribution says, and returns how long it took.
    ///
    /// No time at all takes no timer. Dropping the future breaks the work off.
    pub async fn perform(&self, demand: Option<Duration>) -> Duration {
        let demand = demand.unwrap_or_else(|| self.service_time.draw());
        if demand.is_zero() {
            return Duration::ZERO;
        }
        let started = Instant::now();
        match &self.means {
            Means::Sleep => tokio::time::sleep(demand).await,
            Means::Cpu(pool) => pool.burn(demand).await,
        }
        started.elapsed()
    }
}
