//! The number of workers where it is known; otherwise finds it.
//!
//! ```text
//! capacity ← in_flight · base / round_trip       over a window of requests that met the limit
//! L        ← 1.25 capacity                       1.5 capacity while the round trip is no longer than the base
//! base     ← mean round trip at 0.8 capacity     a probe: each 8th window, and at once when the round trip jumps
//! ```
//!
//! By Little's law a resource that can do `c` requests at once, each in `base`, has `in_flight / round_trip = c / base` as
//! soon as `in_flight ≥ c`. So the estimate does not depend on the limit in force, and cannot creep. A base that was measured
//! with a queue behind the limit is too long; the next probe then runs at a lower limit relative to it, so the error shrinks by
//! a fifth at each probe.
//!
//! - A window whose requests mostly found the limit unused changes no limit: an idle service keeps its estimate. Its round
//!   trips are a base without a probe.
//! - A window with more requests expired than answered halves the limit, however steady the round trip is.
//! - Failures and cancelled requests count as nothing.
//!
//! Constants: 1.25 and 0.8 are derived (a surplus of a quarter costs a quarter of a service time in the resource's own queue; a
//! deficit costs throughput). Window lengths are arbitrary within what noise allows: the mean of 64 exponential times has an
//! error of 12 %. Source: own.

use super::{Limit, LimitSettings, Outcome, Sample, whole};

/// The limit over the estimated capacity.
const SURPLUS: f64 = 1.25;
/// The same while no queue shows.
const GROWTH: f64 = 1.5;
/// A probe's limit over the estimated capacity.
const PROBE: f64 = 0.8;
/// The same while the base is not to be trusted.
const SEARCH: f64 = 0.5;
/// Windows from one probe to the next.
const WINDOWS: u32 = 8;
/// The weight of a new base that is near the old one. Another one replaces it.
const WEIGHT: f64 = 0.3;
/// How far from the old base is near: about two errors of the mean.
const NEAR: f64 = 0.25;
/// A round trip, relative to the expected one, that calls for a probe at once.
const JUMP: f64 = 1.5;

/// See the [module](self).
#[derive(Debug, Clone)]
pub struct Auto {
    settings: LimitSettings,
    /// In force.
    limit: u32,
    /// The estimated capacity of the resource.
    capacity: f64,
    /// The round trip without a queue, in seconds. Zero until it is known.
    base: f64,
    /// In-flight requests and round trip of the last window that was no probe.
    held: Option<(f64, f64)>,
    probing: bool,
    /// The base is not to be trusted: the next probe runs at a much lower limit.
    searching: bool,
    /// Windows until the next probe.
    until_probe: u32,
    window: Window,
}

/// What the requests of a window showed.
#[derive(Debug, Clone, Default)]
struct Window {
    /// Requests that were in flight when the limit changed: they end first, and do not count.
    skip: u32,
    answered: u32,
    expired: u32,
    refused: u32,
    met_limit: u32,
    in_flight: f64,
    round_trip: f64,
}

impl Window {
    fn ended(&self) -> u32 {
        self.answered + self.expired + self.refused
    }
}

impl Auto {
    /// Starts at `settings.start`, and stays there if that is known to be the number of workers.
    pub fn new(settings: LimitSettings) -> Self {
        let start = settings.start.max(1);
        Self {
            settings,
            limit: start,
            capacity: f64::from(start) / SURPLUS,
            base: 0.0,
            held: None,
            probing: false,
            searching: true,
            until_probe: 1,
            window: Window::default(),
        }
    }

    /// Takes the window into account, sets the limit, and begins the next window.
    fn close(&mut self) {
        let window = std::mem::take(&mut self.window);
        let before = self.limit;
        if window.expired > window.answered {
            self.capacity /= 2.0;
            self.probing = false;
            self.until_probe = 1;
        } else if window.refused * 10 > window.answered {
            self.capacity *= PROBE;
            self.probing = false;
        } else {
            let counted = f64::from(window.ended());
            self.learn(
                window.in_flight / counted,
                window.round_trip / counted,
                window.met_limit * 2 > window.ended(),
            );
        }
        self.capacity = self.settings.clamp(self.capacity * SURPLUS) / SURPLUS;
        let limit = match self.held {
            _ if self.probing && self.searching => (self.capacity * SEARCH).round(),
            _ if self.probing => (self.capacity * PROBE).round(),
            Some((_, round_trip)) if round_trip <= self.base * 1.02 => (self.capacity * GROWTH).ceil(),
            _ => (self.capacity * SURPLUS - 1e-6).ceil(),
        };
        self.limit = whole(self.settings.clamp(limit));
        if self.limit != before {
            self.window.skip = before;
        }
    }

