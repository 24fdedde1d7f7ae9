//! Collects the results of a shard: each request goes to the recorder, each queued message also to the audit.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use super::request::{Hedge, Sent};
use crate::{
    arrival::Scheduled,
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
    /// The counts for progress and the live view.
    shown: Arc<LiveShard>,
    audit: Option<Arc<Mutex<Audit>>>,
    ok_means_done: bool,
    warmup: Duration,
    /// The next message number of each client; unused if an audit gives the numbers.
    numbers: Vec<u64>,
    /// Requests in flight that were scheduled after the warm-up.
    judged_in_flight: u64,
    /// The text of the first failure of each outcome.
    first_messages: BTreeMap<Outcome, String>,
    /// For each connection of the shard, the index of its URL in the list of URLs. Client i uses connection i modulo
    /// their number.
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

    /// Records that a request is sent; returns the number of its message.
    pub(super) fn sending(&mut self, client: usize, scheduled: Scheduled) -> u64 {
        self.recorder.sending(scheduled, self.target(client));
        self.judged_in_flight += u64::from(scheduled.at >= self.warmup);
        if let Some(audit) = &self.audit {
            return lock(audit).sent(client, scheduled.at);
        }
        let number = self.numbers[client];
        self.numbers[client] += 1;
        number
    }

    /// Records that a request is withheld. `start_lag` is how late this was found; `None` at the end of the load.
    pub(super) fn withheld(&mut self, client: usize, scheduled: Scheduled, start_lag: Option<Duration>) {
        self.recorder.withheld(scheduled, start_lag, self.target(client));
    }

    /// The index of the URL that a client's requests go to, in the list of URLs.
    pub(super) fn target(&self, client: usize) -> usize {
        self.targets[client % self.targets.len()]
    }

    /// Records that the load is over: no request is scheduled from `at` on.
    pub(super) fn load_over(&mut self, at: Duration) {
        self.recorder.load_over(at);
    }

    /// Records an attempt that has ended; `next` is what the policies decided. Does nothing if the clients send each
    /// request once.
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

    /// Records that the run was stopped while a request waited for its next attempt. The request has the outcome of its
    /// last attempt.
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

    /// Publishes the counts so far for progress and the live view, with the numbers of requests in flight and of
    /// blocked clients.
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

    /// Ends the recording. Requests still in flight count as left. `effort` is the effort of the shard, and `connected`
    /// says which of its connections were up when the load was over.
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
