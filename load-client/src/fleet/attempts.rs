//! One attempt of a request whose clients may try again: it asks the policies, sends, hedges, and says what it came to.

use std::{
    pin::pin,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::sleep;

use super::{drive::RequestSender, pacer::Send, results::Sent};
use crate::{
    call::{Fate, Reply},
    outcome::Outcome,
    policy::{After, AttemptEnd, Before, Chain, Policy, PolicySettings, wins},
};

/// What the clients of all shards do about failures: one chain of policies for each target.
#[derive(Debug)]
pub(super) struct Policies {
    settings: PolicySettings,
    timeout: Duration,
    chains: Vec<Mutex<Chain>>,
}

impl Policies {
    /// `None` if the clients send each request once.
    pub(super) fn new(settings: PolicySettings, timeout: Duration, targets: usize, seed: u64) -> Option<Self> {
        let chain = |target: usize| Mutex::new(Chain::new(&settings, seed.wrapping_add(target as u64)));
        (!settings.is_none()).then(|| Self {
            settings,
            timeout,
            chains: (0..targets).map(chain).collect(),
        })
    }

    pub(super) fn chain(&self, target: usize) -> MutexGuard<'_, Chain> {
        let chain = self.chains[target].lock();
        chain.expect("no code panics with a chain locked")
    }
}

/// What became of the second call of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Hedge {
    /// There was none.
    #[default]
    None,
    /// The first call decided.
    Lost,
    /// It decided.
    Won,
}

/// What has been tried of a request.
#[derive(Debug, Default)]
pub(super) struct Tried {
    pub(super) attempts: u32,
    since_pushback: u32,
    /// When the first attempt was sent, and how late.
    first: Option<(Duration, Duration)>,
    deadline: Duration,
    demand: Option<Duration>,
    /// Whether the service may have the message of an earlier attempt.
    pub(super) maybe_there: bool,
    /// How the last attempt ended, and that of its hedge.
    pub(super) ends: [Option<(Outcome, Duration)>; 2],
    pub(super) hedge: Hedge,
    /// Whether the client itself did not send the last attempt.
    pub(super) held_back: bool,
    last: Option<Reply>,
}

impl Tried {
    /// Whether there was an attempt before the last one, a hedge of the last one aside.
    pub(super) fn is_retried(&self) -> bool {
        self.attempts > 1 + u32::from(self.hedge != Hedge::None)
    }

    /// What the policies hear of the last attempt.
    pub(super) fn end(&self, sent: &Sent) -> AttemptEnd {
        AttemptEnd {
            at: sent.ended,
            outcome: sent.reply.outcome,
            pushback: sent.reply.pushback,
            attempts: self.attempts,
            since_pushback: self.since_pushback,
            deadline: self.deadline,
        }
    }
}

/// What follows the attempt that `sent` describes, of a request to this target.
pub(super) fn follows(policies: &Policies, target: usize, sent: &Sent) -> After {
    let tried = sent
        .tried
        .as_ref()
        .expect("with policies each request has its attempts");
    let mut chain = policies.chain(target);
    // The other end of a hedged request counts, too; what follows is decided by the end that counts for the request.
    if let [Some(_), Some((outcome, _))] = tried.ends {
        chain.follows(&AttemptEnd {
            outcome,
            pushback: None,
            ..tried.end(sent)
        });
    }
    chain.follows(&tried.end(sent))
}

/// The next attempt of a request. `told`: the service has named its time.
pub(super) fn again(sent: Sent, told: bool) -> Send {
    let mut tried = sent.tried.unwrap_or_default();
    if told {
        tried.since_pushback = 0;
    }
    tried.maybe_there |= sent.reply.fate != Fate::NotThere;
    tried.last = Some(sent.reply);
    Send {
        client: sent.client,
        number: sent.number,
        intent: crate::arrival::Intent {
            at: sent.intended,
            demand: tried.demand,
        },
        possible: sent.started,
        crowd: sent.crowd,
        tried: Some(tried),
    }
}

/// The result of the calls of one attempt.
struct Came {
    reply: Reply,
    /// The end of the call that does not count, if it ended.
    other: Option<(Outcome, Duration)>,
    /// When the call that counts began.
    began: Duration,
}

impl RequestSender {
    /// Makes the next attempt of a request.
    pub(super) async fn attempt(&self, policies: &Policies, target: usize, mut send: Send) -> Sent {
        let started = self.start.elapsed();
        let mut tried = send.tried.take().unwrap_or_else(|| {
            Box::new(Tried {
                deadline: started + policies.timeout,
                demand: send.intent.demand,
                ..Tried::default()
            })
        });
        let first = *tried
            .first
            .get_or_insert((started, started.saturating_sub(send.possible)));
        tried.ends = [None; 2];
        tried.hedge = Hedge::None;
        tried.held_back = policies.chain(target).before(started) == Before::GiveUp;
        let reply = if tried.held_back {
            tried.last.take().unwrap_or_else(Reply::throttled)
        } else {
            let came = self.calls(policies, target, &send, &mut tried).await;
            let took = self.start.elapsed().saturating_sub(came.began);
            tried.ends = [Some((came.reply.outcome, took)), came.other];
            came.reply
        };
        Sent {
            client: send.client,
            number: send.number,
            intended: send.intent.at,
            started: first.0,
            start_lag: first.1,
            crowd: send.crowd,
            ended: self.start.elapsed(),
            reply,
            tried: Some(tried),
        }
    }

    /// Calls once, and once more if there is no answer after the time for a hedge.
    async fn calls(&self, policies: &Policies, target: usize, send: &Send, tried: &mut Tried) -> Came {
        let began = self.start.elapsed();
        let deadline = tried.deadline;
        let one = |link: usize, previous: u32| {
            let left = deadline.saturating_sub(self.start.elapsed());
            let time = policies.settings.attempt_timeout.map_or(left, |most| most.min(left));
            let message = move || self.message(send);
            async move {
                self.call
                    .interpret(self.transport.attempt(link, &self.heads, time, previous, message).await)
            }
        };
        let mut count = || {
            tried.attempts += 1;
            tried.since_pushback += 1;
            tried.attempts - 1
        };
        let mut first = pin!(one(send.client, count()));
        let alone = |reply| Came {
            reply,
            other: None,
            began,
        };
        let Some(delay) = policies.settings.hedge else {
            return alone(first.await);
        };
        tokio::select! {
            biased;
            reply = &mut first => return alone(reply),
            () = sleep(delay) => {}
        }
        let hedged_at = self.start.elapsed();
        if !policies.chain(target).may_hedge(hedged_at) {
            return alone(first.await);
        }
        let mut second = pin!(one(send.client + 1, count()));
        tried.hedge = Hedge::Lost;
        let took = |since: Duration| self.start.elapsed().saturating_sub(since);
        // The first end that decides counts; after another one, the end of the other call.
        tokio::select! {
            biased;
            reply = &mut first => {
                if wins(reply.outcome) {
                    return alone(reply);
                }
                let other = Some((reply.outcome, took(began)));
                tried.hedge = Hedge::Won;
                Came { reply: second.await, other, began: hedged_at }
            }
            reply = &mut second => {
                if wins(reply.outcome) {
                    tried.hedge = Hedge::Won;
                    return Came { reply, other: None, began: hedged_at };
                }
                let other = Some((reply.outcome, took(hedged_at)));
                Came { reply: first.await, other, began }
            }
        }
    }
}
