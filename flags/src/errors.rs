//! Changes clap's errors so that they name an environment variable where the value came from it. Clap itself always names the
//! flag, even if the user did not type it.
//!
//! To find out whether a value came from a variable, the command line is parsed again without the variable: if it did, the
//! error is gone or is another one.

use std::{collections::BTreeSet, ffi::OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::{command::Line, variables::is_alike};

/// The parts of clap's errors that name flags.
const NAMES_FLAGS: [ContextKind; 2] = [ContextKind::InvalidArg, ContextKind::PriorArg];

/// In a conflict error: the variable to ignore, and the typed flag that it conflicts with, as clap shows the flag.
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

/// The error with the name of a variable in place of each flag whose value came from that variable.
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

/// An error about an unknown flag. The program's own hint replaces clap's guess; a guess that is not similar is removed.
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

/// An error about a missing flag. If the flag is needed because of a variable, the error names that variable in a tip.
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

/// The variable that gave the flag in an error its value; `None` if the flag was typed.
fn cause(line: &Line, ignored: &BTreeSet<OsString>, error: &clap::Error, shown: &str) -> Option<OsString> {
    let variables = line.variables(shown).into_iter();
    variables
        .filter(|variable| std::env::var_os(variable).is_some() && !ignored.contains(variable))
        .find(|variable| !persists(line, ignored, variable, error))
}

/// Whether the same error occurs if the variable is ignored too.
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
