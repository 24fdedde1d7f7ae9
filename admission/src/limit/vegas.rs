//! A limit that keeps the estimated queue behind it between two bounds, as TCP Vegas does.
//!
//! ```text
//! lg = max(1, ⌊log10 L⌋)     α = 3 lg     β = 6 lg
//! every J·30·L samples, J uniform in [0.5, 1): noload ← round trip
//! round trip < noload:       noload ← round trip
//! otherwise q = ⌈L (1 − noload / round trip)⌉:
//!   dropped           L − lg
//!   2 in_flight < L   no change
//!   q ≤ lg            L + β
//!   q < α             L + lg
//!   q > β             L − lg
//! ```
//!
//! Source: Netflix concurrency-limits, `VegasLimit` (commit 78a74b9), smoothing 1.0. As published, except that a deadline that
//! passed counts as dropped, and failures and cancelled requests do not count. The shortest round trip counts as the time
//! without a queue, so where service times vary much, the estimated queue is never small.

use super::algorithm::{Limit, LimitSettings, Outcome, Sample, whole};

/// A new round trip without load is taken after about this many samples for each unit of the limit, as published.
const PROBE: f64 = 30.0;

/// The limit that the [module](self) describes.
#[derive(Debug, Clone)]
pub struct Vegas {
    limit: f64,
    no_load: f64,
    samples: f64,
    jitter: f64,
    seed: u64,
    settings: LimitSettings,
}

impl Vegas {
    /// Starts at `settings.start`, and stays within `settings.min` and `settings.max`.
    pub fn new(settings: LimitSettings) -> Self {
        Self {
            limit: f64::from(settings.start.max(1)),
            no_load: 0.0,
            samples: 0.0,
            jitter: 0.75,
            seed: 1,
            settings,
        }
    }

    /// A number in [0.5, 1) from a fixed sequence, so that a simulation gives the same figures again.
    fn next_jitter(&mut self) -> f64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        0.5 + f64::from(u32::try_from(self.seed >> 33).expect("31 bits")) / f64::from(1u32 << 31) / 2.0
    }
}

impl Limit for Vegas {
    fn limit(&self) -> u32 {
        whole(self.limit)
    }

    fn observe(&mut self, sample: &Sample) {
        if matches!(sample.outcome, Outcome::Failure | Outcome::Cancelled) {
            return;
        }
        let round_trip = sample.round_trip.as_secs_f64().max(1e-9);
        self.samples += 1.0;
        if self.jitter * PROBE * self.limit <= self.samples {
            self.samples = 0.0;
            self.jitter = self.next_jitter();
            self.no_load = round_trip;
            return;
        }
        if self.no_load == 0.0 || round_trip < self.no_load {
            self.no_load = round_trip;
            return;
        }
        let step = self.limit.log10().floor().max(1.0);
        let (alpha, beta) = (3.0 * step, 6.0 * step);
        let queue = (self.limit * (1.0 - self.no_load / round_trip)).ceil();
        let change = if matches!(sample.outcome, Outcome::Overload | Outcome::Expired) {
            -step
        } else if 2.0 * f64::from(sample.in_flight) < self.limit {
            0.0
        } else if queue <= step {
            beta
        } else if queue < alpha {
            step
        } else if queue > beta {
            -step
        } else {
            0.0
        };
        self.limit = self.settings.clamp(self.limit + change);
    }

    fn set(&mut self, number: u32) {
        self.limit = f64::from(number.max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::algorithm::tests::sample, *};

    fn after(round_trip: u64, in_flight: u32, outcome: Outcome) -> u32 {
        let mut limit = Vegas::new(LimitSettings::from(20));
        limit.observe(&sample(0, 100, 20, Outcome::Success));
        limit.observe(&sample(1, round_trip, in_flight, outcome));
        limit.limit()
    }

    #[test]
    fn follows_the_estimated_queue() {
        assert_eq!(after(100, 20, Outcome::Success), 26, "no queue: + beta");
        assert_eq!(after(110, 20, Outcome::Success), 21, "a queue of 2: + 1");
        assert_eq!(after(130, 20, Outcome::Success), 20, "a queue of 5: no change");
        assert_eq!(after(200, 20, Outcome::Success), 19, "a queue of 10: - 1");
        assert_eq!(after(100, 20, Outcome::Expired), 19, "dropped: - 1");
        assert_eq!(after(100, 9, Outcome::Success), 20, "not used: no change");
        assert_eq!(after(1000, 20, Outcome::Failure), 20, "says nothing");
    }

    #[test]
    fn takes_a_new_round_trip_without_load_now_and_then() {
        let mut limit = Vegas::new(LimitSettings::from(20));
        limit.observe(&sample(0, 100, 20, Outcome::Success));
        for at in 0..600 {
            limit.observe(&sample(at, 200, 0, Outcome::Success));
        }
        assert!((limit.no_load - 0.2).abs() < 1e-9);
    }
}
