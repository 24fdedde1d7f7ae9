//! The role of a service: it accepts calls, works on the queue, or does both.

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
    /// True if there are workers. Without them, only Enqueue is served.
    pub works: bool,
}

impl Role {
    /// True if calls of `door` are served.
    pub fn serves(self, door: Door) -> bool {
        match (self.accept, door) {
            (Accept::None, _) => false,
            (Accept::All, Door::Enqueue) => true,
            (Accept::All, Door::Process) => self.works,
        }
    }

    /// The text of `/readyz` when the service is ready.
    pub fn says(self) -> &'static str {
        match (self.accept, self.works) {
            (Accept::All, true) => "ready",
            (Accept::All, false) => "ready: Enqueue only, without workers",
            (Accept::None, _) => "ready: works on the queue, accepts no calls",
        }
    }
}
