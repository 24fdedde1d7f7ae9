//! The experiments: each a service with a known fault, a load, and what the report of it must say.

mod death;
mod delay;
mod freeze;
mod losses;
mod refusals;

use super::{
    judge::Judged,
    setting::{NotDone, Setting},
};

/// Something that happens to a service, and that a client must report correctly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Experiment {
    /// The service freezes, under an open loop.
    FreezeOpen,
    /// The service freezes, under clients that wait and catch up.
    FreezeBacklog,
    /// The service freezes, under clients that withhold.
    FreezeWithhold,
    /// The service takes a known time for every message.
    Delay,
    /// There are fewer clients than the schedule needs.
    FewClients,
    /// The service rejects a known share of the requests.
    Refusals,
    /// The service forgets a known number of messages.
    Losses,
    /// The service drops a known number of messages by policy.
    Drops,
    /// The service is killed, and comes back.
    Death,
}

impl Experiment {
    /// All experiments, in the order of the report.
    pub const ALL: [Self; 9] = [
        Self::FreezeOpen,
        Self::FreezeBacklog,
        Self::FreezeWithhold,
        Self::Delay,
        Self::FewClients,
        Self::Refusals,
        Self::Losses,
        Self::Drops,
        Self::Death,
    ];

    /// The name of the experiment in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::FreezeOpen => "freeze-open",
            Self::FreezeBacklog => "freeze-backlog",
            Self::FreezeWithhold => "freeze-withhold",
            Self::Delay => "delay",
            Self::FewClients => "few-clients",
            Self::Refusals => "refusals",
            Self::Losses => "losses",
            Self::Drops => "drops",
            Self::Death => "death",
        }
    }

    /// What happens, in a sentence for people.
    pub fn about(self) -> &'static str {
        match self {
            Self::FreezeOpen => "a service stands still for 2 s of 10 s; clients go on sending, 200 a second",
            Self::FreezeBacklog => {
                "a service freezes; each client waits for its answer, and sends later what was due meanwhile"
            }
            Self::FreezeWithhold => {
                "a service freezes; each client waits for its answer, and never sends what was due meanwhile"
            }
            Self::Delay => "every message takes 100 ms, and there is room for all",
            Self::FewClients => {
                "every message takes 100 ms, and 4 clients wait for each answer, where 100 requests per second need 10"
            }
            Self::Refusals => "three calls of ten are rejected at once, the others take 100 ms",
            Self::Losses => "two of twenty accepted messages are forgotten, and one is done twice",
            Self::Drops => "a queue of 8 without a free worker drops its oldest message",
            Self::Death => "a service is killed under load, and comes back after 2 s",
        }
    }

    /// The load of the experiment, as flags of `run`.
    pub(super) fn flags(self) -> &'static [&'static str] {
        match self {
            Self::FreezeOpen => freeze::OPEN,
            Self::FreezeBacklog => freeze::BACKLOG,
            Self::FreezeWithhold => freeze::WITHHOLD,
            Self::Delay => delay::LOAD,
            Self::FewClients => delay::FEW_CLIENTS,
            Self::Refusals => refusals::LOAD,
            Self::Losses => losses::FORGETFUL,
            Self::Drops => losses::FULL,
            Self::Death => death::LOAD,
        }
    }

    /// Runs the experiment and judges its figures.
    pub(super) async fn make(self, setting: &Setting) -> Result<Judged, NotDone> {
        match self {
            Self::FreezeOpen => freeze::open_loop(setting).await,
            Self::FreezeBacklog => freeze::backlog(setting).await,
            Self::FreezeWithhold => freeze::withhold(setting).await,
            Self::Delay => delay::constant(setting).await,
            Self::FewClients => delay::few_clients(setting).await,
            Self::Refusals => refusals::at_once(setting).await,
            Self::Losses => losses::forgotten(setting).await,
            Self::Drops => losses::dropped(setting).await,
            Self::Death => Box::pin(death::and_return(setting)).await,
        }
    }
}
