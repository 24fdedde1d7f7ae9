//! The threads from which the clients of a run send, and the number of shards.

use crate::scenario::Scenario;

/// The threads on which the clients of a fleet run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Each shard has a thread and a runtime of its own, so that nothing else delays a send.
    Threads,
    /// All clients run on the current runtime. Virtual time needs this, because it is the time of one runtime.
    Here,
}

/// How often this task yields so that an answer gets from a worker's timer to its client (derived: it passes the tasks
/// of the handler, the server's connection, the client's connection and the call; the rest is reserve).
const TURNS: usize = 16;

impl Place {
    /// Lets the other tasks do everything that is due at this instant, in virtual time only. If the time between
    /// requests is a multiple of the service time, every answer comes at the same instant as the next send. The answer
    /// must be processed first: otherwise the client would count as blocked.
    pub(super) async fn settle(self) {
        if self == Self::Here {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// The number of shards of a scenario.
pub fn shards(scenario: &Scenario, place: Place) -> u32 {
    match place {
        Place::Here => 1,
        Place::Threads => scenario.threads,
    }
}
