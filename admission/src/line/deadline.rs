//! The oldest request first. Requests that cannot be answered in time are rejected on arrival.
//!
//! ```text
//! on arrival:  reject if now + (waiting + 1) s / L + s > deadline
//! at its turn: reject if now + s > deadline
//! ```
//!
//! `s` is the observed service time, `L` the limit. Source: the admission test of Bouncer (SIGMOD 2024), with the mean instead
//! of a percentile. A request without a deadline may wait for `target_wait`, if that is set.

use std::time::Duration;

use super::{
    algorithm::{Arrival, Line, LineSettings, Load, Reason, Turn},
    caller::{Caller, Id},
    waiting::Waiting,
};

/// The line that the [module](self) describes.
#[derive(Debug, Clone)]
pub struct Deadline {
    waiting: Waiting,
    settings: LineSettings,
}

impl Deadline {
    /// An empty line in which `settings.places` requests may wait.
    pub fn new(settings: LineSettings) -> Self {
        Self {
            waiting: Waiting::default(),
            settings,
        }
    }

    /// Whether a request is too late if its service begins `wait` after `now`.
    fn too_late(&self, caller: &Caller, now: Duration, wait: Duration, load: &Load) -> bool {
        match (caller.deadline, self.settings.target_wait) {
            (Some(_), _) => caller.too_late(now + wait, load.service_time),
            (None, Some(target)) => !caller.patient && caller.waited(now) + wait > target,
            (None, None) => false,
        }
    }
}

impl Line for Deadline {
    fn arrive(&mut self, now: Duration, caller: Caller, load: &Load) -> Arrival {
        if !caller.patient && self.waiting.bounded() >= self.settings.places {
            return Arrival::Rejected(Reason::Full);
        }
        if self.too_late(&caller, now, load.expected_wait(self.waiting.len()), load) {
            return Arrival::Rejected(Reason::Deadline);
        }
        self.waiting.push(caller);
        Arrival::Waits
    }

    fn next(&mut self, now: Duration, load: &Load) -> Option<Turn> {
        let oldest = self.waiting.oldest()?;
        self.waiting.remove(oldest.id);
        Some(if self.too_late(&oldest, now, Duration::ZERO, load) {
            Turn::Reject(oldest, Reason::Deadline)
        } else {
            Turn::Serve(oldest)
        })
    }

    fn leave(&mut self, id: Id) -> bool {
        self.waiting.remove(id).is_some()
    }

    fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::algorithm::tests::*, *};

    #[test]
    fn rejects_on_arrival_what_cannot_be_answered_in_time() {
        // Four requests at once, 20 ms each: a wait of 5 ms for each request ahead.
        let mut line = Deadline::new(LineSettings::default());
        assert_eq!(line.arrive(ms(0), until(1, 0, 25), &LOAD), Arrival::Waits, "5 + 20 ms");
        assert_eq!(
            line.arrive(ms(0), until(2, 0, 29), &LOAD),
            Arrival::Rejected(Reason::Deadline)
        );
        assert_eq!(line.arrive(ms(0), until(3, 0, 30), &LOAD), Arrival::Waits, "10 + 20 ms");
        assert_eq!(
            line.arrive(ms(0), caller(4, 0), &LOAD),
            Arrival::Waits,
            "it has no deadline"
        );
        assert_eq!(
            line.next(ms(6), &LOAD),
            Some(Turn::Reject(until(1, 0, 25), Reason::Deadline))
        );
        assert_eq!(line.next(ms(10), &LOAD), Some(Turn::Serve(until(3, 0, 30))));
    }

    #[test]
    fn the_operators_target_holds_for_requests_without_a_deadline() {
        let mut line = Deadline::new(LineSettings {
            target_wait: Some(ms(10)),
            ..LineSettings::default()
        });
        assert_eq!(line.arrive(ms(0), caller(1, 0), &LOAD), Arrival::Waits);
        assert_eq!(line.arrive(ms(0), caller(2, 0), &LOAD), Arrival::Waits);
        assert_eq!(
            line.arrive(ms(0), caller(3, 0), &LOAD),
            Arrival::Rejected(Reason::Deadline)
        );
        assert_eq!(line.arrive(ms(0), patient(4, 0), &LOAD), Arrival::Waits);
        assert_eq!(
            line.next(ms(11), &LOAD),
            Some(Turn::Reject(caller(1, 0), Reason::Deadline))
        );
    }
}
