//! A run as it goes, for whoever shows progress: written by the run, read by another thread at any time.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
};
use std::time::Duration;

use crate::recorder::{Ledger, LiveLedger};

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Connecting, or waiting for the service to come up.
    Connecting,
    /// Sending.
    Loading,
    /// Waiting for the service to work off what is left.
    Draining,
    /// Over.
    Done,
}

/// A run's state.
#[derive(Debug, Default)]
pub struct Live {
    /// The client's counts.
    pub ledger: Arc<LiveLedger>,
    stage: AtomicU8,
    elapsed_millis: AtomicU64,
    queue_depth: AtomicU64,
    in_system: AtomicU64,
}

/// A run's state at one instant.
#[derive(Debug, Clone, Copy)]
pub struct LiveReading {
    /// What it is doing.
    pub stage: Stage,
    /// Since the load began, on the run's own clock.
    pub elapsed: Duration,
    /// The client's counts.
    pub ledger: Ledger,
    /// What the service last showed.
    pub queue_depth: u64,
    /// Likewise.
    pub in_system: u64,
}

impl Live {
    /// The run goes on to `stage`.
    pub fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Relaxed);
    }

    /// The run has come so far.
    pub fn at(&self, elapsed: Duration) {
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.elapsed_millis.fetch_max(millis, Relaxed);
    }

    /// The service showed this.
    pub fn seen(&self, queue_depth: u64, in_system: u64) {
        self.queue_depth.store(queue_depth, Relaxed);
        self.in_system.store(in_system, Relaxed);
    }

    /// The state now.
    pub fn read(&self) -> LiveReading {
        let stage = match self.stage.load(Relaxed) {
            0 => Stage::Connecting,
            1 => Stage::Loading,
            2 => Stage::Draining,
            _ => Stage::Done,
        };
        LiveReading {
            stage,
            elapsed: Duration::from_millis(self.elapsed_millis.load(Relaxed)),
            ledger: self.ledger.read(),
            queue_depth: self.queue_depth.load(Relaxed),
            in_system: self.in_system.load(Relaxed),
        }
    }
}
