//! Where a shard writes down what happens: the recorder for every send, the audit for queued messages.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use super::request::{Hedge, Sent};
use crate::{
    arrival::Intent,
    audit::Audit,
    call::{Fate, Said},
    effort::Effort,
    live::LiveShard,
    outcome::Outcome,
    policy::{After, Why},
    recorder::{ClientCounts, Ended, Figures, Recorded, Recorder},
};

/// The results of one shard.
pub(super) struct ShardResults {
    recorder: Recorder,
    /// Where progress and the live view read the counts.
    shown: Arc<LiveShard>,
    audit: Option<Arc<Mutex<Audit>>>,
    ok_means_done: bool,
    warmup: Duration,
    /// The next number of each client, where no audit gives them.
    numbers: Vec<u64>,
    /// Requests in flight that were scheduled after the warm-up.
    judged_in_flight: u64,
    /// The first message that came with each outcome.
    first_messages: BTreeMap<Outcome, String>,
    /// The URL that each connection goes to, by its place among those of the run. Clients take the connections in turn.
    targets: Vec<usize>,
}

impl ShardResults {
    pub(super) fn new(
        recorder: Recorder,
        shown: Arc<LiveShard>,
        audit: Option<Arc<Mutex<Audit>>>,
        clients: usize,
        ok_means_done: bool,
        warmup: Duration,
        targets: Vec<usize>,
    ) -> Self {
        Self {
            recorder,
            shown,
            audit,
            ok_means_done,
            warmup,
            numbers: vec![0; clients],
            judged_in_flight: 0,
            first_messages: BTreeMap::new(),
            targets,
        }
    }

    /// A send is about to be made; returns the number of its message.
    pub(super) fn sending(&mut self, client: usize, intent: Intent) -> u64 {
        self.recorder.sending(intent, self.target(client));
        self.judged_in_flight += u64::from(intent.at >= self.warmup);
        if let Some(audit) = &self.audit {
            return lock(audit).sent(client, intent.at);
        }
        let number = self.numbers[client];
        self.numbers[client] += 1;
        number
    }

    /// A send will not be made.
    pub(super) fn withheld(&mut self, client: usize, intent: Intent, start_lag: Option<Duration>) {
        self.recorder.withheld(intent, start_lag, self.target(client));
    }

    /// The URL that a client's requests go to, by its place among those of the run.
    pub(super) fn target(&self, client: usize) -> usize {
        self.targets[client % self.targets.len()]
    }

    /// No request is scheduled from this time on.
    pub(super) fn load_over(&mut self, at: Duration) {
        self.recorder.load_over(at);
    }

    /// An attempt has ended, and this follows.
    pub(super) fn attempted(&mut self, sent: &Sent, next: After) {
        let Some(tried) = &sent.tried else { return };
        if let (Some(audit), After::Again { .. }) = (&self.audit, next)
            && sent.reply.fate == Fate::Unknown
        {
            lock(audit).sent_again(sent.client, sent.number);
        }
        let Some(attempts) = self.recorder.attempts(sent.intended) else {
            return;
        };
        for (outcome, took) in tried.ends.into_iter().flatten() {
            attempts.ended(outcome, took);
        }
        let counts = &mut attempts.counts;
        if tried.hedge != Hedge::None {
            counts.hedges += 1;
            counts.hedges_won += u64::from(tried.hedge == Hedge::Won);
            if tried.ends[1].is_none() {
                counts.attempts += 1;
                counts.cancelled += 1;
            }
        }
        match next {
            After::Done(Why::Budget) => counts.given_up_by_budget += 1,
            After::Done(Why::Pushback) => counts.given_up_by_pushback += 1,
            After::Done(_) if tried.held_back && tried.attempts > 0 => counts.given_up_by_throttle += 1,
            After::Done(_) if sent.reply.outcome == Outcome::Ok && tried.is_retried() => {
                counts.retried_then_ok += 1;
            }
            _ => {}
        }
    }

    /// A request was broken off between two attempts. It counts as what it was last.
    pub(super) fn broken_off(&mut self, sent: &Sent) {
        self.recorder.broken_off();
        self.ended(sent);
    }

    pub(super) fn ended(&mut self, sent: &Sent) {
        let outcome = sent.reply.outcome;
        if sent.reply.said != Said::Nothing && !self.first_messages.contains_key(&outcome) {
            self.first_messages
                .extend(sent.reply.said.text().map(|text| (outcome, text)));
        }
        let judged = sent.intended >= self.warmup;
        self.judged_in_flight -= u64::from(judged);
        if judged && sent.reply.outcome == Outcome::Ok {
            self.shown.answered(sent.ended.saturating_sub(sent.intended));
        }
        if let Some(audit) = &self.audit {
            let mut audit = lock(audit);
            let maybe_there = sent.tried.as_ref().is_some_and(|tried| tried.maybe_there);
            match sent.reply.fate {
                Fate::NotThere if maybe_there => audit.unacknowledged(sent.client, sent.number, sent.ended),
                Fate::Accepted => audit.acknowledged(sent.client, sent.number, sent.ended),
                Fate::NotThere => audit.not_there(sent.client, sent.number),
                Fate::Unknown => audit.unacknowledged(sent.client, sent.number, sent.ended),
            }
        }
        self.recorder.ended(Ended {
            intended: sent.intended,
            started: sent.started,
            start_lag: sent.start_lag,
            ended: sent.ended,
            outcome: sent.reply.outcome,
            status: sent.reply.status,
            target: self.target(sent.client),
            class: sent.class,
            crowd: sent.crowd,
            done: self.ok_means_done && sent.reply.outcome == Outcome::Ok,
            queue_wait: sent.reply.queue_wait,
        });
    }

    /// Shows what is in them so far, with the shard's levels now.
    pub(super) fn publish(&mut self, now: Duration, in_flight: usize, blocked: usize) {
        self.recorder.in_flight(now, in_flight as u64);
        self.shown.publish(&ClientCounts {
            in_flight: in_flight as u64,
            blocked: blocked as u64,
            ..self.recorder.so_far()
        });
    }

    pub(super) fn figures(&self) -> Figures {
        self.recorder.figures()
    }

    /// Nothing is waited for any more; this is what the shard had to put up, and which of its connections were up when the
    /// load was over.
    pub(super) fn finish(mut self, effort: Effort, connected: &[bool]) -> Recorded {
        self.recorder.left_in_flight(self.judged_in_flight);
        let mut recorded = self.recorder.finish();
        recorded.first_messages = self.first_messages;
        recorded.figures.effort = effort;
        recorded.connected = vec![0; recorded.figures.targets.len()];
        for (target, up) in self.targets.into_iter().zip(connected) {
            recorded.connected[target] += u64::from(*up);
        }
        recorded
    }
}

fn lock(audit: &Mutex<Audit>) -> MutexGuard<'_, Audit> {
    audit.lock().expect("no code panics with an audit locked")
}
