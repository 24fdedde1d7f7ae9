//! A client: what it schedules next, what it has in flight. A value, not a task, so that tens of thousands are cheap.

use std::time::Duration;

use crate::{
    arrival::{Arrivals, Scheduled},
    scenario::WhenBlocked,
};

/// One client: what it has scheduled, what it has in flight, and what waits for a slot.
#[derive(Debug)]
pub struct Client {
    arrivals: Arrivals,
    next: Option<Scheduled>,
    /// How many more requests it may schedule.
    left: u64,
    in_flight: u32,
    /// Whether a send is due that has to wait for an answer.
    waiting: bool,
    /// Whether a send has waited or was withheld since the last answer.
    blocked: bool,
    /// When an answer last let a waiting send go, since the start of the run.
    free_since: Duration,
}

/// What a client does with a send that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Sends it. The client could have sent it at `possible`.
    Send {
        /// The scheduled request.
        scheduled: Scheduled,
        /// The scheduled time, or the later time at which the client became free, since the start of the run.
        possible: Duration,
    },
    /// Never sends it.
    Withhold(Scheduled),
    /// Sends it when an answer has come.
    Wait,
}

impl Client {
    /// A client that schedules at most `left` requests.
    pub fn new(arrivals: Arrivals, left: u64) -> Self {
        Self {
            arrivals,
            next: None,
            left,
            in_flight: 0,
            waiting: false,
            blocked: false,
            free_since: Duration::ZERO,
        }
    }

    /// When its next request is scheduled; `None` if no request is left.
    pub fn next_due(&mut self, now: Duration) -> Option<Duration> {
        if self.next.is_none() && self.left > 0 {
            self.next = self.arrivals.next(now);
            self.left -= 1;
        }
        self.next.map(|scheduled| scheduled.at)
    }

    /// Decides what to do with the next send, which is due. `None` if no request is left.
    pub fn turn(&mut self, now: Duration, max_in_flight: u32, when_blocked: WhenBlocked) -> Option<Turn> {
        self.next_due(now)?;
        let free = self.in_flight < max_in_flight;
        // Without a schedule there is nothing to withhold: the client sends whenever it may.
        if !free && (when_blocked == WhenBlocked::Backlog || !self.arrivals.scheduled()) {
            self.waiting = true;
            self.blocked = self.arrivals.scheduled();
            return Some(Turn::Wait);
        }
        let mut scheduled = self.next.take()?;
        if !free {
            self.blocked = true;
            return Some(Turn::Withhold(scheduled));
        }
        if !self.arrivals.scheduled() {
            scheduled.at = now;
        }
        self.in_flight += 1;
        let possible = scheduled.at.max(self.free_since);
        Some(Turn::Send { scheduled, possible })
    }

    /// An answer has come, or was given up. Returns whether a send has waited for it.
    pub fn answered(&mut self, now: Duration) -> bool {
        self.in_flight -= 1;
        self.blocked = false;
        if self.waiting {
            self.free_since = now;
        }
        std::mem::take(&mut self.waiting)
    }

    /// True if a scheduled request was due after the last answer, and the client could not send it.
    pub fn blocked(&self) -> bool {
        self.blocked
    }

    /// The requests that were scheduled before `end` and will not be sent.
    pub fn unsent(&mut self, end: Duration) -> impl Iterator<Item = Scheduled> {
        let scheduled = self.arrivals.scheduled();
        std::iter::from_fn(move || {
            if !scheduled {
                return None;
            }
            self.next_due(end).filter(|at| *at < end)?;
            self.next.take()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        arrival::ArrivalPlan,
        scenario::{Schedule, TraceRow},
    };

    fn client(schedule: &Schedule) -> Client {
        Client::new(ArrivalPlan::new(schedule, 1, 1).client(0), u64::MAX)
    }

    fn every_second() -> Schedule {
        let row = |second| TraceRow {
            at: Duration::from_secs(second),
            demand: None,
        };
        Schedule::Trace((0..5).map(row).collect())
    }

    fn at(turn: Option<Turn>) -> u64 {
        match turn {
            Some(Turn::Send { scheduled, .. } | Turn::Withhold(scheduled)) => scheduled.at.as_secs(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_blocked_client_withholds_what_is_due_and_goes_on_with_the_next() {
        let mut client = client(&every_second());
        let now = Duration::ZERO;
        assert_eq!(at(client.turn(now, 1, WhenBlocked::Withhold)), 0);
        assert!(matches!(
            client.turn(now, 1, WhenBlocked::Withhold),
            Some(Turn::Withhold(_))
        ));
        assert!(!client.answered(now));
        assert_eq!(at(client.turn(now, 1, WhenBlocked::Withhold)), 2);
        assert_eq!(client.unsent(Duration::from_secs(4)).count(), 1);
    }

    #[test]
    fn a_backlogged_client_keeps_the_intended_times() {
        let mut client = client(&every_second());
        let late = Duration::from_secs(9);
        assert_eq!(at(client.turn(late, 1, WhenBlocked::Backlog)), 0);
        assert_eq!(client.turn(late, 1, WhenBlocked::Backlog), Some(Turn::Wait));
        assert!(client.answered(late));
        let turn = client.turn(late, 1, WhenBlocked::Backlog);
        assert!(matches!(turn, Some(Turn::Send { possible, .. }) if possible == late));
        assert_eq!(at(turn), 1);
        assert_eq!(client.unsent(late).count(), 3);
        assert_eq!(client.turn(late, 9, WhenBlocked::Backlog), None);
    }

    #[test]
    fn without_a_schedule_a_send_is_intended_when_it_is_made() {
        let mut client = client(&Schedule::AsFastAsPossible);
        assert_eq!(client.next_due(Duration::ZERO), Some(Duration::ZERO));
        assert_eq!(at(client.turn(Duration::from_secs(3), 1, WhenBlocked::Withhold)), 3);
        assert_eq!(
            client.turn(Duration::from_secs(3), 1, WhenBlocked::Withhold),
            Some(Turn::Wait)
        );
        assert_eq!(client.unsent(Duration::from_secs(9)).count(), 0);
    }
}
