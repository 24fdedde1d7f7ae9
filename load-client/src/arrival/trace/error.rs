//! Why a trace cannot be read.

use std::{borrow::Cow, io};

/// Why a trace cannot be read. Each error names the file, and the line and the column if it concerns one.
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
    /// The file is not CSV in UTF-8: it has another encoding, or a line has more or fewer fields than the header.
    #[error("{file}: line {line}: {reason}")]
    Malformed {
        /// The path as it was given, or "standard input".
        file: String,
        /// The line in the file, counted from 1.
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
        /// A pointer to `--trace-separator` if a wrong separator may be the reason; otherwise empty.
        hint: &'static str,
    },
    /// The text of a cell is not a time or not a demand, as its column requires.
    #[error("{file}: line {line}, column {column}: {value:?} {reason}")]
    Field {
        /// The path as it was given, or "standard input".
        file: String,
        /// The line in the file, counted from 1.
        line: u64,
        /// The column's name in the header.
        column: String,
        /// The text in that cell.
        value: String,
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },
    /// The file has no rows, too many of them, or its replay would take too long.
    #[error("{file}: {reason}")]
    Size {
        /// The path as it was given, or "standard input".
        file: String,
        /// What is wrong with the number of rows or the length of the replay, and what to do.
        reason: String,
    },
}
