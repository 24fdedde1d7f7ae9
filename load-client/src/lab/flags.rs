//! Checks, parses and merges tables of flags. This is done by clap, which also parses the same flags on the command
//! line.

use std::{error::Error as _, iter};

use clap::{
    Arg, ArgAction, Args, Command,
    error::{ContextKind, ContextValue, ErrorKind},
};
use foo_service::config::{Change, Settings};

use super::{
    source::{LabError, hint, wrong},
    table::{Entry, Table, Value, text},
};
use crate::cli::{LoadArgs, modified_by};

/// The flags that the keys of a table stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The flags of `load-client run`, under `[load]`.
    Load,
    /// The flags of foo-service, under `[service]`.
    Service,
    /// The flags of foo-service that can change while it runs, in an event.
    Change,
}

impl Kind {
    /// The clap command with these flags. Environment variables have no effect.
    pub(super) fn command(self) -> Command {
        let empty = Command::new("lab").no_binary_name(true);
        let command = match self {
            Self::Load => LoadArgs::augment_args(empty),
            Self::Service => Settings::augment_args(empty),
            Self::Change => Change::augment_args(empty),
        };
        command.mut_args(|flag| flag.env(None::<&str>))
    }

    /// The keys that a table may have.
    pub(super) fn keys(self) -> Vec<String> {
        let command = self.command();
        let longs = command.get_arguments().filter_map(Arg::get_long);
        // Each strategy has a `mode` of its own, so `[load]` has none.
        longs
            .filter(|long| self != Self::Load || *long != "mode")
            .map(str::to_owned)
            .collect()
    }

    fn reads_no(self, key: &str, table: &str, known: &[String]) -> String {
        let hint = hint(key, known.iter().map(String::as_str));
        match self {
            Self::Load if key == "mode" => {
                "mode belongs into each [[strategy]]: mode = \"process\" or \"enqueue\"".to_owned()
            }
            Self::Load | Self::Service => format!("{table} has no key {key:?}; {hint}"),
            Self::Change if Self::Service.keys().iter().any(|known| known == key) => {
                format!(
                    "{key} cannot change while a service runs; an event can change {}",
                    known.join(", ")
                )
            }
            Self::Change => format!("{table} has no key {key:?}; an event can change {}", known.join(", ")),
        }
    }
}

/// Reads tables of flags; `file` and `name` say in errors where a table is.
pub(super) struct Flags<'a> {
    pub(super) file: &'a str,
    pub(super) kind: Kind,
    pub(super) name: &'a str,
}

