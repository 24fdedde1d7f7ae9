//! The service times of messages whose requests ask for none: a seeded random draw for each message.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Exp1, LogNormal, Pareto, StandardUniform};
use rand_pcg::Pcg64Mcg;

use super::longest::{nanos, product};

/// The family of the distribution of service times. The mean is a separate setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ServiceTimeDistribution {
    /// Every message takes the mean.
    Constant,
    /// Exponential: coefficient of variation 1.
    Exponential,
    /// Sigma 1: coefficient of variation 1.31, as response times of real services often have.
    Lognormal,
    /// Alpha 2.1: a tail so heavy that the coefficient of variation is 2.2.
    Pareto,
    /// 5 % of messages take 20 times as long as the others. The mean is that of all messages: with 195ms, most take 100ms and
    /// a few take 2s.
    Bimodal,
}

/// The standard deviation of the logarithm. Mean = exp(mu + sigma²/2).
const LOGNORMAL_SIGMA: f64 = 1.0;
/// The shape. A little above 2, so that the variance exists. Mean = scale × alpha / (alpha − 1).
const PARETO_ALPHA: f64 = 2.1;
/// The share of long service times, and how many times as long they are. Mean = short × (1 + share × (times − 1)).
const BIMODAL_SHARE: f64 = 0.05;
const BIMODAL_TIMES: f64 = 20.0;

/// Draws service times. The mean can change while the service runs.
#[derive(Debug)]
pub struct ServiceTime {
    /// The mean in nanoseconds.
    mean: AtomicU64,
    family: ServiceTimeDistribution,
    random: Mutex<Pcg64Mcg>,
}

impl ServiceTime {
    /// Draws service times with this mean and family. The same seed draws the same times.
    pub fn new(mean: Duration, family: ServiceTimeDistribution, seed: u64) -> Self {
        Self {
            mean: AtomicU64::new(nanos(mean)),
            family,
            random: Mutex::new(Pcg64Mcg::seed_from_u64(seed)),
        }
    }

    /// The current mean.
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.mean.load(Relaxed))
    }

    /// Changes the mean for later draws.
    pub fn set_mean(&self, mean: Duration) {
        self.mean.store(nanos(mean), Relaxed);
    }

    /// Draws the next service time.
    pub fn draw(&self) -> Duration {
        let mean = self.mean();
        if self.family == ServiceTimeDistribution::Constant || mean.is_zero() {
            return mean;
        }
        let mut random = self.random.lock().expect("a draw does not panic");
        product(mean, draw_unit_mean(self.family, &mut *random))
    }
}

/// Draws from the family with mean 1.
fn draw_unit_mean(family: ServiceTimeDistribution, random: &mut impl Rng) -> f64 {
    match family {
        ServiceTimeDistribution::Constant => 1.0,
        ServiceTimeDistribution::Exponential => Exp1.sample(random),
        ServiceTimeDistribution::Lognormal => LogNormal::new(-LOGNORMAL_SIGMA * LOGNORMAL_SIGMA / 2.0, LOGNORMAL_SIGMA)
            .expect("sigma is finite")
            .sample(random),
        ServiceTimeDistribution::Pareto => Pareto::new((PARETO_ALPHA - 1.0) / PARETO_ALPHA, PARETO_ALPHA)
            .expect("scale and shape are positive")
            .sample(random),
        ServiceTimeDistribution::Bimodal => {
            let short = 1.0 / (1.0 + BIMODAL_SHARE * (BIMODAL_TIMES - 1.0));
            let uniform: f64 = StandardUniform.sample(random);
            if uniform < BIMODAL_SHARE {
                short * BIMODAL_TIMES
            } else {
                short
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_the_mean_it_was_given() {
        for family in [
            ServiceTimeDistribution::Constant,
            ServiceTimeDistribution::Exponential,
            ServiceTimeDistribution::Lognormal,
            ServiceTimeDistribution::Pareto,
            ServiceTimeDistribution::Bimodal,
        ] {
            let times = ServiceTime::new(Duration::from_millis(250), family, 7);
            let draws = 200_000;
            let mean = (0..draws).map(|_| times.draw().as_secs_f64()).sum::<f64>() / f64::from(draws);
            assert!((mean - 0.25).abs() < 0.01, "{family:?}: {mean}");
        }
    }

    #[test]
    fn one_in_twenty_bimodal_times_is_twenty_times_as_long_as_the_others() {
        let times = ServiceTime::new(Duration::from_millis(195), ServiceTimeDistribution::Bimodal, 7);
        let draws: Vec<Duration> = (0..10_000).map(|_| times.draw()).collect();
        let millis = |draw: &Duration| (draw.as_secs_f64() * 1e3).round();
        let long = draws.iter().filter(|draw| (millis(draw) - 2_000.0).abs() < 0.5).count();
        let short = draws.iter().filter(|draw| (millis(draw) - 100.0).abs() < 0.5).count();
        assert_eq!(long + short, draws.len());
        assert!((430..570).contains(&long), "{long}");
    }

    #[test]
    fn the_same_seed_draws_the_same_times() {
        let draw = |seed| {
            let times = ServiceTime::new(Duration::from_millis(250), ServiceTimeDistribution::Exponential, seed);
            [times.draw(), times.draw(), times.draw()]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
