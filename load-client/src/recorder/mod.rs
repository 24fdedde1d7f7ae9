//! Records what one shard of clients sees: a ledger, histograms, a time series. Shards record separately and are merged at
//! the end.

mod attempts;
mod classes;
mod counts;
mod distribution;
mod exported;
mod figures;
mod little;
mod series;
mod slots;

use std::{collections::BTreeMap, time::Duration};

pub use self::{
    attempts::Attempts,
    classes::ClassFigures,
    counts::ClientCounts,
    distribution::Distribution,
    exported::Histograms,
    figures::{Done, Figures, Recorded},
    little::Little,
    series::{MAX_POINTS, Series, Slot},
    slots::{Crowd, Latest, Slots},
};
use crate::{
    arrival::Scheduled,
    ledger::Ledger,
    outcome::{Outcome, StatusCode},
};

/// A request that ended. Its times are since the start of the run.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// The scheduled time of the request.
    pub intended: Duration,
    /// The time of the actual send.
    pub started: Duration,
    /// How late the load client sent the request, after it could have sent it.
    pub start_lag: Duration,
    /// When the answer came, or the client gave the request up.
    pub ended: Duration,
    /// How the request ended.
    pub outcome: Outcome,
    /// The status of the answer; `None` if there was no answer.
    pub status: Option<StatusCode>,
    /// The index of the URL that the request went to, among those of the run.
    pub target: usize,
    /// The index of the request's class of urgency, among those of the load.
    pub class: u8,
    /// How many slots were taken when the request was sent.
    pub crowd: Crowd,
    /// The answer means that the message has been processed.
    pub done: bool,
    /// The queue wait that the service reported in its answer, if it did.
    pub queue_wait: Option<Duration>,
}

/// Records the requests that one shard sends, and how they end.
#[derive(Debug)]
pub struct Recorder {
    /// All figures but those that `done` has.
    figures: Figures,
    done: Done,
    last_ended: Duration,
    warmup: Duration,
    /// Requests that were scheduled in the warm-up, sent or withheld. They are not judged.
    warmup_sends: u64,
    histograms: Histograms,
    little: Little,
}

impl Recorder {
    /// A recorder that judges requests scheduled from `warmup` on; goodput counts those of them that are done within `slo`.
    /// Each measured time also goes into `histograms` at once. `targets`: the number of URLs.
    pub fn new(warmup: Duration, slo: Duration, histograms: Histograms, targets: usize) -> Self {
        Self {
            figures: Figures {
                targets: vec![Ledger::default(); targets],
                ..Figures::default()
            },
            done: Done::new(slo),
            last_ended: Duration::ZERO,
            warmup,
            warmup_sends: 0,
            histograms,
            little: Little::default(),
        }
    }

    fn judged(&self, intended: Duration) -> bool {
        intended >= self.warmup
    }

    /// Records that a request is sent to this target.
    pub fn sending(&mut self, scheduled: Scheduled, target: usize) {
        if self.judged(scheduled.at) {
            self.count_scheduled(scheduled, target);
        } else {
            self.warmup_sends += 1;
        }
    }

    /// Records a request that was not sent, because its client was blocked. `start_lag` is how late the load client noticed
    /// that: a load client that stalls must not pass its stall off as the service's backpressure. `None`: it was withheld
    /// when the load was over.
    pub fn withheld(&mut self, scheduled: Scheduled, start_lag: Option<Duration>, target: usize) {
        if self.judged(scheduled.at) {
            self.count_scheduled(scheduled, target);
            if let Some(start_lag) = start_lag {
                self.lag(start_lag);
            }
            self.figures.ledger.withheld += 1;
            self.figures.targets[target].withheld += 1;
            if let Some(class) = self.class(scheduled.class) {
                class.ledger.withheld += 1;
            }
        } else {
            self.warmup_sends += 1;
        }
    }

    fn count_scheduled(&mut self, scheduled: Scheduled, target: usize) {
        self.figures.ledger.intended += 1;
        self.figures.targets[target].intended += 1;
        self.done.series.slot(scheduled.at).intended += 1;
        if let Some(class) = self.class(scheduled.class) {
            class.ledger.intended += 1;
        }
    }

    /// The figures of the class with this index; `None` if the requests have no classes.
    fn class(&mut self, place: u8) -> Option<&mut ClassFigures> {
        self.figures.classes.get_mut(usize::from(place))
    }

