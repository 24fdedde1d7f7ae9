//! A limit that follows the ratio of the long-term round trip to the latest one.
//!
//! ```text
//! long ← mean of the first 10 round trips, then EMA with factor 2/601
//! g    = clamp(1.5 long / short, 0.5, 1)
//! if long / short > 2: long ← 0.95 long              (after g was computed)
//! if in_flight < L / 2: no change
//! L    ← clamp(0.8 L + 0.2 (L g + 4))
//! ```
//!
//! Source: Netflix concurrency-limits, `Gradient2Limit` (commit 78a74b9), as published. Its fixed point is g = 1 − 4/L, so any
//! steady gradient above that lets the limit creep up (their pull request 134), and the long-term mean drifts with a lasting
//! overload. Requests that were dropped count like others, as published; failures and cancelled requests do not count.

use super::algorithm::{Limit, LimitSettings, Outcome, Sample, whole};

/// The queue that the limit allows for, in requests, as published.
const QUEUE: f64 = 4.0;
/// The weight of the new value when the limit is smoothed, as published.
const SMOOTHING: f64 = 0.2;
/// How much longer than the long-term mean a round trip may be, as published.
const TOLERANCE: f64 = 1.5;
/// How many first samples the long-term mean averages arithmetically, as published.
const WARM_UP: u32 = 10;
/// The weight of a new sample in the long-term mean, 2 / (600 + 1), as published.
const LONG_FACTOR: f64 = 2.0 / 601.0;

/// The limit that the [module](self) describes.
#[derive(Debug, Clone)]
pub struct Gradient2 {
    limit: f64,
    long: f64,
    seen: u32,
    settings: LimitSettings,
}

impl Gradient2 {
    /// Starts at `settings.start`, and stays within `settings.min` and `settings.max`.
    pub fn new(settings: LimitSettings) -> Self {
        Self {
            limit: f64::from(settings.start.max(1)),
            long: 0.0,
            seen: 0,
            settings,
        }
    }

    fn add(&mut self, short: f64) -> f64 {
        if self.seen < WARM_UP {
            self.seen += 1;
            self.long += (short - self.long) / f64::from(self.seen);
        } else {
            self.long += (short - self.long) * LONG_FACTOR;
        }
        self.long
    }
}

impl Limit for Gradient2 {
    fn limit(&self) -> u32 {
        whole(self.limit)
    }

    fn observe(&mut self, sample: &Sample) {
        if matches!(sample.outcome, Outcome::Failure | Outcome::Cancelled) {
            return;
        }
        let short = sample.round_trip.as_secs_f64().max(1e-9);
        let long = self.add(short);
        if long / short > 2.0 {
            self.long *= 0.95;
        }
        if f64::from(sample.in_flight) < self.limit / 2.0 {
            return;
        }
        let gradient = (TOLERANCE * long / short).clamp(0.5, 1.0);
        let next = self.limit * gradient + QUEUE;
        self.limit = self.settings.clamp(self.limit * (1.0 - SMOOTHING) + next * SMOOTHING);
    }

    fn set(&mut self, number: u32) {
        self.limit = f64::from(number.max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::algorithm::tests::sample, *};

    #[test]
    fn grows_by_a_fifth_of_the_queue_while_the_round_trip_is_steady() {
        let mut limit = Gradient2::new(LimitSettings::from(20));
        for at in 0..5 {
            limit.observe(&sample(at, 10, 20, Outcome::Success));
        }
        assert_eq!(limit.limit(), 24, "20 + 5 x 0.2 x 4");
    }

    #[test]
    fn shrinks_when_the_round_trip_grows_and_not_while_it_is_not_used() {
        let mut limit = Gradient2::new(LimitSettings::from(100));
        for at in 0..10 {
            limit.observe(&sample(at, 10, 10, Outcome::Success));
        }
        assert_eq!(limit.limit(), 100, "a tenth of the limit was used");
        limit.observe(&sample(20, 60, 100, Outcome::Success));
        assert_eq!(limit.limit(), 90, "0.8 x 100 + 0.2 x (0.5 x 100 + 4) = 90.8");
    }

    #[test]
    fn creeps_up_while_a_queue_stands_behind_it() {
        let mut limit = Gradient2::new(LimitSettings::from(100));
        for at in 0..3000 {
            // The longer round trip is a sixth above the mean: always within the tolerance, so the limit grows.
            let millis = if at % 2 == 0 { 10 } else { 14 };
            limit.observe(&sample(at, millis, 1000, Outcome::Success));
        }
        assert_eq!(limit.limit(), 1000, "the known fault");
    }
}
