//! The policies of the clients (retries, hedging, throttles), shared by all shards, and their decision after an
//! attempt.

use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use super::request::{Send, Sent};
use crate::{
    call::Fate,
    policy::{After, AttemptEnd, Chain, PolicySettings},
};

/// The policies of the clients of all shards: one chain of policies for each target.
#[derive(Debug)]
pub(super) struct Policies {
    pub(super) settings: PolicySettings,
    pub(super) timeout: Duration,
    chains: Vec<Mutex<Chain>>,
}

impl Policies {
    /// Makes the chains for `targets` targets; `None` if the clients send each request once.
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

/// Asks the policies of this target what follows the attempt that `sent` describes.
pub(super) fn follows(policies: &Policies, target: usize, sent: &Sent) -> After {
    let tried = sent
        .tried
        .as_ref()
        .expect("with policies each request has its attempts");
    let mut chain = policies.chain(target);
    // The policies also see the end of the other call of a hedged attempt, but the call that counts decides what
    // follows.
    if let [Some(_), Some((outcome, _))] = tried.ends {
        chain.follows(&AttemptEnd {
            outcome,
            pushback: None,
            ..tried.end(sent)
        });
    }
    chain.follows(&tried.end(sent))
}

/// Makes the next attempt of a request. `by_service` is true if the service named its time.
pub(super) fn again(sent: Sent, by_service: bool) -> Send {
    let mut tried = sent.tried.unwrap_or_default();
    if by_service {
        tried.since_pushback = 0;
    }
    tried.maybe_there |= sent.reply.fate != Fate::NotThere;
    tried.last = Some(sent.reply);
    Send {
        client: sent.client,
        number: sent.number,
        scheduled: crate::arrival::Scheduled {
            at: sent.intended,
            demand: tried.demand,
            class: sent.class,
        },
        possible: sent.started,
        crowd: sent.crowd,
        tried: Some(tried),
    }
}