impl Flags<'_> {
    /// Checks that every key is a flag and has a value of the right kind.
    pub(super) fn check_keys(&self, table: &Table) -> Result<(), LabError> {
        let (command, known) = (self.kind.command(), self.kind.keys());
        let mut entries: Vec<(&String, &Entry)> = table.0.iter().collect();
        // If several keys are wrong, the error is about the first one in the file.
        entries.sort_by_key(|(_, entry)| entry.line);
        for (key, entry) in entries {
            if !known.contains(key) {
                return Err(wrong(self.file, entry.line, self.kind.reads_no(key, self.name, &known)));
            }
            let arg = command.get_arguments().find(|arg| arg.get_long() == Some(key));
            let action = arg.expect("known keys are flags").get_action();
            let says = match (&entry.value, action) {
                (Value::Switch(_), ArgAction::SetTrue) => continue,
                (_, ArgAction::SetTrue) => format!("{key} is a switch: write {key} = true or {key} = false"),
                (Value::Switch(_), _) => format!("{key} needs a value; true and false are none of its values"),
                (Value::Many(_), ArgAction::Append) | (Value::One(_), _) => continue,
                (Value::Many(_), _) => format!("{key} takes one value, not a list"),
            };
            return Err(wrong(self.file, entry.line, says));
        }
        Ok(())
    }

    /// Parses a table whose keys have been checked. If no single key is wrong, the error names the line `line`.
    pub(super) fn parse<T: Args>(&self, table: &Table, line: usize) -> Result<T, LabError> {
        let matches = self.kind.command().try_get_matches_from(table.words());
        let parsed = matches.and_then(|mut matches| T::from_arg_matches_mut(&mut matches));
        parsed.map_err(|error| {
            let named = context(&error, ContextKind::InvalidArg);
            let mut keys = named.iter().map(|named| long(named));
            let guilty = keys.find_map(|key| table.0.get_key_value(&key));
            match guilty {
                Some((key, entry)) => {
                    let command = self.kind.command();
                    let arg = command.get_arguments().find(|arg| arg.get_long() == Some(key));
                    let arg = arg.expect("clap names its flags");
                    wrong(self.file, entry.line, says(&error, arg, key, entry))
                }
                None => wrong(self.file, line, says_of_all(&error, self.name)),
            }
        })
    }

    /// Merges two tables: the flags of `top` replace those of `base`. Flags of `base` that conflict with a flag of
    /// `top` are removed, and so are flags that need or modify a removed one.
    pub(super) fn merged(&self, base: &Table, top: &Table) -> Table {
        let command = self.kind.command();
        let find = |key: &str| command.get_arguments().find(|arg| arg.get_long() == Some(key));
        let conflicts = |one: &str, other: &str| match (find(one), find(other)) {
            (Some(one), Some(other)) => {
                command.get_arg_conflicts_with(one).contains(&other)
                    || command.get_arg_conflicts_with(other).contains(&one)
            }
            _ => false,
        };
        let gives_way = |key: &str| top.0.keys().any(|other| conflicts(key, other));
        // A flag that only modifies a removed flag is removed too, because it would have no effect.
        let goes = |key: &String| iter::successors(Some(key.as_str()), |key| modified_by(key)).any(gives_way);
        let gone: Vec<&String> = base.0.keys().filter(|key| goes(key)).collect();
        let needs_one = |key: &str, entry: &Entry| {
            let alone = command.clone().try_get_matches_from(entry.words(key));
            let Some(error) = alone
                .err()
                .filter(|error| error.kind() == ErrorKind::MissingRequiredArgument)
            else {
                return false;
            };
            let needed = context(&error, ContextKind::InvalidArg);
            needed.iter().any(|needed| gone.contains(&&long(needed)))
        };
        let mut merged = top.clone();
        for (key, entry) in &base.0 {
            if !merged.0.contains_key(key) && !gone.contains(&key) && !needs_one(key, entry) {
                merged.0.insert(key.clone(), entry.clone());
            }
        }
        merged
    }
}

/// The long name of a flag, without dashes, from the form in clap's errors: `--rps <RPS>`.
fn long(named: &str) -> String {
    let name = named.trim_start_matches("--");
    let end = name.find([' ', '=', '[']).unwrap_or(name.len());
    name[..end].to_owned()
}

fn context(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(many)) => many.clone(),
        Some(ContextValue::StyledStrs(many)) => many.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

/// Says what is wrong with a flag.
fn says(error: &clap::Error, arg: &Arg, key: &str, entry: &Entry) -> String {
    let given = context(error, ContextKind::InvalidValue).concat();
    let shown = foo_flags::shown(arg, &given);
    let value = if shown == given { entry.toml() } else { text(&shown) };
    let others = |kind| {
        context(error, kind)
            .iter()
            .map(|other| long(other))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match error.kind() {
        ErrorKind::ValueValidation => {
            let reason = error.source().map_or_else(String::new, ToString::to_string);
            format!("{key} = {value}: {reason}")
        }
        ErrorKind::InvalidValue => {
            let known = context(error, ContextKind::ValidValue);
            let hint = hint(&given, known.iter().map(String::as_str));
            format!("{key} = {value} is none of its values; {hint}")
        }
        ErrorKind::ArgumentConflict => format!("{key} cannot be used with {}", others(ContextKind::PriorArg)),
        _ => says_of_all(error, key),
    }
}

/// Says what is wrong with a table as a whole.
fn says_of_all(error: &clap::Error, name: &str) -> String {
    if error.kind() == ErrorKind::MissingRequiredArgument {
        let missing = context(error, ContextKind::InvalidArg);
        let missing: Vec<String> = missing.iter().map(|missing| long(missing)).collect();
        return format!("{name} needs {} besides", missing.join(", "));
    }
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    format!("{name}: {}", line.trim_start_matches("error: "))
}
