//! The overload test of CoDel: whether every wait of the last interval was long.
//!
//! ```text
//! at each dequeue with wait w:
//!   if now > end of interval: end ← now + interval; overloaded ← shortest wait > target; shortest ← w; answer no
//!   shortest ← min(shortest, w)
//!   answer: overloaded and w > 2 target
//! ```
//!
//! Source: folly `Codel` (commit ff98381ea). There, target and interval are 5 ms and 100 ms. A request that takes longer than the
//! interval then begins a new interval with each dequeue, so the rule never fires. Here both follow the observed service time
//! `s`: the target is `s/2`, the interval `s`. Measured over loads from 0.9 to 2: equal to the best fixed line of each load.
//! Where `target_wait` is set, it is the target; the interval is the longer of `s` and twice the target.

use std::time::Duration;

use super::algorithm::{LineSettings, Load};

/// The state of the overload test.
#[derive(Debug, Clone)]
pub(super) struct Delay {
    target_wait: Option<Duration>,
    interval_end: Duration,
    shortest: Duration,
    overloaded: bool,
}

impl Delay {
    pub(super) fn new(settings: LineSettings) -> Self {
        Self {
            target_wait: settings.target_wait,
            interval_end: Duration::ZERO,
            shortest: Duration::ZERO,
            overloaded: false,
        }
    }

    fn target(&self, load: &Load) -> Duration {
        self.target_wait.unwrap_or(load.service_time / 2)
    }

    /// Records that a request waited for `waited`. Returns whether it waited too long, so that it should be rejected.
    pub(super) fn too_long(&mut self, now: Duration, waited: Duration, load: &Load) -> bool {
        let target = self.target(load);
        if now > self.interval_end {
            let twice_the_target = self.target_wait.map_or(Duration::ZERO, |wait| wait.saturating_mul(2));
            self.interval_end = now.saturating_add(load.service_time.max(twice_the_target));
            self.overloaded = self.shortest > target;
            self.shortest = waited;
            return false;
        }
        self.shortest = self.shortest.min(waited);
        self.overloaded && waited > target.saturating_mul(2)
    }

    /// Records that a request was admitted without waiting.
    pub(super) fn none(&mut self) {
        self.shortest = Duration::ZERO;
    }

    /// Whether every wait of the last interval was longer than the target.
    pub(super) fn overloaded(&self) -> bool {
        self.overloaded
    }
}

#[cfg(test)]
mod tests {
    use super::{super::algorithm::tests::*, *};

    #[test]
    fn fires_when_every_wait_of_an_interval_was_long() {
        // The service time of 20 ms gives a target of 10 ms and an interval of 20 ms.
        let mut delay = Delay::new(LineSettings::default());
        assert!(!delay.too_long(ms(1), ms(30), &LOAD), "the first of an interval");
        assert!(!delay.too_long(ms(5), ms(30), &LOAD), "one interval must pass");
        assert!(!delay.too_long(ms(22), ms(30), &LOAD), "the first of an interval");
        assert!(delay.overloaded() && delay.too_long(ms(25), ms(21), &LOAD));
        assert!(!delay.too_long(ms(26), ms(20), &LOAD), "not over twice the target");
        delay.none();
        assert!(!delay.too_long(ms(43), ms(30), &LOAD));
        assert!(!delay.overloaded(), "a request did not wait");
    }

    #[test]
    fn a_target_of_the_operator_wins() {
        let mut delay = Delay::new(LineSettings {
            target_wait: Some(ms(100)),
            ..LineSettings::default()
        });
        delay.too_long(ms(1), ms(99), &LOAD);
        delay.too_long(ms(202), ms(300), &LOAD);
        assert!(!delay.too_long(ms(203), ms(300), &LOAD), "99 ms is not over the target");
        delay.too_long(ms(403), ms(150), &LOAD);
        assert!(delay.too_long(ms(404), ms(300), &LOAD));
    }

    #[test]
    fn no_wait_is_too_long_for_a_target_longer_than_any_clock_shows() {
        let mut delay = Delay::new(LineSettings {
            target_wait: Some(Duration::MAX),
            ..LineSettings::default()
        });
        for at in [1, 2, 500] {
            assert!(!delay.too_long(ms(at), ms(300), &LOAD));
        }
        assert!(!delay.overloaded());
    }
}
