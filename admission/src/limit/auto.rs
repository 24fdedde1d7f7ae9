//! The number of workers if that is known; otherwise a search for it.
//!
//! ```text
//! two limits in turn, a window each:  low = c / √1.4     high = c √1.4
//! X = in_flight · answered / Σ round_trip                answers per second, by Little's law
//! e = ln(X' / X) / ln(in_flight' / in_flight)            of the latest two windows, within [−0.5, 1.5]
//! c ← c · exp(0.15 (e − 0.12))
//! ```
//!
//! `e` is the elasticity of the throughput. It is 1 while every further request in flight brings a further answer, and 0 where
//! further requests only wait for a worker, so the search settles where the low limit is just too low to keep every worker
//! busy. It compares what two limits bring at the same time, and remembers no round trip from a better time. So it cannot drift
//! with a lasting overload, and slower workers, which lengthen the round trip at both limits, are not taken for fewer workers.
//!
//! - A window that used less than four fifths of its limit says nothing about the limit, which stays as it is: an idle service
//!   keeps its limit. If a tenth of its requests expired, requests wait behind the limit, which is then lowered to what is in use.
//! - A window with more requests expired than answered halves the limit, however steady the round trip is. Afterwards the
//!   search takes steps that are four times as large, until the limit is half of the former one again.
//! - A window with a tenth of its requests refused by the resource lowers the limit by a fifth.
//! - Failures and cancelled requests do not count.
//! - A window is a number of requests, not a time, so a pause in the traffic changes nothing.
//!
//! Constants: measured by the simulation of `scripts/bench regret` with 4, 16 and 64 workers. A smaller target or ratio wastes less
//! where service times are constant, and lets the limit wander where they vary. A window is five times the limit, of at least 8
//! and at most 160 requests: the elasticity then has an error of about 0.4 where service times are exponential, and the search
//! averages over about seven windows.
//!
//! Source: own. Others use the correlation of throughput and requests in flight against creep (failsafe-go), or vary the limit
//! on purpose to measure the round trip without load (Envoy).

use super::algorithm::{Limit, LimitSettings, Outcome, Sample, whole};

/// The ratio of the high limit to the low one.
const RATIO: f64 = 1.4;
/// The elasticity at which the search settles.
const TARGET: f64 = 0.12;
/// The change of ln(limit) in each window, for each unit of elasticity above [`TARGET`]; below it, the limit falls.
const GAIN: f64 = 0.15;
/// The share of the limit that must be in use for a window to count in the search.
const USED: f64 = 0.8;
/// The share of a window's requests that must expire, or be refused by the resource, to lower the limit.
const LOST: f64 = 0.1;
/// The factor on the limit when the resource refuses requests.
const REFUSED: f64 = 0.8;

/// The limit that the [module](self) describes.
#[derive(Debug, Clone)]
pub struct Auto {
    settings: LimitSettings,
    /// The limit in force: the low or the high one.
    limit: u32,
    /// The geometric mean of the low and the high limit.
    centre: f64,
    /// Whether the high limit is in force.
    high: bool,
    /// The centre before expired requests halved it; zero if they did not, or once the centre is above half of that again.
    lost: f64,
    /// The last window, if it used enough of its limit to count in the search.
    last: Option<Seen>,
    window: Window,
}

/// The requests in flight and the throughput of a window.
#[derive(Debug, Clone, Copy)]
struct Seen {
    in_flight: f64,
    throughput: f64,
}

/// Counts and sums over the requests of a window.
#[derive(Debug, Clone, Default)]
struct Window {
    /// How many of the next ends do not count, because those requests were admitted under the limit before.
    skip: u32,
    answered: u32,
    expired: u32,
    refused: u32,
    in_flight: f64,
    round_trip: f64,
}

impl Window {
    fn ended(&self) -> u32 {
        self.answered + self.expired + self.refused
    }

    fn seen(&self) -> Seen {
        let in_flight = self.in_flight / f64::from(self.ended());
        Seen {
            in_flight,
            throughput: in_flight * f64::from(self.answered) / self.round_trip.max(1e-9),
        }
    }
}

impl Auto {
    /// A limit that starts at `settings.start`, and stays there if `settings.known`.
    pub fn new(settings: LimitSettings) -> Self {
        let start = settings.start.max(1);
        Self {
            settings,
            limit: start,
            centre: f64::from(start) / RATIO.sqrt(),
            high: true,
            lost: 0.0,
            last: None,
            window: Window::default(),
        }
    }

