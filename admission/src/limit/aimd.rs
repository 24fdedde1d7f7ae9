//! Additive increase, multiplicative decrease.
//!
//! ```text
//! dropped, or round trip > 5 s:  L ← ⌊0.9 L⌋
//! otherwise, if 2 in_flight ≥ L: L ← L + 1
//! ```
//!
//! Source: Netflix concurrency-limits, `AIMDLimit` (commit 78a74b9). As published, except that a deadline that passed counts
//! as dropped, and that failures and cancelled requests do not count: a failure after a millisecond is no reason to raise
//! the limit.

use std::time::Duration;

use super::algorithm::{Limit, LimitSettings, Outcome, Sample, whole};

/// The factor of a decrease, as published.
const BACKOFF: f64 = 0.9;
/// A round trip above this counts as dropped, as published.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The limit that the [module](self) describes.
#[derive(Debug, Clone)]
pub struct Aimd {
    limit: u32,
    settings: LimitSettings,
}

impl Aimd {
    /// Starts at `settings.start`, and stays within `settings.min` and `settings.max`.
    pub fn new(settings: LimitSettings) -> Self {
        Self {
            limit: settings.start.max(1),
            settings,
        }
    }
}

impl Limit for Aimd {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn observe(&mut self, sample: &Sample) {
        let limit = match sample.outcome {
            Outcome::Overload | Outcome::Expired => BACKOFF * f64::from(self.limit),
            Outcome::Success if sample.round_trip > TIMEOUT => BACKOFF * f64::from(self.limit),
            Outcome::Success if 2 * u64::from(sample.in_flight) >= u64::from(self.limit) => f64::from(self.limit) + 1.0,
            Outcome::Success | Outcome::Failure | Outcome::Cancelled => return,
        };
        self.limit = whole(self.settings.clamp(limit));
    }

    fn set(&mut self, number: u32) {
        self.limit = number.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::algorithm::tests::sample, *};

    #[test]
    fn adds_one_and_takes_a_tenth_away() {
        let mut limit = Aimd::new(LimitSettings::from(20));
        limit.observe(&sample(0, 10, 10, Outcome::Success));
        assert_eq!(limit.limit(), 21);
        limit.observe(&sample(0, 10, 10, Outcome::Success));
        assert_eq!(limit.limit(), 21, "less than half of it was used");
        limit.observe(&sample(0, 10, 21, Outcome::Overload));
        assert_eq!(limit.limit(), 18, "0.9 x 21 = 18.9");
        limit.observe(&sample(0, 1, 21, Outcome::Failure));
        limit.observe(&sample(0, 1, 21, Outcome::Cancelled));
        assert_eq!(limit.limit(), 18);
        limit.observe(&sample(0, 5001, 21, Outcome::Success));
        assert_eq!(limit.limit(), 16, "0.9 x 18 = 16.2");
    }

    #[test]
    fn stays_within_its_bounds() {
        let mut limit = Aimd::new(LimitSettings::from(2));
        for _ in 0..10 {
            limit.observe(&sample(0, 10, 2, Outcome::Expired));
        }
        assert_eq!(limit.limit(), 1);
        for _ in 0..2000 {
            let in_flight = limit.limit();
            limit.observe(&sample(0, 10, in_flight, Outcome::Success));
        }
        assert_eq!(limit.limit(), 1000);
    }
}
