//! Reads flags and environment variables, by the same rules for both programs.
//!
//! A program calls [`parse`] instead of clap's own `parse`. It adds these rules to those of clap:
//!
//! - A variable that is set and empty counts as unset: Docker Compose passes on unset variables as empty ones.
//! - A switch (`ArgAction::SetTrue`) takes 1, yes, true and on from its variable. 0, no, false and off mean that the switch is
//!   not given, also for flags that conflict with the switch or require it.
//! - The command line wins: a variable that conflicts with a flag on the command line is ignored, with a warning.
//! - An error names the variable if the value came from a variable, and the flag if it was typed. [`as_given`] does the same
//!   for errors that the program itself finds later.
//! - No error repeats a value that may be a credential, wherever it came from: see [`shown`].
//! - A variable with the program's prefix that belongs to no flag causes a warning, with the nearest name.
//!
//! [`Address`] and [`whole`] parse values that both programs take: addresses with names or IP addresses, and numbers with units.

#![warn(clippy::unwrap_used)]

mod reading;

mod errors;

mod hidden;

mod command;
mod origin;

mod variables;

mod address;

mod credentials;

mod number;

use std::path::Path;

use clap::{ArgMatches, Parser, error::ErrorKind};

pub use self::{
    address::Address,
    credentials::{shown, without_credentials},
    number::whole,
    variables::boolish,
};
use self::{command::Line, reading::Read};

/// The result of [`parse`].
#[derive(Debug)]
pub struct Parsed<C> {
    /// The values of the flags, from the command line, the environment or the defaults.
    pub cli: C,
    /// Clap's own result, which also has the source of each value.
    pub matches: ArgMatches,
    /// A sentence for each variable that is ignored because it conflicts with a typed flag, and for each variable with the
    /// prefix that belongs to no flag. The program must show them.
    pub warnings: Vec<String>,
}

impl<C> Parsed<C> {
    /// How the user gave a flag: `--workers` if it was typed, `FOO_WORKERS` if it came from the environment, `None` if it has its
    /// default or no value. `id` is the name of the flag's field in the innermost subcommand.
    pub fn given(&self, id: &str) -> Option<String>
    where
        C: Parser,
    {
        command::given(&C::command(), &self.matches, id)
    }
}

/// Reads the command line and the environment.
///
/// `prefix` is what the names of the program's variables begin with, such as `FOO_`.
///
/// Exits, as clap does, instead of returning if the program should not run: with 0 after `--help` and `--version` (1 if
/// standard output cannot be written, except that a closed pipe is no error), and with 2 after an error. Never panics
/// because of a standard stream.
pub fn parse<C: Parser>(prefix: &str) -> Parsed<C> {
    parse_with_hints(prefix, &[])
}

/// [`parse`] with hints for flags that the program does not have, such as `--plaintext`: each with a sentence on what to do
/// instead.
pub fn parse_with_hints<C: Parser>(prefix: &str, hints: &'static [(&'static str, &'static str)]) -> Parsed<C> {
    let line = Line::new(C::command(), std::env::args_os().collect(), hints);
    let Read { matches, gave_way } = reading::read(&line).unwrap_or_else(|error| exit(&error));
    let cli = C::from_arg_matches(&matches).unwrap_or_else(|error| exit(&error.format(&mut C::command())));
    let set = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    Parsed {
        cli,
        matches,
        warnings: gave_way
            .iter()
            .map(ToString::to_string)
            .chain(variables::unknown(&C::command(), prefix, set))
            .collect(),
    }
}

/// Replaces each flag in a text, such as an error, by its environment variable if the flag's value came from that.
///
/// For errors that are found after parsing. Reads the command line and the environment again; a command line that cannot be
/// parsed leaves the text as it is.
pub fn as_given<C: Parser>(text: &str) -> String {
    let line = Line::new(C::command(), std::env::args_os().collect(), &[]);
    match reading::read(&line) {
        Ok(Read { matches, .. }) => origin::as_given(&C::command(), &matches, text),
        Err(_) => text.to_owned(),
    }
}

/// Prints clap's error, help or version, and exits with its code.
fn exit(error: &clap::Error) -> ! {
    use std::io::{self, Write};
    let printed = error.print().and_then(|()| io::stdout().flush());
    let failed = printed.err().filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    match failed.filter(|_| asked_for) {
        Some(failed) => {
            let program = std::env::args_os().next().unwrap_or_default();
            let program = Path::new(&program)
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let _ = writeln!(io::stderr(), "{program}: cannot write to standard output: {failed}");
            std::process::exit(1)
        }
        None => std::process::exit(error.exit_code()),
    }
}
