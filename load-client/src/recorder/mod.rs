//! What one shard of clients saw: a ledger, histograms, a time series. Shards record alone and are merged at the end.

mod distribution;
mod series;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

pub use self::{
    distribution::Distribution,
    series::{MAX_POINTS, Series, Slot},
};
use crate::outcome::Outcome;

/// How every intended send ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ledger {
    /// All.
    pub intended: u64,
    /// Those that were made and ended, by [`Outcome`].
    pub ended: [u64; Outcome::ALL.len()],
    /// Those that were not made: the client was blocked.
    pub withheld: u64,
    /// Those that were made and not waited for to the end.
    pub in_flight: u64,
}

impl Ledger {
    /// How many ended so.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.ended[outcome as usize]
    }

    /// Whether every intended send ended in exactly one way.
    pub fn balances(&self) -> bool {
        self.intended == self.ended.iter().sum::<u64>() + self.withheld + self.in_flight
    }

    fn merge(&mut self, other: &Self) {
        self.intended += other.intended;
        self.withheld += other.withheld;
        self.in_flight += other.in_flight;
        for (mine, theirs) in self.ended.iter_mut().zip(other.ended) {
            *mine += theirs;
        }
    }
}

/// The ledger as it grows, for whoever shows progress.
#[derive(Debug, Default)]
pub struct LiveLedger {
    intended: AtomicU64,
    ended: [AtomicU64; Outcome::ALL.len()],
    withheld: AtomicU64,
}

impl LiveLedger {
    /// The counts at this instant; what is neither ended nor withheld is in flight.
    pub fn read(&self) -> Ledger {
        let ended: [u64; Outcome::ALL.len()] = std::array::from_fn(|index| self.ended[index].load(Relaxed));
        let withheld = self.withheld.load(Relaxed);
        let intended = self.intended.load(Relaxed);
        Ledger {
            intended,
            ended,
            withheld,
            in_flight: intended.saturating_sub(withheld + ended.iter().sum::<u64>()),
        }
    }
}

/// A send that ended, all times since the start of the run.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// When it was intended.
    pub intended: Duration,
    /// How long after it could have been made it was made.
    pub start_lag: Duration,
    /// When its answer was there, or it was given up.
    pub ended: Duration,
    /// How.
    pub outcome: Outcome,
    /// Whether that answer means that the message has been processed.
    pub done: bool,
    /// What the service said of its queue wait.
    pub queue_wait: Option<Duration>,
}

/// Records one shard.
#[derive(Debug)]
pub struct Recorder {
    ledger: Ledger,
    response_time: [Distribution; Outcome::ALL.len()],
    start_lag: Distribution,
    done: Done,
    last_ended: Duration,
    warmup: Duration,
    live: Arc<LiveLedger>,
}

impl Recorder {
    /// Judges sends intended from `warmup` on; goodput counts what was done within `slo`.
    pub fn new(warmup: Duration, slo: Duration, live: Arc<LiveLedger>) -> Self {
        Self {
            ledger: Ledger::default(),
            response_time: Default::default(),
            start_lag: Distribution::default(),
            done: Done::new(slo),
            last_ended: Duration::ZERO,
            warmup,
            live,
        }
    }

    fn judged(&self, intended: Duration) -> bool {
        intended >= self.warmup
    }

    /// A send is made.
    pub fn sending(&mut self, intended: Duration) {
        if self.judged(intended) {
            self.intend(intended);
        }
    }

    /// A send was not made: its client was blocked. `start_lag` is how late that was found out: a generator that stalls
    /// must not pass its stall off as the service's backpressure. `None`: when the load was over.
    pub fn withheld(&mut self, intended: Duration, start_lag: Option<Duration>) {
        if self.judged(intended) {
            self.intend(intended);
            if let Some(start_lag) = start_lag {
                self.start_lag.record(start_lag);
            }
            self.ledger.withheld += 1;
            self.live.withheld.fetch_add(1, Relaxed);
        }
    }

