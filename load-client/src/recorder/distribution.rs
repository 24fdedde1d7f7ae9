//! Durations as an HDR histogram of three significant digits, with the exact mean and maximum beside it.

use std::time::Duration;

use hdrhistogram::Histogram;

/// A mergeable distribution of durations. Its memory grows with the logarithm of the largest duration, not with their number.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// The durations in microseconds.
    histogram: Histogram<u64>,
    sum: u128,
    max: Duration,
}

impl Default for Distribution {
    fn default() -> Self {
        Self {
            histogram: Histogram::new(3).expect("three digits are within what HDR offers"),
            sum: 0,
            max: Duration::ZERO,
        }
    }
}

impl Distribution {
    /// Adds one duration.
    pub fn record(&mut self, duration: Duration) {
        self.histogram.record(micros(duration)).expect("it resizes itself");
        self.sum += duration.as_nanos();
        self.max = self.max.max(duration);
    }

    /// Adds all durations of another distribution.
    pub fn merge(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("it resizes itself");
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// How many durations were recorded.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The exact mean; `None` if there are no durations.
    pub fn mean(&self) -> Option<Duration> {
        let count = u128::from(self.count());
        let nanos = self.sum.checked_div(count)?;
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// The exact maximum; `None` if there are no durations.
    pub fn max(&self) -> Option<Duration> {
        (self.count() > 0).then_some(self.max)
    }

    /// The smallest duration that a share of `quantile` (0 to 1) does not exceed, to three digits; `None` if there are no
    /// durations.
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let max = self.max()?;
        Some(Duration::from_micros(self.histogram.value_at_quantile(quantile)).min(max))
    }

    /// How many durations are at most `duration`, to three digits.
    pub fn count_up_to(&self, duration: Duration) -> u64 {
        self.histogram.count_between(0, micros(duration))
    }
}

/// Whole microseconds, within what HDR can hold.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros())
        .unwrap_or(u64::MAX)
        .min(u64::MAX >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_three_digits_and_the_exact_ends() {
        // `saturating_record` was tried instead: it gave a median of 2 µs.
        let mut distribution = Distribution::default();
        assert_eq!(distribution.quantile(0.5), None);
        for millis in 1..=1000 {
            distribution.record(Duration::from_millis(millis) + Duration::from_nanos(1));
        }
        let median = distribution.quantile(0.5).unwrap().as_secs_f64();
        assert!((median - 0.5).abs() < 0.0005, "{median}");
        assert_eq!(distribution.max(), Some(Duration::new(1, 1)));
        assert_eq!(distribution.quantile(1.0), distribution.max());
        assert_eq!(distribution.mean(), Some(Duration::new(0, 500_500_001)));
    }

    #[test]
    fn merging_is_recording_together() {
        let [mut one, mut two, mut both] = [(); 3].map(|()| Distribution::default());
        for seconds in 0..100 {
            let target = if seconds % 3 == 0 { &mut one } else { &mut two };
            target.record(Duration::from_secs(seconds));
            both.record(Duration::from_secs(seconds));
        }
        one.merge(&two);
        for quantile in [0.0, 0.5, 0.99, 1.0] {
            assert_eq!(one.quantile(quantile), both.quantile(quantile));
        }
        assert_eq!(
            (one.count(), one.mean(), one.max()),
            (both.count(), both.mean(), both.max())
        );
    }
}
