//! Parses a command line as if some environment variables were not set. Repeating that shows which variables caused an error.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
};

use clap::{Arg, ArgAction, ArgMatches, Command, builder::StyledStr, parser::ValueSource};

use crate::variables::{boolish, known};

/// A clap command and the words of the command line to parse with it.
pub(crate) struct Line {
    command: Command,
    words: Vec<OsString>,
    hints: Hints,
}

/// Flags that the program does not have but a user may expect, each with a hint for the error.
type Hints = &'static [(&'static str, &'static str)];

impl Line {
    pub(crate) fn new(command: Command, words: Vec<OsString>, hints: Hints) -> Self {
        Self { command, words, hints }
    }

    pub(crate) fn command(&self) -> &Command {
        &self.command
    }

    pub(crate) fn hints(&self) -> Hints {
        self.hints
    }

    /// Parses the command line as if the variables in `ignored` were not set.
    pub(crate) fn without(&self, ignored: &BTreeSet<OsString>) -> Result<ArgMatches, clap::Error> {
        map_args(self.command.clone(), &|arg| {
            let arg = if is_switch(&arg) {
                arg.value_parser(boolish)
            } else {
                arg
            };
            let ignore = arg.get_env().is_some_and(|variable| ignored.contains(variable));
            if ignore { arg.env(None) } else { arg }
        })
        .try_get_matches_from(&self.words)
    }

    /// The usage line of the subcommand that was typed.
    pub(crate) fn usage(&self) -> StyledStr {
        let mut built = self.command.clone();
        built.build();
        let mut command = &mut built;
        for word in self.words.iter().filter_map(|word| word.to_str()) {
            if command.find_subcommand(word).is_some() {
                command = command.find_subcommand_mut(word).expect("it was found");
            }
        }
        command.render_usage()
    }

    /// All flags, of all subcommands, that clap's errors show as `shown`, such as `--workers <COUNT>`.
    pub(crate) fn called(&self, shown: &str) -> Vec<Arg> {
        fn find(command: &Command, shown: &str, into: &mut Vec<Arg>) {
            into.extend(command.get_arguments().filter(|arg| arg.to_string() == shown).cloned());
            command.get_subcommands().for_each(|command| find(command, shown, into));
        }
        // Clap can show arguments only after the command is built.
        let mut built = self.command.clone();
        built.build();
        let mut found = Vec::new();
        find(&built, shown, &mut found);
        found
    }

    /// The environment variables of all flags that clap's errors show as `shown`.
    pub(crate) fn variables(&self, shown: &str) -> BTreeSet<OsString> {
        let called = self.called(shown);
        called
            .iter()
            .filter_map(|arg| arg.get_env())
            .map(OsStr::to_owned)
            .collect()
    }

    /// Whether the command line has a flag whose value may be a credential.
    pub(crate) fn has_hidden_flag(&self) -> bool {
        fn any(command: &Command, test: &dyn Fn(&Arg) -> bool) -> bool {
            command.get_arguments().any(test) || command.get_subcommands().any(|command| any(command, test))
        }
        self.words.iter().filter_map(|word| word.to_str()).any(|word| {
            any(&self.command, &|arg| {
                arg.is_hide_env_values_set()
                    && match word.strip_prefix("--") {
                        Some(long) => {
                            let long = long.split('=').next();
                            let aliases = arg.get_all_aliases().unwrap_or_default();
                            arg.get_long().into_iter().chain(aliases).any(|name| Some(name) == long)
                        }
                        None => word.starts_with('-') && arg.get_short().is_some_and(|short| word.contains(short)),
                    }
            })
        })
    }

    /// The environment variables of the command's flags that are set.
    pub(crate) fn all_variables(&self) -> BTreeSet<OsString> {
        let known = known(&self.command).into_iter().map(OsString::from);
        known.filter(|name| std::env::var_os(name).is_some()).collect()
    }
}

/// The set variables that count as unset: empty ones, and those that set a switch to false.
pub(crate) fn unset(command: &Command) -> BTreeSet<OsString> {
    let own = command.get_arguments().filter_map(|arg| {
        let variable = arg.get_env()?;
        let value = std::env::var_os(variable)?;
        let off = is_switch(arg) && value.to_str().is_some_and(|value| boolish(value) == Ok(false));
        (value.is_empty() || off).then(|| variable.to_owned())
    });
    own.chain(command.get_subcommands().flat_map(unset)).collect()
}

fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue) && arg.get_env().is_some()
}

fn map_args(command: Command, change: &dyn Fn(Arg) -> Arg) -> Command {
    command
        .mut_args(change)
        .mut_subcommands(|command| map_args(command, change))
}

/// The flag or the variable that gave a value to the flag `id` of the innermost called subcommand; `None` if neither did.
pub(crate) fn given(command: &Command, matches: &ArgMatches, id: &str) -> Option<String> {
    if let Some((name, matches)) = matches.subcommand() {
        return given(command.find_subcommand(name)?, matches, id);
    }
    let arg = command.get_arguments().find(|arg| arg.get_id() == id)?;
    match matches.value_source(id)? {
        ValueSource::CommandLine => Some(match arg.get_long() {
            Some(long) => format!("--{long}"),
            None => arg.to_string(),
        }),
        ValueSource::EnvVariable => Some(arg.get_env()?.to_string_lossy().into_owned()),
        _ => None,
    }
}
