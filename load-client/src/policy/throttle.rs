//! A client that holds its own requests back (*Site Reliability Engineering*, chapter 21, Google 2016): of the requests of a
//! window it does not send a share max(0, (requests − K × accepts) / (requests + 1)), with K = 2.
//!
//! Requests count before they are sent, those that are held back included: so the client holds back the more, the more its
//! callers ask. While the service accepts nothing, nearly nothing is sent: one of 12,000 requests in a window. The client
//! then notices only by chance, after minutes, that the service has recovered. With probes it therefore sends at least one
//! request in each second in which one is scheduled.

use std::{collections::VecDeque, time::Duration};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::attempt::{After, AttemptEnd, Before, Policy};
use crate::outcome::Outcome;

/// Requests per accepted one that the client still sends (the book's K).
const MULTIPLIER: f64 = 2.0;
/// The number of parts of the window. The oldest part is dropped as a whole (arbitrary: as coarse as in other
/// implementations).
const PARTS: u32 = 40;

/// The requests in one part of the window.
#[derive(Debug, Clone, Copy)]
struct Part {
    begins: Duration,
    requests: u64,
    accepts: u64,
}

/// The throttle of one target.
#[derive(Debug)]
pub(super) struct Throttle {
    window: Duration,
    probes: bool,
    parts: VecDeque<Part>,
    requests: u64,
    accepts: u64,
    /// The second, since the start of the run, in which a request was last sent.
    last_sent: Option<u64>,
    random: Pcg64Mcg,
}

impl Throttle {
    pub(super) fn new(window: Duration, probes: bool, random: Pcg64Mcg) -> Self {
        Self {
            window,
            probes,
            parts: VecDeque::new(),
            requests: 0,
            accepts: 0,
            last_sent: None,
            random,
        }
    }

    /// The part of the window for `now`. Drops the parts that are too old.
    fn part(&mut self, now: Duration) -> &mut Part {
        while let Some(oldest) = self.parts.front().filter(|part| part.begins + self.window <= now) {
            self.requests -= oldest.requests;
            self.accepts -= oldest.accepts;
            self.parts.pop_front();
        }
        let length = self.window / PARTS;
        if self.parts.back().is_none_or(|part| part.begins + length <= now) {
            self.parts.push_back(Part {
                begins: now,
                requests: 0,
                accepts: 0,
            });
        }
        self.parts.back_mut().expect("there is one")
    }

    fn held_back(&self) -> f64 {
        let (requests, accepts) = (self.requests as f64, self.accepts as f64);
        ((requests - MULTIPLIER * accepts) / (requests + 1.0)).max(0.0)
    }
}

impl Policy for Throttle {
    fn before(&mut self, now: Duration) -> Before {
        self.part(now);
        let held_back = self.held_back();
        self.part(now).requests += 1;
        self.requests += 1;
        // Seconds of the clock, not the time since the last send: the next request always comes a little later than one
        // second, and a minute would have fewer than sixty probes.
        let probe = self.probes && self.last_sent.is_none_or(|last| now.as_secs() > last);
        if held_back > 0.0 && self.random.random::<f64>() < held_back && !probe {
            return Before::GiveUp;
        }
        self.last_sent = Some(now.as_secs());
        Before::Send
    }

    fn after(&mut self, end: &AttemptEnd, next: After) -> After {
        if matches!(end.outcome, Outcome::Ok | Outcome::Failed) {
            self.part(end.at).accepts += 1;
            self.accepts += 1;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;

    use super::*;
    use crate::policy::Why;

    fn throttle(probes: bool) -> Throttle {
        Throttle::new(Duration::from_secs(120), probes, Pcg64Mcg::seed_from_u64(1))
    }

    /// Sends ten requests per second for `seconds` to a service that answers with `outcome`. Returns how many were sent in
    /// each minute.
    fn sent(throttle: &mut Throttle, from: u64, seconds: u64, outcome: Outcome) -> Vec<u32> {
        let mut minutes = Vec::new();
        for tenth in 0..seconds * 10 {
            let now = Duration::from_secs(from) + Duration::from_millis(100 * tenth);
            if tenth % 600 == 0 {
                minutes.push(0);
            }
            if throttle.before(now) == Before::Send {
                *minutes.last_mut().unwrap() += 1;
                let end = AttemptEnd {
                    at: now,
                    outcome,
                    pushback: None,
                    attempts: 1,
                    since_pushback: 1,
                    deadline: Duration::MAX,
                };
                throttle.after(&end, After::Done(Why::Ended));
            }
        }
        minutes
    }

    #[test]
    fn nothing_is_held_back_while_the_service_accepts() {
        assert_eq!(sent(&mut throttle(false), 0, 120, Outcome::Ok), [600, 600]);
    }

    #[test]
    fn without_probes_a_service_that_is_well_again_is_not_found() {
        let mut book = throttle(false);
        sent(&mut book, 0, 120, Outcome::Ok);
        let down = sent(&mut book, 120, 600, Outcome::Unavailable);
        assert!(down[5..].iter().sum::<u32>() < 20, "{down:?}");
        let well = sent(&mut book, 720, 60, Outcome::Ok);
        assert!(well[0] < 60, "{well:?}");
    }

    #[test]
    fn with_probes_it_is_found_within_two_windows_and_probed_every_second_meanwhile() {
        let mut probing = throttle(true);
        sent(&mut probing, 0, 120, Outcome::Ok);
        let down = sent(&mut probing, 120, 600, Outcome::Unavailable);
        assert!(down[5..].iter().all(|minute| (60..75).contains(minute)), "{down:?}");
        let well = sent(&mut probing, 720, 300, Outcome::Ok);
        assert_eq!(well.last(), Some(&600), "{well:?}");
    }

    #[test]
    fn each_second_in_which_there_is_a_request_has_one_that_is_sent() {
        for rate in [0.5, 2.0, 20.0] {
            let (mut throttle, mut random) = (throttle(true), Pcg64Mcg::seed_from_u64(3));
            let mut at = Duration::ZERO;
            let (mut due, mut sent) = (BTreeSet::new(), BTreeSet::new());
            // The service accepts no request.
            while at < Duration::from_secs(600) {
                due.insert(at.as_secs());
                if throttle.before(at) == Before::Send {
                    sent.insert(at.as_secs());
                }
                at += Duration::from_secs_f64(-(1.0 - random.random::<f64>()).ln() / rate);
            }
            assert_eq!(sent, due, "{rate} requests per second");
            assert!(due.len() > 200);
        }
    }
}
