//! Sends the requests of a shard: once each, or with policies, which may hold an attempt back, retry it or hedge it.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::{
    place::Place,
    policies::Policies,
    request::{Hedge, Send, Sent, Tried},
};
use crate::{
    call::{Call, Reply, Ticket},
    outcome::Outcome,
    policy::{Before, Policy, wins},
    transport::{RequestHeaders, Transport},
};

/// Sends the requests of one shard.
pub(super) struct RequestSender {
    pub(super) call: Arc<Call>,
    pub(super) transport: Transport,
    /// The request headers of each class of urgency, by the index of the class; only one element if there are no
    /// classes.
    pub(super) heads: Vec<RequestHeaders>,
    pub(super) run_id: String,
    /// The shard's index, from which the numbers of its clients follow.
    pub(super) index: u32,
    pub(super) count: u32,
    pub(super) start: Instant,
    pub(super) place: Place,
    /// The policies of the clients; `None` if each request is sent once.
    pub(super) policies: Option<Arc<Policies>>,
}

impl RequestSender {
    /// Makes one attempt of a request to this target, and waits for its end.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async function would store its arguments twice in the future of each request"
    )]
    pub(super) fn send(&self, target: usize, send: Send) -> impl Future<Output = Sent> {
        async move {
            if let Some(policies) = &self.policies {
                // The box keeps the future small for clients that send each request once.
                return Box::pin(self.attempt(policies, target, send)).await;
            }
            let started = self.start.elapsed();
            let answer = self
                .transport
                .unary(send.client, self.heads(&send), || self.message(&send))
                .await;
            Sent {
                client: send.client,
                number: send.number,
                intended: send.scheduled.at,
                class: send.scheduled.class,
                started,
                start_lag: started.saturating_sub(send.possible),
                crowd: send.crowd,
                ended: self.start.elapsed(),
                reply: self.call.interpret(answer),
                tried: None,
            }
        }
    }

    /// The request headers of a request.
    fn heads(&self, send: &Send) -> &RequestHeaders {
        &self.heads[usize::from(send.scheduled.class)]
    }

    /// Encodes and frames the message of a request.
    fn message(&self, send: &Send) -> Bytes {
        self.call.encode(Ticket {
            run_id: &self.run_id,
            client: u64::from(self.index) + send.client as u64 * u64::from(self.count),
            number: send.number,
            demand: send.scheduled.demand,
        })
    }

    /// Makes the next attempt of a request, unless the policies hold it back.
    async fn attempt(&self, policies: &Policies, target: usize, mut send: Send) -> Sent {
        let started = self.start.elapsed();
        let mut tried = send.tried.take().unwrap_or_else(|| {
            Box::new(Tried {
                deadline: started + policies.timeout,
                demand: send.scheduled.demand,
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
            intended: send.scheduled.at,
            class: send.scheduled.class,
            started: first.0,
            start_lag: first.1,
            crowd: send.crowd,
            ended: self.start.elapsed(),
            reply,
            tried: Some(tried),
        }
    }

    /// Calls once; calls a second time if there is no answer after the delay for a hedge and the policies allow it.
    async fn calls(&self, policies: &Policies, target: usize, send: &Send, tried: &mut Tried) -> Came {
        let began = self.start.elapsed();
        let deadline = tried.deadline;
        let one = |link: usize, previous: u32| {
            let left = deadline.saturating_sub(self.start.elapsed());
            let time = policies.settings.attempt_timeout.map_or(left, |most| most.min(left));
            let message = move || self.message(send);
            async move {
                self.call.interpret(
                    self.transport
                        .attempt(link, self.heads(send), time, previous, message)
                        .await,
                )
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
        // The first call to end counts if its outcome decides the request; otherwise the other call counts.
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

/// The result of the calls of one attempt.
struct Came {
    reply: Reply,
    /// The outcome and duration of the call that does not count, if it ended.
    other: Option<(Outcome, Duration)>,
    /// When the call that counts began.
    began: Duration,
}
