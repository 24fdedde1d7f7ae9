//! Little's law as a check of the measuring itself: the number of requests in flight, added up over the time of the run, is
//! the sum of the times that each of them was in flight (J. D. C. Little, 1961).
//!
//! The two sides have different sources. The sending loop counts the requests in flight, each time that it wakes. Each call
//! measures its own time. In virtual time the loop wakes at each instant at which something happens, so the two sides are
//! equal to the nanosecond; if they are not, an end was lost, counted twice, or seen too late.

use std::time::Duration;

/// Both sides of Little's law, in nanoseconds times requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Little {
    seen_at: Duration,
    inside: u64,
    area: u128,
    times: u128,
    /// Requests that were given up: their times are not known.
    left: u64,
}

impl Little {
    /// Takes in how many requests are in flight from `now` on.
    pub fn inside(&mut self, now: Duration, inside: u64) {
        self.area += now.saturating_sub(self.seen_at).as_nanos() * u128::from(self.inside);
        self.seen_at = now;
        self.inside = inside;
    }

    /// Takes in how long a request was in flight.
    pub fn ended(&mut self, time: Duration) {
        self.times += time.as_nanos();
    }

    /// Counts a request that was given up: how long it was in flight is not known.
    pub fn broken_off(&mut self) {
        self.left += 1;
    }

    /// Ends the count. Requests that are still in flight are given up.
    pub fn over(&mut self) {
        self.left += self.inside;
    }

    /// Adds the sums of another shard.
    pub fn merge(&mut self, other: &Self) {
        self.area += other.area;
        self.times += other.times;
        self.left += other.left;
    }

    /// Whether the two sides are equal; `None` if some requests were given up.
    pub fn holds(&self) -> Option<bool> {
        (self.left == 0).then_some(self.area == self.times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn it_holds_if_every_request_is_counted_for_as_long_as_it_was_in_flight() {
        let mut little = Little::default();
        little.inside(at(0), 1);
        little.inside(at(10), 2);
        little.ended(at(30));
        little.inside(at(30), 1);
        little.ended(at(35));
        little.inside(at(45), 0);
        little.over();
        assert_eq!(little.holds(), Some(true));
        // The loop sees an end 1 ms too late.
        let mut late = little;
        late.inside(at(50), 1);
        late.ended(at(5));
        late.inside(at(56), 0);
        assert_eq!(late.holds(), Some(false));
    }

    #[test]
    fn of_requests_that_were_given_up_it_says_nothing() {
        let mut little = Little::default();
        little.inside(at(0), 1);
        little.inside(at(10), 1);
        little.over();
        assert_eq!(little.holds(), None);
    }
}