    /// Ends the window: adjusts the limit by it, and begins the next window.
    fn close(&mut self) {
        let window = std::mem::take(&mut self.window);
        let seen = window.seen();
        let last = self.last.take();
        let ended = f64::from(window.ended());
        if window.expired > window.answered {
            self.lost = self.lost.max(self.centre.min(seen.in_flight));
            self.centre = self.centre.min(seen.in_flight) / 2.0;
        } else if f64::from(window.refused) > LOST * ended {
            self.centre *= REFUSED;
        } else if seen.in_flight < USED * f64::from(self.limit) {
            if f64::from(window.expired) > LOST * ended {
                self.centre = self.centre.min(seen.in_flight);
            }
            // The limit is not in use, so the search pauses with the high limit, which admits more requests.
            self.high = true;
        } else {
            if let Some(elasticity) = last.and_then(|last| elasticity(last, seen)) {
                // After a stall the limit is far too low, so it rises faster.
                let gain = if self.centre < self.lost / 2.0 {
                    4.0 * GAIN
                } else {
                    GAIN
                };
                self.centre *= (gain * (elasticity - TARGET)).exp();
            }
            if self.centre > self.lost / 2.0 {
                self.lost = 0.0;
            }
            self.last = Some(seen);
            self.high = !self.high;
        }
        self.centre = self.settings.clamp(self.centre);
        let before = self.limit;
        self.limit = self.now();
        if self.limit != before {
            self.window.skip = before;
        }
    }

    /// The low or the high limit, whichever is next. They differ by at least 1, because the search compares the two.
    fn now(&self) -> u32 {
        let low = (self.centre / RATIO.sqrt()).round().max(1.0);
        let limit = if self.high {
            (self.centre * RATIO.sqrt()).round().max(low + 1.0)
        } else {
            low
        };
        whole(self.settings.clamp(limit))
    }
}

/// The elasticity of the throughput between two windows; `None` if about as many requests were in flight in both.
fn elasticity(last: Seen, seen: Seen) -> Option<f64> {
    let in_flight = (seen.in_flight / last.in_flight).ln();
    let throughput = (seen.throughput / last.throughput.max(1e-9)).max(1e-9).ln();
    (in_flight.abs() > 0.1).then(|| (throughput / in_flight).clamp(-0.5, 1.5))
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
        window.in_flight += f64::from(sample.in_flight.min(self.limit));
        window.round_trip += sample.round_trip.as_secs_f64();
        if window.ended() >= self.limit.saturating_mul(5).clamp(8, 160) {
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
    use super::{super::algorithm::tests::sample, *};

    /// Lets the limit observe `requests` at full use, with a resource that processes `workers` requests at once in `millis`.
    fn drive(limit: &mut Auto, requests: u32, workers: u32, millis: u64) {
        for _ in 0..requests {
            let in_flight = limit.limit();
            let round_trip = millis * 1000 * u64::from(in_flight.max(workers)) / u64::from(workers);
            let mut sample = sample(0, 0, in_flight, Outcome::Success);
            sample.round_trip = std::time::Duration::from_micros(round_trip);
            limit.observe(&sample);
        }
    }

    /// Whether the low limit keeps nearly every worker busy, and the high one lets only few requests wait for a worker.
    fn near(limit: &Auto, workers: f64) -> bool {
        let (low, high) = (limit.centre / RATIO.sqrt(), limit.centre * RATIO.sqrt());
        (0.8 * workers..=1.1 * workers).contains(&low) && (1.1 * workers..=1.6 * workers).contains(&high)
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
        for start in [1, 100] {
            let mut limit = Auto::new(LimitSettings::from(start));
            drive(&mut limit, 50_000, 16, 20);
            for _ in 0..100 {
                drive(&mut limit, 100, 16, 20);
                assert!(near(&limit, 16.0), "from {start}: {}", limit.centre);
            }
        }
    }

    #[test]
    fn tells_fewer_workers_from_slower_ones() {
        let mut limit = Auto::new(LimitSettings::from(20));
        for (workers, millis) in [(16, 20), (8, 20), (16, 20), (16, 40), (16, 20)] {
            drive(&mut limit, 10_000, workers, millis);
            assert!(near(&limit, f64::from(workers)), "{workers}: {}", limit.centre);
        }
        drive(&mut limit, 1000, 16, 40);
        assert!(near(&limit, 16.0), "just after the change: {}", limit.centre);
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
    fn a_limit_far_above_what_is_in_use_is_lowered_once_requests_expire() {
        let mut limit = Auto::new(LimitSettings::from(1000));
        for at in 0..10_000 {
            let outcome = if at % 5 == 0 {
                Outcome::Expired
            } else {
                Outcome::Success
            };
            limit.observe(&sample(at, 190, 100, outcome));
        }
        assert!(limit.limit() < 150, "{}", limit.limit());
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
        assert!(limit.limit() <= 2);
        drive(&mut limit, 5000, 16, 20);
        assert!(near(&limit, 16.0), "not stuck at the lowest: {}", limit.centre);
    }

    #[test]
    fn refusals_of_the_resource_lower_the_limit() {
        let mut limit = Auto::new(LimitSettings::from(100));
        for at in 0..1000 {
            let in_flight = limit.limit();
            let outcome = if at % 4 == 0 {
                Outcome::Overload
            } else {
                Outcome::Success
            };
            limit.observe(&sample(at, 20, in_flight, outcome));
        }
        assert!(limit.limit() < 50, "{}", limit.limit());
    }
}
