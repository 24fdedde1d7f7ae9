//! Flags together with the words by which they were given, for code that overrides a file's values with them.

use std::ops::Deref;

use clap::{ArgAction, ArgMatches, Args, Command, FromArgMatches, Id, parser::ValueSource};

/// The flags of `T`, and which of them were given: on the command line, or by a variable.
#[derive(Debug, Clone)]
pub struct Given<T> {
    flags: T,
    words: Words,
}

/// The long names of flags that were given, each with its values; a switch has none.
pub type Words = Vec<(String, Vec<String>)>;

impl<T> Given<T> {
    /// The flags that were given, by their long names, with their values.
    pub fn words(&self) -> &Words {
        &self.words
    }
}

impl<T> Deref for Given<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.flags
    }
}

impl<T: Args> Args for Given<T> {
    fn group_id() -> Option<Id> {
        T::group_id()
    }

    fn augment_args(command: Command) -> Command {
        T::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        T::augment_args_for_update(command)
    }
}

impl<T: Args> FromArgMatches for Given<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let words = words(&T::augment_args(Command::new("given")), matches);
        let flags = T::from_arg_matches(matches)?;
        Ok(Self { flags, words })
    }

    // This takes the values out of the matches, so the words are read before.
    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
        let words = words(&T::augment_args(Command::new("given")), matches);
        let flags = T::from_arg_matches_mut(matches)?;
        Ok(Self { flags, words })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The flags of `command` that were given, with their values. Defaults are left out.
pub(super) fn words(command: &Command, matches: &ArgMatches) -> Words {
    let given = |arg: &&clap::Arg| {
        matches!(
            matches.value_source(arg.get_id().as_str()),
            Some(ValueSource::CommandLine | ValueSource::EnvVariable)
        )
    };
    let word = |arg: &clap::Arg| {
        let id = arg.get_id().as_str();
        if matches!(arg.get_action(), ArgAction::SetTrue) && !matches.get_flag(id) {
            return None;
        }
        let values = match arg.get_action() {
            action if action.takes_values() => matches
                .get_raw(id)?
                .map(|raw| raw.to_string_lossy().into_owned())
                .collect(),
            _ => Vec::new(),
        };
        Some((arg.get_long()?.to_owned(), values))
    };
    command.get_arguments().filter(given).filter_map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::LoadArgs;

    fn given(words: &[&str]) -> Words {
        let command = Given::<LoadArgs>::augment_args(Command::new("run")).mut_args(|flag| flag.env(None));
        let matches = command.get_matches_from([&["run"], words].concat());
        Given::<LoadArgs>::from_arg_matches(&matches).unwrap().words().clone()
    }

    #[test]
    fn only_what_was_given_counts_under_its_long_name() {
        assert_eq!(given(&[]), []);
        let words = given(&[
            "-c",
            "7",
            "--stages",
            "1s:2,3s:4",
            "--repeat",
            "-H",
            "a: b",
            "-H",
            "c: d",
        ]);
        let words: Vec<_> = words
            .iter()
            .map(|(name, values)| format!("{name} {}", values.join("|")))
            .collect();
        assert_eq!(words, ["clients 7", "stages 1s:2,3s:4", "repeat ", "header a: b|c: d"]);
    }
}
