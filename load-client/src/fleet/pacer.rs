//! Decides which requests of a shard's clients to send now, when to ask again, and when the load is over. It does no
//! waiting and no sending itself. Times are since the start of the run.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use super::{request::Send, results::ShardResults};
use crate::{
    arrival::ArrivalPlan,
    client::{Client, Turn},
    recorder::Crowd,
    scenario::Scenario,
};

/// The most sends before answers are processed again (arbitrary: both go on under overload).
const BATCH: usize = 256;

/// The clients of one shard.
pub(super) struct Pacer {
    clients: Vec<Client>,
    scenario: Arc<Scenario>,
    /// The scheduled time of the next request of each client, without the clients that wait for a free slot.
    due: BinaryHeap<Reverse<(Duration, usize)>>,
    /// Clients whose next request is due and waits for an answer to free a slot.
    waiting: usize,
    /// Blocked clients: since its last answer, each had a request due that had to wait or was withheld.
    blocked: usize,
    /// Requests without an answer.
    in_flight: usize,
    /// The most requests that can be in flight.
    slots: usize,
    /// True once the first request has been sent.
    begun: bool,
    /// From this time on, no request is scheduled, and requests that wait for a slot are not sent. `None`: no limit.
    until: Option<Duration>,
    /// When the load is over, if that is known beforehand: at `until` or earlier.
    over: Option<Duration>,
}

/// What the shard must wait for next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Wait until this time, or for an answer.
    At(Duration),
    /// Wait for an answer.
    Answer,
    /// Do not wait: the load was over at this time.
    Over(Duration),
}

impl Pacer {
    pub(super) fn new(mut clients: Vec<Client>, scenario: Arc<Scenario>, arrivals: &ArrivalPlan) -> Self {
        let due = clients
            .iter_mut()
            .enumerate()
            .filter_map(|(client, state)| Some(Reverse((state.next_due(Duration::ZERO)?, client))))
            .collect();
        Self {
            slots: clients.len().saturating_mul(scenario.max_in_flight as usize),
            begun: false,
            clients,
            scenario,
            due,
            waiting: 0,
            blocked: 0,
            in_flight: 0,
            until: arrivals.until(),
            over: arrivals.over(),
        }
    }

    /// The number of clients of the shard.
    pub(super) fn clients(&self) -> usize {
        self.clients.len()
    }

    /// The number of blocked clients.
    pub(super) fn blocked(&self) -> usize {
        self.blocked
    }

    /// Passes the requests that are due at `now` to `send`, at most a batch of them; withholds those of blocked clients
    /// if the scenario asks for that.
    pub(super) fn send_due(&mut self, now: Duration, results: &mut ShardResults, mut send: impl FnMut(usize, Send)) {
        for _ in 0..BATCH {
            let Some((_, client)) = self.next_in_time().filter(|(at, _)| *at <= now) else {
                return;
            };
            self.due.pop();
            let was_blocked = self.clients[client].blocked();
            let turn = self.clients[client].turn(now, self.scenario.max_in_flight, self.scenario.when_blocked);
            self.blocked += usize::from(!was_blocked && self.clients[client].blocked());
            match turn {
                Some(Turn::Send { scheduled, possible }) => {
                    self.in_flight += 1;
                    let crowd = Crowd::of(self.in_flight, self.slots, !std::mem::replace(&mut self.begun, true));
                    let number = results.sending(client, scheduled);
                    send(
                        results.target(client),
                        Send {
                            client,
                            number,
                            scheduled,
                            possible,
                            crowd,
                            tried: None,
                        },
                    );
                }
                Some(Turn::Withhold(scheduled)) => {
                    results.withheld(client, scheduled, Some(now.saturating_sub(scheduled.at)));
                }
                Some(Turn::Wait) => {
                    self.waiting += 1;
                    continue;
                }
                None => continue,
            }
            if let Some(at) = self.clients[client].next_due(now) {
                self.due.push(Reverse((at, client)));
            }
        }
    }

    /// Records that a request of the client has ended.
    pub(super) fn answered(&mut self, client: usize, now: Duration) {
        self.in_flight -= 1;
        self.blocked -= usize::from(self.clients[client].blocked());
        if self.clients[client].answered(now) {
            self.waiting -= 1;
            self.due.push(Reverse((now, client)));
        }
    }

    /// What to wait for after the requests that are due have been sent.
    pub(super) fn next(&self, now: Duration) -> Next {
        // Requests that are due are sent first, even if the load is over: the start lag of the load client must not
        // withhold them.
        if let Some((at, _)) = self.next_in_time() {
            return Next::At(at);
        }
        if let Some(until) = self.until.filter(|until| now >= *until) {
            return Next::Over(self.over.unwrap_or(until));
        }
        let scheduled = self.scenario.schedule.is_some();
        // With a number of requests, all of them are sent, even late. Without a schedule, the answers set the pace, and
        // the load is over with the last answer.
        let unsent = !self.due.is_empty()
            || if scheduled {
                self.waiting > 0
            } else {
                self.in_flight > 0
            };
        match self.over {
            _ if unsent => self.until.map_or(Next::Answer, Next::At),
            Some(over) if scheduled && now < over => Next::At(over),
            Some(over) if scheduled => Next::Over(over),
            _ => Next::Over(now),
        }
    }

    /// Ends the load, at `now` if it was stopped early, and returns the time at which it is over. Requests that were
    /// scheduled before that and not sent count as withheld.
    pub(super) fn close(mut self, now: Duration, results: &mut ShardResults) -> Duration {
        let over = self.over.map_or(now, |over| over.min(now));
        for (index, client) in self.clients.iter_mut().enumerate() {
            for scheduled in client.unsent(over) {
                results.withheld(index, scheduled, None);
            }
        }
        results.load_over(over);
        over
    }

    fn next_in_time(&self) -> Option<(Duration, usize)> {
        let Reverse(next) = self.due.peek()?;
        Some(*next).filter(|(at, _)| self.until.is_none_or(|until| *at < until))
    }
}
