//! A view of the levels with maxima of its own: observers do not disturb each other.

use std::sync::Arc;

use super::{
    level::{LevelReading, Levels},
    totals::Ledger,
};

/// A view of the levels with maxima of its own, closed by dropping it.
#[derive(Debug)]
pub struct Window {
    ledger: Arc<Ledger>,
    slot: usize,
}

impl Ledger {
    /// Opens a view with maxima of its own; `None` while [`MAX_WINDOWS`](super::MAX_WINDOWS) are open.
    pub fn open_window(self: &Arc<Self>) -> Option<Window> {
        let slot = self.levels.open_window()?;
        let ledger = Arc::clone(self);
        Some(Window { ledger, slot })
    }

    /// How many views are open.
    pub fn windows(&self) -> u32 {
        self.levels.open_windows()
    }
}

impl Window {
    /// The levels now, and their maxima since this was last called.
    pub fn read(&self) -> Levels<LevelReading> {
        self.ledger.levels.read_window(self.slot)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.ledger.levels.close_window(self.slot);
    }
}
