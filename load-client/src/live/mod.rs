//! The state of a run in progress, for the progress lines and the live view. The run writes it, and other threads can
//! read it at any time.
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

/// The most lines kept about targets that cannot be reached (arbitrary: a screen has no room for more).
const MOST_TROUBLES: usize = 10;

/// The phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Phase {
    /// The clients connect, or wait for the service to accept connections.
    #[default]
    Connecting,
    /// Requests are being sent.
    Loading,
    /// The load is over, and the run waits for answers and for the service to process the remaining messages.
    Draining,
    /// The run is over.
    Done,
}

/// A request for a shard's figures so far, which the shard sends into this channel.
pub type FiguresRequest = oneshot::Sender<Figures>;

/// The state of the run so far. Its shards, audits and observer write it; the live view, the metrics page and the rules
/// read it.
#[derive(Debug, Default)]
pub struct Live {
    shards: Mutex<Vec<Arc<LiveShard>>>,
    /// For each shard, in order, the channel for requests for its figures.
    figures_requests: Mutex<Vec<mpsc::Sender<FiguresRequest>>>,
    /// The histograms for Prometheus, in which durations are recorded as they are measured.
    histograms: Histograms,
    audits: Mutex<Vec<Arc<LiveTimes>>>,
    audited: Mutex<LiveAudit>,
    phase: AtomicU8,
    start: OnceLock<Instant>,
    elapsed_millis: AtomicU64,
    /// The levels that the service last reported; `None` before the first report.
    levels: Mutex<Option<Levels>>,
    /// The reasons that there is no connection yet, a line for each.
    troubles: watch::Sender<Vec<Arc<str>>>,
    /// The events of the service, each with its time since the load began.
    events: Mutex<Vec<(Duration, String)>>,
}

/// The audit of queued messages so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LiveAudit {
    /// The counts of the messages settled so far.
    pub counts: AuditCounts,
    /// Messages done within the SLO, counted from the scheduled send.
    pub good: u64,
}

/// The levels that a service reports about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Levels {
    /// Messages on the service's queue.
    pub queue_depth: u64,
    /// Messages that wait or are in service, and callers in line.
    pub in_system: u64,
}

/// The counts of one shard. Only that shard writes them.
#[derive(Debug, Default)]
pub struct LiveShard {
    /// The counts of the ledger, in the order of the columns of [`Ledger`].
    ledger: [AtomicU64; Ledger::COLUMNS.len()],
    warmup: AtomicU64,
    good: AtomicU64,
    in_flight: AtomicU64,
    blocked: AtomicU64,
    /// The counts of attempts, in the order of the columns of [`AttemptCounts`].
    attempts: [AtomicU64; AttemptCounts::COLUMNS.len()],
    answered: LiveTimes,
}

/// The state of a run at one instant.
#[derive(Debug, Clone, Copy, Default)]
pub struct LiveReading {
    /// The phase of the run.
    pub phase: Phase,
    /// The time since the load began, on the clock of the run, when a shard last wrote it.
    pub elapsed: Duration,
    /// The counts of the clients. Requests that have neither ended nor been withheld are in flight.
    pub ledger: Ledger,
    /// Requests of the warm-up, which are not in the ledger.
    pub warmup: u64,
    /// Messages known to be done within the SLO, counted from the scheduled send.
    pub good: u64,
    /// Requests without an answer now, including those of the warm-up.
    pub in_flight: u64,
    /// Blocked clients: a request is due, but the client must wait for an answer before it can send.
    pub blocked: u64,
    /// The counts of attempts; all zero if each request is sent once.
    pub attempts: AttemptCounts,
    /// The audit's counts of queued messages so far.
    pub audited: AuditCounts,
    /// The levels that the service last reported; `None` if it is not watched or has not reported any.
    pub levels: Option<Levels>,
}

/// The distributions of times of a run so far, without the warm-up.
#[derive(Debug, Clone, Default)]
pub struct LiveTimesReading {
    /// Response times of OK answers.
    pub answered: Times,
    /// Times to done of queued messages whose ends have been reported.
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
    /// Stores the current counts of the shard.
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

