//! A window on the levels, with maxima of its own, so that observers do not disturb each other.

use std::sync::Arc;

use super::{
    level::{LevelReading, Levels},
    totals::Ledger,
};

/// A window on the levels, with maxima of its own. Dropping it closes it.
#[derive(Debug)]
pub struct Window {
    ledger: Arc<Ledger>,
    slot: usize,
}

impl Ledger {
    /// Opens a window; `None` while [`MAX_WINDOWS`](super::MAX_WINDOWS) are open.
    pub fn open_window(self: &Arc<Self>) -> Option<Window> {
        let slot = self.levels.open_window()?;
        let ledger = Arc::clone(self);
        Some(Window { ledger, slot })
    }

    /// The number of open windows.
    pub fn windows(&self) -> u32 {
        self.levels.open_windows()
    }
}

impl Window {
    /// Reads the levels, and their maxima since the last call.
    pub fn read(&self) -> Levels<LevelReading> {
        self.ledger.levels.read_window(self.slot)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.ledger.levels.close_window(self.slot);
    }
}
