//! Estimates how much time before its deadline a request should still have when it is served.
//!
//! ```text
//! rate(m) = P(s ≤ m S) / E[min(s, m S)]          answers in time for each unit of work
//! ```
//!
//! over multiples `m` of the mean service time `S`, from the service times `s` observed. Where work goes on after the deadline, a
//! late request wastes a whole service time, so more time left is always better. Where work stops at the deadline, a request
//! that takes long is stopped, and the rate is highest at some `m` if service times vary much: about 1 for a lognormal
//! distribution of sigma 1 (11 % more answers than with 10 `S` left), 2 for a Pareto distribution of alpha 2.1. With an exponential
//! distribution the rate is the same for every `m`. A request counts for each multiple for which it had time when it began.
//!
//! Source: own; derived from the renewal-reward theorem.

use std::time::Duration;

use super::algorithm::Ended;
use crate::limit::Outcome;

/// The multiples of the mean service time that are compared, in ascending order.
const MULTIPLES: [f64; 6] = [1.0, 1.5, 2.0, 3.0, 5.0, 9.0];
/// The number of requests over which rates are averaged. Derived: the error of a rate is then about 2 %.
const MEMORY: f64 = 1000.0;
/// The number of requests over which the mean service time is averaged. Arbitrary.
const UNIT_MEMORY: f64 = 256.0;
/// The number of requests after which a rate is used. Arbitrary.
const ENOUGH: f64 = 100.0;
/// A smaller multiple is chosen only if its rate is more than this many times that of the largest one. Arbitrary.
const GAIN: f64 = 1.01;

#[derive(Debug, Clone, Copy, Default)]
struct Means {
    seen: f64,
    in_time: f64,
    work: f64,
}

impl Means {
    fn rate(&self) -> f64 {
        self.in_time / self.work.max(1e-9)
    }
}

/// Running means over the requests that ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Slack {
    means: [Means; MULTIPLES.len()],
    /// The mean service time, in seconds. It is the unit of the multiples, so it changes more slowly than `Load::service_time`.
    unit: f64,
    seen: f64,
    /// Whether work stops at the deadline, judged by the last request that expired.
    stops: bool,
    best: Option<Duration>,
}

impl Slack {
    pub(super) fn observe(&mut self, ended: &Ended) {
        // The work of a request without a deadline is never stopped.
        let Some(left) = ended.time_left else { return };
        let (took, left) = (ended.took.as_secs_f64(), left.as_secs_f64());
        match ended.outcome {
            Outcome::Expired => self.stops = took <= left + self.unit / 10.0,
            Outcome::Success => {}
            Outcome::Failure | Outcome::Overload | Outcome::Cancelled => return,
        }
        self.seen = (self.seen + 1.0).min(UNIT_MEMORY);
        self.unit += (took - self.unit) / self.seen;
        for (means, multiple) in self.means.iter_mut().zip(MULTIPLES) {
            let time = multiple * self.unit;
            if left < time {
                break;
            }
            means.seen = (means.seen + 1.0).min(MEMORY);
            means.in_time += (f64::from(u8::from(took <= time)) - means.in_time) / means.seen;
            means.work += (took.min(time) / self.unit.max(1e-9) - means.work) / means.seen;
        }
        self.best = self.compare();
    }

    fn compare(&self) -> Option<Duration> {
        if !self.stops {
            return None;
        }
        let known = self.means.iter().take_while(|means| means.seen >= ENOUGH).count();
        let (most, fewer) = self.means[..known].split_last()?;
        let best = (0..fewer.len()).max_by(|a, b| fewer[*a].rate().total_cmp(&fewer[*b].rate()))?;
        let better = fewer[best].rate() > most.rate() * GAIN;
        better.then(|| Duration::from_secs_f64(MULTIPLES[best] * self.unit))
    }

    /// The time that a request should have left when it is served; `None` if more time is always better.
    pub(super) fn best(&self) -> Option<Duration> {
        self.best
    }
}

#[cfg(test)]
mod tests {
    use super::{super::algorithm::tests::ms, *};

    /// The state after 2000 requests that each took one of `times` and had 400 ms left.
    fn after(times: &[u64], stops: bool) -> Slack {
        let mut slack = Slack::default();
        for at in 0..2000 {
            let took = times[at % times.len()];
            let late = took > 400;
            slack.observe(&Ended {
                took: ms(if late && stops { 400 } else { took }),
                time_left: Some(ms(400)),
                outcome: if late { Outcome::Expired } else { Outcome::Success },
            });
        }
        slack
    }

    #[test]
    fn more_time_is_better_where_service_times_are_alike_or_work_goes_on() {
        assert_eq!(after(&[40], true).best(), None);
        assert_eq!(after(&[10, 20, 20, 20, 10, 2000], false).best(), None);
    }

    #[test]
    fn little_time_is_better_where_few_requests_take_very_long_and_are_cut_off() {
        // The mean is 96 ms while long requests are stopped: with that much time left, one wastes 96 ms, with 400 ms left 400.
        let best = after(&[20, 20, 20, 20, 2000], true).best().unwrap();
        assert!((ms(90)..ms(100)).contains(&best), "{best:?}");
    }
}
