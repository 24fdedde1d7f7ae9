//! Quantities that rise and fall, with windows on them. Each window has maxima of its own, so a peak between two readings is not
//! lost, and observers do not disturb each other.

use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

/// How many windows can be open at once (arbitrary; each is one bit of a `u32`).
pub const MAX_WINDOWS: usize = 16;

/// The current levels, and their maxima in each open window.
///
/// The levels are together on one cache line: every call changes several of them, and each line must be fetched from the core
/// that changed it last.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Gauges {
    now: Levels<AtomicU64>,
    /// The open windows, one bit each.
    windows: AtomicU32,
    max: [Levels<AtomicU64>; MAX_WINDOWS],
}

impl Gauges {
    pub(super) fn raise(&self, level: impl Fn(&Levels<AtomicU64>) -> &AtomicU64, by: u64) {
        let now = level(&self.now).fetch_add(by, SeqCst) + by;
        let mut open = self.windows.load(Relaxed);
        while open != 0 {
            level(&self.max[open.trailing_zeros() as usize]).fetch_max(now, Relaxed);
            open &= open - 1;
        }
    }

    /// Sets a level to `value`, and raises its maxima if needed.
    pub(super) fn set(&self, level: impl Fn(&Levels<AtomicU64>) -> &AtomicU64, value: u64) {
        level(&self.now).store(value, SeqCst);
        self.raise(level, 0);
    }

    pub(super) fn lower(&self, level: impl Fn(&Levels<AtomicU64>) -> &AtomicU64, by: u64) {
        level(&self.now).fetch_sub(by, SeqCst);
    }

    /// Opens a window; `None` while [`MAX_WINDOWS`] are open.
    pub(super) fn open_window(&self) -> Option<usize> {
        let mut open = self.windows.load(SeqCst);
        let slot = loop {
            let slot = open.trailing_ones() as usize;
            if slot >= MAX_WINDOWS {
                return None;
            }
            let opened = self.windows.compare_exchange(open, open | 1 << slot, SeqCst, SeqCst);
            match opened {
                Ok(_) => break slot,
                Err(now) => open = now,
            }
        };
        self.read_window(slot);
        Some(slot)
    }

    /// Reads the levels, and their maxima since the window was last read.
    pub(super) fn read_window(&self, slot: usize) -> Levels<LevelReading> {
        self.now.with(&self.max[slot], |now, max| {
            let now = now.load(SeqCst);
            let max = max.swap(now, SeqCst);
            LevelReading { now, max: max.max(now) }
        })
    }

    pub(super) fn close_window(&self, slot: usize) {
        self.windows.fetch_and(!(1 << slot), SeqCst);
    }

    pub(super) fn open_windows(&self) -> u32 {
        self.windows.load(Relaxed).count_ones()
    }

    /// The levels at this instant.
    pub(super) fn read(&self) -> Levels<u64> {
        self.now.each(|level| level.load(SeqCst))
    }
}

/// A level as read through a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LevelReading {
    /// The level at this instant.
    pub now: u64,
    /// The largest value since the window was last read.
    pub max: u64,
}

/// One value for each quantity that rises and falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Levels<T> {
    /// Messages on the queue, without those in service.
    pub queue_depth: T,
    /// Bytes of the ids and payloads of the messages on the queue.
    pub queue_bytes: T,
    /// Callers that wait in line, of Enqueue and Process.
    pub waiting: T,
    /// Messages that a worker processes.
    pub in_service: T,
    /// Queued messages, waiting callers and messages in service together.
    pub in_system: T,
}

impl<T> Levels<T> {
    fn each<U>(&self, read: impl Fn(&T) -> U) -> Levels<U> {
        self.with(self, |level, _| read(level))
    }

    fn with<U, V>(&self, other: &Levels<U>, read: impl Fn(&T, &U) -> V) -> Levels<V> {
        Levels {
            queue_depth: read(&self.queue_depth, &other.queue_depth),
            queue_bytes: read(&self.queue_bytes, &other.queue_bytes),
            waiting: read(&self.waiting, &other.waiting),
            in_service: read(&self.in_service, &other.in_service),
            in_system: read(&self.in_system, &other.in_system),
        }
    }
}
