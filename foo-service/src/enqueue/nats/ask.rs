//! When to ask the server for messages, and for how many: the state of the requests, without any waiting.
//!
//! Only one request is open at a time, because a message does not say which request it answers. If a worker is free and no
//! delivered message waits for one, the request is for one message and waits at the server until there is one. If more messages
//! are known to be on the queue, the request is for as many as there are free workers, and brings only those that are there now.
//!
//! A request ends with its last message or with a status. While a request waits, the server sends a heartbeat every second, so a
//! request that was lost is recognised by silence. If the server refuses a request, the next one waits a moment.

use std::time::Duration;

use tokio::time::Instant;

use super::shared::RETRY;

/// How long a request may wait at the server.
pub(super) const EXPIRES: Duration = Duration::from_secs(30);
/// The time between heartbeats of the server while a request waits.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long without a heartbeat a request counts as lost (derived: two and a half heartbeats).
pub(super) const SILENCE: Duration = Duration::from_millis(2500);

/// A request to the server for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    /// The number of the request, which is part of the subject for its answers.
    pub(super) serial: u64,
    /// The most messages that the request may bring.
    pub(super) most: usize,
    /// True if the request waits at the server for the first message.
    pub(super) waits: bool,
}

/// The state of the open request, and how many messages are known to wait.
#[derive(Debug)]
pub(super) struct Asking {
    serial: u64,
    /// Messages that the open request may still bring.
    outstanding: usize,
    /// How many messages waited on the queue when the last one was delivered.
    pending: u64,
    /// When the server last sent anything.
    heard: Instant,
    /// No request before this instant, because the server has refused the last one.
    not_before: Instant,
}

impl Asking {
    /// Starts without an open request.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            serial: 0,
            outstanding: 0,
            pending: 0,
            heard: now,
            not_before: now,
        }
    }

    /// True if a request is open.
    pub(super) fn is_open(&self) -> bool {
        self.outstanding > 0
    }

    /// The request to make now, if any. `free` workers are free, and `held` delivered messages wait for a worker.
    pub(super) fn request(&mut self, now: Instant, free: usize, held: usize) -> Option<Request> {
        if self.outstanding > 0 || held > 0 || free == 0 || now < self.not_before {
            return None;
        }
        let there = usize::try_from(self.pending).unwrap_or(usize::MAX);
        let several = there > 0 && free > 1;
        self.outstanding = if several { free.min(there) } else { 1 };
        self.serial += 1;
        self.heard = now;
        Some(Request {
            serial: self.serial,
            most: self.outstanding,
            waits: !several,
        })
    }

    /// Counts a message that was delivered while `pending` others waited.
    pub(super) fn message(&mut self, now: Instant, pending: u64) {
        self.heard = now;
        self.pending = pending;
        self.outstanding = self.outstanding.saturating_sub(1);
    }

    /// Notes a heartbeat.
    pub(super) fn heartbeat(&mut self, now: Instant) {
        self.heard = now;
    }

    /// Notes that the server has ended the request with the number `serial`.
    pub(super) fn ended(&mut self, now: Instant, serial: u64) {
        self.heard = now;
        if serial == self.serial {
            self.outstanding = 0;
            self.pending = 0;
        }
    }

    /// Notes that the server has refused the request with the number `serial`. It may refuse the next one as quickly, so that one
    /// has to wait.
    pub(super) fn refused(&mut self, now: Instant, serial: u64) {
        if serial == self.serial {
            self.not_before = now + RETRY;
        }
        self.ended(now, serial);
    }

    /// Until when no request may be made; `None` if one may be made at `now`.
    pub(super) fn paused_until(&self, now: Instant) -> Option<Instant> {
        (now < self.not_before).then_some(self.not_before)
    }

    /// Gives up the open request, because the connection is new or the server is silent.
    pub(super) fn lost(&mut self) {
        self.outstanding = 0;
        self.pending = 0;
    }

    /// When the open request counts as lost, if the server sends nothing before; `None` if no request is open.
    pub(super) fn lost_at(&self) -> Option<Instant> {
        self.is_open().then(|| self.heard + SILENCE)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Deliver(u64),
        Status { of_open: bool, refuses: bool },
        Heartbeat,
        Take,
        Finish,
        Reconnect,
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..50_u64).prop_map(Step::Deliver),
            2 => any::<(bool, bool)>().prop_map(|(of_open, refuses)| Step::Status { of_open, refuses }),
            1 => Just(Step::Heartbeat),
            4 => Just(Step::Take),
            4 => Just(Step::Finish),
            1 => Just(Step::Reconnect),
            2 => (0..3000_u64).prop_map(Step::Pass),
        ]
    }

    proptest! {
        /// With a server that works as specified: never more delivered messages wait than workers were free at the time of the
        /// request, and while a worker is free, there is a request or a message, apart from the time until silence is noticed and
        /// the pause after a refusal. No request is made in that pause.
        #[test]
        fn no_more_is_held_than_workers_are_free_and_no_worker_stays_free_without_a_request(
            workers in 1..8_usize,
            steps in prop::collection::vec(step(), 1..200),
        ) {
            let mut now = Instant::now();
            let mut asking = Asking::new(now);
            // The server's state: the number of the open request, and how many messages it may still bring.
            let mut open: Option<(u64, usize)> = None;
            let (mut held, mut busy) = (0, 0);
            let mut asked_at = 0;
            let mut paused_until = now;
            for step in steps {
                if let Some(request) = asking.request(now, workers - busy, held) {
                    prop_assert!(request.most >= 1 && request.most <= workers - busy);
                    prop_assert!(open.is_none_or(|(serial, _)| serial < request.serial));
                    prop_assert!(request.waits || request.most > 0);
                    prop_assert!(now >= paused_until, "a request directly after a refusal");
                    open = Some((request.serial, request.most));
                    asked_at = request.most;
                }
                prop_assert!(held > 0 || busy == workers || asking.is_open() || now < paused_until);
                prop_assert_eq!(asking.paused_until(now), (now < paused_until).then_some(paused_until));
                match step {
                    Step::Deliver(pending) => {
                        if let Some((_, more)) = &mut open && *more > 0 {
                            *more -= 1;
                            held += 1;
                            asking.message(now, pending);
                        }
                    }
                    Step::Status { of_open, refuses } => {
                        let is_open = open.is_some();
                        let (serial, _) = open.unwrap_or_default();
                        if of_open {
                            open = None;
                        }
                        // The status of an earlier request changes nothing.
                        let serial = if of_open && is_open { serial } else { u64::MAX };
                        if refuses {
                            asking.refused(now, serial);
                            if of_open && is_open {
                                paused_until = now + RETRY;
                            }
                        } else {
                            asking.ended(now, serial);
                        }
                    }
                    Step::Heartbeat => asking.heartbeat(now),
                    Step::Take if held > 0 && busy < workers => {
                        held -= 1;
                        busy += 1;
                    }
                    Step::Finish => busy = busy.saturating_sub(1),
                    Step::Take => {}
                    Step::Reconnect => {
                        open = None;
                        asking.lost();
                    }
                    Step::Pass(millis) => {
                        now += Duration::from_millis(millis);
                        if asking.lost_at().is_some_and(|lost| lost <= now) {
                            open = None;
                            asking.lost();
                        }
                    }
                }
                prop_assert!(held <= asked_at);
                prop_assert!(asking.lost_at().is_none_or(|lost| lost <= now + SILENCE));
            }
        }
    }
}
