//! A lab as its file declares it: tables of flags, before the settings of each strategy are made from them.

use std::time::Duration;

use super::{
    flags::{Flags, Kind},
    table::Table,
};
use crate::scenario::Rpc;

/// A comparison as a lab file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lab {
    /// The path of the file as errors name it.
    pub(super) file: String,
    pub(super) title: Option<String>,
    pub(super) about: Option<String>,
    /// Flags of `[load]`, for all strategies.
    pub(super) load: Table,
    /// Flags of `[service]`, for all strategies.
    pub(super) service: Table,
    pub(super) strategies: Vec<Declared>,
    pub(super) events: Vec<DeclaredEvent>,
}

/// A strategy as a lab file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) about: String,
    pub(super) rpc: Rpc,
    /// How many services work on its queue; one that also accepts, if it is 1.
    pub(super) instances: u32,
    /// Flags of the service, which replace those of the lab.
    pub(super) service: Table,
    /// Flags of the load, which replace those of the lab.
    pub(super) load: Table,
}

/// An event as a lab file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeclaredEvent {
    pub(super) line: usize,
    /// The time of the event since the load began.
    pub(super) at: Duration,
    /// The text of that time as it was written.
    pub(super) at_text: String,
    /// The names of the strategies that the event concerns; empty: all.
    pub(super) strategies: Vec<String>,
    pub(super) service: Table,
}

impl Lab {
    /// The title of the lab, a few words; `None` if it has none.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The description of the lab, a sentence; `None` if it has none.
    pub fn about(&self) -> Option<&str> {
        self.about.as_deref()
    }

    /// True if a service changes while the load runs.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Makes the reader of the flags in `[load]`.
    pub(super) fn load_flags(&self) -> Flags<'_> {
        Flags {
            file: &self.file,
            kind: Kind::Load,
            name: "[load]",
        }
    }

    /// Makes the reader of the flags in `[service]`.
    pub(super) fn service_flags(&self) -> Flags<'_> {
        Flags {
            file: &self.file,
            kind: Kind::Service,
            name: "[service]",
        }
    }
}
