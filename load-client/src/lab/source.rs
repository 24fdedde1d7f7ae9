//! Where in a lab file something stands, and what is wrong with it.

use std::{ops::Range, path::Path};

use crate::nearest::nearest;

/// What is wrong with a lab file, and where.
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
    /// The file and the flags of the command line do not go together.
    #[error("{file}: {says}")]
    Flags {
        /// The path as it was given.
        file: String,
        /// What is wrong, and what to do.
        says: String,
    },
}

/// A lab file's text, for finding lines in it.
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    /// Where relative paths in it begin.
    pub(super) folder: Option<&'a Path>,
}

impl Source<'_> {
    /// The line that a span begins in, counted from 1.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        1 + before.matches('\n').count()
    }

    pub(super) fn wrong(&self, span: &Range<usize>, says: impl Into<String>) -> LabError {
        wrong(self.file, self.line(span), says)
    }
}

/// An error in a line; line 0 stands for what does not come from the file.
pub(super) fn wrong(file: &str, line: usize, says: impl Into<String>) -> LabError {
    let (file, says) = (file.to_owned(), says.into());
    match line {
        0 => LabError::Flags { file, says },
        line => LabError::Wrong { file, line, says },
    }
}

/// What to add to an error about a name that is not known: the nearest of those that are, or all of them.
pub(super) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("the nearest is {nearest:?}"),
        None => format!("there are {}", known.join(", ")),
    }
}
