//! Quantities that rise and fall, and views of them with maxima of their own: what happens between two looks is not lost,
//! and observers do not disturb each other.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use super::Ledger;

/// How many observers can each have their own maxima at once (arbitrary; a bit each in a `u32`).
pub const MAX_WINDOWS: usize = 16;

/// A quantity that rises and falls, with its maximum in each open window.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) now: AtomicU64,
    pub(super) max: [AtomicU64; MAX_WINDOWS],
}

/// A level as read through a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LevelReading {
    /// At this instant.
    pub now: u64,
    /// Since the window was last read.
    pub max: u64,
}

/// The levels at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Levels<T> {
    /// Messages on the queue.
    pub queue_depth: T,
    /// Bytes of their ids and payloads.
    pub queue_bytes: T,
    /// Callers in line, at either door.
    pub waiting: T,
    /// Messages that a worker has.
    pub in_service: T,
    /// All of these messages and callers together.
    pub in_system: T,
}

/// A view of the levels with maxima of its own, closed by dropping it.
#[derive(Debug)]
pub struct Window {
    ledger: Arc<Ledger>,
    slot: usize,
}

impl Window {
    pub(super) fn open(ledger: &Arc<Ledger>) -> Option<Self> {
        let mut open = ledger.windows.load(SeqCst);
        let slot = loop {
            let slot = open.trailing_ones() as usize;
            if slot >= MAX_WINDOWS {
                return None;
            }
            match ledger.windows.compare_exchange(open, open | 1 << slot, SeqCst, SeqCst) {
                Ok(_) => break slot,
                Err(now) => open = now,
            }
        };
        let window = Self {
            ledger: Arc::clone(ledger),
            slot,
        };
        window.read();
        Some(window)
    }

    /// The levels now, and their maxima since this was last called.
    pub fn read(&self) -> Levels<LevelReading> {
        self.ledger.map_levels(|level| {
            let now = level.now.load(SeqCst);
            let max = level.max[self.slot].swap(now, SeqCst);
            LevelReading { now, max: max.max(now) }
        })
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.ledger.windows.fetch_and(!(1 << self.slot), SeqCst);
    }
}
