//! One shard's clients and what is due of them, without any waiting: what to send now, when to look again, when it is
//! over. Times are since the start of the run.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use super::books::Books;
use crate::{
    arrival::Intent,
    client::{Client, Turn},
    recorder::Crowd,
    scenario::Scenario,
};

/// Sends made before answers are looked at again (arbitrary: keeps both going under overload).
const BATCH: usize = 256;

/// The clients of one shard.
pub(super) struct Desk {
    clients: Vec<Client>,
    scenario: Arc<Scenario>,
    /// When the next send of each client that is not blocked is intended.
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
    /// When the load is over at the latest.
    end: Option<Duration>,
}

/// A send to be made now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Send {
    pub(super) client: usize,
    pub(super) number: u64,
    pub(super) intent: Intent,
    /// When it could have been made.
    pub(super) possible: Duration,
    /// How many slots of the shard are taken with it.
    pub(super) crowd: Crowd,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing before this, unless an answer comes.
    At(Duration),
    /// Nothing, unless an answer comes.
    Answer,
    /// Nothing any more: the load was over at this time.
    Over(Duration),
}

impl Desk {
    pub(super) fn new(mut clients: Vec<Client>, scenario: Arc<Scenario>) -> Self {
        let due = clients
            .iter_mut()
            .enumerate()
            .filter_map(|(client, state)| Some(Reverse((state.next_due(Duration::ZERO)?, client))))
            .collect();
        let end = match (scenario.duration, scenario.schedule.length()) {
            (Some(duration), Some(length)) => Some(duration.min(length)),
            (duration, length) => duration.or(length),
        };
        Self {
            slots: clients.len().saturating_mul(scenario.max_in_flight as usize),
            begun: false,
            clients,
            scenario,
            due,
            waiting: 0,
            blocked: 0,
            in_flight: 0,
            end,
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
    pub(super) fn send_due(&mut self, now: Duration, books: &mut Books, mut send: impl FnMut(Send)) {
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
                    let number = books.sending(client, intent);
                    send(Send {
                        client,
                        number,
                        intent,
                        possible,
                        crowd,
                    });
                }
                Some(Turn::Withhold(intent)) => {
                    books.withheld(client, intent, Some(now.saturating_sub(intent.at)));
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
        // What is still due goes first: the generator's own lateness withholds nothing.
        if let Some((at, _)) = self.next_in_time() {
            return Next::At(at);
        }
        match self.end {
            Some(end) if now >= end => Next::Over(end),
            // Without a schedule, the load is over with the last answer: it is the answers that make the pace.
            _ if self.due.is_empty()
                && (self.scenario.schedule.is_some() && self.waiting == 0 || self.in_flight == 0) =>
            {
                Next::Over(now)
            }
            Some(end) => Next::At(end),
            None => Next::Answer,
        }
    }

    /// The load is over, before its end if it was stopped: what was intended by then and not sent is withheld.
    pub(super) fn close(mut self, now: Duration, books: &mut Books) -> Duration {
        let over = self.end.map_or(now, |end| end.min(now));
        for (index, client) in self.clients.iter_mut().enumerate() {
            for intent in client.unsent(over) {
                books.withheld(index, intent, None);
            }
        }
        books.load_over(over);
        over
    }

    fn next_in_time(&self) -> Option<(Duration, usize)> {
        let Reverse(next) = self.due.peek()?;
        Some(*next).filter(|(at, _)| self.end.is_none_or(|end| *at < end))
    }
}
