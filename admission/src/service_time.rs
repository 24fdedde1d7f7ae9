//! The observed time from the admission of a request to its end.

use std::time::Duration;

/// How many observations the running mean remembers. Derived: a change of the service time shows after about as many
/// requests, and the mean of 32 exponential times has an error of 18 %.
const MEMORY: u32 = 32;

/// A running mean of the observed service times: the arithmetic mean of the first 32, then an exponential mean.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServiceTime {
    /// In nanoseconds.
    mean: f64,
    seen: u32,
}

impl ServiceTime {
    /// Adds a service time to the mean.
    pub fn observe(&mut self, took: Duration) {
        self.seen = (self.seen + 1).min(MEMORY);
        self.mean += (took.as_secs_f64() * 1e9 - self.mean) / f64::from(self.seen);
    }

    /// The mean; zero before the first observation.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a mean of durations, below 584 years"
    )]
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.mean as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_times_count_alike_and_later_ones_replace_them() {
        let mut time = ServiceTime::default();
        assert_eq!(time.mean(), Duration::ZERO);
        time.observe(Duration::from_millis(10));
        time.observe(Duration::from_millis(30));
        assert_eq!(time.mean(), Duration::from_millis(20));
        for _ in 0..200 {
            time.observe(Duration::from_millis(40));
        }
        assert!(time.mean() > Duration::from_millis(39));
    }
}
