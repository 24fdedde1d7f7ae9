//! Every flag of the service: its environment variable, default, range and unit.
//!
//! Only the assembly ([`crate::app`]) and `main` read the settings; all other modules get single values.

mod change;
mod check;
mod contradictions;
mod process;
mod queue;
mod settings;
#[cfg(test)]
mod tests;
mod values;
mod word;

pub use self::{
    change::Change,
    contradictions::Contradiction,
    process::{Listen, LogArgs, TlsArgs, TlsFiles},
    queue::{NatsServers, QueueKind, SharedQueueArgs},
    settings::Settings,
    word::word,
};
