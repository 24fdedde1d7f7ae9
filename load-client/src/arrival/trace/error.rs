//! Why a trace cannot be read.

use std::{borrow::Cow, io};

/// Why a trace cannot be read. Each names the file, and the line and column where there is one.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// No flag names the column with the times, and none is assumed.
    #[error("the trace {file} needs the name of its column with the times: give --trace-time-column")]
    NoTimeColumn {
        /// The path as it was given.
        file: String,
    },
    /// It cannot be opened or read.
    #[error("{file}: {source}")]
    Read {
        /// The path as it was given, or "standard input".
        file: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// It is not CSV: a quote is left open, or the fields of a line are too many or too few.
    #[error("{file}: line {line}: {reason}")]
    Malformed {
        /// The path as it was given, or "standard input".
        file: String,
        /// From 1, the header included.
        line: u64,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A column was asked for that the header does not have.
    #[error("{file}: there is no column {column:?}; there are {present}{hint}")]
    NoColumn {
        /// The path as it was given, or "standard input".
        file: String,
        /// The column that a flag names.
        column: String,
        /// The columns that the file has.
        present: String,
        /// Where the separator may be the reason, the flag for it.
        hint: &'static str,
    },
    /// A field is not what its column must hold.
    #[error("{file}: line {line}, column {column}: {value:?} {reason}")]
    Field {
        /// The path as it was given, or "standard input".
        file: String,
        /// From 1, the header included.
        line: u64,
        /// The column's name in the header.
        column: String,
        /// The text in that cell.
        value: String,
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },
    /// There is nothing to replay, or too much.
    #[error("{file}: {reason}")]
    Size {
        /// The path as it was given, or "standard input".
        file: String,
        /// Whether there is nothing to replay, or too much.
        reason: String,
    },
}
