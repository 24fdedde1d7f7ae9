//! The state of a run while it goes on, for progress and the live view. The run writes it, and another thread can read it
//! at any time.
//!
//! Each shard writes its own counts, after every turn of its loop and with plain stores: a sending thread never waits for a
//! reader.

mod times;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

pub use self::times::{LiveTimes, Times};
use crate::{
    ledger::{AttemptCounts, AuditCounts, Ledger},
    recorder::{ClientCounts, Figures, Histograms},
};

/// Lines that are kept of targets that cannot be reached (arbitrary: a screen has no room for more).
const MOST_TROUBLES: usize = 10;

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Phase {
    /// Connecting, or waiting for the service to come up.
    #[default]
    Connecting,
    /// Requests are being sent.
    Loading,
    /// Waiting for the service to work off what is left.
    Draining,
    /// The run is over.
    Done,
}

/// A request for a shard's figures so far.
pub type Look = oneshot::Sender<Figures>;

/// The run so far: the one place that its shards, audits and observer write to, and that the view, the metrics page and the
/// rules read from.
#[derive(Debug, Default)]
pub struct Live {
    shards: Mutex<Vec<Arc<LiveShard>>>,
    /// By the order of the shards.
    looks: Mutex<Vec<mpsc::Sender<Look>>>,
    /// Where durations go as they are measured, for Prometheus.
    histograms: Histograms,
    audits: Mutex<Vec<Arc<LiveTimes>>>,
    audited: Mutex<LiveAudit>,
    phase: AtomicU8,
    start: OnceLock<Instant>,
    elapsed_millis: AtomicU64,
    /// What the service last showed; `None` before it has.
    levels: Mutex<Option<Levels>>,
    /// Why there is no connection yet, a line for each target.
    troubles: watch::Sender<Vec<Arc<str>>>,
    /// What has happened to the service, and when since the load began.
    events: Mutex<Vec<(Duration, String)>>,
}

/// What is known of queued messages so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LiveAudit {
    /// As far as they are settled.
    pub counts: AuditCounts,
    /// Done within the SLO, from the scheduled send.
    pub good: u64,
}

/// What a service showed of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Levels {
    /// Messages on the service's queue.
    pub queue_depth: u64,
    /// Messages that wait or are in service, and callers in line.
    pub in_system: u64,
}

/// One shard's counts, written by that shard alone.
#[derive(Debug, Default)]
pub struct LiveShard {
    /// By the columns of [`Ledger`].
    ledger: [AtomicU64; Ledger::COLUMNS.len()],
    warmup: AtomicU64,
    good: AtomicU64,
    in_flight: AtomicU64,
    blocked: AtomicU64,
    /// By the columns of [`AttemptCounts`].
    attempts: [AtomicU64; AttemptCounts::COLUMNS.len()],
    answered: LiveTimes,
}

/// A run's state at one instant.
#[derive(Debug, Clone, Copy, Default)]
pub struct LiveReading {
    /// What the run is doing.
    pub phase: Phase,
    /// Since the load began, on the run's own clock, as of its last turn.
    pub elapsed: Duration,
    /// The client's counts; what has neither ended nor been withheld is in flight.
    pub ledger: Ledger,
    /// Sends of the warm-up: they are not in the ledger.
    pub warmup: u64,
    /// Messages known to be done within the SLO, from the scheduled send.
    pub good: u64,
    /// Sends without an answer now, those of the warm-up included.
    pub in_flight: u64,
    /// Clients that would send and wait for an answer instead.
    pub blocked: u64,
    /// The attempts that have ended; all zero where each request is sent once.
    pub attempts: AttemptCounts,
    /// What is known of queued messages.
    pub audited: AuditCounts,
    /// What the service last showed; `None` where it is not watched, or not yet.
    pub levels: Option<Levels>,
}

/// The times of a run so far, without those of the warm-up.
#[derive(Debug, Clone, Default)]
pub struct LiveTimesReading {
    /// Response times of OK answers.
    pub answered: Times,
    /// Times to done of queued messages, as far as their ends have been heard of.
    pub done: Times,
}

impl LiveAudit {
    /// Adds the counts of another shard.
    pub fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        self.good += other.good;
    }
}

impl LiveShard {
    /// These are the counts now.
    pub fn publish(&self, counts: &ClientCounts) {
        for (mine, now) in self.ledger.iter().zip(counts.ledger.values()) {
            mine.store(now, Relaxed);
        }
        self.warmup.store(counts.warmup, Relaxed);
        self.good.store(counts.good, Relaxed);
        self.in_flight.store(counts.in_flight, Relaxed);
        self.blocked.store(counts.blocked, Relaxed);
        if let Some(attempts) = counts.attempts {
            for (mine, now) in self.attempts.iter().zip(attempts.values()) {
                mine.store(now, Relaxed);
            }
        }
    }

    /// An OK answer came, so long after its request was scheduled.
    pub fn answered(&self, response_time: Duration) {
        self.answered.record(response_time);
    }