    fn intend(&mut self, at: Duration) {
        self.ledger.intended += 1;
        self.live.intended.fetch_add(1, Relaxed);
        self.done.series.slot(at).intended += 1;
    }

    /// A send ended.
    pub fn ended(&mut self, send: Ended) {
        self.last_ended = self.last_ended.max(send.ended);
        if !self.judged(send.intended) {
            return;
        }
        let response_time = send.ended.saturating_sub(send.intended);
        self.ledger.ended[send.outcome as usize] += 1;
        self.live.ended[send.outcome as usize].fetch_add(1, Relaxed);
        self.response_time[send.outcome as usize].record(response_time);
        self.start_lag.record(send.start_lag);
        if send.done {
            self.done.record(send.intended, send.ended, send.queue_wait);
        }
    }

    /// No send is intended from this time on.
    pub fn load_over(&mut self, at: Duration) {
        self.done.load_over = Some(at);
    }

    /// So many sends (of those intended after the warm-up) are no longer waited for.
    pub fn left_in_flight(&mut self, sends: u64) {
        self.ledger.in_flight += sends;
    }

    /// What was recorded.
    pub fn finish(self) -> Recorded {
        Recorded {
            ledger: self.ledger,
            response_time: self.response_time,
            start_lag: self.start_lag,
            last_ended: self.last_ended,
            reasons: BTreeMap::new(),
            done: self.done,
        }
    }
}

/// When messages were processed.
#[derive(Debug, Default)]
pub struct Done {
    /// As the service measured it.
    pub queue_wait: Distribution,
    /// From the intended send.
    pub time_to_done: Distribution,
    /// Over time.
    pub series: Series,
    /// How many were done within the SLO, and before the load was over: what is worked off afterwards is no goodput.
    pub good: u64,
    slo: Duration,
    load_over: Option<Duration>,
}

impl Done {
    /// Nothing yet; judged by `slo`.
    pub fn new(slo: Duration) -> Self {
        Self { slo, ..Self::default() }
    }

    /// A message was processed; times since the start of the run.
    pub fn record(&mut self, intended: Duration, done: Duration, queue_wait: Option<Duration>) {
        let time_to_done = done.saturating_sub(intended);
        self.time_to_done.record(time_to_done);
        if let Some(queue_wait) = queue_wait {
            self.queue_wait.record(queue_wait);
        }
        let good = time_to_done <= self.slo;
        self.good += u64::from(good && self.load_over.is_none_or(|over| done < over));
        self.series.slot(done).done(time_to_done, good);
    }

    /// No send is intended from this time on.
    pub fn load_over(&mut self, at: Duration) {
        self.load_over = Some(at);
    }

    /// Adds what another recorded.
    pub fn merge(&mut self, other: Self) {
        self.queue_wait.merge(&other.queue_wait);
        self.time_to_done.merge(&other.time_to_done);
        self.series.merge(other.series);
        self.good += other.good;
    }
}

/// What one shard, or all of them, recorded.
#[derive(Debug, Default)]
pub struct Recorded {
    /// How every intended send ended.
    pub ledger: Ledger,
    /// By [`Outcome`], from the intended send to its end.
    pub response_time: [Distribution; Outcome::ALL.len()],
    /// The generator's own lateness.
    pub start_lag: Distribution,
    /// When the last send ended, since the start of the run.
    pub last_ended: Duration,
    /// The first reason that was given for each outcome, where one was.
    pub reasons: BTreeMap<Outcome, String>,
    /// When messages were processed, as far as the answers say so.
    pub done: Done,
}

impl Recorded {
    /// Adds what another shard recorded.
    pub fn merge(&mut self, other: Self) {
        self.ledger.merge(&other.ledger);
        for (mine, theirs) in self.response_time.iter_mut().zip(&other.response_time) {
            mine.merge(theirs);
        }
        self.start_lag.merge(&other.start_lag);
        self.last_ended = self.last_ended.max(other.last_ended);
        for (outcome, reason) in other.reasons {
            self.reasons.entry(outcome).or_insert(reason);
        }
        self.done.merge(other.done);
    }
}
