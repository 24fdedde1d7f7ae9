//! Reads a command line by the rules of this crate: a variable that conflicts with a typed flag is ignored.

use std::{collections::BTreeSet, ffi::OsString, fmt};

use clap::{ArgMatches, error::ErrorKind};

use crate::{
    command::{self, Line},
    errors,
    hidden::hidden,
};

/// The result of [`read`].
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) matches: ArgMatches,
    /// The variables that are ignored because they conflict with typed flags.
    pub(crate) gave_way: Vec<GaveWay>,
}

/// A variable that is ignored because it conflicts with a flag on the command line.
#[derive(Debug)]
pub(crate) struct GaveWay {
    variable: String,
    flag: String,
}

impl fmt::Display for GaveWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is ignored: it conflicts with {} on the command line",
            self.variable, self.flag
        )
    }
}

/// Parses a command line by the rules of this crate.
///
/// # Errors
///
/// Clap's errors, with the names of variables where the values came from them, and without possible credentials. Help and
/// version are errors too.
pub(crate) fn read(line: &Line) -> Result<Read, clap::Error> {
    let mut ignored = command::unset(line.command());
    let mut gave_way = Vec::new();
    loop {
        let error = match line.without(&ignored) {
            Ok(matches) => return Ok(Read { matches, gave_way }),
            Err(error) => error,
        };
        match error.kind() {
            // Help shows the values of all variables, also of those that count as unset.
            ErrorKind::DisplayHelp => {
                let matches = line.without(&BTreeSet::new())?;
                return Ok(Read { matches, gave_way });
            }
            ErrorKind::ArgumentConflict => match errors::gives_way(line, &ignored, &error) {
                Some((variable, flag)) => {
                    gave_way.push(GaveWay {
                        variable: variable.to_string_lossy().into_owned(),
                        flag,
                    });
                    ignored.insert(variable);
                }
                None => return Err(named(line, &ignored, error)),
            },
            _ => return Err(named(line, &ignored, error)),
        }
    }
}

fn named(line: &Line, ignored: &BTreeSet<OsString>, error: clap::Error) -> clap::Error {
    // Both find flags by the names that clap gives them, so `errors::named`, which changes these names, comes second.
    errors::named(line, ignored, hidden(line, error))
}