    fn learn(&mut self, in_flight: f64, round_trip: f64, met_limit: bool) {
        if self.base == 0.0 {
            self.base = round_trip;
        }
        let mut near = true;
        if self.probing || (!met_limit && in_flight <= PROBE * self.capacity) {
            near = self.rebase(round_trip);
        }
        if self.probing {
            self.probing = false;
            // A base that has changed much is measured again, further down.
            self.searching = !near;
            self.until_probe = if near { WINDOWS } else { 1 };
            // With the base just measured.
            if let Some((in_flight, round_trip)) = self.held {
                self.estimate(in_flight, round_trip);
            }
            return;
        }
        if !met_limit {
            // Nothing was learnt of the capacity: keep the limit as it is.
            self.held = None;
            return;
        }
        let longest = self.base * (in_flight / self.capacity).max(1.0);
        let jumped = round_trip > JUMP * longest || JUMP * round_trip < self.base;
        self.held = Some((in_flight, round_trip));
        self.until_probe -= 1;
        if self.until_probe == 0 || jumped {
            self.until_probe = WINDOWS;
            self.probing = true;
            self.searching |= jumped;
            // The probe's limit follows from the estimate, which must not be too high.
            self.capacity = self.capacity.min(in_flight * (self.base / round_trip).min(1.0));
        } else {
            self.estimate(in_flight, round_trip);
        }
    }

    fn estimate(&mut self, in_flight: f64, round_trip: f64) {
        self.capacity = in_flight * (self.base / round_trip).min(1.0);
    }

    /// Returns whether the new base is near the old one.
    fn rebase(&mut self, round_trip: f64) -> bool {
        let near = (round_trip / self.base - 1.0).abs() < NEAR;
        self.base += (round_trip - self.base) * if near { WEIGHT } else { 1.0 };
        near
    }
}

impl Limit for Auto {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn observe(&mut self, sample: &Sample) {
        if self.settings.known {
            return;
        }
        let window = &mut self.window;
        if window.skip > 0 {
            window.skip -= 1;
            return;
        }
        match sample.outcome {
            Outcome::Success => window.answered += 1,
            Outcome::Expired => window.expired += 1,
            Outcome::Overload => window.refused += 1,
            Outcome::Failure | Outcome::Cancelled => return,
        }
        window.met_limit += u32::from(sample.in_flight >= self.limit);
        window.in_flight += f64::from(sample.in_flight.min(self.limit));
        window.round_trip += sample.round_trip.as_secs_f64();
        if window.ended() >= (4 * self.limit).clamp(8, 64) {
            self.close();
        }
    }

    fn set(&mut self, number: u32) {
        *self = Self::new(LimitSettings {
            start: number,
            ..self.settings
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::sample, *};

    /// Shows `limit` requests that meet it, behind which a resource does `workers` at once in `millis` each.
    fn drive(limit: &mut Auto, requests: u32, workers: u32, millis: u64) {
        for _ in 0..requests {
            let in_flight = limit.limit();
            let round_trip = millis * 1000 * u64::from(in_flight.max(workers)) / u64::from(workers);
            let mut sample = sample(0, 0, in_flight, Outcome::Success);
            sample.round_trip = std::time::Duration::from_micros(round_trip);
            limit.observe(&sample);
        }
    }

    fn near(limit: &Auto, workers: u32) -> bool {
        // A probe runs at 0.8, growth at 1.5.
        (workers * 3 / 4..=workers * 3 / 2 + 1).contains(&limit.limit())
    }

    #[test]
    fn keeps_the_number_of_workers_where_it_is_known() {
        let mut limit = Auto::new(LimitSettings::workers(4));
        drive(&mut limit, 1000, 2, 10);
        assert_eq!(limit.limit(), 4);
        limit.set(8);
        assert_eq!(limit.limit(), 8);
    }

    #[test]
    fn finds_the_number_of_workers_from_above_and_from_below() {
        for start in [1, 1000] {
            let mut limit = Auto::new(LimitSettings::from(start));
            drive(&mut limit, 20_000, 16, 20);
            for _ in 0..100 {
                drive(&mut limit, 100, 16, 20);
                assert!(near(&limit, 16), "from {start}: {}", limit.limit());
            }
        }
    }

    #[test]
    fn tells_fewer_workers_from_slower_ones() {
        let mut limit = Auto::new(LimitSettings::from(20));
        drive(&mut limit, 5000, 16, 20);
        drive(&mut limit, 1000, 8, 20);
        assert!(near(&limit, 8), "{}", limit.limit());
        drive(&mut limit, 1000, 16, 20);
        assert!(near(&limit, 16), "{}", limit.limit());
        drive(&mut limit, 1000, 16, 40);
        assert!(near(&limit, 16), "{}", limit.limit());
        drive(&mut limit, 1000, 16, 20);
        assert!(near(&limit, 16), "{}", limit.limit());
    }

    #[test]
    fn an_idle_service_keeps_its_limit() {
        let mut limit = Auto::new(LimitSettings::from(20));
        for at in 0..10_000 {
            limit.observe(&sample(at, 20, 2, Outcome::Success));
        }
        assert_eq!(limit.limit(), 20);
    }

    #[test]
    fn equal_timeouts_do_not_raise_the_limit_and_failures_change_nothing() {
        let mut limit = Auto::new(LimitSettings::from(200));
        for at in 0..1000 {
            limit.observe(&sample(at, 1, 200, Outcome::Failure));
        }
        assert_eq!(limit.limit(), 200);
        for at in 0..10_000 {
            let in_flight = limit.limit();
            limit.observe(&sample(at, 1000, in_flight, Outcome::Expired));
        }
        assert_eq!(limit.limit(), 1);
        drive(&mut limit, 5000, 16, 20);
        assert!(near(&limit, 16), "not stuck at the lowest: {}", limit.limit());
    }
}
