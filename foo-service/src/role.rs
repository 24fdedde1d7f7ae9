//! What a service is for: to accept calls, to work on the queue, or both.

use crate::job::Door;

/// Which calls of Enqueue and Process are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Accept {
    /// Calls of both.
    All,
    /// None: the workers take messages from the queue alone.
    None,
}

/// The role of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// Which calls are accepted.
    pub accept: Accept,
    /// Whether there are workers. Without them, only Enqueue is served.
    pub works: bool,
}

impl Role {
    /// Whether calls through `door` are served.
    pub fn serves(self, door: Door) -> bool {
        match (self.accept, door) {
            (Accept::None, _) => false,
            (Accept::All, Door::Enqueue) => true,
            (Accept::All, Door::Process) => self.works,
        }
    }

    /// What `/readyz` says of a service that is ready.
    pub fn says(self) -> &'static str {
        match (self.accept, self.works) {
            (Accept::All, true) => "ready",
            (Accept::All, false) => "ready: Enqueue only, without workers",
            (Accept::None, _) => "ready: works on the queue, accepts no calls",
        }
    }
}