    fn add_to(&self, reading: &mut LiveReading) {
        // The counts of ends are read first, so that each request that has ended is among those scheduled.
        let mut ledger = [0; Ledger::COLUMNS.len()];
        for (count, mine) in ledger.iter_mut().zip(&self.ledger).rev() {
            *count = mine.load(Relaxed);
        }
        reading.ledger.add(&Ledger::from(ledger));
        reading.warmup += self.warmup.load(Relaxed);
        reading.good += self.good.load(Relaxed);
        reading.in_flight += self.in_flight.load(Relaxed);
        reading.blocked += self.blocked.load(Relaxed);
        let attempts = self.attempts.each_ref().map(|count| count.load(Relaxed));
        reading.attempts.add(&AttemptCounts::from(attempts));
    }
}

impl Live {
    /// A run whose durations also go into `histograms`.
    pub fn exporting(histograms: Histograms) -> Self {
        Self {
            histograms,
            ..Self::default()
        }
    }

    /// Where durations go as they are measured.
    pub fn histograms(&self) -> Histograms {
        self.histograms.clone()
    }

    /// Adds a shard. Returns where it publishes its counts, and the requests for its figures. Shards join in their order,
    /// before any starts.
    pub fn shard(&self) -> (Arc<LiveShard>, mpsc::Receiver<Look>) {
        let shard = Arc::default();
        lock(&self.shards).push(Arc::clone(&shard));
        let (look, looks) = mpsc::channel(1);
        lock(&self.looks).push(look);
        (shard, looks)
    }

    /// The exact figures so far, of all shards; `None` once a shard sends no more. Each shard answers between two of its turns.
    pub async fn figures(&self) -> Option<Figures> {
        let looks = lock(&self.looks).clone();
        let mut all = Figures::default();
        for shard in looks {
            let (look, figures) = oneshot::channel();
            shard.send(look).await.ok()?;
            all.merge(&figures.await.ok()?);
        }
        Some(all)
    }

    /// Adds an audit. Returns where it publishes times to done. Only the thread that has the audit locked may write there.
    pub fn audit(&self) -> Arc<LiveTimes> {
        let times = Arc::default();
        lock(&self.audits).push(Arc::clone(&times));
        times
    }

    /// The run goes on to `phase`.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
    }

    /// The load begins at this instant.
    pub fn load_starts(&self, at: Instant) {
        // A run begins once.
        let _ = self.start.set(at);
    }

    /// When the load began; `None` before that. The instant is on the clock of the run, which in virtual time differs from
    /// every other clock.
    pub fn started(&self) -> Option<Instant> {
        self.start.get().copied()
    }

    /// The run has come so far.
    pub fn at(&self, elapsed: Duration) {
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.elapsed_millis.fetch_max(millis, Relaxed);
    }

    /// Takes over the levels that the service has just reported.
    pub fn seen(&self, levels: Levels) {
        *lock(&self.levels) = Some(levels);
    }

    /// A target cannot be reached at once: a line for people, shown while it is tried again.
    pub fn troubled(&self, line: &str) {
        self.troubles.send_if_modified(|lines| {
            let new = lines.len() < MOST_TROUBLES && !lines.iter().any(|known| **known == *line);
            if new {
                lines.push(line.into());
            }
            new
        });
    }

    /// The first of those lines, until there is a connection.
    pub fn trouble(&self) -> Option<Arc<str>> {
        let connecting = self.phase.load(Relaxed) == Phase::Connecting as u8;
        connecting.then(|| self.troubles.borrow().first().cloned()).flatten()
    }

    /// Those lines, as they come.
    pub fn troubles(&self) -> watch::Receiver<Vec<Arc<str>>> {
        self.troubles.subscribe()
    }

    /// Something happened to the service, so long after the load began.
    pub fn happened(&self, at: Duration, says: &str) {
        lock(&self.events).push((at, says.to_owned()));
    }

    /// What has happened to the service so far, and when since the load began.
    pub fn events(&self) -> Vec<(Duration, String)> {
        lock(&self.events).clone()
    }

    /// The audit has come so far.
    pub fn audited(&self, audited: LiveAudit) {
        *lock(&self.audited) = audited;
    }

    /// The counts now; each is read by itself, so they need not fit together.
    pub fn read(&self) -> LiveReading {
        let phase = match self.phase.load(Relaxed) {
            0 => Phase::Connecting,
            1 => Phase::Loading,
            2 => Phase::Draining,
            _ => Phase::Done,
        };
        let audited = *lock(&self.audited);
        let mut reading = LiveReading {
            phase,
            elapsed: Duration::from_millis(self.elapsed_millis.load(Relaxed)),
            ledger: Ledger::default(),
            warmup: 0,
            good: audited.good,
            in_flight: 0,
            blocked: 0,
            attempts: AttemptCounts::default(),
            audited: audited.counts,
            levels: *lock(&self.levels),
        };
        for shard in lock(&self.shards).iter() {
            shard.add_to(&mut reading);
        }
        let ledger = &mut reading.ledger;
        ledger.in_flight = ledger.intended.saturating_sub(ledger.ended());
        reading
    }

    /// The distributions of times so far.
    pub fn times(&self) -> LiveTimesReading {
        let mut reading = LiveTimesReading::default();
        for shard in lock(&self.shards).iter() {
            shard.answered.add_to(&mut reading.answered);
        }
        for done in lock(&self.audits).iter() {
            done.add_to(&mut reading.done);
        }
        reading
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code panics with it locked")
}
