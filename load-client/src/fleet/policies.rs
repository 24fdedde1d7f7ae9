//! What the clients of all shards do about failures, and what follows an attempt.

use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use super::request::{Send, Sent};
use crate::{
    call::Fate,
    policy::{After, AttemptEnd, Chain, PolicySettings},
};

/// What the clients of all shards do about failures: one chain of policies for each target.
#[derive(Debug)]
pub(super) struct Policies {
    pub(super) settings: PolicySettings,
    pub(super) timeout: Duration,
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
            class: sent.class,
        },
        possible: sent.started,
        crowd: sent.crowd,
        tried: Some(tried),
    }
}
