//! Removes possible credentials from clap's errors.

use clap::error::{ContextKind, ContextValue};

use crate::{
    command::Line,
    credentials::{shown, without_user},
};

/// The error without those parts of typed words that may be credentials. It must still name flags as clap does, so call this
/// before [`named`](crate::errors::named).
pub(crate) fn hidden(line: &Line, mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) {
        let value = shown_value(line, &error, value);
        error.insert(ContextKind::InvalidValue, ContextValue::String(value));
    }
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidSubcommand] {
        let Some(ContextValue::String(word)) = error.get(kind) else {
            continue;
        };
        // If `word` is the name of a flag, it is no credential.
        let told = if line.called(word).is_empty() {
            shown_word(line, word)
        } else {
            continue;
        };
        if told != *word {
            error.insert(kind, ContextValue::String(told));
            // Clap repeats the word in its tips.
            error.remove(ContextKind::Suggested);
        }
    }
    error
}

fn shown_value(line: &Line, error: &clap::Error, value: &str) -> String {
    let args = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) => line.called(name),
        _ => Vec::new(),
    };
    let shown = args.iter().map(|arg| shown(arg, value)).find(|shown| shown != value);
    match shown {
        Some(shown) => shown,
        None if args.is_empty() => without_user(value),
        None => value.to_owned(),
    }
}

/// The part to show of a word that is no flag: nothing if a flag with a credential was typed, because a shell may have split
/// the credential at a space.
fn shown_word(line: &Line, word: &str) -> String {
    if !word.starts_with('-') && line.has_hidden_flag() {
        "…".to_owned()
    } else {
        without_user(word)
    }
}
