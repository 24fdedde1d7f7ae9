//! Oldest first; newest first while overload lasts. Rejects requests that cannot be answered in time.

use std::time::Duration;

use super::{Arrival, Caller, Id, Line, LineSettings, Load, Reason, Turn, lifo::push_newest, waiting::Waiting};

/// See the [module](self).
#[derive(Debug, Clone)]
pub struct Auto {
    waiting: Waiting,
    settings: LineSettings,
}

impl Auto {
    /// A line of at most `settings.places`.
    pub fn new(settings: LineSettings) -> Self {
        Self {
            waiting: Waiting::default(),
            settings,
        }
    }
}

impl Line for Auto {
    fn arrive(&mut self, _: Duration, caller: Caller, _: &Load) -> Arrival {
        push_newest(&mut self.waiting, self.settings.places, caller)
    }

    fn next(&mut self, now: Duration, load: &Load) -> Option<Turn> {
        let newest = self.waiting.newest()?;
        self.waiting.remove(newest.id);
        Some(if newest.too_late(now, load.service_time) {
            Turn::Reject(newest, Reason::Deadline)
        } else {
            Turn::Serve(newest)
        })
    }

    fn leave(&mut self, id: Id) -> bool {
        self.waiting.remove(id).is_some()
    }

    fn len(&self) -> usize {
        self.waiting.len()
    }
}
