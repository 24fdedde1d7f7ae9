//! Changes a service while it serves: the number of workers, the service time, and how many messages fail.

use std::sync::{Arc, Mutex};

use crate::{
    config::{Change, Settings},
    process::ProcessDoor,
    turns::Turns,
    workers::Workers,
};

/// Changes a running service. It may outlive the service, and then changes nothing.
#[derive(Clone)]
pub struct Control {
    /// The current settings. The lock makes changes happen one at a time.
    settings: Arc<Mutex<Settings>>,
    workers: Arc<Workers>,
    turns: Arc<Turns>,
    process: Arc<ProcessDoor>,
}

/// The error if a change would make the settings contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ChangeError(String);

impl Control {
    pub(super) fn new(
        settings: &Settings,
        workers: Arc<Workers>,
        turns: Arc<Turns>,
        process: Arc<ProcessDoor>,
    ) -> Self {
        Self {
            settings: Arc::new(Mutex::new(settings.clone())),
            workers,
            turns,
            process,
        }
    }

    /// Changes the service at once, and never waits.
    ///
    /// With fewer workers, messages in service are finished, and no new ones start until fewer are in service than there are
    /// workers. A concurrency limit that was not set follows the workers. A message in service keeps its service time.
    ///
    /// # Errors
    ///
    /// If the changed settings contradict each other; nothing has changed then.
    pub fn change(&self, change: &Change) -> Result<(), ChangeError> {
        let mut settings = self.settings.lock().expect("no code panics with the settings locked");
        let changed = change.apply(&settings);
        changed.check().map_err(ChangeError)?;
        if changed.service_time != settings.service_time {
            self.workers.set_service_time(changed.service_time);
        }
        if (changed.fail_rate, changed.fail_time) != (settings.fail_rate, settings.fail_time) {
            self.workers.set_failures(changed.fail_rate, changed.fail_time);
        }
        if changed.workers != settings.workers {
            self.workers.resize(changed.workers);
        }
        if changed.limit() != settings.limit() {
            self.process.resize(changed.limit());
            self.turns.resize(changed.limit());
        }
        *settings = changed;
        Ok(())
    }
}
