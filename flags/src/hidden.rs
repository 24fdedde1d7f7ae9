//! Clap's errors, without the values that may be credentials.

use clap::error::{ContextKind, ContextValue};

use crate::{
    command::Line,
    credentials::{shown, without_user},
};

/// The same error, with as much of what was typed as cannot be a credential. For errors that still name flags as clap does.
pub(crate) fn hidden(line: &Line, mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) {
        let value = shown_value(line, &error, value);
        error.insert(ContextKind::InvalidValue, ContextValue::String(value));
    }
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidSubcommand] {
        let Some(ContextValue::String(word)) = error.get(kind) else {
            continue;
        };
        // What clap can name is a flag's name.
        let told = if line.called(word).is_empty() {
            shown_word(line, word)
        } else {
            continue;
        };
        if told != *word {
            error.insert(kind, ContextValue::String(told));
            // Clap's tips repeat the word.
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

/// A word that is no flag. After a flag that takes a credential it may be the rest of one that a shell split at a space.
fn shown_word(line: &Line, word: &str) -> String {
    if !word.starts_with('-') && line.has_hidden_flag() {
        "…".to_owned()
    } else {
        without_user(word)
    }
}
