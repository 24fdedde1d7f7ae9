//! One shard's clients and what is due of them, without any waiting: what to send now, when to look again, when it is
//! over. Times are since the start of the run.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use super::{request::Send, results::ShardResults};
use crate::{
    arrival::ArrivalPlan,
    client::{Client, Turn},
    recorder::Crowd,
    scenario::Scenario,
};

/// Sends made before answers are looked at again (arbitrary: keeps both going under overload).
const BATCH: usize = 256;

/// The clients of one shard.
pub(super) struct Pacer {
    clients: Vec<Client>,
    scenario: Arc<Scenario>,
    /// When the next request of each client that is not blocked is scheduled.
    due: BinaryHeap<Reverse<(Duration, usize)>>,
    /// Clients with a send that waits for an answer.
    waiting: usize,
    /// Clients that are blocked, whether a send waits or was withheld.
    blocked: usize,
    /// Sends that have no answer yet.
    in_flight: usize,
    /// How many there can be.
    slots: usize,
    /// Whether there has been one.
    begun: bool,
    /// Nothing that is scheduled from this time on is sent, and nothing that waits is sent any more.
    until: Option<Duration>,
    /// When nothing is scheduled any more, as far as that is known beforehand: at `until`, or before.
    over: Option<Duration>,
}

/// What a shard waits for next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing before this, unless an answer comes.
    At(Duration),
    /// Nothing, unless an answer comes.
    Answer,
    /// Nothing any more: the load was over at this time.
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

    /// How many clients there are.
    pub(super) fn clients(&self) -> usize {
        self.clients.len()
    }

    /// Clients that would send and wait for an answer instead.
    pub(super) fn blocked(&self) -> usize {
        self.blocked
    }

    /// Hands over every send that is due by `now`, or a batch of them.
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
                Some(Turn::Send { intent, possible }) => {
                    self.in_flight += 1;
                    let crowd = Crowd::of(self.in_flight, self.slots, !std::mem::replace(&mut self.begun, true));
                    let number = results.sending(client, intent);
                    send(
                        results.target(client),
                        Send {
                            client,
                            number,
                            intent,
                            possible,
                            crowd,
                            tried: None,
                        },
                    );
                }
                Some(Turn::Withhold(intent)) => {
                    results.withheld(client, intent, Some(now.saturating_sub(intent.at)));
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

    /// A client has an answer.
    pub(super) fn answered(&mut self, client: usize, now: Duration) {
        self.in_flight -= 1;
        self.blocked -= usize::from(self.clients[client].blocked());
        if self.clients[client].answered(now) {
            self.waiting -= 1;
            self.due.push(Reverse((now, client)));
        }
    }

    /// What comes next, once what is due has been sent.
    pub(super) fn next(&self, now: Duration) -> Next {
        // What is still due goes first: start lag withholds nothing.
        if let Some((at, _)) = self.next_in_time() {
            return Next::At(at);
        }
        if let Some(until) = self.until.filter(|until| now >= *until) {
            return Next::Over(self.over.unwrap_or(until));
        }
        let scheduled = self.scenario.schedule.is_some();
        // Requests that were asked for by number are made, however late. Without a schedule, it is the answers that make
        // the pace, and the load is over with the last one.
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

    /// The load is over, before its end if it was stopped: what was scheduled by then and not sent is withheld.
    pub(super) fn close(mut self, now: Duration, results: &mut ShardResults) -> Duration {
        let over = self.over.map_or(now, |over| over.min(now));
        for (index, client) in self.clients.iter_mut().enumerate() {
            for intent in client.unsent(over) {
                results.withheld(index, intent, None);
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
