//! Clap's errors, with the names of variables where the values came from them. Clap itself names the flag, which
//! was not typed.
//!
//! Whether a value came from a variable is found by leaving the variable out: then the error is gone, or is another one.

use std::{collections::BTreeSet, ffi::OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::{command::Line, variables::is_alike};

/// What an error is about: each of these names flags.
const NAMES_FLAGS: [ContextKind; 2] = [ContextKind::InvalidArg, ContextKind::PriorArg];

/// The variable that gives way in a conflict, and the typed flag that it conflicts with, as clap shows the flag.
pub(crate) fn gives_way(line: &Line, ignored: &BTreeSet<OsString>, error: &clap::Error) -> Option<(OsString, String)> {
    let names = NAMES_FLAGS.iter().flat_map(|kind| strings(error.get(*kind)));
    let (mut variable, mut typed) = (None, None);
    for name in names {
        match cause(line, ignored, error, &name) {
            Some(cause) => variable = variable.or(Some(cause)),
            None => typed = typed.or(Some(name)),
        }
    }
    variable.zip(typed)
}

/// The same error, with variables named instead of the flags that were not typed.
pub(crate) fn named(line: &Line, ignored: &BTreeSet<OsString>, mut error: clap::Error) -> clap::Error {
    match error.kind() {
        ErrorKind::MissingRequiredArgument => return required(line, ignored, error),
        ErrorKind::UnknownArgument => return unknown(line, error),
        _ => {}
    }
    let mut changed = Vec::new();
    for kind in NAMES_FLAGS {
        let Some(value) = error.get(kind) else { continue };
        let name = |shown: &String| {
            let variable = cause(line, ignored, &error, shown);
            variable.map_or_else(|| shown.clone(), |variable| variable.to_string_lossy().into_owned())
        };
        let value = match value {
            ContextValue::String(shown) => ContextValue::String(name(shown)),
            ContextValue::Strings(shown) => ContextValue::Strings(shown.iter().map(name).collect()),
            _ => continue,
        };
        changed.push((kind, value));
    }
    for (kind, value) in changed {
        error.insert(kind, value);
    }
    error
}

/// A flag that is not there: the program's own hint goes before clap's guess, and a guess that is not near is left out.
fn unknown(line: &Line, mut error: clap::Error) -> clap::Error {
    let typed = strings(error.get(ContextKind::InvalidArg)).join(" ");
    let name = typed.split('=').next().unwrap_or_default();
    let hint = line
        .hints()
        .iter()
        .find(|(flag, _)| *flag == name)
        .map(|(_, hint)| *hint);
    let guess = strings(error.get(ContextKind::SuggestedArg)).join(" ");
    let guess = guess.split_whitespace().next().unwrap_or_default();
    if hint.is_some() || !is_alike(name, guess) {
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::SuggestedSubcommand);
        error.remove(ContextKind::Suggested);
        // Clap's usage line contains the guess.
        error.insert(ContextKind::Usage, ContextValue::StyledStr(line.usage()));
    }
    if let Some(hint) = hint {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    }
    error
}

/// What is missing was not given at all; a variable may be why it is needed.
fn required(line: &Line, ignored: &BTreeSet<OsString>, mut error: clap::Error) -> clap::Error {
    let missing = strings(error.get(ContextKind::InvalidArg)).into_iter();
    let own: BTreeSet<OsString> = missing.flat_map(|shown| line.variables(&shown)).collect();
    let causes = line.all_variables().into_iter().filter(|variable| {
        !ignored.contains(variable) && !own.contains(variable) && !persists(line, ignored, variable, &error)
    });
    let tips: Vec<_> = causes
        .map(|variable| format!("the environment variable {} needs it", variable.to_string_lossy()).into())
        .collect();
    if !tips.is_empty() {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

/// The variable from which a flag in an error has its value; `None` if the flag was typed.
fn cause(line: &Line, ignored: &BTreeSet<OsString>, error: &clap::Error, shown: &str) -> Option<OsString> {
    let variables = line.variables(shown).into_iter();
    variables
        .filter(|variable| std::env::var_os(variable).is_some() && !ignored.contains(variable))
        .find(|variable| !persists(line, ignored, variable, error))
}

/// Whether the error is still the same without a variable.
fn persists(line: &Line, ignored: &BTreeSet<OsString>, variable: &OsString, error: &clap::Error) -> bool {
    let mut without = ignored.clone();
    without.insert(variable.clone());
    line.without(&without).is_err_and(|other| {
        other.kind() == error.kind() && NAMES_FLAGS.iter().all(|kind| other.get(*kind) == error.get(*kind))
    })
}

fn strings(value: Option<&ContextValue>) -> Vec<String> {
    match value {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(several)) => several.clone(),
        _ => Vec::new(),
    }
}
