//! When the next message is asked for, and how many: the bookkeeping of requests to the server, without any waiting.
//!
//! One request is open at a time, because a message does not say which request it answers. While a worker is free and no message
//! is in hand, one message is asked for, and that request waits at the server until there is one. Where more are known to wait,
//! as many are asked for as there are free workers, and only those that are there now.
//!
//! A request ends with its last message or with a status. A request that was lost is recognised by silence: the server sends a
//! sign of life every second while a request waits.

use std::time::Duration;

use tokio::time::Instant;

/// How long a request may wait at the server.
pub(super) const EXPIRES: Duration = Duration::from_secs(30);
/// How often the server sends a sign of life while a request waits.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);
/// After so long without a sign of life a request counts as lost (derived: two signs and a half).
pub(super) const SILENCE: Duration = Duration::from_millis(2500);

/// What to ask the server for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    /// The number of the request, which is in the address for its answers.
    pub(super) serial: u64,
    /// The most messages that it may bring.
    pub(super) most: usize,
    /// Whether it waits for the first message.
    pub(super) waits: bool,
}

/// The open request, and what is known of the queue.
#[derive(Debug)]
pub(super) struct Asking {
    serial: u64,
    /// Messages that the open request may still bring.
    outstanding: usize,
    /// Messages that waited on the queue when the last one was delivered.
    pending: u64,
    /// When there was the last sign of life.
    heard: Instant,
}

impl Asking {
    /// No request is open.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            serial: 0,
            outstanding: 0,
            pending: 0,
            heard: now,
        }
    }

    /// Whether a request is open.
    pub(super) fn is_open(&self) -> bool {
        self.outstanding > 0
    }

    /// The request to make now, if there is one: with so many workers `free`, and so many messages `held` that no worker has yet.
    pub(super) fn request(&mut self, now: Instant, free: usize, held: usize) -> Option<Request> {
        if self.outstanding > 0 || held > 0 || free == 0 {
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

    /// A message has come, when `pending` others waited.
    pub(super) fn message(&mut self, now: Instant, pending: u64) {
        self.heard = now;
        self.pending = pending;
        self.outstanding = self.outstanding.saturating_sub(1);
    }

    /// A sign of life has come.
    pub(super) fn heartbeat(&mut self, now: Instant) {
        self.heard = now;
    }

    /// The server has ended the request of that number.
    pub(super) fn ended(&mut self, now: Instant, serial: u64) {
        self.heard = now;
        if serial == self.serial {
            self.outstanding = 0;
            self.pending = 0;
        }
    }

    /// The connection is a new one, or the server is silent: the open request is gone.
    pub(super) fn lost(&mut self) {
        self.outstanding = 0;
        self.pending = 0;
    }

    /// When the open request counts as lost, if nothing is heard until then.
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
        Status { of_open: bool },
        Heartbeat,
        Take,
        Finish,
        Reconnect,
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..50_u64).prop_map(Step::Deliver),
            2 => any::<bool>().prop_map(|of_open| Step::Status { of_open }),
            1 => Just(Step::Heartbeat),
            4 => Just(Step::Take),
            4 => Just(Step::Finish),
            1 => Just(Step::Reconnect),
            2 => (0..3000_u64).prop_map(Step::Pass),
        ]
    }

    proptest! {
        /// Against a server that keeps its word: never more in hand than free workers at the time of asking, and never neither a
        /// request nor a message while a worker is free, for longer than the silence lasts.
        #[test]
        fn no_more_is_held_than_workers_are_free_and_no_worker_stays_free_without_a_request(
            workers in 1..8_usize,
            steps in prop::collection::vec(step(), 1..200),
        ) {
            let mut now = Instant::now();
            let mut asking = Asking::new(now);
            // Of the server: the open request, with what it may still bring.
            let mut open: Option<(u64, usize)> = None;
            let (mut held, mut busy) = (0, 0);
            let mut asked_at = 0;
            for step in steps {
                if let Some(request) = asking.request(now, workers - busy, held) {
                    prop_assert!(request.most >= 1 && request.most <= workers - busy);
                    prop_assert!(open.is_none_or(|(serial, _)| serial < request.serial));
                    prop_assert!(request.waits || request.most > 0);
                    open = Some((request.serial, request.most));
                    asked_at = request.most;
                }
                prop_assert!(held > 0 || busy == workers || asking.is_open());
                match step {
                    Step::Deliver(pending) => {
                        if let Some((_, more)) = &mut open && *more > 0 {
                            *more -= 1;
                            held += 1;
                            asking.message(now, pending);
                        }
                    }
                    Step::Status { of_open } => {
                        let (serial, _) = open.unwrap_or_default();
                        if of_open {
                            open = None;
                        }
                        // One of an earlier request changes nothing.
                        asking.ended(now, if of_open { serial } else { serial.wrapping_sub(1) });
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