    /// Records the response time of an OK answer. Only the thread of the shard may call this.
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
    /// The state of a new run whose durations are also recorded in `histograms`.
    pub fn exporting(histograms: Histograms) -> Self {
        Self {
            histograms,
            ..Self::default()
        }
    }

    /// The histograms in which durations are recorded as they are measured.
    pub fn histograms(&self) -> Histograms {
        self.histograms.clone()
    }

    /// Adds a shard. Returns the counts that it must update, and the channel with requests for its figures. Shards must
    /// be added in their order, before any of them starts.
    pub fn shard(&self) -> (Arc<LiveShard>, mpsc::Receiver<FiguresRequest>) {
        let shard = Arc::default();
        lock(&self.shards).push(Arc::clone(&shard));
        let (request, figures_requests) = mpsc::channel(1);
        lock(&self.figures_requests).push(request);
        (shard, figures_requests)
    }

    /// The exact figures of all shards so far; `None` once the load of a shard is over. Waits until each shard has
    /// answered, between two turns of its loop.
    pub async fn figures(&self) -> Option<Figures> {
        let figures_requests = lock(&self.figures_requests).clone();
        let mut all = Figures::default();
        for shard in figures_requests {
            let (request, figures) = oneshot::channel();
            shard.send(request).await.ok()?;
            all.merge(&figures.await.ok()?);
        }
        Some(all)
    }

    /// Adds an audit. Returns the counters for its times to done; only the thread that has the audit locked may write
    /// them.
    pub fn audit(&self) -> Arc<LiveTimes> {
        let times = Arc::default();
        lock(&self.audits).push(Arc::clone(&times));
        times
    }

    /// Sets the phase of the run.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
    }

    /// Sets the instant at which the load begins.
    pub fn load_starts(&self, at: Instant) {
        // A run begins only once, so later calls have no effect.
        let _ = self.start.set(at);
    }

    /// The instant at which the load began; `None` before that. It is on the clock of the run, which in virtual time
    /// differs from every other clock.
    pub fn started(&self) -> Option<Instant> {
        self.start.get().copied()
    }

    /// Sets the time since the load began, unless a later one is set already.
    pub fn at(&self, elapsed: Duration) {
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.elapsed_millis.fetch_max(millis, Relaxed);
    }

    /// Stores the levels that the service has just reported.
    pub fn seen(&self, levels: Levels) {
        *lock(&self.levels) = Some(levels);
    }

    /// Adds a line for people about a target that cannot be reached; it is shown while the connection is tried again.
    pub fn troubled(&self, line: &str) {
        self.troubles.send_if_modified(|lines| {
            let new = lines.len() < MOST_TROUBLES && !lines.iter().any(|known| **known == *line);
            if new {
                lines.push(line.into());
            }
            new
        });
    }

    /// The first line about a target that cannot be reached; `None` if there is none, or once the clients are
    /// connected.
    pub fn trouble(&self) -> Option<Arc<str>> {
        let connecting = self.phase.load(Relaxed) == Phase::Connecting as u8;
        connecting.then(|| self.troubles.borrow().first().cloned()).flatten()
    }

    /// A receiver of the lines about targets that cannot be reached.
    pub fn troubles(&self) -> watch::Receiver<Vec<Arc<str>>> {
        self.troubles.subscribe()
    }

    /// Records an event of the service, at `at` since the load began.
    pub fn happened(&self, at: Duration, says: &str) {
        lock(&self.events).push((at, says.to_owned()));
    }

    /// The events of the service so far, each with its time since the load began.
    pub fn events(&self) -> Vec<(Duration, String)> {
        lock(&self.events).clone()
    }

    /// Stores the sum of the audits so far.
    pub fn audited(&self, audited: LiveAudit) {
        *lock(&self.audited) = audited;
    }

    /// Reads the current counts. Each is read separately, so their sums may differ a little.
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
