//! Reads lab files. A lab file declares a comparison: the load, the strategies, and what changes while the load runs;
//! docs/labs.md describes every key.
//!
//! The flags in a lab are parsed by clap, as on the command line, so that there is one set of names, ranges and
//! defaults. A lab consists of tables until [`Lab::strategies`] makes settings from them. Flags of the command line
//! change these tables, so that the result can be printed as a lab file again.

mod declared;
mod flags;
mod overlay;
mod print;
mod read;
mod resolve;
pub mod schema;
mod services;
mod shared;
mod source;
mod table;

use std::path::Path;

use self::{declared::Declared, source::Source};
pub use self::{
    declared::Lab,
    resolve::{Event, Strategy},
    shared::SHARED,
    source::LabError,
};
use crate::input;

/// The lab file of the worked example, which `load-client compare` uses if no file is given.
const WORKED_EXAMPLE: &str = include_str!("../../../labs/worked-example.toml");
/// The name of the worked example in errors.
const BUILT_IN: &str = "labs/worked-example.toml";
/// A strategy whose services share a queue, which `--nats` adds to the worked example.
const SHARED_QUEUE: &str = include_str!("../../../labs/shared-queue.toml");
/// What that lab is called in errors.
const BUILT_IN_SHARED: &str = "labs/shared-queue.toml";
/// What `load-client sweep` shows without a file.
const SWEEP: &str = include_str!("../../../labs/sweep.toml");
/// The name of the sweep's lab in errors.
const BUILT_IN_SWEEP: &str = "labs/sweep.toml";

impl Lab {
    /// The worked example of README.md, from a file that is compiled in.
    pub fn built_in() -> Self {
        compiled_in(BUILT_IN, WORKED_EXAMPLE)
    }

    /// The same with [`SHARED`] behind the others, whose queue is on a server.
    pub fn built_in_with_shared_queue() -> Self {
        let mut lab = Self::built_in();
        let shared = compiled_in(BUILT_IN_SHARED, SHARED_QUEUE).strategies;
        let shared = shared.into_iter().filter(|strategy| strategy.name == SHARED);
        // Its lines are of another file.
        lab.strategies
            .extend(shared.map(|strategy| Declared { line: 0, ..strategy }));
        lab
    }

    /// The lab of a sweep without a file.
    pub fn built_in_sweep() -> Self {
        compiled_in(BUILT_IN_SWEEP, SWEEP)
    }

    /// Reads a lab file. A lab without strategies has those of the worked example.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or something in it is wrong: the first error, with its line.
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
}

fn compiled_in(file: &str, text: &str) -> Lab {
    let source = Source {
        file,
        text,
        folder: None,
    };
    read::lab(&source).expect("a test reads each lab that is compiled in")
}