    fn lag(&mut self, start_lag: Duration) {
        self.figures.start_lag.record(start_lag);
        self.histograms.start_lag.record(start_lag);
    }

    /// Takes in how many requests are in flight from `now` on, those of the warm-up included.
    pub fn in_flight(&mut self, now: Duration, sends: u64) {
        self.little.inside(now, sends);
    }

    /// Records a request that ended.
    pub fn ended(&mut self, send: Ended) {
        self.last_ended = self.last_ended.max(send.ended);
        let service_time = send.ended.saturating_sub(send.started);
        self.little.ended(service_time);
        if send.outcome == Outcome::Ok {
            self.figures.slots.answered(service_time, send.crowd);
        }
        if !self.judged(send.intended) {
            return;
        }
        let response_time = send.ended.saturating_sub(send.intended);
        *self.figures.ledger.count(send.outcome) += 1;
        *self.figures.targets[send.target].count(send.outcome) += 1;
        if let Some(status) = send.status {
            self.figures.statuses[status as usize] += 1;
        }
        let possible = send.started.saturating_sub(send.start_lag);
        self.figures.slots.waited(possible.saturating_sub(send.intended));
        self.figures.response_time[send.outcome as usize].record(response_time);
        self.figures.service_time[send.outcome as usize].record(service_time);
        self.histograms.response_time[send.outcome as usize].record(response_time);
        self.lag(send.start_lag);
        let good = send.done && self.done.is_good(response_time);
        if let Some(class) = self.class(send.class) {
            class.ended(send.outcome, response_time, good);
        }
        if send.done {
            self.histograms.time_to_done.record(response_time);
            self.done.record(send.intended, send.ended, send.queue_wait);
        } else if send.outcome == Outcome::Ok {
            self.done.series.slot(send.ended).answered(response_time);
        }
    }

    /// From now on, requests are counted by class too. `urgencies` are those of the load's classes, in their order.
    pub fn count_classes(&mut self, urgencies: impl IntoIterator<Item = u8>) {
        self.figures.classes = urgencies.into_iter().map(ClassFigures::new).collect();
    }

    /// From now on attempts are counted, too.
    pub fn count_attempts(&mut self) {
        self.figures.attempts = Some(Box::default());
    }

    /// The counts for the attempts of a request that was scheduled at `intended`; `None` in the warm-up, or if attempts are
    /// not counted.
    pub fn attempts(&mut self, intended: Duration) -> Option<&mut Attempts> {
        let judged = self.judged(intended);
        self.figures.attempts.as_deref_mut().filter(|_| judged)
    }

    /// Counts a request that was broken off between two attempts: how long it was in flight is not known.
    pub fn broken_off(&mut self) {
        self.little.broken_off();
    }

    /// The counts so far, for progress and the live view.
    pub fn so_far(&self) -> ClientCounts {
        ClientCounts {
            ledger: self.figures.ledger,
            warmup: self.warmup_sends,
            good: self.done.good,
            attempts: self.figures.attempts.as_ref().map(|attempts| attempts.counts),
            ..ClientCounts::default()
        }
    }

    /// The figures so far, for rules that are judged during the run.
    pub fn figures(&self) -> Figures {
        let mut figures = self.figures.clone();
        figures.done(&self.done);
        figures
    }

    /// Takes in that the load ends at `at`. The series lasts that long, even if nothing happened at its end.
    pub fn load_over(&mut self, at: Duration) {
        self.done.series.slot(at.saturating_sub(Duration::from_nanos(1)));
    }

    /// Counts requests, of those scheduled after the warm-up, whose answers are no longer waited for.
    pub fn left_in_flight(&mut self, sends: u64) {
        self.figures.ledger.in_flight += sends;
        if let Some(attempts) = &mut self.figures.attempts {
            attempts.counts.attempts += sends;
            attempts.counts.in_flight += sends;
        }
    }

    /// Ends the recording and returns the result.
    pub fn finish(mut self) -> Recorded {
        for target in &mut self.figures.targets {
            target.in_flight = target.intended - target.ended();
        }
        for class in &mut self.figures.classes {
            class.ledger.in_flight = class.ledger.intended - class.ledger.ended();
        }
        self.little.over();
        Recorded {
            little: self.little,
            figures: self.figures,
            last_ended: self.last_ended,
            first_messages: BTreeMap::new(),
            connected: Vec::new(),
            done: self.done,
        }
    }
}
