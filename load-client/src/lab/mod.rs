//! Lab files: a comparison as data. A lab says load, strategies, and what changes while the load runs; docs/labs.md describes
//! every key.
//!
//! The flags in a lab are read by clap, as on the command line, so that there is one set of names, ranges and defaults. A lab
//! stays a set of tables until [`Lab::strategies`]; flags of the command line are laid over the tables, so that the effective
//! lab can be written down again.

mod flags;
mod overlay;
mod print;
mod read;
mod resolve;
pub mod schema;
mod source;
mod table;

use std::{path::Path, time::Duration};

use self::{
    flags::{Flags, Kind},
    source::Source,
    table::Table,
};
pub use self::{
    resolve::{Event, Strategy},
    source::LabError,
};
use crate::{input, scenario::Rpc};

/// The worked example: what `load-client compare` shows without a file.
const WORKED_EXAMPLE: &str = include_str!("../../../labs/worked-example.toml");
/// What the worked example is called in errors.
const BUILT_IN: &str = "labs/worked-example.toml";

/// A comparison as a lab file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lab {
    /// As errors name it.
    file: String,
    title: Option<String>,
    about: Option<String>,
    /// For all strategies.
    load: Table,
    /// For all strategies.
    service: Table,
    strategies: Vec<Declared>,
    events: Vec<DeclaredEvent>,
}

/// A strategy as a lab file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Declared {
    line: usize,
    name: String,
    about: String,
    rpc: Rpc,
    /// Over the lab's own.
    service: Table,
    /// Over the lab's own.
    load: Table,
}

/// An event as a lab file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DeclaredEvent {
    line: usize,
    /// Since the load began.
    at: Duration,
    /// The same, as it was written.
    at_text: String,
    /// For these; for all, if there are none.
    strategies: Vec<String>,
    service: Table,
}

impl Lab {
    /// The worked example.
    pub fn built_in() -> Self {
        let source = Source {
            file: BUILT_IN,
            text: WORKED_EXAMPLE,
            folder: None,
        };
        read::lab(&source).expect("a test reads the lab that is compiled in")
    }

    /// Reads a lab file. A lab without strategies has those of the worked example.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line.
    pub fn read(path: &Path) -> Result<Self, LabError> {
        let file = path.display().to_string();
        let text = input::text(path).map_err(|error| LabError::Unreadable {
            file: file.clone(),
            reason: error.to_string(),
        })?;
        let source = Source {
            file: &file,
            text: &text,
            folder: path.parent(),
        };
        read::lab(&source)
    }

    /// What the lab is about, in a few words, if it says so.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// What the lab shows, in a sentence, if it says so.
    pub fn about(&self) -> Option<&str> {
        self.about.as_deref()
    }

    /// Whether something changes while the load runs.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    fn load_flags(&self) -> Flags<'_> {
        Flags {
            file: &self.file,
            kind: Kind::Load,
            name: "[load]",
        }
    }

    fn service_flags(&self) -> Flags<'_> {
        Flags {
            file: &self.file,
            kind: Kind::Service,
            name: "[service]",
        }
    }
}
