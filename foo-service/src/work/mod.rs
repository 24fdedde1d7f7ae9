//! The simulated work: how long a message takes, whether it fails, and what a worker does during that time.

mod contention;
mod cpu;
mod distribution;
mod failures;
mod longest;
mod slowdown;

use std::time::Duration;

pub use contention::Contention;
pub use distribution::{ServiceTime, ServiceTimeDistribution};
pub use failures::{Failures, Share, ShareError};
pub use slowdown::{Slowdown, SlowdownError, Slowed};
use tokio::time::Instant;

use crate::job::WorkFailed;

/// What a worker does while it processes a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum WorkKind {
    /// Waits on a timer: models work that is done elsewhere.
    Sleep,
    /// Burns CPU time on threads of its own: models work that is done here.
    Cpu,
}

/// Does the work of a message: waits, or burns CPU time.
#[derive(Debug)]
pub struct Work {
    service_time: ServiceTime,
    slowed: Slowed,
    contention: Contention,
    failures: Failures,
    means: Means,
}

#[derive(Debug)]
enum Means {
    Sleep,
    Cpu(cpu::Pool),
}

impl Work {
    /// Creates work of `kind` for up to `workers` messages at once.
    pub fn new(
        kind: WorkKind,
        service_time: ServiceTime,
        slowed: Slowed,
        contention: Contention,
        failures: Failures,
        workers: u32,
    ) -> Self {
        let means = match kind {
            WorkKind::Sleep => Means::Sleep,
            WorkKind::Cpu => Means::Cpu(cpu::Pool::new(workers)),
        };
        Self {
            service_time,
            slowed,
            contention,
            failures,
            means,
        }
    }

    /// Makes sure that up to `workers` messages can be processed at once.
    pub fn make_room(&self, workers: u32) {
        if let Means::Cpu(pool) = &self.means {
            pool.grow(workers);
        }
    }

    /// The mean of the service times that are drawn, without any slowdown.
    pub fn mean(&self) -> Duration {
        self.service_time.mean()
    }

    /// Changes the mean of the service times that are drawn from now on.
    pub fn set_mean(&self, mean: Duration) {
        self.service_time.set_mean(mean);
    }

    /// From now on `share` of the messages fail, each after the time `after`.
    pub fn set_failures(&self, share: Share, after: Duration) {
        self.failures.set(share, after);
    }

    /// Works for `demand`, or for a time drawn from the distribution. Slowdown and contention change the time. Returns how long the
    /// work took.
    ///
    /// Works at most for an hour: a message from a shared queue can have any demand, since another program may have put it there.
    ///
    /// A time of zero uses no timer. Dropping the future stops the work.
    ///
    /// # Errors
    ///
    /// If the message is one of those that fail. The work has then lasted for the time of a failure.
    pub async fn perform(&self, demand: Option<Duration>) -> Result<Duration, WorkFailed> {
        let beside = self.contention.begin();
        let failure = self.failures.draw();
        let time = failure.unwrap_or_else(|| {
            let demand = demand.unwrap_or_else(|| self.service_time.draw());
            beside.stretch(self.slowed.stretch(demand)).min(longest::LONGEST)
        });
        let took = if time.is_zero() {
            Duration::ZERO
        } else {
            let started = Instant::now();
            match &self.means {
                Means::Sleep => tokio::time::sleep(time).await,
                Means::Cpu(pool) => pool.burn(time).await,
            }
            started.elapsed()
        };
        failure.map_or(Ok(took), |_| Err(WorkFailed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_demand_above_an_hour_takes_an_hour() {
        for share in [Share::default(), Share::percent(100)] {
            let constant = ServiceTime::new(Duration::ZERO, ServiceTimeDistribution::Constant, 7);
            let slowed = Slowed::new(None, Duration::ZERO);
            let failures = Failures::new(Share::default(), Duration::ZERO, 7);
            let work = Work::new(WorkKind::Sleep, constant, slowed, Contention::new(share), failures, 2);
            let (one, other) = tokio::join!(work.perform(Some(Duration::MAX)), work.perform(Some(Duration::MAX)));
            let longest = longest::LONGEST..longest::LONGEST + Duration::from_millis(5);
            assert!([one, other].iter().all(|took| longest.contains(took.as_ref().unwrap())));
        }
    }
}
