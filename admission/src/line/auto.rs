//! The oldest request first; the newest first while overload lasts. Requests that cannot be answered in time are rejected.
//!
//! ```text
//! latest start = min(deadline − s, arrival + target)     target: as set; 4 s, at least 10 ms, for requests without a deadline
//! on arrival:    reject if now + expected wait > latest start        (the wait is zero while the newest is first)
//! at its turn:   reject if now > latest start
//! overload:      more than a fifth of the last 64 requests were lost
//! ```
//!
//! `s` is the observed service time. A request is lost if it is rejected or goes away while it waits.
//!
//! - Up to the capacity, serving the oldest first is best: a request that waits nearly until its deadline is still answered in
//!   time. With the latest start above, goodput is within 2 % of the best fixed line (measured). Newest first loses up to 7 %
//!   there, because newer requests overtake older ones until these are too late.
//! - Above the capacity, serving the requests with most time left is best. Oldest first then serves requests that have no
//!   time to spare, and where service times vary that wastes up to 22 % (measured). Newest first wastes nothing.
//! - The threshold of a fifth lies between two cases: at the capacity 3 to 13 % are lost, at 1.4 times the capacity 29 %.
//! - While the newest is first, at most eight requests wait for each place. An older one would be served only after a lull of
//!   eight service times, and such a lull does not come in overload. It is rejected at once instead of at its deadline, so its
//!   caller can go elsewhere: at a hundred times the capacity within a tenth of a service time.
//! - Where work stops at the deadline and service times vary much, serving requests with little time left can bring more
//!   answers. `slack.rs` estimates the best time left. In overload the order is then the oldest first among the requests that
//!   have that much time left.
//!
//! Source: own; measured by `scripts/bench regret`.

use std::time::Duration;

use super::{
    algorithm::{Arrival, Ended, Line, LineSettings, Load, Reason, Turn},
    caller::{Caller, Id},
    lifo::push_newest,
    slack::Slack,
    waiting::Waiting,
};

/// The number of requests over which the share of losses is averaged. Arbitrary, but large enough for an error of 5 points at
/// a share of a fifth.
const MEMORY: f64 = 64.0;
/// The share of losses above which the service is overloaded.
const OVERLOAD: f64 = 0.2;
/// How many requests may wait for each place while the newest is first. Arbitrary: enough for a short lull (see the module).
const RESERVE: u32 = 8;
/// The longest wait of requests without a deadline, in service times, unless the operator sets `target_wait`. Arbitrary.
const WAIT: u32 = 4;
/// The shortest of these waits. Arbitrary: on a busy machine a task that is ready runs some milliseconds later, and work that takes
/// microseconds would make that a reason to reject.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);

/// The line that the [module](self) describes.
#[derive(Debug, Clone)]
pub struct Auto {
    waiting: Waiting,
    settings: LineSettings,
    /// The share of the latest requests that were rejected or went away while they waited.
    lost: f64,
    slack: Slack,
}

impl Auto {
    /// An empty line in which `settings.places` requests may wait.
    pub fn new(settings: LineSettings) -> Self {
        Self {
            waiting: Waiting::default(),
            settings,
            lost: 0.0,
            slack: Slack::default(),
        }
    }

    fn count(&mut self, lost: bool) {
        self.lost += (f64::from(u8::from(lost)) - self.lost) / MEMORY;
    }

    fn overloaded(&self) -> bool {
        self.lost > OVERLOAD
    }

    fn newest_first(&self) -> bool {
        self.overloaded() && self.slack.best().is_none()
    }

    /// How many requests may wait now: fewer while the newest is served first.
    fn places(&self, load: &Load) -> usize {
        let most = self.settings.places;
        if self.newest_first() {
            let reserve = load.limit.saturating_mul(RESERVE);
            most.min(usize::try_from(reserve).unwrap_or(usize::MAX))
        } else {
            most
        }
    }

    /// The latest time at which serving `caller` still makes sense; `None` for no limit.
    fn latest_start(&self, caller: &Caller, load: &Load) -> Option<Duration> {
        if caller.patient {
            return None;
        }
        let time_needed = Some(())
            .filter(|()| self.overloaded())
            .and_then(|()| self.slack.best())
            .unwrap_or(load.service_time);
        let by_deadline = caller.deadline.map(|deadline| deadline.saturating_sub(time_needed));
        let unset = caller.deadline.is_none() && !load.service_time.is_zero();
        let target = self
            .settings
            .target_wait
            .or(unset.then(|| load.service_time.saturating_mul(WAIT).max(SHORTEST_WAIT)));
        // A time that no clock can show is no limit.
        let by_target = target.and_then(|target| caller.arrived.checked_add(target));
        by_deadline.into_iter().chain(by_target).min()
    }
}

impl Line for Auto {
    fn arrive(&mut self, now: Duration, caller: Caller, load: &Load) -> Arrival {
        let wait = if self.newest_first() {
            Duration::ZERO
        } else {
            load.expected_wait(self.waiting.len())
        };
        let arrival = if self
            .latest_start(&caller, load)
            .is_some_and(|latest| now + wait > latest)
        {
            Arrival::Rejected(Reason::Deadline)
        } else {
            let places = self.places(load);
            push_newest(&mut self.waiting, places, caller)
        };
        if arrival != Arrival::Waits {
            self.count(true);
        }
        arrival
    }

