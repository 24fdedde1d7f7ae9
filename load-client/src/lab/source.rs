//! Errors in lab files, with the line of what is wrong.

use std::{ops::Range, path::Path};

use crate::nearest::nearest;

/// What is wrong with a lab, and in which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabError {
    /// The file cannot be read.
    #[error("cannot read {file}: {reason}")]
    Unreadable {
        /// The path as it was given.
        file: String,
        /// What the operating system says.
        reason: String,
    },
    /// Something in the file is wrong.
    #[error("{file}:{line}: {says}")]
    Wrong {
        /// The path as it was given.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, and what to do.
        says: String,
    },
    /// A flag of the command line is wrong, or does not fit the lab.
    #[error("{file}: {says}")]
    Flags {
        /// The path as it was given.
        file: String,
        /// What is wrong, and what to do.
        says: String,
    },
}

/// The name and the text of a lab file.
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    /// The folder of the file, from which relative paths in it begin; `None` for a file that is compiled in.
    pub(super) folder: Option<&'a Path>,
}

impl Source<'_> {
    /// The line in which a span begins, counted from 1.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        1 + before.matches('\n').count()
    }

    pub(super) fn wrong(&self, span: &Range<usize>, says: impl Into<String>) -> LabError {
        wrong(self.file, self.line(span), says)
    }
}

/// Makes the error for a line of the file, or, with line 0, for a flag of the command line.
pub(super) fn wrong(file: &str, line: usize, says: impl Into<String>) -> LabError {
    let (file, says) = (file.to_owned(), says.into());
    match line {
        0 => LabError::Flags { file, says },
        line => LabError::Wrong { file, line, says },
    }
}

/// The end of an error about an unknown name: the nearest known name, or all of them if none is near.
pub(super) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("the nearest is {nearest:?}"),
        None => format!("there are {}", known.join(", ")),
    }
}
