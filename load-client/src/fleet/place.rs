//! Where the clients of a run send from, and on how many shards.

use crate::scenario::Scenario;

/// On which threads the clients of a fleet run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On threads of their own, each with a runtime: so that nothing else delays a send.
    Threads,
    /// On the current runtime: the only place where virtual time passes.
    Here,
}

/// Turns of the other tasks that an answer takes from a worker's timer to its client (derived: handler, server's
/// connection, client's connection, call; and room for more).
const TURNS: usize = 16;

impl Place {
    /// Lets everything happen that happens at this instant. In virtual time that is a lot: a period that is a multiple of
    /// the service time has answers and sends at the same tick for ever, and a client whose answer is there in time must
    /// not count as blocked because its timer was looked at first.
    pub(super) async fn settle(self) {
        if self == Self::Here {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// How many shards a scenario runs on.
pub fn shards(scenario: &Scenario, place: Place) -> u32 {
    match place {
        Place::Here => 1,
        Place::Threads => scenario.threads,
    }
}