    fn next(&mut self, now: Duration, load: &Load) -> Option<Turn> {
        let caller = if self.newest_first() {
            self.waiting.newest()?
        } else {
            self.waiting.oldest()?
        };
        self.waiting.remove(caller.id);
        let late = self.latest_start(&caller, load).is_some_and(|latest| now > latest);
        self.count(late);
        Some(if late {
            Turn::Reject(caller, Reason::Deadline)
        } else {
            Turn::Serve(caller)
        })
    }

    fn leave(&mut self, id: Id) -> bool {
        let was_there = self.waiting.remove(id).is_some();
        if was_there {
            self.count(true);
        }
        was_there
    }

    fn len(&self) -> usize {
        self.waiting.len()
    }

    fn passed(&mut self, _: Duration) {
        self.count(false);
    }

    fn ended(&mut self, ended: &Ended, _: &Load) {
        self.slack.observe(ended);
    }

    fn patience(&self, caller: &Caller, load: &Load) -> Option<Duration> {
        let latest = self.latest_start(caller, load)?;
        Some(latest.max(caller.arrived))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::algorithm::tests::*, *};

    fn line() -> Auto {
        Auto::new(LineSettings::default())
    }

    /// A line in the state of overload, after 64 losses.
    fn overloaded() -> Auto {
        let mut line = line();
        for _ in 0..64 {
            line.count(true);
        }
        line
    }

    #[test]
    fn serves_the_oldest_first_and_rejects_what_cannot_be_answered_in_time() {
        // Four requests at once, 20 ms each: a wait of 5 ms for each request ahead.
        let mut line = line();
        assert_eq!(line.arrive(ms(0), until(1, 0, 25), &LOAD), Arrival::Waits, "5 + 20 ms");
        assert_eq!(
            line.arrive(ms(0), until(2, 0, 29), &LOAD),
            Arrival::Rejected(Reason::Deadline)
        );
        assert_eq!(line.arrive(ms(0), until(3, 0, 90), &LOAD), Arrival::Waits);
        assert_eq!(line.patience(&until(1, 0, 25), &LOAD), Some(ms(5)));
        assert_eq!(line.next(ms(4), &LOAD), Some(Turn::Serve(until(1, 0, 25))));
        assert_eq!(
            line.next(ms(71), &LOAD),
            Some(Turn::Reject(until(3, 0, 90), Reason::Deadline))
        );
    }

    #[test]
    fn serves_the_newest_first_while_overload_lasts() {
        let mut line = overloaded();
        for id in 0..3 {
            assert_eq!(
                line.arrive(ms(id), until(id, id, 22), &LOAD),
                Arrival::Waits,
                "the newest is next"
            );
        }
        assert_eq!(line.next(ms(2), &LOAD), Some(Turn::Serve(until(2, 2, 22))));
        assert_eq!(
            line.next(ms(3), &LOAD),
            Some(Turn::Reject(until(1, 1, 22), Reason::Deadline))
        );
        for _ in 0..128 {
            line.passed(ms(4));
        }
        assert!(!line.newest_first());
    }

    #[test]
    fn in_overload_eight_requests_wait_for_each_place_and_the_oldest_gives_way() {
        let mut line = overloaded();
        for id in 0..32 {
            assert_eq!(line.arrive(ms(0), until(id, 0, 200), &LOAD), Arrival::Waits);
        }
        assert_eq!(
            line.arrive(ms(0), until(32, 0, 200), &LOAD),
            Arrival::Displaces(Id(0), Reason::Displaced)
        );
        assert_eq!(line.len(), 32);
    }

    #[test]
    fn a_request_without_a_deadline_waits_four_service_times_or_as_the_operator_says() {
        assert_eq!(line().patience(&caller(1, 10), &LOAD), Some(ms(90)));
        assert_eq!(line().patience(&patient(1, 10), &LOAD), None);
        let brief = Load {
            service_time: Duration::from_micros(20),
            ..LOAD
        };
        assert_eq!(line().patience(&caller(1, 10), &brief), Some(ms(20)), "10 ms at least");
        let line = Auto::new(LineSettings {
            target_wait: Some(ms(30)),
            ..LineSettings::default()
        });
        assert_eq!(line.patience(&caller(1, 10), &LOAD), Some(ms(40)));
        assert_eq!(
            line.patience(&until(1, 10, 55), &LOAD),
            Some(ms(35)),
            "the earlier of the two"
        );
    }

    #[test]
    fn a_target_longer_than_any_clock_shows_is_no_limit() {
        let mut line = Auto::new(LineSettings {
            target_wait: Some(Duration::MAX),
            ..LineSettings::default()
        });
        assert_eq!(line.arrive(ms(1), caller(1, 1), &LOAD), Arrival::Waits);
        assert_eq!(line.patience(&caller(1, 1), &LOAD), None);
        assert_eq!(line.patience(&until(2, 1, 55), &LOAD), Some(ms(35)));
        assert_eq!(line.next(ms(9000), &LOAD), Some(Turn::Serve(caller(1, 1))));
    }
}
