//! The figures that were recorded: counts and distributions, of one shard or of all together.

use std::{collections::BTreeMap, time::Duration};

use super::{
    attempts::Attempts, classes::ClassFigures, distribution::Distribution, little::Little, series::Series, slots::Slots,
};
use crate::{
    effort::Effort,
    ledger::Ledger,
    outcome::{Outcome, StatusCode},
};

/// The figures of messages that were processed: when, and how long they had waited.
#[derive(Debug, Default)]
pub struct Done {
    /// The queue wait, as the service measured it.
    pub queue_wait: Distribution,
    /// The time from the scheduled send until the message was processed.
    pub time_to_done: Distribution,
    /// Over time: how many messages were done, and their time to done.
    pub series: Series,
    /// Messages that were done within the SLO, counted from the scheduled send. Messages that are done after the load count
    /// too, if they still meet the SLO.
    pub good: u64,
    slo: Duration,
}

impl Done {
    /// Empty figures. `slo` decides which messages are good.
    pub fn new(slo: Duration) -> Self {
        Self { slo, ..Self::default() }
    }

    /// Records a message that was processed. `intended` and `done` are times since the start of the run.
    pub fn record(&mut self, intended: Duration, done: Duration, queue_wait: Option<Duration>) {
        let time_to_done = done.saturating_sub(intended);
        self.time_to_done.record(time_to_done);
        if let Some(queue_wait) = queue_wait {
            self.queue_wait.record(queue_wait);
        }
        let good = self.is_good(time_to_done);
        self.good += u64::from(good);
        self.series.slot(done).done(time_to_done, good);
    }

    /// Whether `time_to_done` meets the SLO.
    pub(super) fn is_good(&self, time_to_done: Duration) -> bool {
        time_to_done <= self.slo
    }

    /// Adds what another shard recorded.
    pub fn merge(&mut self, other: Self) {
        self.queue_wait.merge(&other.queue_wait);
        self.time_to_done.merge(&other.time_to_done);
        self.series.merge(other.series);
        self.good += other.good;
    }
}

/// The counts and distributions by which a run is judged, without its time series.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// How every scheduled request ended.
    pub ledger: Ledger,
    /// How every scheduled request ended, by the URL that it went to, or was to go to.
    pub targets: Vec<Ledger>,
    /// Answers by their status, in the order of [`StatusCode::ALL`].
    pub statuses: [u64; StatusCode::ALL.len()],
    /// The figures about the slots of the clients: service times, and waits for a slot.
    pub slots: Slots,
    /// The time from the scheduled send of a request to its end, by [`Outcome`].
    pub response_time: [Distribution; Outcome::ALL.len()],
    /// The time from the actual send of a request to its end, by [`Outcome`].
    pub service_time: [Distribution; Outcome::ALL.len()],
    /// Start lag: how late the load client itself sent.
    pub start_lag: Distribution,
    /// The time from the scheduled send until the message was processed.
    pub time_to_done: Distribution,
    /// The queue wait, as the service measured it.
    pub queue_wait: Distribution,
    /// Messages done within the SLO, from the scheduled send.
    pub good: u64,
    /// How busy the load client's sending threads were, and the waits for HTTP/2 streams.
    pub effort: Effort,
    /// The figures by class of urgency, in the order of the load's classes; empty if requests have no classes.
    pub classes: Vec<ClassFigures>,
    /// The attempts; `None` if each request is sent once.
    pub attempts: Option<Box<Attempts>>,
}

impl Figures {
    /// Adds the figures of another shard.
    pub fn merge(&mut self, other: &Self) {
        self.ledger.add(&other.ledger);
        let targets = self.targets.len().max(other.targets.len());
        self.targets.resize(targets, Ledger::default());
        for (mine, theirs) in self.targets.iter_mut().zip(&other.targets) {
            mine.add(theirs);
        }
        for (mine, theirs) in self.statuses.iter_mut().zip(other.statuses) {
            *mine += theirs;
        }
        self.slots.merge(&other.slots);
        for (mine, theirs) in self.response_time.iter_mut().zip(&other.response_time) {
            mine.merge(theirs);
        }
        for (mine, theirs) in self.service_time.iter_mut().zip(&other.service_time) {
            mine.merge(theirs);
        }
        self.start_lag.merge(&other.start_lag);
        self.effort.merge(&other.effort);
        self.time_to_done.merge(&other.time_to_done);
        self.queue_wait.merge(&other.queue_wait);
        self.good += other.good;
        for (place, theirs) in other.classes.iter().enumerate() {
            match self.classes.get_mut(place) {
                Some(mine) => mine.merge(theirs),
                None => self.classes.push(theirs.clone()),
            }
        }
        if let Some(theirs) = &other.attempts {
            self.attempts.get_or_insert_default().merge(theirs);
        }
    }

    /// Adds messages that are known to be done.
    pub fn done(&mut self, done: &Done) {
        self.time_to_done.merge(&done.time_to_done);
        self.queue_wait.merge(&done.queue_wait);
        self.good += done.good;
    }
}

/// The result of a recording, of one shard or of all together.
#[derive(Debug, Default)]
pub struct Recorded {
    /// All figures but those of messages that are done, which `done` has.
    pub figures: Figures,
    /// When the last request ended, since the start of the run.
    pub last_ended: Duration,
    /// The first message that came with each outcome. An outcome without a message has no entry.
    pub first_messages: BTreeMap<Outcome, String>,
    /// The number of connections that were up when the load was over, by their URL.
    pub connected: Vec<u64>,
    /// The figures of messages whose answers said that they were processed.
    pub done: Done,
    /// The check by Little's law that no request in flight was miscounted.
    pub little: Little,
}

impl Recorded {
    /// Adds what another shard recorded.
    pub fn merge(&mut self, other: Self) {
        self.figures.merge(&other.figures);
        self.last_ended = self.last_ended.max(other.last_ended);
        for (outcome, message) in other.first_messages {
            self.first_messages.entry(outcome).or_insert(message);
        }
        let targets = self.connected.len().max(other.connected.len());
        self.connected.resize(targets, 0);
        for (mine, theirs) in self.connected.iter_mut().zip(other.connected) {
            *mine += theirs;
        }
        self.done.merge(other.done);
        self.little.merge(&other.little);
    }
}
